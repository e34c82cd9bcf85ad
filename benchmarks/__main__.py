"""Run the benchmarks: ``python -m benchmarks [--full] [--only gate,ingest] [--output DIR]``."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks import export, gate, ingest, peers, queries
from benchmarks.bench import Bench
from benchmarks.machine import machine, versions
from benchmarks.page import page
from benchmarks.plans import DEFAULT, FULL, TINY, Plan
from benchmarks.plotting import draw
from benchmarks.processes import ROOT
from benchmarks.results import Results

_PARTS: Final[dict[str, Callable[[Bench], None]]] = {
    "ingest": ingest.run,
    "gate": gate.run,
    "export": export.run,
    "queries": queries.run,
    "peers": peers.run,
}
#: Holds the one file of results that the documentation quotes.
_RESULTS: Final = ROOT / "benchmarks" / "results"
_PICTURE: Final = "benchmarks-scaling"


def main(words: Sequence[str] | None = None) -> int:
    """The command. Returns 1 where something could not be measured; a goal missed is no failure."""
    given = _arguments(words)
    if given.page:
        (path,) = _RESULTS.glob("*.json")
        quote(Results.read(path))
        return 0
    plan: Plan = TINY if given.tiny else FULL if given.full else DEFAULT
    if given.graph is not None:
        plan = replace(plan, graph=given.graph)
    # Into a file or a pipe a table is as wide as it needs to be.
    console = Console() if sys.stdout.isatty() else Console(width=220)
    results = Results(
        plan=plan.name,
        date=datetime.now(UTC).date().isoformat(),
        machine=machine(),
        versions=versions(),
    )
    given.output.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=given.scratch, prefix="lithograph-bench-") as scratch:
        bench = Bench(plan, Path(scratch), results, lambda text: console.print(text, markup=False))
        for part in given.only:
            console.rule(part)
            _PARTS[part](bench)
            # An hour's figures should survive what comes after them.
            results.write(given.output / "results.json")
    pictures = draw(results, given.output, "scaling")
    written = page(results, source="results.json", picture="scaling.png" if pictures else None)
    (given.output / "page.md").write_text(written, encoding="utf-8")
    _show(console, results)
    console.print(f"{(time.monotonic() - started) / 60:.1f} minutes")
    if given.quote:
        quote(results)
    return 1 if results.failures else 0


def quote(results: Results) -> None:
    """Make these results the ones that the documentation quotes."""
    docs = ROOT / "docs"
    shutil.rmtree(_RESULTS, ignore_errors=True)
    _RESULTS.mkdir()
    path = _RESULTS / f"{results.date}-{results.plan}.json"
    results.write(path)
    pictures = draw(results, docs, _PICTURE)
    (docs / "benchmarks.md").write_text(quoted_page(path, drawn=bool(pictures)), encoding="utf-8")


def quoted_page(path: Path, *, drawn: bool = True) -> str:
    """docs/benchmarks.md as the results of this path give it."""
    return page(
        Results.read(path),
        source=f"../benchmarks/results/{path.name}",
        picture=f"{_PICTURE}.svg" if drawn else None,
    )


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--full", action="store_true", help="up to a million annotations")
    size.add_argument("--tiny", action="store_true", help="a look at whether all of it runs")
    parser.add_argument(
        "--only", type=_parts, default=list(_PARTS), help=f"of {','.join(_PARTS)}; default: all"
    )
    parser.add_argument(
        "--graph", type=int, help="annotations of the graph that is queried; 100 or more"
    )
    parser.add_argument(
        "--output", type=Path, default=ROOT / "benchmarks" / "output", help="results and plot"
    )
    parser.add_argument("--scratch", type=Path, help="where gigabytes may lie while it runs")
    parser.add_argument(
        "--page", action="store_true", help="only write docs/benchmarks.md again from its results"
    )
    parser.add_argument(
        "--quote", action="store_true", help="write docs/benchmarks.md and its results anew"
    )
    given = parser.parse_args(words)
    if given.quote and (given.tiny or set(given.only) != set(_PARTS)):
        parser.error("--quote: expected a run of all parts, and not a tiny one")
    return given


def _parts(text: str) -> list[str]:
    """The parts named, in the order in which they share their files."""
    asked = text.split(",")
    if unknown := set(asked) - set(_PARTS):
        raise argparse.ArgumentTypeError(f"expected some of {','.join(_PARTS)}, found {unknown}")
    return [part for part in _PARTS if part in asked]


def _show(console: Console, results: Results) -> None:
    table = Table(box=None, header_style="bold")
    for name in ("part", "what", "annotations", "figure", "beside it", "ratio", "goal", ""):
        table.add_column(name, justify="right" if name in {"annotations", "ratio"} else "left")
    colours = {"met": "green", "short": "red", "": ""}
    for row in results.rows:
        table.add_row(
            row.part,
            row.what,
            f"{row.annotations:,}",
            row.figure,
            row.beside,
            row.ratio,
            row.goal,
            f"[{colours[row.verdict]}]{row.verdict}[/]" if row.verdict else "",
        )
    console.print(table)
    for peer in results.peers:
        console.print(f"{peer.name} {peer.version}: {peer.state} {peer.reason}", markup=False)
    for failure in results.failures:
        console.print(f"not measured: {failure}", markup=False, style="red")


if __name__ == "__main__":
    sys.exit(main())
