"""The gate's engine and pySHACL, asked the same: what each says, and where they differ."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyoxigraph as ox

from lithograph.entities import Violation
from lithograph.errors import ShapesError
from lithograph.gate import Shapes, reference
from lithograph.gate.data import Data
from lithograph.gate.evaluation import Evaluation
from lithograph.gate.values import literal_of
from lithograph.rdf import Quad, parsed, quad_of
from lithograph.rdf.quads import language_of, name, value_of

if TYPE_CHECKING:
    from rdflib import Graph
    from rdflib.term import Node

SH = "http://www.w3.org/ns/shacl#"
QUERIED = "SPARQLConstraintComponent"
GRAPH = "<https://data.example.org/graph>"
THIS = re.compile(r"[$?]this\b")
#: What a SELECT gives.
HEAD = re.compile(r"SELECT(?:(?!WHERE)[^{])*")
PREFIXES = """
@prefix ex: <https://example.org/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


class Said(NamedTuple):
    """A violation without its message, which is not the same where a shape has none."""

    focus: str
    path: str | None
    component: str
    severity: str
    value: str | None
    shape: str | None


def said(violations: Iterable[Violation]) -> set[Said]:
    return {Said(v.focus, v.path, v.component, v.severity, v.value, v.shape) for v in violations}


def triples_of(file: Path) -> list[ox.Triple]:
    """The triples of a Turtle file, their lexical forms as they stand, relative to the file."""
    base = file.as_uri()
    parsed = ox.parse(path=str(file), format=ox.RdfFormat.TURTLE, base_iri=base)
    return [quad.triple for quad in parsed]


def read_turtle(text: str) -> list[ox.Triple]:
    parsed = ox.parse(PREFIXES + text, format=ox.RdfFormat.TURTLE)
    return [quad.triple for quad in parsed]


def quads_of(triples: Iterable[ox.Triple]) -> list[Quad]:
    graph = ox.NamedNode(GRAPH[1:-1])
    return [quad_of(ox.Quad(t.subject, t.predicate, t.object, graph)) for t in triples]


def graph_of(triples: Iterable[ox.Triple]) -> Graph:
    """Triples as rdflib has them; blank nodes keep their names."""
    from rdflib import BNode, Graph, URIRef

    def converted(term: object) -> Node:
        if isinstance(term, ox.NamedNode):
            return URIRef(term.value)
        return BNode(term.value) if isinstance(term, ox.BlankNode) else literal_of(str(term))

    graph = Graph(bind_namespaces="none")
    for triple in triples:
        graph.add(
            (converted(triple.subject), converted(triple.predicate), converted(triple.object))
        )
    return graph


def shapes_from(triples: Iterable[ox.Triple]) -> Shapes:
    """Shapes that are taken as they stand, without the checks that files of shapes undergo."""
    return Shapes(graph_of(triples), digest="", names=())


def by_engine(
    quads: Iterable[Quad],
    shapes: Shapes,
    context: Iterable[Quad] = (),
    *,
    everywhere: bool = False,
) -> set[Violation]:
    """What the engine alone says."""
    return set(Evaluation(shapes.plan, Data(quads, context)).violations(everywhere=everywhere))


LESS = {f"LessThan{ending}ConstraintComponent" for ending in ("", "OrEquals")}
UPPER = {f"Max{kind}ConstraintComponent" for kind in ("Inclusive", "Exclusive")}
#: What the queries of the shipped shapes compute with.
COMPUTED = frozenset(
    map(name, ("lg:x", "lg:y", "lg:width", "lg:height", "lg:rank", "lg:confidence"))
) | {name("schema:width"), name("schema:height")}


def differences(
    quads: Sequence[Quad], shapes: Shapes, context: Sequence[Quad] = ()
) -> tuple[set[Violation], set[Violation]]:
    """Violations that the engine alone tells, and those that only pySHACL tells.

    This is the one place that knows in what the two are not the same:

    - SPARQL has no string of a blank node (STR is an error, section 17.4.2.5), rdflib gives its
      name: of SPARQL constraints, what is said of blank nodes is left out.
    - Oxigraph's store keeps the value of a number or a date and not how it was written ("2.0" is
      "2" to STR): for SPARQL constraints pySHACL is asked of the data as the store has them.
    - SPARQL cannot compute with what is no number, and the row is dropped; rdflib orders it by the
      name of its datatype, and fails of it in a sum: where such a value is, SPARQL constraints are
      left out. (:func:`one_by_one` is what they are held to then.)
    - pySHACL fails where sh:lessThan meets values that have no order, which SHACL has told as a
      violation (section 4.5.3), and where a value that a SPARQL constraint gives holds a backslash,
      which it takes for a replacement's: where it fails, the one, the other or both are left out.
    - pySHACL has NaN below every bound; no upper bound holds of it (SHACL, section 4.3).
    """
    everything = [*quads, *context]
    ours = by_engine(quads, shapes, context)
    odd = {QUERIED} if any(map(is_not_computed_with, everything)) else set()
    theirs, left_out = _by_pyshacl(quads, shapes, context, odd)
    blank = {value_of(term) for quad in everything for term in (quad[0], quad[2]) if term[0] == "_"}

    def counts(violation: Violation) -> bool:
        queried = violation.component == QUERIED
        of_blank = queried and not {violation.focus, violation.value}.isdisjoint(blank)
        above = violation.value == "NaN" and violation.component in UPPER
        return violation.component not in left_out and not of_blank and not above

    ours, theirs = set(filter(counts, ours)), set(filter(counts, theirs))
    return ours - theirs, theirs - ours


