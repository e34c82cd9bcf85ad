"""Shapes that people may write: every component says what pySHACL says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate_comparison import by_engine, quads_of, read_turtle, said
from lithograph.gate import Shapes, reference
from lithograph.rdf import Quad
from small_graphs import ANY, EVERYTHING, NODES, NUMBERS, PLACE, PREDICATES, check, compiled, graphs

# rdflib warns of a boolean that is neither true nor false.
pytestmark = pytest.mark.filterwarnings("ignore:Parsing weird boolean")

#: The constraints of a property shape with the path ex:p.
OF_VALUES = {
    "class": "sh:class ex:A",
    "two classes": "sh:class ex:A , ex:B",
    "datatype double": "sh:datatype xsd:double",
    "datatype string": "sh:datatype xsd:string",
    "datatype langString": "sh:datatype rdf:langString",
    "datatype integer": "sh:datatype xsd:integer",
    "datatype byte": "sh:datatype xsd:byte",
    "datatype boolean": "sh:datatype xsd:boolean",
    "datatype date": "sh:datatype xsd:date",
    "datatype dateTime": "sh:datatype xsd:dateTime",
    "datatype gYear": "sh:datatype xsd:gYear",
    "datatype of one's own": "sh:datatype ex:own",
    "IRI": "sh:nodeKind sh:IRI",
    "BlankNode": "sh:nodeKind sh:BlankNode",
    "Literal": "sh:nodeKind sh:Literal",
    "BlankNodeOrIRI": "sh:nodeKind sh:BlankNodeOrIRI",
    "BlankNodeOrLiteral": "sh:nodeKind sh:BlankNodeOrLiteral",
    "IRIOrLiteral": "sh:nodeKind sh:IRIOrLiteral",
    "minExclusive": "sh:minExclusive 1",
    "minInclusive": "sh:minInclusive 1.5",
    "maxExclusive": "sh:maxExclusive 2e0",
    "maxInclusive": "sh:maxInclusive 2",
    "a double between doubles": "sh:datatype xsd:double ; sh:minInclusive 0e0 ;"
    " sh:maxExclusive 2.5e0",
    "a double between integers": "sh:datatype xsd:double ; sh:minExclusive 0 ; sh:maxInclusive 2",
    "after a date": 'sh:minExclusive "2026-01-01"^^xsd:date',
    "not after a dateTime": 'sh:maxInclusive "2026-01-01T00:00:00Z"^^xsd:dateTime',
    "below a text": 'sh:maxExclusive "ab"',
    "minLength 0": "sh:minLength 0",
    "minLength 2": "sh:minLength 2",
    "maxLength 2": "sh:maxLength 2",
    "pattern": 'sh:pattern "^a"',
    "two patterns": 'sh:pattern "a" , "b"',
    "pattern, whatever the case": 'sh:pattern "^AB" ; sh:flags "i"',
    "pattern, line by line": 'sh:pattern "^x$" ; sh:flags "m"',
    "languageIn": 'sh:languageIn ( "en" "fr" )',
    "any language": 'sh:languageIn ( "*" )',
    "in": 'sh:in ( ex:a 1 "a" "a"@en 2.0 "007"^^xsd:integer )',
    "not": "sh:not [ sh:class ex:A ]",
    "and": "sh:and ( [ sh:class ex:A ] [ sh:nodeKind sh:IRI ] )",
    "or": "sh:or ( [ sh:datatype xsd:integer ] [ sh:datatype xsd:double ] [ sh:class ex:B ] )",
    "xone": 'sh:xone ( [ sh:class ex:A ] [ sh:class ex:B ] [ sh:pattern "a" ] )',
    "node": "sh:node ex:inner",
    "property": "sh:property [ sh:path ex:q ; sh:minCount 1 ; sh:property"
    " [ sh:path ex:r ; sh:class ex:A ] ]",
    "closed": "sh:closed true ; sh:ignoredProperties ( rdf:type ex:p )",
    "not closed": "sh:closed false",
    "equals": "sh:equals ex:q",
    "disjoint": "sh:disjoint ex:q",
    "hasValue": 'sh:hasValue ex:a , "a"',
}
#: Those that are for property shapes alone.
OF_PROPERTIES = {
    "minCount 0": "sh:minCount 0",
    "minCount 1": "sh:minCount 1",
    "minCount 2": "sh:minCount 2",
    "maxCount 0": "sh:maxCount 0",
    "maxCount 1": "sh:maxCount 1",
    "maxCount 2": "sh:maxCount 2",
    "uniqueLang": "sh:uniqueLang true",
    "uniqueLang false": "sh:uniqueLang false",
    "qualified, at least": "sh:qualifiedValueShape [ sh:class ex:A ] ; sh:qualifiedMinCount 1",
    "qualified, at most": "sh:qualifiedValueShape [ sh:nodeKind sh:IRI ] ; sh:qualifiedMaxCount 1",
    "qualified, both": "sh:qualifiedValueShape [ sh:not [ sh:class ex:B ] ] ;"
    " sh:qualifiedMinCount 1 ; sh:qualifiedMaxCount 1",
}
INNER = """
ex:inner a sh:NodeShape ; sh:nodeKind sh:IRI ; sh:property ex:innermost .
ex:innermost a sh:PropertyShape ; sh:path ex:q ; sh:maxCount 1 ; sh:not [ sh:hasValue ex:b ] .
"""


def property_shape(constraints: str, path: str = "ex:p", targets: str = EVERYTHING) -> Shapes:
    return compiled(
        f"ex:s a sh:NodeShape ; {targets} ; sh:property ex:property . {INNER}"
        f"ex:property a sh:PropertyShape ; sh:path {path} ; {constraints} ."
    )


@pytest.mark.parametrize("constraints", OF_VALUES | OF_PROPERTIES)
def test_constraints_of_a_property(constraints: str) -> None:
    shapes = property_shape((OF_VALUES | OF_PROPERTIES)[constraints])

    @settings(max_examples=15)
    @given(ANY)
    def compare(quads: list[Quad]) -> None:
        check(quads, shapes)

    compare()


@pytest.mark.parametrize("constraints", OF_VALUES)
def test_constraints_of_a_node(constraints: str) -> None:
    shapes = compiled(
        f"ex:s a sh:NodeShape ; {EVERYTHING} ; sh:targetObjectsOf ex:p ; {OF_VALUES[constraints]} ."
        + INNER
    )

    @settings(max_examples=10)
    @given(ANY)
    def compare(quads: list[Quad]) -> None:
        check(quads, shapes)

    compare()


@pytest.mark.parametrize("constraint", ["sh:lessThan ex:q", "sh:lessThanOrEquals ex:q"])
@settings(max_examples=40)
@given(st.data())
def test_values_below_those_of_another_predicate(constraint: str, data: st.DataObject) -> None:
    quads = [quad for quad in data.draw(graphs(NUMBERS)) if quad[2][0] == '"'] or [
        (NODES[0], PREDICATES[0], NUMBERS[0], PLACE)
    ]
    check(quads, property_shape(constraint))


@pytest.mark.parametrize("constraint", ["sh:lessThan ex:q", "sh:lessThanOrEquals ex:q"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ex:b", "_:b"),
        ("1", "_:b"),
        ("1", '"x"'),
        ('"x"', "1"),
        ('"yesterday"^^xsd:dateTime', '"2026-01-01T00:00:00Z"^^xsd:dateTime'),
    ],
)
def test_what_has_no_order_is_not_below(constraint: str, first: str, second: str) -> None:
    """SHACL, section 4.5.3: what cannot be compared is told. pySHACL fails of most of these."""
    quads = quads_of(read_turtle(f"ex:a ex:p {first} ; ex:q {second} ."))
    (violation,) = by_engine(quads, property_shape(constraint))
    assert violation.component == f"{constraint[3].upper()}{constraint[4:-5]}ConstraintComponent"


@pytest.mark.parametrize("bound", ["1", "1.5", "1e0", '"1"^^xsd:float', '"INF"^^xsd:double', '"x"'])
@pytest.mark.parametrize("side", ["minExclusive", "minInclusive", "maxExclusive", "maxInclusive"])
@pytest.mark.parametrize("datatype", ["double", "float", "decimal"])
def test_what_is_no_number_lies_within_no_bounds(side: str, bound: str, datatype: str) -> None:
    """Python fails of a NaN beside a decimal, and pySHACL with it."""
    quads = quads_of(read_turtle(f'ex:a ex:p "NaN"^^xsd:{datatype} .'))
    (violation,) = by_engine(quads, property_shape(f"sh:{side} {bound}"))
    assert violation.value == "NaN"


def test_a_language_range_of_several_parts() -> None:
    """SPARQL's langMatches, which pySHACL follows for the first part of a tag alone."""
    quads = quads_of(
        read_turtle('ex:a ex:p "x"@zh-Hant-TW, "y"@zh-Hant, "z"@zh, "w"@zh-Hantx, "v" .')
    )
    found = by_engine(quads, property_shape('sh:languageIn ( "zh-Hant" )'))
    assert {violation.value for violation in found} == {"z", "w", "v"}


