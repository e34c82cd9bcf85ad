"""COCO file → durable graph on disk, through the gate, beside a bare bulk load of its triples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.bench import BASE_IRI, Bench
from benchmarks.processes import timed
from benchmarks.results import Goal, Measurement, shown_bytes, shown_seconds

TIMES_FLOOR = Goal("≤", 3, "×", least=10_000)
PEAK = Goal("<", 2, " GB", at=1_000_000)
SHARE = Goal("≤", 30, " %", least=10_000)
REVIEW = Goal("<", 20, " ms")
#: Reviews that are timed, one after another, after one that opens everything.
_REVIEWS = 20
_FAULTY = 0.05


def run(bench: Bench) -> None:
    """Measure every size, a faulty file, and a review in the largest graph."""
    for size in bench.plan.sizes:
        bench.attempt(f"ingest of {size:,}", _one_size, bench, size)
    middle = bench.plan.sizes[len(bench.plan.sizes) // 2]
    bench.attempt("ingest of a faulty file", _faulty, bench, middle)
    bench.attempt("review", _review, bench, bench.plan.sizes[-1])


def _one_size(bench: Bench, size: int) -> None:
    coco = bench.coco(size)
    ours: list[Measurement] = []
    floor: list[Measurement] = []
    # One after the other in turns, so that a slow spell of the machine falls on both.
    for _ in range(bench.plan.repeats_at(size)):
        folder = bench.new_folder(f"workspace-{size}")
        arguments = {"coco": str(coco), "folder": str(folder)}
        ours.append(bench.once("ingest", size, f"{__name__}:ingest", arguments))
        bench.hand_in(size, folder)
        into = bench.new_folder("floor")
        arguments = {"nquads": str(bench.nquads(size)), "folder": str(into)}
        floor.append(bench.once("bulk_load", size, f"{__name__}:bulk_load", arguments))
    whole, bare = bench.keep(ours), bench.keep(floor)
    shares = sorted(100 * each.facts["gate_seconds"] / each.median for each in ours)
    bench.results.compare(
        "ingest",
        "COCO file → durable graph on disk, gate on",
        size,
        f"{shown_seconds(whole.median)}, {whole.rate:,.0f}/s",
        beside=f"bulk_load of the same triples {shown_seconds(bare.median)}",
        value=whole.median / bare.median,
        goal=TIMES_FLOOR,
    )
    bench.results.compare(
        "ingest",
        "peak memory",
        size,
        shown_bytes(whole.peak),
        beside=f"bulk_load {shown_bytes(bare.peak)}",
        value=whole.peak / 1e9,
        unit=" GB",
        goal=PEAK,
    )
    if size == bench.plan.sizes[-1]:
        bench.results.compare(
            "ingest",
            "share of the gate in the ingest",
            size,
            shown_seconds(whole.median * shares[len(shares) // 2] / 100),
            value=shares[len(shares) // 2],
            unit=" %",
            goal=SHARE,
        )


def _faulty(bench: Bench, size: int) -> None:
    coco = bench.coco(size, faulty=_FAULTY)
    arguments = {"coco": str(coco), "folder": str(bench.new_folder("faulty"))}
    found = bench.measure("ingest-faulty", size, f"{__name__}:ingest", arguments, repeats=1)
    clean = bench.results.named("ingest").get(size)
    bench.results.compare(
        "ingest",
        f"a file of which {found.facts['refused']:,} records are faulty, each kept with its reason",
        size,
        f"{shown_seconds(found.median)}, {found.rate:,.0f}/s",
        beside="" if clean is None else f"the clean file {shown_seconds(clean.median)}",
        value=None if clean is None else found.median / clean.median,
    )


def _review(bench: Bench, size: int) -> None:
    arguments = {"folder": str(bench.workspace(size)), "times": _REVIEWS}
    found = bench.measure("review", size, f"{__name__}:review", arguments, repeats=1)
    bench.results.compare(
        "ingest",
        "accepting one annotation (a review run of its own)",
        size,
        shown_seconds(found.median),
        beside=f"the first in a process {shown_seconds(found.facts['first'])}",
        value=found.median * 1e3,
        unit=" ms",
        goal=REVIEW,
    )


# -- tasks -------------------------------------------------------------------------------------


def ingest(coco: str, folder: str) -> dict[str, Any]:
    """Import a COCO file into a new workspace, from opening it until the store is flushed.

    ``gate_seconds`` of it were spent in the gate: validation and parting.
    """
    from lithograph import Workspace

    seconds: list[float] = []
    inside = clock_gate()
    Workspace.create(Path(folder), BASE_IRI)
    with timed(seconds):
        workspace = Workspace.open(folder)
        _, admission = workspace.import_coco(coco)
        workspace.graph.store.flush()
    return {
        "seconds": seconds,
        "admitted": len(admission.admitted),
        "refused": len(admission.refusals),
        "triples": len(workspace.graph),
        "file_bytes": Path(coco).stat().st_size,
        "gate_seconds": sum(inside),
    }


def clock_gate() -> list[float]:
    """From now on in this process, the seconds of every call of the gate go into the list."""
    from lithograph import gate

    seconds: list[float] = []
    for name in ("validate", "partition"):
        plain = getattr(gate, name)

        def clocked(*arguments: Any, _plain: Any = plain, **named: Any) -> Any:
            with timed(seconds):
                return _plain(*arguments, **named)

        setattr(gate, name, clocked)
    return seconds


def dump(folder: str, nquads: str) -> dict[str, Any]:
    """Write all quads of a workspace's graph."""
    import pyoxigraph as ox

    from lithograph import Workspace

    Workspace.open(folder).graph.store.dump(nquads, format=ox.RdfFormat.N_QUADS)
    return {}


def bulk_load(nquads: str, folder: str) -> dict[str, Any]:
    """The floor: the engine's own loader, from N-Quads into an empty store on disk."""
    import pyoxigraph as ox

    seconds: list[float] = []
    with timed(seconds):
        store = ox.Store(folder)
        store.bulk_load(path=nquads, format=ox.RdfFormat.N_QUADS)
        store.flush()
    return {"seconds": seconds, "triples": len(store)}


def review(folder: str, times: int) -> dict[str, Any]:
    """Accept annotations one by one; ``first`` is the seconds of the one that opens everything."""
    from lithograph import Status, Workspace

    workspace = Workspace.open(folder)
    some = workspace.graph.query(
        "PREFIX oa: <http://www.w3.org/ns/oa#> "
        f"SELECT ?annotation {{ ?annotation a oa:Annotation }} LIMIT {times + 1}"
    )
    seconds: list[float] = []
    for iri in some.column("annotation"):
        with timed(seconds):
            workspace.review([iri], Status.ACCEPTED)
    first, *others = seconds
    return {"seconds": others, "first": first}
