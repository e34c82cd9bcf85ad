"""Small graphs by chance, and shapes that the gate's engine and pySHACL are asked about them."""

from __future__ import annotations

import pyoxigraph as ox
from hypothesis import strategies as st

from gate_comparison import PREFIXES, by_engine, read_turtle, said, shapes_from
from lithograph.gate import Shapes, reference
from lithograph.rdf import Quad

EX = "https://example.org/"
NODES = tuple(f"<{EX}{letter}>" for letter in "abcd")
PREDICATES = tuple(f"<{EX}{letter}>" for letter in "pqr")
CLASSES = tuple(f"<{EX}{letter}>" for letter in "ABC")
TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
SUBCLASS = "<http://www.w3.org/2000/01/rdf-schema#subClassOf>"
PLACE = f"<{EX}graph>"
#: Every node that says something, as Turtle.
EVERYTHING = f"sh:targetSubjectsOf {', '.join(PREDICATES)}"


def _terms(turtle: str) -> tuple[str, ...]:
    parsed = ox.parse(f"{PREFIXES} ex:x ex:p {turtle} .", format=ox.RdfFormat.TURTLE)
    return tuple(str(quad.object) for quad in parsed)


#: Values with an order between them, so that pySHACL does not fail of a comparison.
NUMBERS = _terms("""
    1, 2, 10, -1, 1.5, 2.0, 1e0, 2.5e0, 1e3, "2"^^xsd:float, "007"^^xsd:integer, "3"^^xsd:byte,
    "INF"^^xsd:double, "1.10"^^xsd:decimal
""")
LITERALS = NUMBERS + _terms("""
    "", "a", "ab", "Ab", "abc\\nx", "1", "a"@en, "b"@en, "a"@fr, "a"@en-GB, "x"@zh-Hant, true,
    false, "maybe"^^xsd:boolean, "x"^^xsd:integer, "1_0"^^xsd:double, "2026-01-01"^^xsd:date,
    "2026-01-02"^^xsd:date, "2026"^^xsd:gYear, "2026-01-01T00:00:00Z"^^xsd:dateTime,
    "2026-01-01T00:00:00"^^xsd:dateTime, "2026-01-01"^^xsd:dateTime, "x"^^ex:own,
    "https://example.org/a"^^xsd:anyURI
""")


def graphs(values: tuple[str, ...]) -> st.SearchStrategy[list[Quad]]:
    """Small graphs of four nodes and a blank one, some of classes below one another."""
    nodes, classes, place = (
        st.sampled_from([*NODES, "_:b"]),
        st.sampled_from(CLASSES),
        st.just(PLACE),
    )
    objects = nodes | st.sampled_from(values)
    statements = st.tuples(nodes, st.sampled_from(PREDICATES), objects, place)
    types = st.tuples(nodes, st.just(TYPE), classes, place)
    subclasses = st.tuples(classes, st.just(SUBCLASS), classes, place)
    return st.builds(
        lambda *parts: [quad for part in parts for quad in part],
        st.lists(statements, min_size=1, max_size=14),
        st.lists(types, max_size=5),
        st.lists(subclasses, max_size=2),
    )


ANY = graphs(LITERALS)


def compiled(turtle: str) -> Shapes:
    """Shapes that are asked of a whole batch at once, all of them."""
    shapes = shapes_from(read_turtle(turtle))
    assert shapes.plan.outside == {}
    assert shapes.left_over is None
    return shapes


def check(quads: list[Quad], shapes: Shapes) -> None:
    """Engine and pySHACL say the same, of nodes that are only pointed at too."""
    ours = by_engine(quads, shapes, everywhere=True)
    assert said(ours) == said(reference.validate(quads, shapes, everywhere=True))
