"""Turtle for the vocabulary's tests: the prefixes, and how to read a few lines of it."""

from __future__ import annotations

from lithograph.vocabulary import Finding, FindingKind, Vocabulary

EX = "https://example.org/v/"

PREFIXES = f"""\
@prefix : <{EX}> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix skosxl: <http://www.w3.org/2008/05/skos-xl#> .
@prefix iso-thes: <http://purl.org/iso25964/skos-thes#> .
@prefix gvp: <http://vocab.getty.edu/ontology#> .
@prefix lg: <https://w3id.org/lithograph/ns#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""

SCHEME = f"<{EX}> a skos:ConceptScheme .\n"


def vocabulary(turtle: str, *, scheme: str | None = None) -> Vocabulary:
    """A vocabulary of a scheme ``EX`` and these statements."""
    return Vocabulary.read(PREFIXES + SCHEME + turtle, scheme=scheme)


def found(turtle: str, kind: FindingKind) -> list[Finding]:
    """The findings of one kind about these statements."""
    return [finding for finding in vocabulary(turtle).check() if finding.kind is kind]
