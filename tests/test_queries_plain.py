"""The shipped queries answer as their plain forms do.

Many shipped queries are written for graphs of a million annotations: sub-selects in place of
look-ups, counts before joins, ``MINUS``, short keys to sort by. Under ``data/plain-queries`` each
of them stands as one would put the question without a thought for time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from benchmarks.graphs import Landmarks, make_graph

from lithograph.graph import Graph
from lithograph.queries import Query, shipped
from lithograph.rdf import Iris
from lithograph.rdf.terms import term
from lithograph.vocabulary import Vocabulary

BASE = "https://data.example.org/plain/"
ND = "https://w3id.org/lithograph/notre-dame-alterations/"
PLAIN = Path(__file__).parent / "data" / "plain-queries"
NAMES = sorted(path.stem for path in PLAIN.glob("*.rq"))
OTHER = ox.NamedNode(f"{BASE}run/other")


@pytest.fixture(scope="module")
def made() -> tuple[Graph, Landmarks]:
    """Some hundred annotations, with everything that a query could stumble over."""
    graph = Graph.in_memory(Iris(BASE))
    landmarks = make_graph(graph.store, 300, iris=graph.iris)
    _third_version(graph)
    _two_opinions(graph)
    _told_twice(graph)
    return graph, landmarks


def _third_version(graph: Graph) -> None:
    """A vocabulary version in which one concept is called otherwise, and one is gone."""
    from lithograph.graph.vocabularies import read_vocabulary

    gone = ox.NamedNode(f"{ND}flake")
    triples = [
        ox.Triple(triple.subject, triple.predicate, ox.Literal("lost part", language="en"))
        if triple.object == ox.Literal("lacuna", language="en")
        else triple
        for triple in read_vocabulary(graph, ND).triples()
        if gone not in {triple.subject, triple.object}
    ]
    graph.load_vocabulary(Vocabulary.from_triples(triples, scheme=ND))


def _two_opinions(graph: Graph) -> None:
    """One more revision, otherwise than the first, of what was revised already."""
    revision, kind = term("prov:wasRevisionOf"), term("lg:status")
    (first, *_) = graph.store.quads_for_pattern(None, revision, None, None)
    for said in graph.store.quads_for_pattern(None, revision, None, None):
        if next(graph.store.quads_for_pattern(said.subject, kind, None, None), None):
            first = said
            break
    other = ox.NamedNode(f"{BASE}annotation/{'0' * 24}")
    for quad in list(graph.store.quads_for_pattern(first.subject, None, None, None)):
        graph.store.add(ox.Quad(other, quad.predicate, quad.object, quad.graph_name))
    (status,) = list(graph.store.quads_for_pattern(other, kind, None, None))
    graph.store.remove(status)
    turned = term("lg:accepted" if status.object == term("lg:rejected") else "lg:rejected")
    graph.store.add(ox.Quad(other, kind, turned, status.graph_name))


def _told_twice(graph: Graph) -> None:
    """Another graph says again what an image and a region are."""
    for kind in ("schema:ImageObject", "lg:Region"):
        quad = next(graph.store.quads_for_pattern(None, term("rdf:type"), term(kind), None))
        for told in list(graph.store.quads_for_pattern(quad.subject, None, None, None)):
            graph.store.add(ox.Quad(told.subject, told.predicate, told.object, OTHER))


def _given(name: str, landmarks: Landmarks) -> list[dict[str, str]]:
    """Parameters to ask a query with, one set after the other."""
    sets: dict[str, list[dict[str, str]]] = {
        "accepted-or-confident": [{}, {"min_confidence": "0.8"}],
        "area-per-concept": [{}, {"language": "fr"}],
        "by-concept": [
            {"concept": f"{ND}material-loss"},
            {"concept": f"{ND}crack"},
            {"concept": f"{ND}black-crust"},
        ],
        "by-family": [{}, {"language": "fr"}],
        "by-run": [{"run": landmarks.model_run}, {"run": landmarks.import_run}],
        "changed-since": [{"since": "2026-01-25"}, {"since": "2026-02-09"}],
        "concept-usage": [{}, {"language": "fr"}],
        "low-confidence": [{}, {"max_confidence": "0.2"}],
        "regions": [{}, {"min_images": "1"}],
        "same-place": [{"min_overlap": "0"}, {"min_overlap": "0.1"}],
    }
    return sets.get(name, [{}])


def _answer(graph: Graph, query: Query, given: dict[str, str]) -> list[Any]:
    if query.form == "CONSTRUCT":
        return graph.construct(query, given).splitlines()
    return list(graph.query(query, given))


def _plain(name: str) -> Query:
    return Query.read(PLAIN / f"{name}.rq")


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_is_that_of_the_plain_form(name: str, made: tuple[Graph, Landmarks]) -> None:
    graph, landmarks = made
    found = 0
    for given in _given(name, landmarks):
        answer = _answer(graph, shipped()[name], given)
        # In the same order, too: nobody shall see rows move.
        assert answer == _answer(graph, _plain(name), given), given
        found += len(answer)
    # Nothing would prove nothing.
    assert found or name == "orphans"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_comes_of_an_empty_graph(name: str) -> None:
    graph = Graph.in_memory(Iris(BASE))
    (given, *_) = _given(name, Landmarks(*[f"{BASE}none"] * 6))
    assert _answer(graph, shipped()[name], given) == _answer(graph, _plain(name), given)


@pytest.mark.parametrize("name", NAMES)
def test_the_plain_form_asks_the_same(name: str) -> None:
    quick, plain = shipped()[name], _plain(name)
    assert (quick.variables, quick.parameters) == (plain.variables, plain.parameters)


@pytest.mark.parametrize("lost", ["schema:ImageObject", "skos:Concept", "prov:Activity"])
def test_what_is_missing_is_found_as_plainly(lost: str) -> None:
    graph = Graph.in_memory(Iris(BASE))
    make_graph(graph.store, 200, iris=graph.iris)
    described = [
        quad
        for quad in graph.store.quads_for_pattern(None, term("rdf:type"), term(lost), None)
        if next(graph.store.quads_for_pattern(None, None, quad.subject, None), None)
    ]
    for quad in described[::2]:
        for same in list(graph.store.quads_for_pattern(quad.subject, None, term(lost), None)):
            graph.store.remove(same)
    answer = _answer(graph, shipped()["orphans"], {})
    assert answer == _answer(graph, _plain("orphans"), {})
    assert answer
    assert _answer(graph, shipped()["retired"], {}) == _answer(graph, _plain("retired"), {})


def test_what_replaces_a_concept_is_said_once() -> None:
    graph = Graph.in_memory(Iris(BASE))
    make_graph(graph.store, 300, iris=graph.iris)
    before = _answer(graph, shipped()["retired"], {})
    assert {row["replacement"] for row in before} == {f"{ND}lead-deposit"}
    _third_version(graph)
    after = _answer(graph, shipped()["retired"], {})
    assert [row for row in after if row["concept"] == f"{ND}black-crust"] == before
