"""The versions of vocabularies that a graph holds: one named graph each, nothing ever deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox

from lithograph.errors import VocabularyError
from lithograph.rdf import Quad, number_quads, vocabulary_quads
from lithograph.rdf.iris import key_of

if TYPE_CHECKING:
    from lithograph.graph.graph import Graph
    from lithograph.vocabulary import Vocabulary

_CURRENT = """
SELECT ?version ?sha256 ?scheme WHERE {
  GRAPH ?version { ?version a lg:VocabularyVersion ; dcterms:isVersionOf ?scheme ;
                            schema:sha256 ?sha256 }
  FILTER NOT EXISTS { GRAPH ?newer { ?newer prov:wasRevisionOf ?version ; a lg:VocabularyVersion } }
} ORDER BY ?scheme ?version
"""

_NUMBERS = """
SELECT ?concept ?number ?created WHERE {
  GRAPH ?version { ?version a lg:VocabularyVersion ; dcterms:isVersionOf ?scheme ;
                            dcterms:created ?created .
                   ?concept skos:notation ?number }
  FILTER (DATATYPE(?number) = lg:categoryId)
} ORDER BY ?created ?version ?concept
"""


def current_versions(graph: Graph) -> dict[str, tuple[str, str]]:
    """Scheme IRI → (IRI of its current version, SHA-256 of that version's content)."""
    return {row["scheme"]: (row["version"], row["sha256"]) for row in graph.select(_CURRENT)}


def category_numbers(graph: Graph, scheme: str) -> dict[str, int]:
    """Concept IRI → category number, of every concept that the scheme ever had."""
    rows = graph.select(_NUMBERS, scheme=ox.NamedNode(scheme))
    return {row["concept"]: int(row["number"]) for row in rows}


def read_vocabulary(graph: Graph, scheme: str) -> Vocabulary:
    """The current version of a scheme, as a vocabulary. VocabularyError where there is none."""
    from lithograph.vocabulary import Vocabulary

    versions = current_versions(graph)
    if scheme not in versions:
        raise VocabularyError(
            f"{scheme}: expected one of {', '.join(versions) or 'no scheme at all'} in the graph",
            subject=scheme,
        )
    version = ox.NamedNode(versions[scheme][0])
    triples = (
        quad.triple
        for quad in graph.store.quads_for_pattern(None, None, None, version)
        if quad.subject != version
    )
    return Vocabulary.from_triples(triples, scheme=scheme)


def version_quads(graph: Graph, vocabulary: Vocabulary, *, created: str) -> tuple[str, list[Quad]]:
    """The IRI of the vocabulary's version, and the quads that the graph still lacks of it."""
    from lithograph.vocabulary import assign_category_ids

    scheme = vocabulary.iri
    previous, sha256 = current_versions(graph).get(scheme, (None, None))
    if previous is not None and sha256 == vocabulary.digest:
        return previous, []
    version = graph.iris.vocabulary(key_of(scheme), vocabulary.digest, previous)
    quads = list(
        vocabulary_quads(
            vocabulary.triples(),
            version=version,
            scheme=scheme,
            sha256=vocabulary.digest,
            created=created,
            previous=previous,
        )
    )
    own = {c.iri: c.category_id for c in vocabulary.concepts if c.category_id is not None}
    numbers = assign_category_ids(vocabulary, category_numbers(graph, scheme))
    concepts = {concept.iri for concept in vocabulary.concepts}
    missing = {iri: numbers[iri] for iri in numbers if iri in concepts and iri not in own}
    quads += number_quads(missing, version)
    return version, quads
