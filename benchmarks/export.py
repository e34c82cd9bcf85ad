"""Graph → COCO file, beside reading and writing that same file as JSON and no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.machine import total_memory
from benchmarks.processes import timed
from benchmarks.results import Goal, Measurement, shown_bytes, shown_seconds

MEMORY_TIMES = Goal("≤", 3, "×", least=10_000)
DISK_TIMES = Goal("≤", 6, "×", least=10_000)
#: What would take more than this share of the machine's memory is left out.
_SHARE_OF_MEMORY = 0.8


def run(bench: Bench) -> None:
    """Measure every size."""
    for size in bench.plan.sizes:
        bench.attempt(f"export of {size:,}", _one_size, bench, size)


def _one_size(bench: Bench, size: int) -> None:
    workspace, nquads = bench.workspace(size), bench.nquads(size)
    written = bench.scratch / "exported.json"
    on_disk = {"folder": str(workspace), "written": str(written)}
    tasks: dict[str, tuple[str, dict[str, str]]] = {
        "export-disk": ("export", on_disk),
        "export-memory": ("export", on_disk | {"nquads": str(nquads)}),
        "orjson": ("round_trip", {"path": str(written)}),
    }
    for name in list(tasks):
        need = bench.expected_peak(name, size)
        if need > _SHARE_OF_MEMORY * total_memory():
            bench.say(f"  {name}, {size:,}: left out, it would need {shown_bytes(need)}")
            bench.results.compare(
                "export", f"{name}: left out here", size, f"it would need {shown_bytes(need)}"
            )
            del tasks[name]
    repeats: dict[str, list[Measurement]] = {name: [] for name in tasks}
    for _ in range(bench.plan.repeats_at(size)):
        for name, (task, arguments) in tasks.items():
            repeats[name].append(bench.once(name, size, f"{__name__}:{task}", arguments))
    found = {name: bench.keep(each) for name, each in repeats.items()}
    if "orjson" in found:
        _compare(bench, found, size)


def _compare(bench: Bench, found: dict[str, Measurement], size: int) -> None:
    floor = found["orjson"]
    for name, place, goal in (
        ("export-memory", "in memory", MEMORY_TIMES),
        ("export-disk", "on disk", DISK_TIMES),
    ):
        if name in found:
            ours = found[name]
            bench.results.compare(
                "export",
                f"default query → COCO file, graph {place}",
                size,
                f"{shown_seconds(ours.median)}, {ours.facts['exported'] / ours.median:,.0f}/s",
                beside=f"orjson loads + dumps of the file {shown_seconds(floor.median)}",
                value=ours.median / floor.median,
                goal=goal,
            )
    if "export-disk" in found:
        bench.results.compare(
            "export",
            "peak memory, graph on disk",
            size,
            shown_bytes(found["export-disk"].peak),
            beside=f"orjson {shown_bytes(floor.peak)}",
            value=found["export-disk"].peak / floor.peak,
        )


# -- tasks -------------------------------------------------------------------------------------


def export(folder: str, written: str, nquads: str | None = None) -> dict[str, Any]:
    """Export a workspace's graph; with ``nquads`` a graph in memory takes its place."""
    from lithograph import Workspace

    workspace = Workspace.open(folder)
    if nquads is not None:
        import pyoxigraph as ox

        from lithograph.graph import Graph

        graph = Graph.in_memory(workspace.iris)
        graph.store.bulk_load(path=nquads, format=ox.RdfFormat.N_QUADS)
        # The graph of a workspace is a property that is made once and kept there.
        vars(workspace)["graph"] = graph
    seconds: list[float] = []
    with timed(seconds):
        done = workspace.export_coco(written)
    return {
        "seconds": seconds,
        "exported": done.annotations,
        "file_bytes": Path(written).stat().st_size,
    }


def round_trip(path: str) -> dict[str, Any]:
    """The floor: the file's bytes, parsed and written again."""
    import orjson

    seconds: list[float] = []
    with timed(seconds):
        content = orjson.dumps(orjson.loads(Path(path).read_bytes()))
        Path(path).with_suffix(".again").write_bytes(content)
    return {"seconds": seconds}