# --- the rest of a shape --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "targets",
    [
        "sh:targetClass ex:A",
        "sh:targetClass ex:A , ex:B",
        "sh:targetNode ex:a , ex:nowhere , 1",
        "sh:targetSubjectsOf ex:p",
        "sh:targetObjectsOf ex:p",
        "sh:targetObjectsOf ex:p ; sh:targetSubjectsOf ex:q ; sh:targetClass ex:C",
    ],
)
@settings(max_examples=15)
@given(st.data())
def test_targets(targets: str, data: st.DataObject) -> None:
    check(data.draw(ANY), property_shape("sh:minCount 2", targets=targets))


WHOLE = {
    "a class that is a shape": """
        ex:A a rdfs:Class, sh:NodeShape ; sh:property [ sh:path ex:p ; sh:minCount 1 ] .""",
    "a class of a class of classes": """
        ex:A a ex:Kind, sh:NodeShape ; sh:nodeKind sh:BlankNode .
        ex:Kind rdfs:subClassOf rdfs:Class .""",
    "a part with a target of its own": """
        ex:s sh:targetClass ex:A ; sh:property ex:t .
        ex:t sh:path ex:p ; sh:targetClass ex:B ; sh:minCount 1 ;
          sh:property [ sh:path ex:q ; sh:maxCount 0 ] .""",
    "one shape by two ways": """
        ex:s sh:targetSubjectsOf ex:p ; sh:property ex:one , ex:two .
        ex:one sh:path ex:p ; sh:property ex:in .
        ex:two sh:path ex:q ; sh:severity sh:Info ; sh:property ex:in ; sh:maxCount 1 .
        ex:in sh:path ex:r ; sh:minCount 1 .""",
    "asleep": "ex:s sh:targetSubjectsOf ex:p ; sh:deactivated true ; sh:nodeKind sh:BlankNode .",
    "a part asleep": """
        ex:s sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:q ; sh:minCount 1 ] ,
          [ sh:path ex:p ; sh:deactivated true ; sh:minCount 3 ] .""",
    "not, asleep": """
        ex:s sh:targetSubjectsOf ex:p ; sh:not [ sh:deactivated true ; sh:nodeKind sh:IRI ] .""",
    "a warning": """
        ex:s sh:targetSubjectsOf ex:p ; sh:severity sh:Warning ; sh:nodeKind sh:Literal .""",
    "siblings, told from each other": """
        ex:s sh:targetSubjectsOf ex:p ; sh:property
          [ sh:path ex:p ; sh:qualifiedValueShape [ sh:class ex:A ] ; sh:qualifiedMinCount 1 ;
            sh:qualifiedValueShapesDisjoint true ] ,
          [ sh:path ex:p ; sh:qualifiedValueShape [ sh:class ex:B ] ; sh:qualifiedMaxCount 1 ;
            sh:qualifiedValueShapesDisjoint true ] .""",
    "a query of a property": """
        ex:s sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:r ; sh:sparql [ sh:select
          "SELECT $this ?value { $this <https://example.org/q> ?value FILTER isIRI(?value) }"
        ] ] .""",
    "a query of values": """
        ex:s sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:p ; sh:property [ sh:path ex:q ;
          sh:severity sh:Warning ; sh:sparql [ sh:select
          "SELECT $this { $this <https://example.org/q> ?value FILTER (isIRI(?value)) }" ] ] ] .""",
    "a shape that is its own query": """
        ex:s a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:sparql ex:s ; sh:select
          "SELECT $this { $this <https://example.org/q> ?value FILTER (isIRI(?value)) }" .""",
    "a query asleep": """
        ex:s sh:targetSubjectsOf ex:p ; sh:nodeKind sh:IRI ; sh:sparql [ sh:deactivated true ;
          sh:select "SELECT $this { $this ?p ?o }" ] .""",
    "deep": """
        ex:s sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:p ; sh:qualifiedMinCount 1 ;
          sh:qualifiedValueShape [ sh:or (
            [ sh:not [ sh:property [ sh:path ex:q ; sh:minCount 1 ] ] ]
            [ sh:and ( [ sh:class ex:A ] [ sh:property [ sh:path ( ex:q ex:r ) ;
                sh:xone ( [ sh:nodeKind sh:IRI ] [ sh:class ex:B ] ) ] ] ) ] ) ] ] .""",
}


