"""The whole graph against the shapes, in parts: what one look finds, many find."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from lithograph.gate import Shapes, validate
from lithograph.graph.checking import parts_of
from lithograph.rdf import iri_of, quad_of

BASE = "https://data.example.org/ca19/"
OA = "http://www.w3.org/ns/oa#"
LG = "https://w3id.org/lithograph/ns#"


@pytest.fixture
def store() -> ox.Store:
    made = ox.Store()
    made.load(path=Path(__file__).parent / "data" / "example.trig", format=ox.RdfFormat.TRIG)
    return made


def complaints(store: ox.Store, shapes: Shapes, size: int) -> set[tuple[str, str | None, str]]:
    return {
        (violation.focus, violation.path, violation.component)
        for graph in store.named_graphs()
        for quads, context in parts_of(store, graph, size)
        for violation in validate(quads, shapes, context=context)
    }


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_every_quad_is_in_one_part(store: ox.Store, size: int) -> None:
    for graph in store.named_graphs():
        whole = [quad_of(q) for q in store.quads_for_pattern(None, None, None, graph)]
        parts = [quad for quads, _ in parts_of(store, graph, size) for quad in quads]
        assert sorted(parts) == sorted(whole)


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_a_sound_graph_is_sound_in_parts(store: ox.Store, shapes: Shapes, size: int) -> None:
    assert not complaints(store, shapes, size)


def test_faults_are_found_whatever_the_parts(store: ox.Store, shapes: Shapes) -> None:
    """A number out of range, a part without its type, and a circle through three parts."""
    run = ox.NamedNode(f"{BASE}run/model-77aa55cc33ee1100")
    found = store.quads_for_pattern(None, None, ox.NamedNode(f"{OA}Annotation"), run)
    first, second = sorted(iri_of(quad.subject) for quad in found)
    double = ox.NamedNode("http://www.w3.org/2001/XMLSchema#double")
    confidence = ox.NamedNode(f"{LG}confidence")
    for quad in list(store.quads_for_pattern(ox.NamedNode(first), confidence, None, run)):
        store.remove(quad)
    store.add(ox.Quad(ox.NamedNode(first), confidence, ox.Literal("7.0", datatype=double), run))
    store.remove(
        next(iter(store.quads_for_pattern(ox.NamedNode(f"{second}#box"), None, None, run)))
    )
    alternative = ox.NamedNode(f"{LG}alternativeOf")
    store.add(ox.Quad(ox.NamedNode(first), alternative, ox.NamedNode(second), run))
    whole = complaints(store, shapes, 1000)
    assert {path for _, path, _ in whole} >= {"lg:confidence", "(^lg:alternativeOf)+"}
    assert complaints(store, shapes, 1) == whole