def is_not_computed_with(quad: Quad) -> bool:
    """Whether queries compute with a value that is no number, or none of Oxigraph's."""
    _, predicate, value, _ = quad
    if predicate == name("rdf:value"):
        # A text in a language cannot be cast to a number.
        return language_of(value) is not None and value_of(value).startswith("xywh")
    if predicate not in COMPUTED:
        return False
    literal = literal_of(value) if value[0] == '"' else None
    number: Any = None if literal is None or literal.ill_typed else literal.value
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        return True
    # Integers and decimals end where 64 and 128 bits do.
    return not math.isfinite(number) or (not isinstance(number, float) and number >= 2**63)


def _by_pyshacl(
    quads: Sequence[Quad], shapes: Shapes, context: Sequence[Quad], odd: set[str]
) -> tuple[set[Violation], set[str]]:
    """What pySHACL says, and the components that had to be left out for it to say something."""
    for left_out in (odd, odd | LESS, odd | {QUERIED}):
        try:
            return _of_both(quads, shapes, context, left_out), left_out
        except ShapesError:
            continue
    left_out = LESS | {QUERIED}
    return _of_both(quads, shapes, context, left_out), left_out


def _of_both(
    quads: Sequence[Quad], shapes: Shapes, context: Sequence[Quad], left_out: set[str]
) -> set[Violation]:
    core = without(shapes, frozenset({QUERIED, *left_out}))
    found = set(reference.validate(quads, core, context=context))
    if QUERIED not in left_out:
        stored, around = as_stored(quads), as_stored(context)
        found |= set(reference.validate(stored, only_queries(shapes), context=around))
    return found


def as_stored(quads: Iterable[Quad]) -> list[Quad]:
    """Quads as they come back from the engine's store, which writes numbers in its own way."""
    store = ox.Store()
    store.extend(parsed(quads))
    return [quad_of(quad) for quad in store]


@cache
def without(shapes: Shapes, components: frozenset[str]) -> Shapes:
    """The shapes less these constraints."""
    parameters = {
        "sparql" if each == "SPARQL" else each[0].lower() + each[1:]
        for each in (component.removesuffix("ConstraintComponent") for component in components)
    }
    return _part(shapes, lambda local: local not in parameters)


@cache
def only_queries(shapes: Shapes) -> Shapes:
    """The SPARQL constraints of node shapes."""
    kept = {"sparql", "select", "prefixes", "declare", "prefix", "namespace"}
    kept |= {"targetClass", "targetSubjectsOf", "message", "severity"}
    return _part(shapes, kept.__contains__)


def _part(shapes: Shapes, keeps: Callable[[str], bool]) -> Shapes:
    from rdflib import Graph

    graph = Graph(bind_namespaces="none")
    for triple in shapes.graph:
        if keeps(str(triple[1]).removeprefix(SH)):
            graph.add(triple)
    return Shapes(graph, digest="", names=())


def one_by_one(
    quads: Sequence[Quad], shapes: Shapes, context: Sequence[Quad] = ()
) -> set[tuple[str, str, str]]:
    """What the SPARQL constraints give, as SHACL has them asked: node by node.

    (focus node, shape, value). The node stands in the place of $this (SHACL, appendix A). Blank
    nodes and literals, which cannot stand there, are left out; property shapes too.
    """
    data = Data(quads, context)
    store = ox.Store()
    store.extend(ox.Quad(q.subject, q.predicate, q.object) for q in parsed([*quads, *context]))
    found = set()
    for shape in shapes.plan.roots:
        nodes = set().union(
            *(data.instances(kind) for kind in shape.targets.classes),
            *(data.column(each).subjects for each in shape.targets.subjects_of),
            *(data.column(each).objects for each in shape.targets.objects_of),
        )
        named = [node for node in nodes & data.batch_nodes if node[0] == "<"]
        for query, node in itertools.product(shape.queries, named):
            answer: Any = store.query(_bound(query.text, node), prefixes=dict(query.prefixes))
            has_value = "value" in {variable.value for variable in answer.variables}
            rows = [row["value"] if has_value else None for row in answer]
            values = {node if value is None else str(value) for value in rows}
            found |= {(value_of(node), shape.iri or "", value_of(value)) for value in values}
    return found


def _bound(query: str, node: str) -> str:
    """The query with the node in the place of $this, which no SELECT gives any more."""

    def without_this(head: re.Match[str]) -> str:
        columns = THIS.sub("", head[0])
        return columns if "?" in columns or "*" in columns else f"{columns} (1 AS ?one) "

    return THIS.sub(lambda _: node, HEAD.sub(without_this, query))
