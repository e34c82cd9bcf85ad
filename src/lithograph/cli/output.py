"""How the command line shows things: tables for people, JSON for programmes, progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lithograph.entities import Admission, Refusal


def say(text: str) -> None:
    """One line for people, on standard error: what was done, not what was asked for."""
    typer.echo(text, err=True)


def fail() -> NoReturn:
    """End with status 1: something was refused or failed, and has been said."""
    raise typer.Exit(1)


def show_json(value: Any) -> None:
    """Data for programmes, on standard output."""
    import orjson

    text = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str)
    typer.echo(text.decode("utf-8"))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on standard output: drawn on a terminal, tab-separated in a pipe."""
    if not sys.stdout.isatty():
        typer.echo("\t".join(columns))
        for row in rows:
            typer.echo("\t".join(" ".join(str(cell).split()) for cell in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    Console().print(table)


def say_refusals(refusals: Sequence[Refusal], limit: int = 20) -> None:
    """Each refused thing with its reason; the quarantine keeps those that are not listed here."""
    for refusal in refusals[:limit]:
        say(f"refused: {refusal.path}: {refusal.reason}")
    if len(refusals) > limit:
        say(f"refused: {len(refusals) - limit} more; `lithograph query refused` lists them all")


def show_admission(admission: Admission, *, as_json: bool) -> None:
    """What became of a batch; ends with status 1 where anything was refused."""
    if as_json:
        show_json(
            {
                "run": admission.run,
                "admitted": len(admission.admitted),
                "known": admission.known,
                "triples_added": admission.triples_added,
                "refused": [{"path": r.path, "reason": r.reason} for r in admission.refusals],
            }
        )
    say_refusals(admission.refusals)
    say(
        f"{admission.run}: {len(admission.admitted)} annotations admitted, {admission.known} known "
        f"already, {len(admission.refusals)} refused, {admission.triples_added} triples added"
    )
    if admission.refusals:
        fail()


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, silent where that is no terminal.

    Gives a function of (done, total).
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
