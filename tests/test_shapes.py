"""Every shape refuses what it is for: counter-examples, constraint by constraint.

A counter-example in ``tests/shapes/invalid-*.trig`` is a valid graph without some triples and with
others; it names the constraints that it breaks and must break those and no other. All of one file
are asked at once, each in a namespace of its own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox
import pytest

from gate_comparison import differences, is_not_computed_with
from lithograph.gate import Shapes, validate
from lithograph.rdf import Quad, quad_of

if TYPE_CHECKING:
    from rdflib.term import Node

FOLDER = Path(__file__).parent / "shapes"
KINDS = sorted(path.stem.removeprefix("valid-") for path in FOLDER.glob("valid-*.ttl"))
BASE = "https://data.example.org/"
SHAPE = "https://w3id.org/lithograph/shapes#"
SH = "http://www.w3.org/ns/shacl#"
BREAKS = ox.NamedNode(f"{BASE}case/breaks")
GROWN = re.compile(r"%%(\d+) (.)%%")

#: Constraint components by the property that makes them (SHACL, appendix B); those that only
#: modify another one are left out.
COMPONENTS = {
    "class": "Class",
    "closed": "Closed",
    "datatype": "Datatype",
    "disjoint": "Disjoint",
    "equals": "Equals",
    "hasValue": "HasValue",
    "in": "In",
    "languageIn": "LanguageIn",
    "lessThan": "LessThan",
    "lessThanOrEquals": "LessThanOrEquals",
    "maxCount": "MaxCount",
    "maxExclusive": "MaxExclusive",
    "maxInclusive": "MaxInclusive",
    "maxLength": "MaxLength",
    "minCount": "MinCount",
    "minExclusive": "MinExclusive",
    "minInclusive": "MinInclusive",
    "minLength": "MinLength",
    "node": "Node",
    "nodeKind": "NodeKind",
    "not": "Not",
    "or": "Or",
    "and": "And",
    "pattern": "Pattern",
    "qualifiedMaxCount": "QualifiedMaxCount",
    "qualifiedMinCount": "QualifiedMinCount",
    "sparql": "SPARQL",
    "uniqueLang": "UniqueLang",
    "xone": "Xone",
}


def read_turtle(path: Path) -> list[ox.Triple]:
    return [quad.triple for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE)]


def read_cases(kind: str) -> dict[str, tuple[set[str], set[ox.Triple], set[ox.Triple]]]:
    """Name → constraints broken, triples taken away, triples added."""
    breaks: dict[str, set[str]] = defaultdict(set)
    graphs: dict[str, set[ox.Triple]] = defaultdict(set)
    path = FOLDER / f"invalid-{kind}.trig"
    for quad in ox.parse(path=str(path), format=ox.RdfFormat.TRIG):
        if quad.predicate == BREAKS:
            breaks[quad.subject.value.removeprefix(f"{BASE}case/")].add(quad.object.value)
        else:
            graphs[quad.graph_name.value.removeprefix(BASE)].add(quad.triple)
    known = {f"{side}/{name}" for name in breaks for side in ("with", "without")}
    assert set(graphs) <= known, f"graphs of no case: {set(graphs) - known}"
    return {
        name: (broken, graphs[f"without/{name}"], graphs[f"with/{name}"])
        for name, broken in breaks.items()
    }


def moved(term: Any, place: str) -> Any:
    """A term in the namespace of one case, grown where it says so."""
    if isinstance(term, ox.NamedNode):
        return ox.NamedNode(term.value.replace(BASE, f"{BASE}{place}/", 1))
    if isinstance(term, ox.BlankNode):
        return ox.BlankNode(f"{place}{term.value}")
    if grown := GROWN.search(term.value):
        text = term.value.replace(grown.group(), grown[2] * int(grown[1]))
        if term.language:
            return ox.Literal(text, language=term.language)
        return ox.Literal(text, datatype=term.datatype)
    return term


def quads_of_case(
    base: set[ox.Triple], without: set[ox.Triple], added: set[ox.Triple], place: str
) -> Iterator[Quad]:
    missing = without - base
    assert not missing, f"not in the valid graph, so not to be taken away: {missing}"
    for triple in (base - without) | added:
        yield quad_of(
            ox.Quad(
                moved(triple.subject, place),
                triple.predicate,
                moved(triple.object, place),
                ox.NamedNode(f"{BASE}{place}/graph"),
            )
        )


def test_the_example_of_the_graph_model_conforms(shapes: Shapes) -> None:
    path = Path(__file__).parent / "data" / "example.trig"
    quads = list(map(quad_of, ox.parse(path=str(path), format=ox.RdfFormat.TRIG)))
    assert validate(quads, shapes) == ()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_valid_conforms(kind: str, shapes: Shapes) -> None:
    graph = ox.NamedNode(f"{BASE}graph")
    triples = read_turtle(FOLDER / f"valid-{kind}.ttl")
    quads = [quad_of(ox.Quad(t.subject, t.predicate, t.object, graph)) for t in triples]
    assert quads
    assert validate(quads, shapes) == ()


@pytest.mark.parametrize("kind", KINDS)
def test_each_counter_example_breaks_what_it_says_and_nothing_else(
    kind: str, shapes: Shapes
) -> None:
    base = set(read_turtle(FOLDER / f"valid-{kind}.ttl"))
    cases = read_cases(kind)
    places = {f"c{number}": name for number, name in enumerate(sorted(cases))}
    quads = [
        quad
        for place, name in places.items()
        for quad in quads_of_case(base, cases[name][1], cases[name][2], place)
    ]
    found: dict[str, set[str]] = defaultdict(set)
    for violation in validate(quads, shapes):
        place = re.match(rf"(?:{re.escape(BASE)})?(c\d+)", violation.focus)
        assert place, violation
        assert violation.shape, violation
        assert violation.shape.startswith(SHAPE), violation
        component = violation.component.removesuffix("ConstraintComponent")
        found[places[place[1]]].add(f"{violation.shape.removeprefix(SHAPE)} {component}")
    assert found == {name: broken for name, (broken, _, _) in cases.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_pyshacl_says_the_same_of_every_counter_example(kind: str, shapes: Shapes) -> None:
    """The whole violation, message and value too; and of what is valid, nothing."""
    base = set(read_turtle(FOLDER / f"valid-{kind}.ttl"))
    together = list(quads_of_case(base, set(), set(), "valid"))
    for number, (name, (_, without, added)) in enumerate(read_cases(kind).items()):
        quads = list(quads_of_case(base, without, added, f"c{number}"))
        if any(map(is_not_computed_with, quads)):
            assert differences(quads, shapes) == (set(), set()), name
        else:
            together += quads
    assert differences(together, shapes) == (set(), set())


def constraints_of(shapes: Shapes) -> set[str]:
    """Every constraint of the shapes that have a name: ``shape component``."""
    from rdflib import URIRef

    return {
        f"{str(shape).removeprefix(SHAPE)} {component}"
        for parameter, component in COMPONENTS.items()
        for shape in shapes.graph.subjects(URIRef(SH + parameter))
        if isinstance(shape, URIRef)
    }


def test_every_constraint_has_a_counter_example(shapes: Shapes) -> None:
    shown = {broken for kind in KINDS for case in read_cases(kind).values() for broken in case[0]}
    constraints = constraints_of(shapes)
    assert len(constraints) > 250
    assert constraints - shown == set(), "constraints that no counter-example breaks"
    assert shown - constraints == set(), "counter-examples of constraints that are not there"


def test_every_shape_speaks_english_and_french(shapes: Shapes) -> None:
    from rdflib import URIRef

    graph = shapes.graph
    complaining = {constraint.partition(" ")[0] for constraint in constraints_of(shapes)}
    for name in complaining:
        messages: list[Any] = list(graph.objects(URIRef(SHAPE + name), URIRef(f"{SH}message")))
        assert sorted(message.language for message in messages) == ["en", "fr"], name


def test_no_shape_is_without_a_name(shapes: Shapes) -> None:
    """A complaint names its shape; only the members of a list or of a count may be anonymous."""
    from rdflib import BNode, URIRef

    graph = shapes.graph
    for linked in ("property", "sparql"):
        values: list[Node] = list(graph.objects(None, URIRef(SH + linked)))
        assert values
        assert not [value for value in values if isinstance(value, BNode)], linked


def test_messages_are_the_english_ones(shapes: Shapes) -> None:
    """Those of SPARQL constraints too, from which pySHACL drops the language."""
    base = set(read_turtle(FOLDER / "valid-annotation.ttl"))
    for name in ("box-rounded-inwards", "geometry-sticking-out", "status-unknown"):
        _, without, added = read_cases("annotation")[name]
        (violation,) = validate(quads_of_case(base, without, added, "c0"), shapes)
        assert re.match("(The|An) ", violation.message), violation
