"""Every constraint of every shape refuses its counter-example.

The example of everything conforms; each counter-example is the example with one change. Changes
for constraints of a common kind are made by rule (``mutated``), the others are written down
(``BY_HAND``). A constraint that neither reaches fails the test.
"""

# ruff: noqa: E501 - updates are easier to read on one line

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
from pyshacl import validate
from rdflib import RDF, XSD, BNode, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.term import Node

from lithograph import resources

SH = Namespace("http://www.w3.org/ns/shacl#")
EXAMPLE = Path(__file__).parent / "data" / "example.trig"
NOT_CONSTRAINTS = {
    "path", "message", "severity", "property", "ignoredProperties", "targetClass",
    "targetSubjectsOf", "qualifiedValueShape", "name", "description", "flags",
}  # fmt: skip
OTHER = URIRef("https://example.org/other")

#: What the rules cannot make: shape → (constraint, update of the example).
PREFIXES = """
PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX lg: <https://w3id.org/lithograph/ns#>
PREFIX oa: <http://www.w3.org/ns/oa#> PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> PREFIX schema: <https://schema.org/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX mls: <http://www.w3.org/ns/mls#>
PREFIX nd: <https://w3id.org/lithograph/notre-dame-alterations/>
PREFIX scheme: <https://w3id.org/lithograph/>
BASE <https://data.example.org/ca19/>
"""
A = "<annotation/aa00bb11cc22dd33ee44ff55>"
A_GEOMETRY = "<annotation/aa00bb11cc22dd33ee44ff55#geometry>"
SCHEME = "scheme:notre-dame-alterations\\/"
BY_HAND: dict[tuple[str, str], str] = {
    ("annotation-parts", "sparql"): f"DELETE {{ ?t ?p ?o . ?a oa:hasTarget ?t }} INSERT {{"
    f" <elsewhere> ?p ?o . ?a oa:hasTarget <elsewhere> }} WHERE {{ BIND ({A} AS ?a)"
    " ?a oa:hasTarget ?t . ?t ?p ?o }",
    ("annotation-alternative-cycle", "disjoint"): f"INSERT DATA {{ {A} lg:alternativeOf"
    " <annotation/bb00bb11cc22dd33ee44ff55> }",
    ("annotation-revision-cycle", "disjoint"): "INSERT DATA {"
    " <annotation/bb00bb11cc22dd33ee44ff55> prov:wasRevisionOf"
    " <annotation/cc00bb11cc22dd33ee44ff55> }",
    ("candidate-order", "sparql"): "DELETE { ?c lg:rank 2 } INSERT { ?c lg:rank 3 }"
    " WHERE { ?c lg:rank 2 }",
    ("scheme-background-member", "sparql"): "DELETE WHERE { nd:sound-stone skos:inScheme ?s . ?s skos:hasTopConcept nd:sound-stone }",
    ("scheme-category-numbers", "sparql"): 'INSERT DATA { nd:crack skos:notation "8"^^lg:categoryId }',
    ("scheme-labels", "sparql"): 'INSERT DATA { nd:crack skos:prefLabel "Lacuna"@en }',
    ("scheme-concepts", "minCount"): "DELETE { ?a skos:inScheme ?s . ?b skos:topConceptOf ?s ."
    " ?s skos:hasTopConcept ?c } WHERE { { ?a skos:inScheme ?s } UNION { ?b skos:topConceptOf ?s }"
    " UNION { ?s skos:hasTopConcept ?c } }",
    ("concept-broader-cycle", "disjoint"): "INSERT DATA { nd:discontinuities skos:broader nd:crack }",
    ("concept-narrower", "sparql"): "INSERT DATA { nd:material-loss skos:narrower nd:crack }",
    ("concept-related-ancestor", "disjoint"): "INSERT DATA { nd:crack skos:related nd:discontinuities }",
    ("concept-id-path", "not"): 'INSERT DATA { nd:crack dcterms:description "12##34" }',
    ("concept-note-language", "not"): 'INSERT DATA { nd:crack skos:note "a##b"@status }',
    ("concept-one-category-number", "qualifiedMaxCount"): "INSERT DATA {"
    ' nd:crack skos:notation "44"^^lg:categoryId }',
    ("concept-category-number", "or"): 'INSERT DATA { nd:crack skos:notation "x"^^lg:categoryId }',
    ("geometry-box", "sparql"): f'DELETE {{ ?b rdf:value ?v }} INSERT {{ ?b rdf:value'
    f' "xywh=pixel:500,500,9,9" }} WHERE {{ {A} oa:hasTarget/oa:hasSelector ?b . ?b rdf:value ?v }}',
    ("geometry-exact", "xone"): f"DELETE WHERE {{ {A_GEOMETRY} lg:mask ?m }}",
    ("geometry-mask-size", "sparql"): f'DELETE {{ {A_GEOMETRY} lg:mask ?m }} INSERT {{ {A_GEOMETRY}'
    f' lg:mask "10 10 03mX90P^S]i1"^^lg:cocoRle }} WHERE {{ {A_GEOMETRY} lg:mask ?m }}',
    ("geometry-on-image", "sparql"): f"DELETE {{ {A_GEOMETRY} lg:x ?x }} INSERT {{ {A_GEOMETRY}"
    f" lg:x 70000.0e0 }} WHERE {{ {A_GEOMETRY} lg:x ?x }}",
    ("geometry-within-image", "sparql"): f"DELETE {{ {A_GEOMETRY} lg:width ?x }} INSERT {{"
    f" {A_GEOMETRY} lg:width 6400.0e0 }} WHERE {{ {A_GEOMETRY} lg:width ?x }}",
    ("refusal", "not"): "INSERT DATA { <refusal/91c0ffee91c0ffee91c0ffee> a oa:Annotation }",
    ("tombstone", "not"): "INSERT DATA { <run/model-0000000000000000> a prov:Activity }",
    ("run-kind", "qualifiedMaxCount"): "INSERT DATA { <run/model-77aa55cc33ee1100> a lg:ImportRun }",
    ("run-kind", "qualifiedMinCount"): "DELETE DATA { <run/review-4444333322221111> a lg:ReviewRun }",
    ("version-revision-cycle", "disjoint"): "INSERT DATA { <v1> a lg:VocabularyVersion ;"
    " prov:wasRevisionOf <v2> . <v2> a lg:VocabularyVersion ; prov:wasRevisionOf <v1> }",
    ("run-started", "lessThanOrEquals"): "DELETE { ?r prov:startedAtTime ?t } INSERT {"
    ' ?r prov:startedAtTime "2036-01-01T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> }'
    " WHERE { ?r prov:startedAtTime ?t }",
    ("review-run-person", "class"): "DELETE WHERE { ?p a prov:Person }",
    ("model-run-vocabulary", "qualifiedMinCount"): "DELETE WHERE {"
    " <run/model-77aa55cc33ee1100> prov:used ?any }",
    ("prompt-text", "or"): "DELETE { ?p rdf:value ?v } INSERT { ?p rdf:value <other> }"
    " WHERE { ?p a lg:Prompt ; rdf:value ?v }",
}  # fmt: skip


