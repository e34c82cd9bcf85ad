"""The terms that shapes may use: a misspelt one would never be asked for, and nobody would know."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from lithograph import resources
from lithograph.rdf import PREFIXES

if TYPE_CHECKING:
    from collections.abc import Container

SH: Final = "http://www.w3.org/ns/shacl#"


def sh(name: str) -> Any:
    """``minCount`` → its rdflib node."""
    from rdflib import URIRef

    return URIRef(SH + name)


# fmt: off
#: SHACL Core and SHACL-SPARQL (W3C Recommendation, 20 July 2017), less what is not done here:
#: entailment, and links from data to their shapes. Rules, functions and JavaScript are no part.
SHACL: Final = frozenset((
    "Shape", "NodeShape", "PropertyShape", "PropertyGroup", "property", "node", "path",
    "targetClass", "targetNode", "targetObjectsOf", "targetSubjectsOf", "deactivated", "severity",
    "message", "name", "description", "order", "group", "defaultValue",
    "Severity", "Info", "Warning", "Violation",
    "inversePath", "alternativePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath",
    "class", "datatype", "nodeKind", "NodeKind", "BlankNode", "IRI", "Literal", "BlankNodeOrIRI",
    "BlankNodeOrLiteral", "IRIOrLiteral", "minCount", "maxCount", "minExclusive", "minInclusive",
    "maxExclusive", "maxInclusive", "minLength", "maxLength", "pattern", "flags", "languageIn",
    "uniqueLang", "equals", "disjoint", "lessThan", "lessThanOrEquals", "not", "and", "or", "xone",
    "qualifiedValueShape", "qualifiedMinCount", "qualifiedMaxCount", "qualifiedValueShapesDisjoint",
    "closed", "ignoredProperties", "hasValue", "in",
    "sparql", "select", "ask", "prefixes", "declare", "prefix", "namespace", "PrefixDeclaration",
    "SPARQLConstraint", "SPARQLExecutable", "SPARQLSelectExecutable", "SPARQLAskExecutable",
    "ConstraintComponent", "Parameter", "parameter", "optional", "labelTemplate", "Validator",
    "validator", "nodeValidator", "propertyValidator", "SPARQLAskValidator",
    "SPARQLSelectValidator",
))
#: What the graph model uses of vocabularies whose terms rdflib does not list.
_OF_THE_MODEL: Final = frozenset((
    "oa:Annotation", "oa:SpecificResource", "oa:FragmentSelector", "oa:Selector", "oa:hasBody",
    "oa:hasTarget", "oa:hasSource", "oa:hasSelector", "oa:motivatedBy", "oa:classifying",
    "mls:Run", "mls:Model", "mls:Implementation", "mls:executes",
    "exif:dateTimeOriginal",
))
# fmt: on


@cache
def _vocabularies() -> dict[str, Container[str]]:
    """Namespace → its terms, for every vocabulary whose terms are all known."""
    from pyoxigraph import RdfFormat, parse
    from rdflib import DCAT, DCTERMS, OWL, PROV, RDF, RDFS, SDO, SKOS, XSD

    ontology = parse(path=str(resources.ontology("lithograph")), format=RdfFormat.TURTLE)
    ours = {str(quad.subject.value) for quad in ontology}
    model = {PREFIXES[name.split(":")[0]] + name.split(":")[1] for name in _OF_THE_MODEL}
    known: dict[str, Container[str]] = {PREFIXES[prefix]: model for prefix in ("oa", "mls", "exif")}
    known |= {SH: {SH + name for name in SHACL}, PREFIXES["lg"]: ours}
    for vocabulary in (DCAT, DCTERMS, OWL, PROV, RDF, RDFS, SDO, SKOS, XSD):
        # These are containers of their terms; their type says strings only.
        known[str(vocabulary)] = cast("Container[str]", vocabulary)
    return known


def is_listed(iri: str) -> bool | None:
    """Whether the IRI is a term of its vocabulary; None where that vocabulary is not known here."""
    for namespace, terms in _vocabularies().items():
        local = iri.removeprefix(namespace)
        if local not in {iri, ""}:
            return iri in terms
    return None
