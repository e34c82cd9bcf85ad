"""The terms that the graph model uses, as pyoxigraph nodes, and their prefixes."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from pyoxigraph import NamedNode

PREFIXES: Final[dict[str, str]] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "exif": "http://www.w3.org/2003/12/exif/ns#",
    "lg": "https://w3id.org/lithograph/ns#",
    "mls": "http://www.w3.org/ns/mls#",
    "oa": "http://www.w3.org/ns/oa#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


@cache
def term(name: str) -> NamedNode:
    """``lg:status`` → its node."""
    prefix, _, local = name.partition(":")
    return NamedNode(PREFIXES[prefix] + local)


def iri_of(node: Any) -> str:
    """The IRI of a node that is known to be named (the graph holds no blank node)."""
    return str(node.value)


def shorten(iri: str) -> str:
    """An IRI with a known prefix in its short form, any other as it is."""
    for prefix, namespace in PREFIXES.items():
        if iri.startswith(namespace) and iri != namespace:
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri


TYPE: Final = term("rdf:type")
VALUE: Final = term("rdf:value")
JSON: Final = term("rdf:JSON")
DATE_TIME: Final = term("xsd:dateTime")
NAME: Final = term("schema:name")
SHA256: Final = term("schema:sha256")
IDENTIFIER: Final = term("dcterms:identifier")
CREATED: Final = term("dcterms:created")
ENTITY: Final = term("prov:Entity")
USED: Final = term("prov:used")
GENERATED_BY: Final = term("prov:wasGeneratedBy")
REVISION_OF: Final = term("prov:wasRevisionOf")
STARTED: Final = term("prov:startedAtTime")
ENDED: Final = term("prov:endedAtTime")
CONFIDENCE: Final = term("lg:confidence")
CONCEPT: Final = term("lg:concept")
SOURCE_ID: Final = term("lg:sourceId")
ANNOTATION: Final = term("oa:Annotation")
IMAGE: Final = term("schema:ImageObject")
STATUS_PREFIX: Final = PREFIXES["lg"]
MEDIA_FRAGMENTS: Final = NamedNode("http://www.w3.org/TR/media-frags/")