@pytest.mark.parametrize("shapes", WHOLE)
def test_whole_shapes(shapes: str) -> None:
    read = compiled(WHOLE[shapes])

    @settings(max_examples=20)
    @given(ANY)
    def compare(quads: list[Quad]) -> None:
        check(quads, read)

    compare()


@settings(max_examples=40)
@given(ANY, st.integers(0, 2**14))
def test_of_a_batch_and_its_context_the_batch_alone_is_told(quads: list[Quad], chosen: int) -> None:
    """What a node of the context leads to may be of the batch."""
    shapes = compiled(
        "ex:s sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:p ; sh:minCount 1 ; sh:property"
        " [ sh:path ex:q ; sh:minCount 1 ; sh:property [ sh:path ex:r ; sh:maxCount 0 ] ] ] ."
    )
    batch = [quad for place, quad in enumerate(quads) if chosen >> place & 1] or quads[:1]
    context = [quad for quad in quads if quad not in batch]
    theirs = reference.validate(batch, shapes, context=context)
    assert said(by_engine(batch, shapes, context)) == said(theirs)


def test_a_quad_said_twice_counts_once() -> None:
    (quad,) = quads_of(read_turtle("ex:a ex:p ex:b ."))
    elsewhere: Quad = (*quad[:3], PLACE)
    assert by_engine([quad, elsewhere, quad], property_shape("sh:maxCount 1")) == set()
    assert by_engine([quad], property_shape("sh:maxCount 1"), [elsewhere]) == set()
