"""Imports in batches: the same graph as in one, in bounded memory, gone on with where stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from coco_records import CREATED, a_record, an_image, notre_dame
from lithograph import Workspace
from lithograph.entities import Admission, Agent, Annotation, Batch, Run, RunKind
from lithograph.formats.coco_importing import batches_of, import_into
from lithograph.formats.coco_reading import CocoReader
from lithograph.gate import Shapes
from lithograph.graph import Graph
from lithograph.rdf import Iris

BASE = "https://data.example.org/ca19/"
IRIS = Iris(BASE)
RUN = Run(
    iri=IRIS.run(RunKind.IMPORT, "test"),
    kind=RunKind.IMPORT,
    agent=Agent("site.json", "file"),
    started=CREATED,
)
ENDED = "<http://www.w3.org/ns/prov#endedAtTime>"


def many(annotations: int, images: int = 3) -> dict[str, Any]:
    """Squares on a few images in turn, so that each batch names them all; one image has none."""
    return {
        "images": [an_image(id=n, file_name=f"wall-{n}.jpg") for n in range(images + 1)],
        "categories": [{"id": 3, "name": "Crack"}],
        "annotations": [
            a_record(id=n, image_id=n % images, score=0.5) for n in range(1, annotations + 1)
        ],
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    def written(data: dict[str, Any]) -> Path:
        path = tmp_path / "site.json"
        path.write_text(json.dumps(data), encoding="utf-8")
        return path

    return written


def reader(path: Path) -> CocoReader:
    return CocoReader(path, vocabulary=notre_dame(), iris=IRIS, created=CREATED)


@pytest.fixture(params=["memory", "disk"])
def graph(request: pytest.FixtureRequest, tmp_path: Path, shapes: Shapes) -> Graph:
    return new_graph(shapes, tmp_path / "graph" if request.param == "disk" else None)


def new_graph(shapes: Shapes, path: Path | None = None) -> Graph:
    made = (
        Graph.in_memory(IRIS, shapes=lambda: shapes)
        if path is None
        else Graph.open(path, IRIS, shapes=lambda: shapes)
    )
    made.load_vocabulary(notre_dame())
    return made


def content(graph: Graph) -> set[str]:
    """Everything that the graph says, but when runs ended and vocabularies came."""
    return {
        str(quad)
        for quad in graph.store
        if "/vocabulary/" not in str(quad.graph_name) and ENDED not in str(quad)
    }


@pytest.mark.parametrize("size", [1, 7, 20, 1000])
def test_batches_of_any_size_give_the_same_graph(
    graph: Graph, shapes: Shapes, write: Callable[[dict[str, Any]], Path], size: int
) -> None:
    data = many(20)
    data["annotations"][4]["score"] = 7.0  # refused by the reader
    path = write(data)
    whole = new_graph(shapes)
    expected = import_into(whole, reader(path), RUN, batch=10_000)
    seen: list[tuple[int, int]] = []
    size_before = len(graph)
    found = import_into(
        graph, reader(path), RUN, batch=size, progress=lambda *step: seen.append(step)
    )
    assert content(graph) == content(whole)
    assert len(found.admitted) == 19
    assert (found.admitted, found.refusals, found.violations, found.triples_added) == (
        expected.admitted,
        expected.refusals,
        expected.violations,
        expected.triples_added,
    )
    assert found.triples_added == len(graph) - size_before
    assert seen[-1] == (20, 20)
    assert graph.run(RUN.iri).ended is not None
    assert len(graph.images()) == 4
    assert not graph.check()


def test_importing_again_adds_nothing_with_refusals_too(
    graph: Graph, write: Callable[[dict[str, Any]], Path], tmp_path: Path
) -> None:
    place = Workspace.create(tmp_path / "place", BASE)
    data = many(5)
    data["annotations"].append(a_record(id=99, image_id=1, category_id=77))
    path = write(data)
    _, first = place.import_coco(path)
    assert [refusal.path for refusal in first.refusals] == ["annotations[5].category_id"]
    size = len(place.graph)
    _, again = place.import_coco(path)
    assert (again.triples_added, again.known) == (0, 5)
    assert len(place.graph) == size
    assert len(place.graph.runs()) == 1


def test_what_stands_on_a_refused_image_is_refused_in_every_batch(
    shapes: Shapes, write: Callable[[dict[str, Any]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image's own shape refuses it in the first batch; later batches name it again."""
    graph = new_graph(shapes)
    made = reader(write(many(6, images=2)))
    bad = next(image for image in made.images if image.name == "wall-1.jpg")
    # No reader lets such a digest pass: it stands for whatever else a shape of one's own refuses.
    made._images.by_iri[bad.iri] = replace(bad, sha256="no digest")
    admission = import_into(graph, made, RUN, batch=1)
    assert len(admission.admitted) == 3
    refused = {refusal.path for refusal in admission.refusals}
    assert bad.iri in refused
    assert len(refused) == 4
    assert len(graph.refusals(RUN.iri)) == 4
    assert bad.iri not in {image.iri for image in graph.images()}


def annotations_of(path: Path) -> list[Annotation]:
    return [item for item in reader(path).annotations() if isinstance(item, Annotation)]


