"""An annotation → quads. Millions of them are written, so this is the short way to do it."""

from __future__ import annotations

from typing import Final

from lithograph.entities import Annotation, Mask
from lithograph.masks import rle_to_text, wkt_from_outline
from lithograph.rdf.quads import TYPE, Quad, iri_term, name, text_term, typed_term

_ANNOTATION: Final = name("oa:Annotation")
_ENTITY: Final = name("prov:Entity")
_MOTIVATED_BY: Final = name("oa:motivatedBy")
_CLASSIFYING: Final = name("oa:classifying")
_BODY: Final = name("oa:hasBody")
_TARGET: Final = name("oa:hasTarget")
_STATUS: Final = name("lg:status")
_RUN: Final = name("prov:wasGeneratedBy")
_CREATED: Final = name("dcterms:created")
_CONFIDENCE: Final = name("lg:confidence")
_RESOURCE: Final = name("oa:SpecificResource")
_SOURCE: Final = name("oa:hasSource")
_SELECTOR: Final = name("oa:hasSelector")
_FRAGMENT: Final = name("oa:FragmentSelector")
_CONFORMS_TO: Final = name("dcterms:conformsTo")
_MEDIA_FRAGMENTS: Final = "<http://www.w3.org/TR/media-frags/>"
_VALUE: Final = name("rdf:value")
_GEOMETRY: Final = name("lg:PixelGeometry")
_MASK: Final = name("lg:mask")
_OUTLINE: Final = name("lg:outline")
_X, _Y = name("lg:x"), name("lg:y")
_WIDTH, _HEIGHT, _AREA = name("lg:width"), name("lg:height"), name("lg:area")
_CANDIDATE: Final = name("lg:candidate")
_DOUBLE: Final = name("xsd:double")
_WKT: Final = name("lg:pixelWkt")


def annotation_quads(annotation: Annotation, run: str) -> list[Quad]:
    """One annotation with its target, box, geometry and candidates, in its run's graph."""
    iri = iri_term(annotation.iri)
    target, box, geometry = f"{iri[:-1]}#target>", f"{iri[:-1]}#box>", f"{iri[:-1]}#geometry>"
    graph = iri_term(run)
    x, y, width, height = annotation.box
    quads = [
        (iri, TYPE, _ANNOTATION, graph),
        (iri, TYPE, _ENTITY, graph),
        (iri, _MOTIVATED_BY, _CLASSIFYING, graph),
        (iri, _BODY, iri_term(annotation.concept), graph),
        (iri, _TARGET, target, graph),
        (iri, _STATUS, name(f"lg:{annotation.status}"), graph),
        (iri, _RUN, graph, graph),
        (iri, _CREATED, typed_term(annotation.created, "xsd:dateTime"), graph),
        (target, TYPE, _RESOURCE, graph),
        (target, _SOURCE, iri_term(annotation.image), graph),
        (target, _SELECTOR, box, graph),
        (target, _SELECTOR, geometry, graph),
        (box, TYPE, _FRAGMENT, graph),
        (box, _CONFORMS_TO, _MEDIA_FRAGMENTS, graph),
        (box, _VALUE, _fragment(annotation), graph),
        (geometry, TYPE, _GEOMETRY, graph),
        (geometry, *_exact(annotation), graph),
        (geometry, _X, _double(x), graph),
        (geometry, _Y, _double(y), graph),
        (geometry, _WIDTH, _double(width), graph),
        (geometry, _HEIGHT, _double(height), graph),
        (geometry, _AREA, _double(annotation.area), graph),
    ]
    if annotation.confidence is not None:
        quads.append((iri, _CONFIDENCE, _double(annotation.confidence), graph))
    if annotation.mask_quality is not None:
        quads.append((iri, name("lg:maskQuality"), _double(annotation.mask_quality), graph))
    if annotation.region is not None:
        quads.append((iri, name("lg:region"), iri_term(annotation.region), graph))
    if annotation.alternative_of is not None:
        other = iri_term(annotation.alternative_of)
        quads.append((iri, name("lg:alternativeOf"), other, graph))
    if annotation.revision_of is not None:
        quads.append((iri, name("prov:wasRevisionOf"), iri_term(annotation.revision_of), graph))
    if annotation.source_id is not None:
        quads.append((iri, name("lg:sourceId"), text_term(annotation.source_id), graph))
    if annotation.crowd:
        quads.append((iri, name("lg:crowd"), typed_term("true", "xsd:boolean"), graph))
    for rank, candidate in enumerate(annotation.candidates, start=1):
        node = f"{iri[:-1]}#candidate-{rank}>"
        quads += [
            (iri, _CANDIDATE, node, graph),
            (node, TYPE, name("lg:Candidate"), graph),
            (node, name("lg:rank"), typed_term(str(rank), "xsd:integer"), graph),
            (node, name("lg:concept"), iri_term(candidate.concept), graph),
            (node, _CONFIDENCE, _double(candidate.confidence), graph),
        ]
    return quads


def _double(value: float) -> str:
    # repr gives the shortest digits that read back as the same float.
    return f'"{float(value)!r}"^^{_DOUBLE}'


def _fragment(annotation: Annotation) -> str:
    x, y, width, height = annotation.box.rounded_outwards()
    # A media fragment knows no negative numbers: what sticks out on the left or the top is cut.
    left, top = max(x, 0), max(y, 0)
    return f'"xywh=pixel:{left},{top},{x + width - left},{y + height - top}"'


def _exact(annotation: Annotation) -> tuple[str, str]:
    """The predicate and the term of the exact geometry."""
    shape = annotation.geometry
    if isinstance(shape, Mask):
        return _MASK, typed_term(rle_to_text(shape), "lg:cocoRle")
    # Well-known text of numbers holds nothing that needs an escape.
    return _OUTLINE, f'"{wkt_from_outline(shape)}"^^{_WKT}'
