"""The SHACL gate beside pySHACL and pyrudof on the same batch, and in a large graph."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from benchmarks import peers
from benchmarks.bench import BASE_IRI, Bench
from benchmarks.processes import timed
from benchmarks.results import Goal, Measurement, shown_bytes, shown_seconds

if TYPE_CHECKING:
    from lithograph.gate import Shapes

By = Literal["gate", "pyshacl"]

TIMES_PYSHACL: Final = Goal("≥", 100, "×", at=10_000)
#: The first of so many annotations lacks its concept, so that there are complaints.
_SPOILT: Final = 100
#: Annotations of a batch that is let into a large graph.
_BATCH: Final = 1_000
#: A larger batch in one piece would not fit: an import goes batch by batch.
_LARGEST: Final = 100_000
_BODY: Final = "http://www.w3.org/ns/oa#hasBody"


def run(bench: Bench) -> None:
    """Measure the gate alone, beside its peers, and at work in graphs of every size."""
    plan = bench.plan
    compared = sorted({plan.gate, plan.reference})
    for size in compared:
        bench.attempt(f"gate on {size:,}", _alone, bench, size)
    # Right after the gate: a slow spell of the machine should fall on both.
    bench.attempt("pySHACL", _beside_pyshacl, bench)
    bench.attempt("pyrudof", _beside_pyrudof, bench)
    for size in plan.sizes:
        if size <= _LARGEST and size not in compared:
            bench.attempt(f"gate on {size:,}", _alone, bench, size)
    for size in plan.sizes[1:]:
        bench.attempt(f"gate in a graph of {size:,}", _in_graph, bench, size)


def _files(bench: Bench, size: int) -> dict[str, str]:
    """The batch and its context as N-Quads, and both as N-Triples."""
    paths = {
        name: str(bench.scratch / f"{name}-{size}.{'nt' if name == 'triples' else 'nq'}")
        for name in ("batch", "context", "triples")
    }
    if not Path(paths["triples"]).exists():
        bench.prepare(f"{__name__}:part", {"nquads": str(bench.nquads(size)), **paths})
    return paths


def _validated(bench: Bench, size: int, by: By, times: int) -> Measurement:
    files = _files(bench, size)
    arguments = {"batch": files["batch"], "context": files["context"], "by": by, "times": times}
    return bench.measure(by, size, f"{__name__}:validate", arguments, repeats=1)


def _alone(bench: Bench, size: int) -> None:
    found = _validated(bench, size, "gate", bench.plan.repeats_at(size))
    bench.results.compare(
        "gate",
        "one batch against all shapes",
        size,
        f"{shown_seconds(found.median)}, {shown_seconds(found.each)} each",
        beside=f"peak memory {shown_bytes(found.peak)}, the first time in a process "
        f"{shown_seconds(found.facts['first_seconds'])}",
    )


def _beside_pyshacl(bench: Bench) -> None:
    size, whole = bench.plan.reference, bench.plan.gate
    gate = {each: bench.found("gate", each) for each in dict.fromkeys((size, whole))}
    theirs = _validated(bench, size, "pyshacl", 1)
    same = gate[size].facts["complaints"] == theirs.facts["complaints"]
    said = f"both complain {sum(theirs.facts['complaints'].values())} times"
    if not same:
        said = f"other complaints: {gate[size].facts} here, {theirs.facts} there"
        bench.results.failures.append(f"gate and pySHACL differ: {said}")
    # pySHACL goes through the focus nodes one by one: its time is linear in the batch.
    for ours in gate:
        linear = "" if ours == size else f", measured on {size:,}: it is linear"
        bench.results.compare(
            "gate",
            "against pySHACL on the same batch" + ("" if ours != size else f" ({said})"),
            ours,
            f"{shown_seconds(gate[ours].each)} each",
            beside=f"pySHACL {shown_seconds(theirs.each)} each{linear}",
            value=theirs.each / gate[ours].each,
            goal=TIMES_PYSHACL if ours == whole else None,
        )


def _beside_pyrudof(bench: Bench) -> None:
    ours = bench.found("gate", bench.plan.gate)
    peers.attempt(bench, "pyrudof", partial(_by_pyrudof, ours))


def _by_pyrudof(ours: Measurement, bench: Bench, python: Path, _: int) -> None:
    from lithograph import resources

    size = ours.annotations
    arguments = {
        "triples": _files(bench, size)["triples"],
        "shapes": [str(path) for path in sorted(resources.shapes().glob("*.ttl"))],
        "times": bench.plan.repeats,
    }
    theirs = bench.measure(
        "pyrudof",
        size,
        "benchmarks.with_pyrudof:validate",
        arguments,
        repeats=1,
        python=python,
    )
    count, found = sum(ours.facts["complaints"].values()), theirs.facts["complaints"]
    said = f"both complain {count} times" if count == found else f"it complains {found} times"
    bench.results.compare(
        "gate",
        f"against pyrudof on the same batch ({said})",
        size,
        f"{shown_seconds(ours.each)} each",
        beside=f"pyrudof {shown_seconds(theirs.each)} each, reading the data not counted",
        value=theirs.each / ours.each,
    )


def _in_graph(bench: Bench, size: int) -> None:
    """What a batch costs where the graph that it joins is large."""
    batch = min(_BATCH, size)
    arguments = {"folder": str(bench.workspace(size)), "annotations": batch, "times": 3}
    found = bench.measure("admit", size, f"{__name__}:admit", arguments, repeats=1)
    smallest = next(iter(bench.results.named("admit").values()))
    bench.results.compare(
        "gate",
        f"a batch of {batch:,} into a graph that holds so many: context, gate and writing",
        size,
        f"{shown_seconds(found.median / batch)} each, of which gate "
        f"{shown_seconds(found.facts['gate_seconds'] / batch)}",
        beside=""
        if found is smallest
        else f"in a graph of {smallest.annotations:,} "
        f"{shown_seconds(smallest.median / smallest.facts['batch'])}",
        value=None
        if found is smallest
        else found.median / batch / (smallest.median / smallest.facts["batch"]),
    )


# -- tasks -------------------------------------------------------------------------------------


def part(nquads: str, batch: str, context: str, triples: str) -> dict[str, Any]:
    """Part a dump into its largest graph, with some faults put in, and what stands around it."""
    import pyoxigraph as ox

    quads = list(ox.parse(path=nquads, format=ox.RdfFormat.N_QUADS))
    (largest, _), *_ = Counter(quad.graph_name for quad in quads).most_common(1)
    inside, outside, bodies = [], [], 0
    for quad in quads:
        if quad.graph_name != largest:
            outside.append(quad)
            continue
        if quad.predicate.value == _BODY:
            bodies += 1
            if bodies % _SPOILT == 1:
                continue
        inside.append(quad)
    ox.serialize(inside, batch, format=ox.RdfFormat.N_QUADS)
    ox.serialize(outside, context, format=ox.RdfFormat.N_QUADS)
    both = (quad.triple for quad in (*inside, *outside))
    ox.serialize(both, triples, format=ox.RdfFormat.N_TRIPLES)
    return {}


def _read(path: str) -> list[Any]:
    """Quads from a file, as the gate takes them: equal terms are one string, as its writers do."""
    import pyoxigraph as ox

    from lithograph.rdf import quad_of

    one: dict[str, str] = {}
    return [
        tuple(one.setdefault(term, term) for term in quad_of(quad))
        for quad in ox.parse(path=path, format=ox.RdfFormat.N_QUADS)
    ]


def _complaints(by: By, batch: list[Any], shapes: Shapes, context: list[Any]) -> dict[str, int]:
    """Constraint component → how many complaints. The only place that calls a validator."""
    from lithograph import gate
    from lithograph.gate import reference

    check = gate.validate if by == "gate" else reference.validate
    found = check(batch, shapes, context=context)
    return dict(sorted(Counter(violation.component for violation in found).items()))


def validate(batch: str, context: str, by: By, times: int) -> dict[str, Any]:
    """Check a batch several times; reading the shapes and the quads is not counted.

    ``first_seconds`` is a time before those counted, in which the gate makes its plan of the
    shapes; pySHACL, which takes minutes, has no such first time.
    """
    from lithograph.gate import Shapes

    shapes, seconds = Shapes.read(), list[float]()
    quads, around = _read(batch), _read(context)
    complaints: dict[str, int] = {}
    for _ in range(times + (by == "gate")):
        with timed(seconds):
            complaints = _complaints(by, quads, shapes, around)
    first, counted = seconds[0], seconds[-times:]
    return {"seconds": counted, "first_seconds": first, "complaints": complaints}


def admit(folder: str, annotations: int, times: int) -> dict[str, Any]:
    """Let batches of new annotations on known images into a workspace's graph."""
    from benchmarks.ingest import clock_gate
    from lithograph import Workspace
    from lithograph.entities import Agent, Batch, Run, RunKind

    graph = Workspace.open(folder).graph
    known = graph.query(
        "PREFIX oa: <http://www.w3.org/ns/oa#> "
        f"SELECT ?annotation {{ ?annotation a oa:Annotation }} LIMIT {annotations}"
    )
    old = [graph.annotation(iri) for iri in known.column("annotation")]
    inside, seconds = clock_gate(), list[float]()
    gate_seconds: list[float] = []
    # The first one reads the shapes and is not counted.
    for number in range(times + 1):
        run_iri = f"{BASE_IRI}run/admitted-{number}"
        new = tuple(
            replace(each, iri=f"{BASE_IRI}annotation/{number}-{index}", source_id=None)
            for index, each in enumerate(old)
        )
        started = "2026-01-01T00:00:00Z"
        batch = Batch(Run(run_iri, RunKind.EDIT, Agent("benchmark"), started), new)
        inside.clear()
        with timed(seconds):
            admission = graph.admit(batch)
        gate_seconds.append(sum(inside))
        if len(admission.admitted) != len(new):
            raise RuntimeError(f"expected {len(new)} admitted: {admission.refusals[:1]}")
    middle = sorted(gate_seconds[1:])[len(gate_seconds[1:]) // 2]
    return {"seconds": seconds[1:], "gate_seconds": middle, "batch": len(old)}
