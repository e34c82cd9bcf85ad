"""Property paths: each leads where SPARQL's own leads, and where pySHACL's does."""

from __future__ import annotations

from typing import Any

import pyoxigraph as ox
import pytest
from hypothesis import given, settings

from gate_comparison import by_engine, quads_of, read_turtle, said
from lithograph.gate import Shapes, reference
from lithograph.gate.terms import sh
from lithograph.rdf import Quad, parsed
from lithograph.rdf.quads import value_of
from small_graphs import ANY, EVERYTHING, check, compiled

# rdflib warns of a boolean that is neither true nor false.
pytestmark = pytest.mark.filterwarnings("ignore:Parsing weird boolean")

#: As SHACL writes them, and as SPARQL does.
PATHS = {
    "predicate": ("ex:p", "ex:p"),
    "inverse": ("[ sh:inversePath ex:p ]", "^ex:p"),
    "sequence": ("( ex:p ex:q )", "ex:p/ex:q"),
    "sequence of three": ("( ex:p ex:q ex:r )", "ex:p/ex:q/ex:r"),
    "alternative": ("[ sh:alternativePath ( ex:p ex:q ) ]", "ex:p|ex:q"),
    "zero or more": ("[ sh:zeroOrMorePath ex:p ]", "ex:p*"),
    "one or more": ("[ sh:oneOrMorePath ex:p ]", "ex:p+"),
    "zero or one": ("[ sh:zeroOrOnePath ex:p ]", "ex:p?"),
    "inverse of a sequence": ("[ sh:inversePath ( ex:p ex:q ) ]", "^(ex:p/ex:q)"),
    "inverse of an alternative": (
        "[ sh:inversePath [ sh:alternativePath ( ex:p ex:q ) ] ]",
        "^(ex:p|ex:q)",
    ),
    "inverse of an inverse": ("[ sh:inversePath [ sh:inversePath ex:p ] ]", "^(^ex:p)"),
    "sequence of inverses": ("( [ sh:inversePath ex:p ] [ sh:inversePath ex:q ] )", "^ex:p/^ex:q"),
    "down and up": ("( ex:p [ sh:inversePath ex:p ] )", "ex:p/^ex:p"),
    "more of an inverse": ("[ sh:oneOrMorePath [ sh:inversePath ex:p ] ]", "(^ex:p)+"),
    "inverse of more": ("[ sh:inversePath [ sh:oneOrMorePath ex:p ] ]", "^(ex:p+)"),
    "inverse of at most one": ("[ sh:inversePath [ sh:zeroOrOnePath ex:p ] ]", "^(ex:p?)"),
    "more of an alternative": (
        "[ sh:zeroOrMorePath [ sh:alternativePath ( ex:p ex:q ) ] ]",
        "(ex:p|ex:q)*",
    ),
    "more of a sequence": ("[ sh:oneOrMorePath ( ex:p ex:q ) ]", "(ex:p/ex:q)+"),
    "more of at most one": ("[ sh:oneOrMorePath [ sh:zeroOrOnePath ex:p ] ]", "(ex:p?)+"),
    "more, then one": ("( [ sh:zeroOrMorePath ex:p ] ex:q )", "ex:p*/ex:q"),
    "class by a path": (
        "( rdf:type [ sh:zeroOrMorePath rdfs:subClassOf ] )",
        "rdf:type/rdfs:subClassOf*",
    ),
    "alternative of sequences": (
        "[ sh:alternativePath ( ( ex:p ex:q ) [ sh:inversePath ex:r ] ) ]",
        "(ex:p/ex:q)|^ex:r",
    ),
}
#: pySHACL walks the parts of a sequence forwards where it walks it backwards.
WRONG_IN_PYSHACL = {"inverse of a sequence"}
SPARQL = {
    "ex": "https://example.org/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
}


def telling(path: str) -> Shapes:
    """A shape that tells every value of a path: none of them is the one that is allowed."""
    return compiled(
        f"ex:s a sh:NodeShape ; {EVERYTHING} ; sh:property ex:property ."
        f"ex:property a sh:PropertyShape ; sh:path {path} ; sh:in ( ex:nothing ) ."
    )


