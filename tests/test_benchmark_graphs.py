"""The graphs that the benchmarks ask: as large as they are meant to be, and valid."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pyoxigraph as ox
import pytest
from benchmarks import graphs
from benchmarks.geometries import Pattern, Stencil
from benchmarks.graphs import make_graph
from shapely import Polygon

from lithograph.entities import Box, Mask, Outline
from lithograph.gate import Shapes
from lithograph.graph import Graph
from lithograph.masks import checked_rle, mask_area, mask_box, outline_box
from lithograph.queries import shipped
from lithograph.rdf import Iris
from lithograph.rdf.terms import term

BASE = "https://data.example.org/made/"


@pytest.fixture(scope="module")
def made() -> Graph:
    graph = Graph.in_memory(Iris(BASE))
    make_graph(graph.store, 200, iris=graph.iris)
    return graph


def kinds(graph: Graph, kind: str) -> int:
    found = graph.store.quads_for_pattern(None, term("rdf:type"), term(kind), None)
    return len({quad.subject for quad in found})


def test_no_shape_complains(made: Graph, shapes: Shapes) -> None:
    graph = Graph(made.store, made.iris, lambda: shapes)
    assert graph.check() == ()


def test_it_holds_what_it_says(made: Graph) -> None:
    assert kinds(made, "oa:Annotation") == 200
    assert kinds(made, "lg:ImportRun") == graphs.BLOCKS + 1
    assert kinds(made, "lg:ModelRun") == graphs.BLOCKS
    assert kinds(made, "lg:VocabularyVersion") == 3
    assert kinds(made, "dcat:Dataset") == 3
    assert kinds(made, "lg:Refusal") == 20 * graphs.BLOCKS
    (shared, *_) = made.query("regions").column("images")
    assert shared >= 2
    revised = made.store.quads_for_pattern(None, term("prov:wasRevisionOf"), None, None)
    of_annotations = [quad for quad in revised if "/annotation/" in str(quad.subject)]
    assert 15 <= len(of_annotations) <= 25
    for name in ("alternativeOf", "candidate", "region"):
        assert next(made.store.quads_for_pattern(None, term(f"lg:{name}"), None, None), None), name


def test_what_is_written_is_read_again_as_it_was(made: Graph) -> None:
    for row in made.query("all-current"):
        annotation = made.annotation(row["annotation"])
        geometry = annotation.geometry
        if isinstance(geometry, Mask):
            assert mask_area(checked_rle(geometry.height, geometry.width, geometry.counts)) == (
                annotation.area
            )


def test_the_same_seed_makes_the_same_graph(made: Graph, tmp_path: Path) -> None:
    again = Graph(ox.Store(str(tmp_path / "store")), made.iris, Shapes.read)
    landmarks = make_graph(again.store, 200, iris=made.iris)
    dated = term("dcterms:created")
    assert {quad for quad in again.store if quad.predicate != dated} == {
        quad for quad in made.store if quad.predicate != dated
    }
    assert again.query("by-image", image=landmarks.image).rows
    assert again.query("by-region", region=landmarks.region).rows
    assert again.query("by-run", run=landmarks.import_run).rows
    assert again.query("by-run", run=landmarks.model_run).rows
    assert again.query("provenance", annotation=landmarks.revision).rows
    other = Graph.in_memory(made.iris)
    make_graph(other.store, 200, seed=1, iris=made.iris)
    assert set(other.query("all-current").column("annotation")).isdisjoint(
        made.query("all-current").column("annotation")
    )


def test_chunks_change_nothing(made: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "CHUNK", 30)
    again = Graph.in_memory(made.iris)
    make_graph(again.store, 200, iris=made.iris)
    assert len(again) == len(made)


def test_too_small_a_graph_is_refused() -> None:
    with pytest.raises(ValueError, match="expected at least 100, found 20"):
        make_graph(ox.Store(), 20)


def test_every_query_finds_something(made: Graph) -> None:
    silent = {"orphans", "same-place"}
    for name, query in shipped().items():
        if query.form == "SELECT" and all(each.default for each in query.parameters):
            assert (len(made.query(query)) > 0) == (name not in silent), name


@pytest.mark.parametrize("seed", range(20))
def test_a_moved_mask_is_the_mask_there(seed: int) -> None:
    random = Random(seed)
    stencil = Stencil(random, height=700, width=500)
    x = random.randrange(stencil.width - stencil.columns)
    y = random.randrange(stencil.height - stencil.rows)
    drawn = stencil.at(x, y)
    assert isinstance(drawn.geometry, Mask)
    assert checked_rle(700, 500, drawn.geometry.counts) == drawn.geometry
    assert mask_area(drawn.geometry) == drawn.area
    assert mask_box(drawn.geometry) == drawn.box == Box(x, y, stencil.columns, stencil.rows)


def test_a_mask_moved_out_of_its_image_is_refused() -> None:
    stencil = Stencil(Random(0), height=400, width=400)
    for x, y in ((-1, 0), (0, -1), (400 - stencil.columns, 0), (0, 400 - stencil.rows)):
        with pytest.raises(ValueError, match="expected a place inside 400 × 400"):
            stencil.at(x, y)


@pytest.mark.parametrize("seed", range(20))
def test_a_moved_outline_has_its_box_and_area(seed: int) -> None:
    drawn = Pattern(Random(seed)).at(100, 200)
    assert isinstance(drawn.geometry, Outline)
    assert outline_box(drawn.geometry) == drawn.box
    assert (drawn.box.x, drawn.box.y) == (100.5, 200.5)
    (polygon,) = drawn.geometry.polygons
    assert Polygon(polygon[0]).area == drawn.area
