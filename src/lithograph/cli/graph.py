"""``lithograph check``, ``query``, ``runs``, ``review``, ``undo``: what is in the graph."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from lithograph.cli.options import HERE, Folder, Json, Parameters, opened, parameters_of
from lithograph.cli.output import fail, say, show_admission, show_json, show_table


class QueryFormat(StrEnum):
    """How the answer to a query is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    TTL = "ttl"


def check(workspace: Folder = HERE, json: Json = False) -> None:
    """Hold the whole graph against the SHACL shapes.

    Example: lithograph check
    """
    found = opened(workspace).graph.check()
    columns = ("severity", "focus", "path", "component", "message")
    rows = [(v.severity, v.focus, v.path or "", v.component, v.message) for v in found]
    if json:
        show_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif rows:
        show_table(columns, rows)
    faults = sum(v.severity == "Violation" for v in found)
    say(f"{faults} violations, {len(found) - faults} warnings and remarks")
    if faults:
        fail()


def query(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A named query, or a .rq file (/dev/stdin too); lists them if left out."
        ),
    ] = None,
    param: Parameters = None,
    format_: Annotated[
        QueryFormat, typer.Option("--format", "-f", help="How the answer is written.")
    ] = QueryFormat.TABLE,
    workspace: Folder = HERE,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Ask the graph.

    Example: lithograph query by-concept --param concept=crack --format csv
    """
    place = opened(workspace)
    if name is None:
        rows = [(q.name, q.title, ", ".join(p.name for p in q.parameters)) for q in place.queries()]
        show_table(("query", "answers", "parameters"), rows)
        return
    form = QueryFormat.JSON if json else format_
    asked = place.query(name)
    parameters = place.resolve(asked, parameters_of(param))
    if asked.form in {"CONSTRUCT", "DESCRIBE"}:
        if form not in {QueryFormat.TTL, QueryFormat.TABLE}:
            raise typer.BadParameter(f"{asked.form} queries answer in ttl", param_hint="--format")
        typer.echo(place.graph.construct(asked, parameters).decode("utf-8"))
    elif asked.form == "ASK":
        answer = place.graph.ask(asked, parameters)
        if form is QueryFormat.JSON:
            show_json({"head": {}, "boolean": answer})
        else:
            typer.echo("true" if answer else "false")
    else:
        table = place.graph.query(asked, parameters)
        if form is QueryFormat.JSON:
            typer.echo(table.to_json().decode("utf-8"))
        elif form is QueryFormat.CSV:
            typer.echo(table.to_csv(), nl=False)
        elif form is QueryFormat.TTL:
            raise typer.BadParameter(
                "a SELECT answers in table, csv or json", param_hint="--format"
            )
        else:
            show_table(table.columns, table.shown())


def review(
    annotations: Annotated[list[str], typer.Argument(help="IRIs of annotations.")],
    accept: Annotated[bool, typer.Option("--accept", help="They are right.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="They are wrong.")] = False,
    concept: Annotated[
        str | None, typer.Option(help="Accept them as this concept: a slug, label or IRI.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who says so.")] = None,
    workspace: Folder = HERE,
    json: Json = False,
) -> None:
    """Accept or reject annotations; a correction is a new annotation, nothing is overwritten.

    Example: lithograph review https://data.example.org/annotation/1f0e --accept --by Marie
    """
    from lithograph.entities import Status

    if (accept and reject) or not (accept or reject or concept):
        raise typer.BadParameter("expected one of --accept, --reject, --concept")
    if reject and concept:
        raise typer.BadParameter("--reject and --concept exclude each other")
    status = Status.REJECTED if reject else Status.ACCEPTED
    admission = opened(workspace).review(annotations, status, concept=concept, agent=by)
    show_admission(admission, as_json=json)


def runs(workspace: Folder = HERE, json: Json = False) -> None:
    """List the runs of the graph, oldest first.

    Example: lithograph runs --json
    """
    place = opened(workspace)
    counts = place.graph.annotation_counts()
    columns = ("started", "kind", "name", "by", "annotations", "state", "run")
    rows = [
        (
            run.started,
            str(run.kind),
            run.name or "",
            run.agent.name,
            counts.get(run.iri, 0),
            "closed" if run.ended else "open",
            run.iri,
        )
        for run in place.graph.runs()
    ]
    if json:
        show_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        show_table(columns, rows)


def undo(
    run: Annotated[str, typer.Argument(help="The run's IRI, or the last part of it.")],
    by: Annotated[str | None, typer.Option(help="Who undoes it.")] = None,
    workspace: Folder = HERE,
) -> None:
    """Take a run out of the graph; a tombstone says who did it and when.

    Example: lithograph undo model-77aa55cc33ee1100 --by Marie
    """
    place = opened(workspace)
    iri = run if "://" in run else f"{place.settings.base_iri}run/{run}"
    say(f"{iri}: undone, {place.undo(iri, agent=by)} triples went")
