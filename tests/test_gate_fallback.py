"""Shapes that the engine does not ask: they are left to pySHACL, and the gate says so."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate_comparison import PREFIXES, by_engine, quads_of, read_turtle, said, shapes_from
from lithograph.errors import ShapesError
from lithograph.gate import Shapes, reference, validate
from lithograph.gate.terms import sh
from lithograph.rdf import Quad
from small_graphs import ANY

# rdflib warns of a boolean that is neither true nor false; pySHACL of shapes in a circle.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Parsing weird boolean"),
    pytest.mark.filterwarnings("ignore::pyshacl.errors.ShapeRecursionWarning"),
]

DATA = quads_of(
    read_turtle("""
        ex:a a ex:A ; ex:p ex:b, ex:c, 1 ; ex:q "x"@en .
        ex:b a ex:B ; ex:p ex:d ; ex:r 2 .
        ex:c ex:q ex:a ; ex:r ex:b . ex:d ex:r 3 .
    """)
)
SELECT = "ex:s a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:sparql [ sh:select"
EXAMPLE = "https://example.org/"


def query(text: str) -> str:
    for short in ("p", "r"):
        text = text.replace(f"ex:{short}", f"<{EXAMPLE}{short}>")
    return f'{SELECT} """{text}""" ] .'


#: What the engine does not ask, (a part of) the reason that is told, and the shapes.
OUTSIDE = {
    "recursion": (
        "it refers to itself",
        (
            "ex:s a sh:NodeShape ; sh:targetClass ex:A ; sh:property ex:t ."
            "ex:t a sh:PropertyShape ; sh:path ex:p ; sh:node ex:s ."
        ),
    ),
    "recursion by way of another": (
        "it refers to itself",
        (
            "ex:s a sh:NodeShape ; sh:targetClass ex:A ; sh:node ex:u ; sh:nodeKind sh:IRI ."
            "ex:u a sh:NodeShape ; sh:not ex:s ."
        ),
    ),
    "a severity within": (
        "a shape inside it has a severity of its own",
        (
            "ex:s a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:node ex:u ."
            "ex:u a sh:NodeShape ; sh:property ex:v . ex:v a sh:PropertyShape ; sh:path ex:r ;"
            " sh:minCount 1 ; sh:severity sh:Info ."
        ),
    ),
    "a severity of one's own making": (
        "its severity is none of Violation, Warning and Info",
        "ex:s a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:severity ex:dire ; sh:class ex:A .",
    ),
    "a SPARQL constraint within": (
        "a shape inside it has a SPARQL constraint",
        (
            "ex:s a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:not ex:u . ex:u a sh:NodeShape ;"
            ' sh:sparql [ sh:select "SELECT $this { $this a <https://example.org/A> }" ] .'
        ),
    ),
    "a constraint component of one's own": (
        "https://example.org/most is not asked here",
        (
            "ex:s a sh:NodeShape ; sh:targetSubjectsOf ex:r ; ex:most 2 . "
            "ex:Most a sh:ConstraintComponent ; sh:parameter [ sh:path ex:most ] ;"
            " sh:nodeValidator [ a sh:SPARQLSelectValidator ; sh:select"
            ' "SELECT $this { $this <https://example.org/r> ?n . FILTER (?n > $most) }" ] .'
        ),
    ),
    "two datatypes": (
        "sh:datatype has 2 values",
        "ex:s a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:datatype xsd:date , xsd:string .",
    ),
    "a node that counts": (
        "a node shape has sh:minCount",
        "ex:s a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:minCount 1 .",
    ),
    "a node with unique languages": (
        "a node shape has sh:uniqueLang",
        "ex:s a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:uniqueLang true .",
    ),
    "a node below another": (
        "a node shape has sh:lessThan",
        "ex:s a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:lessThan ex:r .",
    ),
    "a count that is none": (
        "sh:maxCount is no whole number",
        "ex:s a sh:PropertyShape ; sh:targetSubjectsOf ex:p ; sh:path ex:p ; sh:maxCount 1.5 .",
    ),
    "a count without a number": (
        "a qualified value shape without a number",
        (
            "ex:s a sh:PropertyShape ; sh:targetSubjectsOf ex:p ; sh:path ex:p ;"
            " sh:qualifiedValueShape [ sh:class ex:A ] ."
        ),
    ),
    "no shapes to choose from": (
        "sh:or has an empty list",
        "ex:s a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:or () .",
    ),
    "a path that is none": (
        "a path is not well formed",
        "ex:s a sh:PropertyShape ; sh:targetSubjectsOf ex:p ; sh:path [ ex:p ex:q ] .",
    ),
    "$PATH": (
        "uses $PATH",
        (
            "ex:s a sh:PropertyShape ; sh:targetSubjectsOf ex:p ; sh:path ex:p ; sh:sparql"
            ' [ sh:select "SELECT $this ?value { $this $PATH ?value . FILTER (isIRI(?value)) }" ] .'
        ),
    ),
    "$currentShape": (
        "uses $currentShape",
        query("SELECT $this { $this ex:p ?o . FILTER (isIRI($currentShape)) }"),
    ),
    "a failure": (
        "uses $failure",
        query("SELECT $this ?failure { $this ex:p ?o . BIND (true AS ?failure) }"),
    ),
    "MINUS": ("uses Minus", query("SELECT $this { $this ex:p ?o MINUS { $this ex:r ?n } }")),
    "VALUES": (
        "uses values",
        query("SELECT $this { $this ex:p ?o VALUES ?o { 1 2 } }"),
    ),
    "an aggregate": (
        "uses AggregateJoin",
        query("SELECT $this (COUNT(?o) AS ?value) { $this ex:p ?o } GROUP BY $this"),
    ),
    "LIMIT": ("uses Slice", query("SELECT $this { $this ex:p ?o } LIMIT 1")),
    "a sub-query that hides $this": (
        "hides $this in a sub-query",
        query("SELECT $this { $this ex:p ?o . { SELECT ?o { ?o ex:r ?n } } }"),
    ),
    "a sub-query that takes the first": (
        "uses Slice",
        query("SELECT $this { $this ex:p ?o . { SELECT $this ?n { $this ex:r ?n } LIMIT 1 } }"),
    ),
    "$this in an OPTIONAL": (
        "binds $this in an OPTIONAL only",
        query("SELECT $this { ?x ex:r ?n OPTIONAL { $this ex:p ?x } }"),
    ),
    "$this in one branch": (
        "binds $this in one branch of a UNION only",
        query("SELECT $this { { $this ex:p ?o } UNION { ?x ex:r ?n } }"),
    ),
    "$this from a BIND": (
        "needs $this where it is not bound",
        query("SELECT $this { ?x ex:r ?n . BIND ($this AS ?y) FILTER (?x = ?y) }"),
    ),
    "BIND of $this": ("sets $this", query("SELECT $this { ?x ex:p ?n . BIND (?x AS $this) }")),
    "a filter in a group of its own": (
        "needs $this where it is not bound",
        query("SELECT $this { $this ex:p ?o . { ?x ex:r ?n . FILTER (?x = $this) } }"),
    ),
    "$this in a filter alone": (
        "needs $this where it is not bound",
        query("SELECT $this { ?x ex:r ?n . FILTER EXISTS { $this ex:p ?x } }"),
    ),
    "no $this at all": ("does not select $this", query("SELECT ?x { ?x ex:r ?n }")),
    "ASK": (
        "a SPARQL constraint has no sh:select",
        'ex:s a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:sparql [ sh:ask "ASK {}" ] .',
    ),
}
#: What pySHACL refuses too, as SHACL does.
REFUSED = {
    *(
        "two datatypes",
        "a node that counts",
        "a node with unique languages",
        "a node below another",
    ),
    *("a count that is none", "a count without a number", "no shapes to choose from"),
    *("MINUS", "VALUES", "a sub-query that hides $this", "BIND of $this", "ASK"),
    "a path that is none",
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_is_not_asked_is_left_to_pyshacl(name: str, caplog: pytest.LogCaptureFixture) -> None:
    reason, turtle = OUTSIDE[name]
    shapes = shapes_from(read_turtle(turtle))
    ((shape, told),) = shapes.plan.outside.items()
    assert reason in told
    assert str(shape) == f"{EXAMPLE}s"
    assert shapes.plan.roots == ()
    theirs = _outcome(reference.validate, shapes)
    with caplog.at_level(logging.WARNING, logger="lithograph.gate"):
        assert _outcome(validate, shapes) == theirs
    assert (theirs == "refused") == (name in REFUSED), theirs
    ours = [each for each in caplog.record_tuples if each[0].startswith("lithograph")]
    text = f"{EXAMPLE}s is asked by pySHACL, slowly: {told}"
    assert ours == [("lithograph.gate.shapes", logging.WARNING, text)]


def _outcome(asked: object, shapes: Shapes) -> object:
    assert callable(asked)
    try:
        return asked(DATA, shapes)
    except ShapesError:
        return "refused"


def test_it_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    shapes = shapes_from(read_turtle(OUTSIDE["$currentShape"][1]))
    for _ in range(3):
        validate(DATA, shapes)
    assert len(caplog.records) == 1


#: One shape that is asked, one that is left over, and what they share.
MIXED = """
ex:asked a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:property ex:shared ;
  sh:property [ sh:path ex:q ; sh:minCount 1 ] .
