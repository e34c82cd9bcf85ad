"""The SHACL shapes, read and checked before anything is checked with them.

pySHACL answers *conforms* for a misspelt constraint, a misspelt target class and an empty shapes
graph. A gate that lets everything pass because of a typing error is worse than none, so such shapes
are refused here.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lithograph import resources
from lithograph.errors import ShapesError
from lithograph.rdf import PREFIXES, shorten

if TYPE_CHECKING:
    from rdflib import Graph
    from rdflib.term import Node

_SH: Final = "http://www.w3.org/ns/shacl#"

#: Every term of SHACL Core and SHACL-SPARQL (W3C Recommendation, 20 July 2017) that shapes may use.
TERMS: Final = frozenset(
    [
        "Shape",
        "NodeShape",
        "PropertyShape",
        "NodeKind",
        "BlankNode",
        "IRI",
        "Literal",
        "BlankNodeOrIRI",
        "BlankNodeOrLiteral",
        "IRIOrLiteral",
        "Severity",
        "Info",
        "Violation",
        "Warning",
        "SPARQLConstraint",
        "SPARQLSelectExecutable",
        "SPARQLAskExecutable",
        "SPARQLExecutable",
        "SPARQLConstructExecutable",
        "PrefixDeclaration",
        "ConstraintComponent",
        "Parameter",
        "Validator",
        "SPARQLAskValidator",
        "SPARQLSelectValidator",
        "targetClass",
        "targetNode",
        "targetObjectsOf",
        "targetSubjectsOf",
        "path",
        "inversePath",
        "alternativePath",
        "zeroOrMorePath",
        "oneOrMorePath",
        "zeroOrOnePath",
        "property",
        "node",
        "deactivated",
        "severity",
        "message",
        "name",
        "description",
        "order",
        "group",
        "defaultValue",
        "PropertyGroup",
        "class",
        "datatype",
        "nodeKind",
        "minCount",
        "maxCount",
        "minExclusive",
        "minInclusive",
        "maxExclusive",
        "maxInclusive",
        "minLength",
        "maxLength",
        "pattern",
        "flags",
        "languageIn",
        "uniqueLang",
        "equals",
        "disjoint",
        "lessThan",
        "lessThanOrEquals",
        "not",
        "and",
        "or",
        "xone",
        "qualifiedValueShape",
        "qualifiedMinCount",
        "qualifiedMaxCount",
        "qualifiedValueShapesDisjoint",
        "closed",
        "ignoredProperties",
        "hasValue",
        "in",
        "sparql",
        "select",
        "ask",
        "prefixes",
        "declare",
        "prefix",
        "namespace",
        "parameter",
        "optional",
        "validator",
        "nodeValidator",
        "propertyValidator",
        "labelTemplate",
        "entailment",
        "shapesGraph",
        "suggestedShapesGraph",
    ]
)
#: Classes of other vocabularies that the graph model uses.
CLASSES: Final = frozenset(
    PREFIXES[prefix] + local
    for prefix, local in (
        name.split(":")
        for name in [
            "oa:Annotation",
            "oa:SpecificResource",
            "oa:FragmentSelector",
            "schema:ImageObject",
            "prov:Activity",
            "prov:Agent",
            "prov:Entity",
            "prov:Person",
            "prov:SoftwareAgent",
            "mls:Model",
            "mls:Run",
            "mls:Implementation",
            "dcat:Dataset",
            "skos:Concept",
            "skos:ConceptScheme",
            "skos:Collection",
            "skos:OrderedCollection",
        ]
    )
)
_TARGETS: Final = ("targetClass", "targetNode", "targetObjectsOf", "targetSubjectsOf")


@dataclass(frozen=True, eq=False)
class Shapes:
    """SHACL shapes that were checked. ``digest`` is the SHA-256 of their files.

    ``prepared`` holds the SPARQL constraints once they have been parsed.
    """

    graph: Graph = field(repr=False)
    digest: str
    names: tuple[str, ...]
    prepared: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, path: Path | None = None) -> Shapes:
        """Read a Turtle file, or every ``.ttl`` of a folder; the shipped shapes by default.

        Raises ShapesError, with the file as its subject, where one does not parse, uses an unknown
        ``sh:`` term, targets a class or uses an ``lg:`` term that nobody declares, holds a pattern
        that is no regular expression or a shape that nothing can reach, is no well-formed SHACL,
        or where there is no shape at all.
        """
        from rdflib import Graph

        place = path or resources.shapes()
        files = sorted(place.glob("*.ttl")) if place.is_dir() else [place]
        whole, digest = Graph(), hashlib.sha256()
        declared = _declared()
        for file in files:
            part, content = _parse(file)
            digest.update(content)
            _check_terms(part, file)
            _check_patterns(part, file)
            _check_declared(part, file, declared | _own_classes(part))
            whole += part
        if not _shapes_of(whole):
            raise ShapesError(f"{place}: expected SHACL shapes, found none", subject=place)
        _check_reached(whole, place)
        if path is not None:
            # It takes seconds; that the shipped shapes are well formed is tested once for all.
            _check_form(whole, place)
        return cls(whole, digest.hexdigest(), tuple(file.name for file in files))


def _parse(file: Path) -> tuple[Graph, bytes]:
    from rdflib import Graph

    try:
        content = file.read_bytes()
        return Graph().parse(data=content, format="turtle"), content
    except Exception as error:
        brief = " ".join(str(error).split())[:200]
        raise ShapesError(f"{file}: cannot be read as Turtle: {brief}", subject=file) from error


def _shapes_of(graph: Graph) -> set[Node]:
    """The nodes that are shapes: typed, or with a target or a path."""
    from rdflib import RDF, URIRef

    found: set[Node] = set()
    for name in ("NodeShape", "PropertyShape"):
        found |= set(graph.subjects(RDF.type, URIRef(_SH + name)))
    for name in (*_TARGETS, "path"):
        found |= set(graph.subjects(URIRef(_SH + name)))
    return found


def _check_terms(graph: Graph, file: Path) -> None:
    from rdflib import URIRef

    for triple in graph:
        for node in triple:
            if isinstance(node, URIRef) and node.startswith(_SH):
                local = node.removeprefix(_SH)
                # The parameters of a constraint component are sh:ClassConstraintComponent and so on.
                if local and local not in TERMS:
                    from rapidfuzz import process

                    near = process.extractOne(local, sorted(TERMS))
                    hint = f"; did you mean sh:{near[0]}?" if near else ""
                    raise ShapesError(f"{file}: unknown term sh:{local}{hint}", subject=file)


def _check_patterns(graph: Graph, file: Path) -> None:
    from rdflib import URIRef

    for _, _, pattern in graph.triples((None, URIRef(f"{_SH}pattern"), None)):
        try:
            re.compile(str(pattern))
        except re.error as error:
            raise ShapesError(
                f"{file}: sh:pattern {str(pattern)!r} is no regular expression: {error}",
                subject=file,
            ) from error


def _declared() -> frozenset[str]:
    """The terms of our ontology, and the classes of others that the graph model uses."""
    graph, _ = _parse(resources.ontology("lithograph"))
    ours = {str(subject) for subject in graph.subjects() if str(subject).startswith(PREFIXES["lg"])}
    return CLASSES | ours


def _own_classes(graph: Graph) -> set[str]:
    """The classes that a shapes file declares itself."""
    from rdflib import OWL, RDF, RDFS

    kinds = (RDFS.Class, OWL.Class)
    return {str(subject) for kind in kinds for subject in graph.subjects(RDF.type, kind)}


def _check_declared(graph: Graph, file: Path, declared: frozenset[str] | set[str]) -> None:
    from rdflib import URIRef

    for _, _, target in graph.triples((None, URIRef(f"{_SH}targetClass"), None)):
        if str(target) not in declared:
            raise ShapesError(
                f"{file}: sh:targetClass {shorten(str(target))}: expected a class of the graph "
                "model, or one that this file declares (a rdfs:Class), found neither",
                subject=file,
            )
    for triple in graph:
        for node in triple:
            if (
                isinstance(node, URIRef)
                and node.startswith(PREFIXES["lg"])
                and str(node) not in declared
            ):
                raise ShapesError(
                    f"{file}: {shorten(str(node))} is not declared in the ontology", subject=file
                )


def _check_reached(graph: Graph, place: Path) -> None:
    """Every shape must have a target, or be pointed at by another one."""
    from rdflib import RDFS, URIRef

    targets = [URIRef(_SH + name) for name in _TARGETS]
    for shape in _shapes_of(graph):
        has_target = any((shape, target, None) in graph for target in targets)
        implicit = (shape, None, RDFS.Class) in graph
        pointed_at = (None, None, shape) in graph
        if not (has_target or implicit or pointed_at):
            raise ShapesError(
                f"{place}: {shorten(str(shape))} has no target and no shape refers to it: it "
                "would never be asked",
                subject=place,
            )


def _check_form(graph: Graph, place: Path) -> None:
    """SHACL's own shapes of shapes, which pySHACL carries, must hold."""
    from pyshacl import validate as pyshacl_validate
    from pyshacl.errors import ReportableRuntimeError
    from rdflib import Graph

    try:
        answer = pyshacl_validate(
            Graph(), shacl_graph=graph, meta_shacl=True, advanced=False, inference="none"
        )
    except (ReportableRuntimeError, ValueError, KeyError, TypeError) as error:
        brief = " ".join(str(error).split())[:300]
        raise ShapesError(f"{place}: not well-formed SHACL: {brief}", subject=place) from error
    if isinstance(answer[1], Exception):
        brief = " ".join(str(answer[1]).split())[:300]
        raise ShapesError(f"{place}: not well-formed SHACL: {brief}", subject=place)