def example() -> Graph:
    """The example's triples, graph names aside, and a tombstone, which the example lacks."""
    triples = {quad.triple for quad in ox.parse(path=EXAMPLE)}
    text = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""
    graph = Graph().parse(data=text, format="nt")
    graph.update(
        PREFIXES + "INSERT DATA { <run/model-0000000000000000> a lg:Tombstone ;"
        " prov:wasAttributedTo <agent/marie> ;"
        ' prov:invalidatedAtTime "2026-01-09T10:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> }'
    )
    return graph


WHOLE = example()
FILES = {path: Graph().parse(path) for path in sorted(resources.shapes().glob("*.ttl"))}


def constraints() -> Iterator[tuple[Path, URIRef, str, Node]]:
    """Every constraint of every named shape: file, shape, name of the constraint, its value."""
    for path, shapes in FILES.items():
        named = {
            s for kind in ("NodeShape", "PropertyShape") for s in shapes[: RDF.type : SH[kind]]
        }
        for shape in sorted(named, key=str):
            if not isinstance(shape, URIRef):
                continue
            for predicate, value in sorted(shapes.predicate_objects(shape)):
                name = str(predicate).removeprefix(str(SH))
                if str(predicate).startswith(str(SH)) and name not in NOT_CONSTRAINTS:
                    if name == "closed" and not value.toPython():  # type: ignore[attr-defined]
                        continue
                    yield path, shape, name, value


