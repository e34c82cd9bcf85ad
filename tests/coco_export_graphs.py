"""Graphs for the tests of the COCO export: of everything that it writes, and broken ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from lithograph import resources
from lithograph.entities import Annotation, Candidate, Geometry, Image, Outline, Status
from lithograph.errors import LithographError
from lithograph.formats import coco_writing
from lithograph.formats.coco_writing import export_coco
from lithograph.gate import Shapes
from lithograph.graph import Graph
from lithograph.masks import geometry_to_rle, mask_area, mask_box, outline_to_rle
from lithograph.queries import Query
from lithograph.rdf import Iris, Quad, annotation_quads, image_quads, n_quads
from lithograph.vocabulary import Vocabulary

IRIS = Iris("https://data.example.org/ca19/")
ND = "https://w3id.org/lithograph/notre-dame-alterations/"
RUN = IRIS.run("import", "test")
ALL = Query.parse(
    "SELECT ?annotation WHERE { GRAPH ?run { ?annotation a <http://www.w3.org/ns/oa#Annotation> } }"
)
WIDTH, HEIGHT = 160, 120
#: What decides how columns are joined: where the graph is, or says that it is, and how large.
PLACES = ("in memory", "on disk", "on disk, large")


def rectangle(x: float, y: float, width: float, height: float) -> tuple[tuple[float, float], ...]:
    return ((x, y), (x + width, y), (x + width, y + height), (x, y + height))


SIMPLE = Outline(((rectangle(5, 5, 30, 20),),))
FINE = Outline((((((10.25, 1.5), (70.12345678901234, 3.0), (0.1 + 0.2, 50.75)),)),))
TINY = Outline((((((1e-05, 0.5), (40.0, 3.0), (-0.0, 50.75)),)),))
HOLED = Outline(((rectangle(50, 10, 40, 40), rectangle(60, 20, 15, 15)),))
PARTS = Outline(((rectangle(5, 60, 20, 20),), (rectangle(40, 60, 25, 30),)))
#: Its counts hold backslashes.
MASK = outline_to_rle(
    Outline(((rectangle(3, 3, 91, 103), rectangle(20, 20, 10, 17)), (rectangle(99, 7, 44, 1),))),
    HEIGHT,
    WIDTH,
)
ODD_NAMES = (
    'a "name", with\tall\nsorts\\of \u007f\u0001é漢😀',
    "17",
    "true",
    "<urn:x>",
    "1.50",
    "'",
)


def image(number: int, **more: Any) -> Image:
    return Image(IRIS.image(f"photo-{number}"), f"photo-{number}.jpg", WIDTH, HEIGHT, **more)


def annotation(concept: str, geometry: Geometry, on: Image, **more: Any) -> Annotation:
    rle = geometry_to_rle(geometry, on.height, on.width)
    iri = IRIS.annotation("test", on.iri, geometry, ND + concept, source_id=repr(more))
    made = Annotation(
        iri=iri,
        image=on.iri,
        concept=ND + concept,
        geometry=geometry,
        box=mask_box(rle),
        area=float(mask_area(rle)),
        created="2026-01-05T10:00:00Z",
    )
    return replace(made, **more)


def everything() -> tuple[list[Image], list[Annotation]]:
    """An annotation of every kind, on three images; a fourth has none, a fifth is not described."""
    first, second, third = (
        image(1, licence="https://creativecommons.org/by/4.0/"),
        image(2),
        image(3),
    )
    crack = annotation("crack", SIMPLE, first, confidence=0.1 + 0.2, mask_quality=1.02)
    made = [
        crack,
        annotation("lacuna", FINE, first, confidence=1.0, status=Status.ACCEPTED),
        annotation("flake", TINY, first, confidence=0.0, mask_quality=-0.0),
        annotation("lacuna", HOLED, second, region=IRIS.region("019934d94efb39fa")),
        annotation("flake", PARTS, second, status=Status.REJECTED),
        annotation("scaling", MASK, second, created="2026-01-06T11:30:00.5+02:00"),
        *(annotation("crack", each, third, crowd=True) for each in (SIMPLE, PARTS, MASK)),
        *(annotation("erosion", SIMPLE, third, source_id=name) for name in ODD_NAMES),
        annotation("erosion", SIMPLE, third, source_id="39435100101575257789575821898628447731"),
        annotation("humidity", PARTS, third, candidates=(Candidate(f"{ND}crack", 0.25),)),
        annotation("crack", SIMPLE, second, revision_of=crack.iri, alternative_of=crack.iri),
        annotation("sound-stone", SIMPLE, second),
        annotation("crack", SIMPLE, replace(second, iri=IRIS.image("nowhere"))),
        annotation("crack", SIMPLE, third, area=1e22, box=replace(crack.box, x=-0.0)),
    ]
    return [first, second, third, image(4)], made


def quads_of(images: Iterable[Image], annotations: Iterable[Annotation]) -> list[Quad]:
    return [
        *(quad for each in images for quad in image_quads(each, RUN)),
        *(quad for each in annotations for quad in annotation_quads(each, RUN)),
    ]


def graph_of(quads: Iterable[Quad], folder: Path | None = None) -> Graph:
    """A graph with the vocabulary of Notre-Dame and these quads, which pass no gate."""
    store = ox.Store(str(folder)) if folder is not None else ox.Store()
    graph = Graph(store, IRIS, Shapes.read, on_disk=folder is not None)
    graph.load_vocabulary(Vocabulary.read(resources.ontology("notre-dame-alterations")))
    store.bulk_load(n_quads(quads), format=ox.RdfFormat.N_QUADS)
    return graph


def outcome(graph: Graph, path: Path, query: Query = ALL, **options: Any) -> bytes | str:
    """The file, or what was told in its place."""
    try:
        export_coco(graph, path, query, **options)
    except (LithographError, ValueError) as error:
        assert not path.exists()
        return f"{type(error).__name__}: {error}"
    written = path.read_bytes()
    path.unlink()
    return written


def both_ways(
    graph: Graph, path: Path, patch: pytest.MonkeyPatch, place: str, **options: Any
) -> tuple[bytes | str, bytes | str]:
    """What comes of reading annotation by annotation, and what of reading columns."""
    with patch.context() as patched:
        patched.setattr(coco_writing, "FEW", 10**9)
        plain = outcome(graph, path, **options)
    with patch.context() as patched:
        patched.setattr(coco_writing, "FEW", 0)
        patched.setattr(coco_writing, "ROWS_FOR_ONE", 10**9)
        patched.setattr(graph, "on_disk", place.startswith("on disk"))
        patched.setattr(coco_writing, "TABLES", 0 if place.endswith("large") else 10**9)
        columns = outcome(graph, path, **options)
    assert not list(path.parent.iterdir())
    return plain, columns
