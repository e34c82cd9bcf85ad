"""Programmes beside ours: their environments, and what they take for the same file or graph.

Each has an environment of its own in ``.venv-peers/``, made when first needed from the pins of
``peers.txt``. One that does not install or does not run is told by name with its reason.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.bench import BASE_IRI, Bench
from benchmarks.processes import ROOT, TaskFailed, last_words, timed
from benchmarks.results import Measurement, Peer, shown_bytes, shown_seconds

_PINS: Final = Path(__file__).with_name("peers.txt")
_ENVIRONMENTS: Final = ROOT / ".venv-peers"
_INSTALLING_S: Final = 900
_QUIETLY: Final = ("--quiet", "--disable-pip-version-check")
#: No measurement of a peer may take longer, in seconds.
_LIMIT_S: Final = 900
#: The shipped query that rdflib is asked too.
_QUERY: Final = "area-per-concept"
_CONVERTERS: Final = {"fiftyone": "FiftyOne", "datumaro": "Datumaro"}


def pins() -> dict[str, tuple[str, ...]]:
    """Peer → the requirements of its environment, its own first."""
    lines = [line.split() for line in _PINS.read_text(encoding="utf-8").splitlines()]
    found = [words for words in lines if words and not words[0].startswith("#")]
    return {words[0].partition("==")[0]: tuple(words) for words in found}


def attempt(bench: Bench, name: str, work: Callable[[Bench, Path, int], None]) -> None:
    """Do something with a peer's interpreter; note whether it ran, and why not."""
    requirements = pins()[name]
    version = requirements[0].partition("==")[2]
    size = bench.plan.peers
    if size is None:
        bench.note(Peer(name, version, "not asked"))
        return
    try:
        python = _environment(name, requirements, bench.say)
    except TaskFailed as failure:
        bench.note(Peer(name, version, "not installed", str(failure)))
        return
    try:
        work(bench, python, size)
    except TaskFailed as failure:
        bench.note(Peer(name, version, "does not run", str(failure)))
    else:
        bench.note(Peer(name, version, "ran"))


def _environment(name: str, requirements: tuple[str, ...], say: Callable[[str], None]) -> Path:
    """The interpreter of a peer's environment, made anew where its pins changed."""
    folder = _ENVIRONMENTS / name
    mark, python = folder / "installed.txt", folder / "bin" / "python"
    wanted = " ".join(requirements)
    if mark.exists() and mark.read_text(encoding="utf-8") == wanted:
        return python
    say(f"  installing {wanted}")
    shutil.rmtree(folder, ignore_errors=True)
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", *_QUIETLY, *requirements],
    ):
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_INSTALLING_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise TaskFailed(f"took longer than {_INSTALLING_S} s to install") from error
        if done.returncode != 0:
            raise TaskFailed(last_words(done.stderr, done.returncode))
    mark.write_text(wanted, encoding="utf-8")
    return python


def run(bench: Bench) -> None:
    """The converters on a COCO file, and rdflib on a graph."""
    for name in _CONVERTERS:
        attempt(bench, name, partial(_converted, name))
    attempt(bench, "oxrdflib", _asked)


# -- converters --------------------------------------------------------------------------------


def _converted(name: str, bench: Bench, python: Path, size: int) -> None:
    with tempfile.TemporaryDirectory(dir=bench.scratch) as folder:
        theirs = bench.measure(
            name,
            size,
            f"benchmarks.with_{name}:convert",
            {"coco": str(bench.coco(size)), "folder": folder},
            repeats=1,
            python=python,
            limit_s=_LIMIT_S,
            # FiftyOne keeps its database and its settings below the home folder.
            environment={"HOME": folder, "FIFTYONE_DO_NOT_TRACK": "true"},
        )
    ours = _our_conversion(bench, size)
    called, facts = _CONVERTERS[name], theirs.facts
    said = f"{facts['annotations']:,} annotations, {facts['masks']:,} of them as run lengths"
    for what, took in (("import", ours[0]), ("export", ours[1])):
        their_seconds = facts[f"{what}_seconds"]
        bench.results.compare(
            "peers",
            f"COCO {what}, beside {called}" + (f" (gives back {said})" if what == "export" else ""),
            size,
            shown_seconds(took.median),
            beside=f"{called} {shown_seconds(their_seconds)}, {shown_bytes(theirs.peak)}",
            value=their_seconds / took.median,
        )


def _our_conversion(bench: Bench, size: int) -> tuple[Measurement, Measurement]:
    """Our import and export of the same file, measured where they were not yet."""
    ingests, exports = bench.results.named("ingest"), bench.results.named("export-disk")
    if size not in ingests:
        arguments = {"coco": str(bench.coco(size)), "folder": str(bench.new_folder("ours"))}
        ingests[size] = bench.measure(
            "ingest", size, "benchmarks.ingest:ingest", arguments, repeats=1
        )
    if size not in exports:
        written = str(bench.scratch / "exported.json")
        arguments = {"folder": str(bench.workspace(size)), "written": written}
        exports[size] = bench.measure("export-disk", size, "benchmarks.export:export", arguments)
    return ingests[size], exports[size]


# -- rdflib ------------------------------------------------------------------------------------


def _asked(bench: Bench, python: Path, size: int) -> None:
    from lithograph.queries import shipped

    nquads, text = str(bench.nquads(size)), shipped()[_QUERY].bind({})
    ours = bench.measure("pyoxigraph-load", size, f"{__name__}:load_and_ask", {"nquads": nquads})
    for name, store in (("rdflib", "default"), ("oxrdflib", "Oxigraph")):
        theirs = bench.measure(
            f"{name}-load",
            size,
            "benchmarks.with_rdflib:load_and_ask",
            {"nquads": nquads, "query": text, "store": store},
            repeats=1,
            python=python,
            limit_s=_LIMIT_S,
        )
        bench.results.compare(
            "peers",
            f"loading the graph into memory, beside {name}",
            size,
            shown_seconds(ours.median),
            beside=f"{name} {shown_seconds(theirs.median)}",
            value=theirs.median / ours.median,
        )
        same = "" if theirs.facts["rows"] == ours.facts["rows"] else ", with another answer"
        bench.results.compare(
            "peers",
            f"the query {_QUERY}, beside {name}",
            size,
            shown_seconds(ours.facts["query_seconds"]),
            beside=f"{name} {shown_seconds(theirs.facts['query_seconds'])}{same}",
            value=theirs.facts["query_seconds"] / ours.facts["query_seconds"],
        )


def load_and_ask(nquads: str) -> dict[str, Any]:
    """Our side: the engine's loader into memory, and the query through our graph."""
    import pyoxigraph as ox

    from lithograph.graph import Graph
    from lithograph.rdf import Iris

    graph = Graph.in_memory(Iris(BASE_IRI))
    seconds, asked = list[float](), list[float]()
    with timed(seconds):
        graph.store.bulk_load(path=nquads, format=ox.RdfFormat.N_QUADS)
    rows = 0
    for _ in range(3):
        with timed(asked):
            rows = len(graph.query(_QUERY))
    return {"seconds": seconds, "query_seconds": sorted(asked)[1], "rows": rows}