CASES = list(constraints())


def local(shape: URIRef) -> str:
    return str(shape).rpartition("#")[2]


def owners(shapes: Graph, shape: Node) -> set[Node]:
    """The shapes that have the targets: the shape itself, or the one whose property it is."""
    return {shape, *shapes.subjects(SH.property, shape)}


def focuses(shapes: Graph, shape: Node) -> list[Node]:
    """The nodes of the example that a shape is asked of."""
    found: set[Node] = set()
    for owner in owners(shapes, shape):
        for kind in shapes.objects(owner, SH.targetClass):
            found |= set(WHOLE.subjects(RDF.type, kind))
        for predicate in shapes.objects(owner, SH.targetSubjectsOf):
            found |= set(WHOLE.subjects(predicate))
    return sorted(found, key=str)


def step(shapes: Graph, path: Node) -> tuple[URIRef, bool]:
    """The predicate that a path begins with, and whether it is walked backwards."""
    if isinstance(path, URIRef):
        return path, False
    inverse = shapes.value(path, SH.inversePath)
    if isinstance(inverse, URIRef):
        return inverse, True
    alternatives = shapes.value(path, SH.alternativePath)
    assert alternatives is not None, "a path of another kind: write its counter-example by hand"
    first = next(iter(Collection(shapes, alternatives)))
    assert isinstance(first, URIRef)
    return first, False


def wrong_value(name: str, bound: Node, old: Node | None) -> Node:
    """A value that the constraint refuses."""
    kind = old.datatype if isinstance(old, Literal) else None
    number = float(str(bound)) if name.startswith(("min", "max")) and "Length" not in name else 0.0
    if name == "pattern":
        tries = ["a@b", "§", "", "{label} {label}", "javascript:alert(1)", "ftp://x/"]
        bad = next(text for text in tries if not re.search(str(bound), text))
        is_iri = str(bound).startswith("^https?")
        return URIRef("javascript:alert(1)") if is_iri else Literal(bad, datatype=kind)
    numbers = {
        "minInclusive": number - 1,
        "maxInclusive": number + 1 if number < 1e9 else number * 2,
        "minExclusive": number,
        "maxExclusive": float("inf"),
    }
    if name in numbers:
        integer = kind == XSD.integer
        return Literal(
            int(numbers[name]) if integer else numbers[name], datatype=kind or XSD.double
        )
    return {
        "datatype": Literal("x", datatype=OTHER),
        "or": Literal("x", datatype=OTHER),
        "class": OTHER,
        "in": OTHER,
        "hasValue": OTHER,
        "nodeKind": BNode() if bound in {SH.IRIOrLiteral, SH.Literal} else Literal("x"),
        "minLength": Literal("", datatype=kind),
        "maxLength": Literal("x" * 1_000_001, datatype=kind),
    }[name]