ex:left a sh:NodeShape ; sh:targetClass ex:A ; sh:property ex:shared ; sh:property ex:again .
ex:again a sh:PropertyShape ; sh:path ex:p ; sh:node ex:left .
ex:shared a sh:PropertyShape ; sh:path ex:r ; sh:minCount 1 ; sh:targetObjectsOf ex:q .
ex:A a rdfs:Class, sh:NodeShape ; sh:property [ sh:path ex:q ; sh:maxCount 1 ] .
"""


def test_what_is_left_over_keeps_its_parts_and_no_other_target() -> None:
    shapes = shapes_from(read_turtle(MIXED))
    assert {str(node) for node in shapes.plan.outside} == {f"{EXAMPLE}left"}
    assert {root.iri for root in shapes.plan.roots} == {
        f"{EXAMPLE}{name}" for name in ("asked", "shared", "A")
    }
    left = shapes.left_over
    assert left is not None
    assert set(left.graph) < set(shapes.graph)
    assert len(list(left.graph.subject_objects(sh("targetClass")))) == 1
    assert not list(left.graph.subject_objects(sh("targetObjectsOf")))
    assert left.plan.roots == ()


@settings(max_examples=40)
@given(ANY, st.integers(0, 2**14))
def test_both_together_say_what_pyshacl_says_alone(quads: list[Quad], chosen: int) -> None:
    shapes = shapes_from(read_turtle(MIXED))
    batch = [quad for place, quad in enumerate(quads) if chosen >> place & 1] or quads[:1]
    context = [quad for quad in quads if quad not in batch]
    ours = validate(batch, shapes, context=context)
    theirs = reference.validate(batch, shapes, context=context)
    assert said(ours) == said(theirs)
    assert len(ours) == len(theirs)


def test_a_file_with_such_a_shape_is_read_and_asked(tmp_path: Path) -> None:
    path = tmp_path / "own.ttl"
    path.write_text(
        PREFIXES
        + "ex:A a rdfs:Class . ex:s a sh:NodeShape ; sh:targetClass ex:A ; sh:property ex:t ."
        + "ex:t a sh:PropertyShape ; sh:path ex:p ; sh:nodeKind sh:IRI ; sh:node ex:s .",
        encoding="utf-8",
    )
    shapes = Shapes.read(path)
    assert len(shapes.plan.outside) == 1
    assert {violation.value for violation in validate(DATA, shapes)} == {"1"}
    assert by_engine(DATA, shapes) == set()


def test_nothing_of_what_is_shipped_is_left_over(shapes: Shapes) -> None:
    assert shapes.plan.outside == {}
    assert shapes.left_over is None
    assert len(shapes.plan.roots) > 30
