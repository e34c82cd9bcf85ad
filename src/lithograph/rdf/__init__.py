"""Entities ⇄ quads. The only place that spells IRIs and predicates."""

from lithograph.rdf.annotations import annotation_quads
from lithograph.rdf.iris import Iris, digest, key_of
from lithograph.rdf.quads import Quad, n_quads, parsed, quad_of
from lithograph.rdf.reading import (
    IMAGE_PREDICATES,
    annotation_from_quads,
    images_from_quads,
    literal_value,
    run_from_quads,
)
from lithograph.rdf.terms import PREFIXES, iri_of, shorten
from lithograph.rdf.writing import (
    dataset_quads,
    image_quads,
    number_quads,
    quarantine_graph,
    refusal_quads,
    region_quads,
    run_end_quads,
    run_quads,
    tombstone_quads,
    vocabulary_quads,
)

__all__ = [
    "IMAGE_PREDICATES",
    "PREFIXES",
    "Iris",
    "Quad",
    "annotation_from_quads",
    "annotation_quads",
    "dataset_quads",
    "digest",
    "image_quads",
    "images_from_quads",
    "iri_of",
    "key_of",
    "literal_value",
    "n_quads",
    "number_quads",
    "parsed",
    "quad_of",
    "quarantine_graph",
    "refusal_quads",
    "region_quads",
    "run_end_quads",
    "run_from_quads",
    "run_quads",
    "shorten",
    "tombstone_quads",
    "vocabulary_quads",
]