def mutated(shapes: Graph, shape: URIRef, name: str, value: Node) -> Graph:
    """The example with one change that the constraint must refuse."""
    graph = Graph()
    graph += WHOLE
    if (local(shape), name) in BY_HAND:
        graph.update(PREFIXES + BY_HAND[local(shape), name])
        return graph
    path = shapes.value(shape, SH.path)
    nodes = focuses(shapes, shape)
    assert nodes, f"the example has nothing that {local(shape)} is asked of"
    if path is None:
        return _node_mutated(graph, nodes, shapes, shape, name, value)
    predicate, backwards = step(shapes, path)
    having = [n for n in nodes if (n, predicate, None) in graph or (None, predicate, n) in graph]
    focus = (having or nodes)[0]
    if backwards:
        if name == "minCount":
            graph.remove((None, predicate, focus))
        else:
            graph.add((OTHER, predicate, focus))
        return graph
    old = next(graph.objects(focus, predicate), None)
    if name in {"minCount", "qualifiedMinCount"}:
        graph.remove((focus, predicate, None))
    elif name == "maxCount":
        for number in range(int(str(value)) + 1):
            graph.add((focus, predicate, URIRef(f"https://example.org/{number}")))
    elif name == "uniqueLang":
        for text in ("one", "two"):
            graph.add((focus, predicate, Literal(text, lang="en")))
    elif name == "disjoint":
        assert isinstance(value, URIRef)
        graph.add((focus, predicate, OTHER))
        graph.add((focus, value, OTHER))
    else:
        graph.remove((focus, predicate, None))
        graph.add((focus, predicate, wrong_value(name, value, old)))
    return graph


def _node_mutated(
    graph: Graph, nodes: list[Node], shapes: Graph, shape: URIRef, name: str, value: Node
) -> Graph:
    focus = nodes[0]
    if name == "closed":
        graph.add((focus, OTHER, Literal("x")))
    elif name == "nodeKind":
        blank = BNode()
        for _, predicate, thing in list(graph.triples((focus, None, None))):
            graph.remove((focus, predicate, thing))
            graph.add((blank, predicate, thing))
    elif name == "class":
        # The class goes, what makes the shape ask for it stays.
        graph.remove((focus, RDF.type, value))
    else:
        pytest.fail(f"no rule makes a counter-example for {name} of {local(shape)}")
    return graph


def complaints(graph: Graph, shapes: Graph) -> set[tuple[Node | None, str]]:
    """(shape, constraint) of each complaint."""
    _, results, _ = validate(graph, shacl_graph=shapes, inference="none", advanced=False)
    return {
        (
            results.value(result, SH.sourceShape),
            str(results.value(result, SH.sourceConstraintComponent)).removeprefix(str(SH)),
        )
        for result in results.subjects(RDF.type, SH.ValidationResult)
    }


def component(name: str) -> str:
    return f"{name[0].upper()}{name[1:]}ConstraintComponent".replace("Sparql", "SPARQL")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_example_conforms(path: Path) -> None:
    assert not complaints(WHOLE, FILES[path])


@pytest.mark.parametrize(
    ("path", "shape", "name", "value"),
    CASES,
    ids=[f"{local(shape)}-{name}" for _, shape, name, _ in CASES],
)
def test_every_constraint_refuses_its_counter_example(
    path: Path, shape: URIRef, name: str, value: Node
) -> None:
    shapes = FILES[path]
    wanted = {(shape, component(name))}
    if name == "disjoint":
        wanted = {(shape, "DisjointConstraintComponent")}
    assert wanted <= complaints(mutated(shapes, shape, name, value), shapes)


def test_every_shape_has_messages_in_both_languages() -> None:
    for path, shapes in FILES.items():
        for shape in {*shapes.subjects(RDF.type, SH.NodeShape), *shapes.subjects(SH.path)}:
            if isinstance(shape, URIRef) and (shape, SH.message, None) in shapes:
                languages = {m.language for m in shapes.objects(shape, SH.message)}  # type: ignore[attr-defined]
                assert {"en", "fr"} <= languages, f"{path.name}: {local(shape)}"


def test_nothing_written_by_hand_is_left_over() -> None:
    known = {(local(shape), name) for _, shape, name, _ in CASES}
    assert set(BY_HAND) <= known
