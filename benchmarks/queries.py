"""Every shipped query on a graph with imports, model runs, reviews and exports in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from benchmarks.bench import BASE_IRI, Bench
from benchmarks.processes import TaskTooLong, timed
from benchmarks.results import Goal, shown_seconds

#: Longer than this is flagged.
QUICK: Final = Goal("<", 1, " s")
#: A query that takes longer, in seconds, is stopped.
_LIMIT_S: Final = 120
_TIMES: Final = 3
#: After so many seconds a query is not asked again.
_ENOUGH_S: Final = 20
_CONCEPT: Final = "https://w3id.org/lithograph/notre-dame-alterations/material-loss"


def run(bench: Bench) -> None:
    """Make the graph, then ask each query three times in a process of its own."""
    bench.attempt("queries", _all, bench)


def _all(bench: Bench) -> None:
    from lithograph.queries import shipped

    size = bench.plan.graph
    folder = str(bench.new_folder("queried"))
    made = bench.prepare(f"{__name__}:make", {"folder": folder, "annotations": size})
    for name in shipped():
        bench.attempt(f"query {name}", one, bench, name, folder, made["values"])


def one(bench: Bench, name: str, folder: str, values: dict[str, str]) -> None:
    """Ask one query of the graph in a workspace, in a process of its own."""
    size = bench.plan.graph
    arguments = {"folder": folder, "name": name, "values": values}
    try:
        found = bench.measure(
            f"query {name}", size, f"{__name__}:ask", arguments, repeats=1, limit_s=_LIMIT_S
        )
    except TaskTooLong:
        bench.results.compare(
            "queries",
            name,
            size,
            f"stopped after {_LIMIT_S} s",
            value=_LIMIT_S,
            unit=" s",
            goal=QUICK,
        )
        return
    bench.results.compare(
        "queries",
        name,
        size,
        shown_seconds(found.median),
        beside=f"{found.facts['of']}: {found.facts['rows']:,}",
        value=found.median,
        unit=" s",
        goal=QUICK,
    )


# -- tasks -------------------------------------------------------------------------------------


def make(folder: str, annotations: int) -> dict[str, Any]:
    """Make the graph in a workspace; give a value of it for every parameter of the queries."""
    from benchmarks.graphs import make_graph
    from lithograph import Workspace

    workspace = Workspace.create(Path(folder), BASE_IRI)
    graph = workspace.graph
    found = make_graph(graph.store, annotations, iris=workspace.iris)
    graph.store.flush()
    values = {
        "concept": _CONCEPT,
        "image": found.image,
        "region": found.region,
        "run": found.model_run,
        "since": graph.run(found.model_run).started,
        "annotation": found.revision,
        "preferred": found.preferred,
    }
    return {"values": values, "triples": len(graph)}


def ask(folder: str, name: str, values: dict[str, str]) -> dict[str, Any]:
    """Ask a query of the workspace's graph; parameters without a default get their value."""
    from lithograph import Workspace

    workspace = Workspace.open(folder)
    graph, query = workspace.graph, workspace.query(name)
    given = {each.name: values[each.name] for each in query.parameters if each.default is None}
    seconds: list[float] = []
    while len(seconds) < _TIMES and sum(seconds) < _ENOUGH_S:
        with timed(seconds):
            if query.form == "SELECT":
                count, of = len(graph.query(query, given)), "rows"
            else:
                count, of = len(graph.construct(query, given)), "bytes of Turtle"
    return {"seconds": seconds, "rows": count, "of": of}
