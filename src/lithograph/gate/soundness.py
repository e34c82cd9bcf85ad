"""Whether shapes can mean what they say, asked before anything is checked with them.

pySHACL answers *conforms* for a misspelt constraint, a misspelt target class and an empty shapes
graph. A gate that lets everything pass because of a typing error is worse than none, so such shapes
are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lithograph.errors import QueryError, ShapesError
from lithograph.gate.terms import SH, SHACL, is_listed, sh
from lithograph.queries import bind_terms, guard
from lithograph.rdf import shorten

if TYPE_CHECKING:
    from rdflib import Graph
    from rdflib.term import Node

_TARGETS: Final = ("targetClass", "targetNode", "targetObjectsOf", "targetSubjectsOf")
#: The predicates that give a shape its focus nodes.
TARGETS: Final = frozenset(SH + name for name in _TARGETS)


def shapes_of(graph: Graph) -> set[Node]:
    """The nodes that are shapes: typed, or with a target or a path."""
    from rdflib import RDF

    found: set[Node] = set()
    for name in ("NodeShape", "PropertyShape"):
        found |= set(graph.subjects(RDF.type, sh(name)))
    for name in (*_TARGETS, "path"):
        found |= set(graph.subjects(sh(name)))
    return found


def check_file(graph: Graph, file: Path) -> None:
    """One file by itself: its terms, its patterns, its queries. ShapesError."""
    _check_terms(graph, file)
    _check_classes(graph, file)
    _check_patterns(graph, file)
    _check_queries(graph, file)


def check_whole(graph: Graph, place: Path) -> None:
    """All files together: that there are shapes, and that each can be reached. ShapesError."""
    if not shapes_of(graph):
        raise ShapesError(f"{place}: expected SHACL shapes, found none", subject=place)
    _check_reached(graph, place)


def check_form(graph: Graph, place: Path) -> None:
    """SHACL's own shapes of shapes, and the grammar of the queries, at some seconds' cost."""
    from pyshacl import validate as pyshacl_validate
    from pyshacl.errors import ReportableRuntimeError
    from rdflib import Graph

    for text in _queries(graph):
        _check_parses(graph, text, place)
    try:
        answer = pyshacl_validate(
            Graph(), shacl_graph=graph, meta_shacl=True, advanced=False, inference="none"
        )
    except (ReportableRuntimeError, ValueError, KeyError, TypeError) as error:
        raise _ill_formed(place, error) from error
    # pySHACL may return its exception in place of the graph of results.
    if isinstance(answer[1], Exception):
        raise _ill_formed(place, answer[1])


def _ill_formed(place: Path, what: object) -> ShapesError:
    text = " ".join(str(what).split())
    # Of the report on the shapes of shapes, what it says of the first fault.
    said = r"Focus Node: (.*?) (?:Value Node|Result Path).*?Message: (.*?)(?: Constr|$)"
    fault = re.search(said, text)
    brief = f"{fault[1]}: {fault[2]}" if fault else text
    return ShapesError(f"{place}: not well-formed SHACL: {brief[:300]}", subject=place)


def _check_terms(graph: Graph, file: Path) -> None:
    """Every term of a vocabulary that we know in full must be one of its terms."""
    from rdflib import OWL, RDF, RDFS, URIRef

    declared = {
        subject
        for kind in (RDFS.Class, OWL.Class, RDF.Property, RDFS.Datatype)
        for subject in graph.subjects(RDF.type, kind)
    }
    if (None, OWL.imports, None) in graph:
        raise ShapesError(
            f"{file}: owl:imports is not followed; put the shapes into one folder", subject=file
        )
    for node in sorted({term for triple in graph for term in triple if isinstance(term, URIRef)}):
        if is_listed(str(node)) is not False or node in declared:
            continue
        if node.startswith(SH):
            from rapidfuzz import process
            from rapidfuzz.distance import JaroWinkler

            local = node.removeprefix(SH)
            alike = JaroWinkler.normalized_similarity
            near = process.extractOne(local, sorted(SHACL), scorer=alike, score_cutoff=0.8)
            hint = f"; did you mean sh:{near[0]}?" if near else ""
            raise ShapesError(f"{file}: unknown term sh:{local}{hint}", subject=file)
        raise ShapesError(
            f"{file}: {shorten(str(node))} is no term of its vocabulary: misspelt?", subject=file
        )


def _check_classes(graph: Graph, file: Path) -> None:
    """A class of a vocabulary that we do not know must be declared beside the shape."""
    from rdflib import OWL, RDF, RDFS

    for name in ("targetClass", "class"):
        for _, _, kind in graph.triples((None, sh(name), None)):
            declared = any((kind, RDF.type, each) in graph for each in (RDFS.Class, OWL.Class))
            if not declared and not is_listed(str(kind)):
                raise ShapesError(
                    f"{file}: sh:{name} {shorten(str(kind))}: expected a class of the graph model, "
                    "or one that this file declares (a rdfs:Class), found neither",
                    subject=file,
                )


def _check_patterns(graph: Graph, file: Path) -> None:
    """A pattern must be a regular expression for pySHACL and for the engine, which differ."""
    import pyoxigraph as ox

    for shape, _, pattern in graph.triples((None, sh("pattern"), None)):
        flags = str(graph.value(shape, sh("flags")) or "")
        terms = {"pattern": ox.Literal(str(pattern)), "flags": ox.Literal(flags)}
        try:
            re.compile(str(pattern))
            asked = bind_terms('SELECT (REGEX("", ?pattern, ?flags) AS ?read) {}', terms)
            read: Any = ox.Store().query(asked)
            fault = "the engine cannot read it" if next(read)[0] is None else ""
        except re.error as error:
            fault = str(error)
        if fault:
            raise ShapesError(
                f"{file}: sh:pattern {str(pattern)!r} is no regular expression: {fault}",
                subject=file,
            )


def _queries(graph: Graph) -> Iterator[str]:
    for name in ("select", "ask"):
        for _, _, text in graph.triples((None, sh(name), None)):
            yield str(text)


def _check_queries(graph: Graph, file: Path) -> None:
    for text in _queries(graph):
        try:
            guard(text, name="sh:select or sh:ask")
        except QueryError as error:
            raise ShapesError(f"{file}: {error}", subject=file) from error


def _check_parses(graph: Graph, text: str, place: Path) -> None:
    from rdflib.plugins.sparql import prepareQuery

    prefixes = {
        str(graph.value(each, sh("prefix"))): str(graph.value(each, sh("namespace")))
        for each in graph.objects(None, sh("declare"))
    }
    try:
        prepareQuery(text, initNs=prefixes)
    except Exception as error:
        brief = " ".join(str(error).split())[:200]
        raise ShapesError(f"{place}: a query is not SPARQL 1.1: {brief}", subject=place) from error


def _check_reached(graph: Graph, place: Path) -> None:
    """Every shape must have a target, or be pointed at by another one."""
    from rdflib import OWL, RDF, RDFS

    targets = [sh(name) for name in _TARGETS]
    for shape in sorted(shapes_of(graph), key=str):
        has_target = any((shape, target, None) in graph for target in targets)
        implicit = any((shape, RDF.type, kind) in graph for kind in (RDFS.Class, OWL.Class))
        pointed_at = (None, None, shape) in graph
        if not (has_target or implicit or pointed_at):
            raise ShapesError(
                f"{place}: {shorten(str(shape))} has no target and no shape refers to it: it "
                "would never be asked",
                subject=place,
            )