def by_sparql(quads: list[Quad], path: str) -> set[tuple[str, str]]:
    """(node, value) for every node that has ex:p, ex:q or ex:r, as Oxigraph finds them."""
    store = ox.Store()
    store.extend(ox.Quad(q.subject, q.predicate, q.object) for q in parsed(quads))
    query = f"SELECT DISTINCT ?s ?o {{ ?s ex:p|ex:q|ex:r ?any . ?s {path} ?o }}"
    answer: Any = store.query(query, prefixes=SPARQL)
    return {(row["s"].value, row["o"].value) for row in answer}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_leads_where_it_leads_in_sparql(path: str) -> None:
    shacl, sparql = PATHS[path]
    shapes = telling(shacl)
    # The store writes numbers in its own way: the graphs have none.
    plain = ANY.map(lambda quads: [quad for quad in quads if "^^" not in quad[2]])

    @settings(max_examples=25)
    @given(plain.filter(bool))
    def compare(quads: list[Quad]) -> None:
        told = by_engine(quads, shapes, everywhere=True)
        assert {(v.focus, v.value) for v in told} == by_sparql(quads, sparql)

    compare()


@pytest.mark.parametrize("path", sorted(PATHS.keys() - WRONG_IN_PYSHACL))
def test_a_path_leads_where_it_leads_in_pyshacl(path: str) -> None:
    shapes = telling(PATHS[path][0])

    @settings(max_examples=15)
    @given(ANY)
    def compare(quads: list[Quad]) -> None:
        check(quads, shapes)

    compare()


def test_the_inverse_of_a_sequence_goes_back_from_its_end() -> None:
    quads = quads_of(read_turtle("ex:a ex:p ex:b . ex:b ex:q ex:c . ex:c ex:r ex:d ."))
    shapes = telling(PATHS["inverse of a sequence"][0])
    found = {(v.focus[-1], value_of(f"<{v.value}>")[-1]) for v in by_engine(quads, shapes)}
    assert found == {("c", "a")}
    assert said(reference.validate(quads, shapes)) != said(by_engine(quads, shapes))


def test_a_circle_ends() -> None:
    circle = "ex:a ex:p ex:b . ex:b ex:p ex:c . ex:c ex:p ex:a ."
    shapes = telling("[ sh:oneOrMorePath ex:p ]")
    assert len(by_engine(quads_of(read_turtle(circle)), shapes)) == 9


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("rdf:type", "rdf:type"),
        ("ex:p", "https://example.org/p"),
        ("( rdf:type [ sh:inversePath rdf:type ] )", "rdf:type/^rdf:type"),
        (
            "[ sh:inversePath [ sh:alternativePath ( rdf:type rdfs:label ) ] ]",
            "^(rdf:type|rdfs:label)",
        ),
        ("[ sh:oneOrMorePath ( rdf:type rdfs:label ) ]", "(rdf:type/rdfs:label)+"),
        ("[ sh:zeroOrMorePath [ sh:inversePath rdf:type ] ]", "(^rdf:type)*"),
        ("[ sh:zeroOrOnePath rdf:type ]", "rdf:type?"),
        (
            "( [ sh:alternativePath ( rdf:type rdfs:label ) ] rdf:value )",
            "(rdf:type|rdfs:label)/rdf:value",
        ),
        (
            "[ sh:alternativePath ( ( rdf:type rdfs:label ) rdf:value ) ]",
            "rdf:type/rdfs:label|rdf:value",
        ),
    ],
)
def test_a_path_says_itself_as_sparql_does(path: str, text: str) -> None:
    shapes = compiled(f"ex:s sh:targetSubjectsOf rdf:type ; sh:path {path} ; sh:maxCount 0 .")
    assert shapes.plan.roots[0].path_text == text
    (node,) = shapes.graph.objects(None, sh("path"))
    assert reference.path_text(node, shapes.graph) == text