def test_a_batch_may_point_at_what_an_earlier_one_brought(
    graph: Graph, write: Callable[[dict[str, Any]], Path]
) -> None:
    made = reader(write(many(3, images=1)))
    first, second, third = (a for a in made.annotations() if isinstance(a, Annotation))
    second = replace(second, alternative_of=first.iri)
    third = replace(third, revision_of=first.iri)
    image = (made.image(first.image),)

    def batches() -> Iterator[Batch]:
        yield Batch(RUN, (first,), image, closed=False)
        yield Batch(RUN, (second,), image, closed=False)
        yield Batch(RUN, (third, first), image)

    admission = graph.admit_all(batches())
    assert admission.admitted == (first.iri, second.iri, third.iri)
    assert admission.known == 1
    assert not admission.refusals
    assert not graph.check()


class Stopped(Exception):
    pass


def stopping(batches: Iterator[Batch], after: int) -> Iterator[Batch]:
    for number, batch in enumerate(batches):
        if number == after:
            raise Stopped
        yield batch


def test_what_stops_half_way_leaves_an_open_run_and_goes_on_there(
    graph: Graph, shapes: Shapes, write: Callable[[dict[str, Any]], Path]
) -> None:
    path = write(many(20))
    whole = new_graph(shapes)
    import_into(whole, reader(path), RUN)
    with pytest.raises(Stopped):
        graph.admit_all(stopping(batches_of(reader(path), RUN, 4), after=3))
    assert graph.run(RUN.iri).ended is None
    assert graph.annotation_counts() == {RUN.iri: 12}
    later = replace(RUN, started="2026-02-01T00:00:00Z")
    admission = import_into(graph, reader(path), later, batch=4)
    assert (len(admission.admitted), admission.known) == (8, 12)
    assert graph.run(RUN.iri).ended is not None
    assert content(graph) == content(whole)


def test_no_batch_at_all_is_an_error(graph: Graph) -> None:
    with pytest.raises(ValueError, match="at least one batch"):
        graph.admit_all([])


def test_a_large_run_that_was_undone_comes_back(
    graph: Graph, write: Callable[[dict[str, Any]], Path]
) -> None:
    """More quads than one transaction takes, and a tombstone to be cleared with them."""
    path = write(many(400))
    first = import_into(graph, reader(path), RUN)
    before = content(graph)
    graph.undo(RUN.iri, agent=Agent("Marie", "person"))
    assert graph.is_undone(RUN.iri)
    again = import_into(graph, reader(path), RUN)
    assert not graph.is_undone(RUN.iri)
    assert again.admitted == first.admitted
    assert content(graph) == before


_IMPORT = """
import sys
from pathlib import Path
from lithograph import Workspace
from lithograph.formats import coco_importing
coco_importing.import_into.__kwdefaults__["batch"] = 50
place = Workspace.open(sys.argv[1])
print("ready", flush=True)
place.import_coco(Path(sys.argv[2]), progress=lambda done, total: print(done, flush=True))
"""


@pytest.mark.slow
def test_a_killed_import_loses_no_batch_and_ends_the_same(
    tmp_path: Path, write: Callable[[dict[str, Any]], Path]
) -> None:
    """Killed outright at five places; what an uninterrupted import gives is what comes out."""
    path = write(many(3000))
    whole = Workspace.create(tmp_path / "whole", BASE)
    whole.import_coco(path)
    expected = images_and_annotations(whole.graph)
    Workspace.create(tmp_path / "place", BASE)
    code = [sys.executable, "-c", _IMPORT, str(tmp_path / "place"), str(path)]
    for step in range(5):
        process = subprocess.Popen(code, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(1 + 2 * step):
            process.stdout.readline()
        time.sleep(0.02 * step)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    place = Workspace.open(tmp_path / "place")
    _, admission = place.import_coco(path)
    assert len(admission.admitted) + admission.known == 3000
    assert not admission.refusals
    assert images_and_annotations(place.graph) == expected
    (run,) = place.graph.runs()
    assert run.ended is not None
    assert not place.graph.check()


def images_and_annotations(graph: Graph) -> set[str]:
    """What is said of images and annotations, but when they came."""
    found = set()
    for kind in ("image", "annotation"):
        pattern = f'GRAPH ?g {{ ?s ?p ?o }} FILTER (STRSTARTS(STR(?s), "{BASE}{kind}"))'
        answer: Any = graph.store.query(f"SELECT ?s ?p ?o {{ {pattern} }}")
        found |= {" ".join(map(str, row)) for row in answer if "created" not in str(row[1])}
    return found


def test_admissions_add_up() -> None:
    first = Admission(RUN.iri, ("a",), 1, triples_added=3)
    second = Admission(RUN.iri, ("b",), 2, triples_added=4)
    assert first + second == Admission(RUN.iri, ("a", "b"), 3, triples_added=7)


def test_the_store_writes_large_and_small_alike(tmp_path: Path) -> None:
    """Past the size of one transaction the quads go another way, and arrive the same."""
    from lithograph.graph import store as engine

    quads = [
        (f"<https://e.org/{n}>", "<https://e.org/p>", f'"{n} \\"é\\\\ \\n"', "<https://e.org/g>")
        for n in range(5000)
    ]
    for clear in ("", "https://e.org/g"):
        for store in (ox.Store(), ox.Store(str(tmp_path / f"store{len(clear)}"))):
            store.add(ox.Quad(*[ox.NamedNode("https://e.org/g")] * 4))
            engine.write(store, quads[:10])
            engine.write(store, quads, clear=clear)
            assert len(store) == 5000 + (not clear)
            assert engine.count_new(store, quads) == 0
