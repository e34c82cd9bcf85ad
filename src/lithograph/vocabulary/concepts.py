"""Concepts and groupings: what a vocabulary is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote

#: Language tag in lower case ("" for none) → texts, sorted.
Texts = Mapping[str, tuple[str, ...]]
LabelKind = Literal["preferred", "alternative", "hidden"]

_IDENTIFIER = re.compile(r"[?&](?:idc|idf|idg|id)=([^&#]+)")


def slug_of(iri: str) -> str:
    """The last part of an IRI; of Opentheso's ``?idc=32565&idt=th21``, the concept's identifier."""
    if found := _IDENTIFIER.search(iri):
        return unquote(found[1])
    return unquote(re.split(r"[/#]", iri.rstrip("/#"))[-1])


def in_language(texts: Texts, language: str) -> tuple[str, ...]:
    """The texts in a language: of ``en`` the exact tag, else all regional ones (``en-gb``).

    This is basic filtering of RFC 4647 with the plain tag first.
    """
    wanted = language.lower()
    if wanted in texts:
        return texts[wanted]
    return tuple(
        text
        for tag in sorted(texts)
        if wanted and tag.startswith(f"{wanted}-")
        for text in texts[tag]
    )


@dataclass(frozen=True, slots=True)
class Concept:
    """A SKOS concept, by its IRI: two concepts are equal where their IRIs are.

    ``broader`` are all its parents and ``narrower`` all its children, as IRIs of the same
    vocabulary, in the vocabulary's order. ``mappings`` give the IRIs of other vocabularies by
    relation (``exactMatch``, ``closeMatch``, ``broadMatch``, ``narrowMatch``, ``relatedMatch``).
    ``category_id`` is the number that the scheme itself states. ``replaced_by`` are the IRIs that
    stand for a retired (``deprecated``) concept. The background concept is asked of models and
    never exported.
    """

    iri: str
    pref_labels: Texts = field(default_factory=dict, compare=False, repr=False)
    alt_labels: Texts = field(default_factory=dict, compare=False, repr=False)
    hidden_labels: Texts = field(default_factory=dict, compare=False, repr=False)
    definitions: Texts = field(default_factory=dict, compare=False, repr=False)
    scope_notes: Texts = field(default_factory=dict, compare=False, repr=False)
    visual_descriptions: Texts = field(default_factory=dict, compare=False, repr=False)
    broader: tuple[str, ...] = field(default=(), compare=False, repr=False)
    narrower: tuple[str, ...] = field(default=(), compare=False, repr=False)
    related: tuple[str, ...] = field(default=(), compare=False, repr=False)
    confused_with: tuple[str, ...] = field(default=(), compare=False, repr=False)
    mappings: Texts = field(default_factory=dict, compare=False, repr=False)
    category_id: int | None = field(default=None, compare=False)
    deprecated: bool = field(default=False, compare=False, repr=False)
    replaced_by: tuple[str, ...] = field(default=(), compare=False, repr=False)
    is_background: bool = field(default=False, compare=False, repr=False)

    @property
    def slug(self) -> str:
        """The last part of the IRI."""
        return slug_of(self.iri)

    def label(self, *languages: str) -> str:
        """The preferred label in the first of the languages that has one.

        Failing that in English, without a language, in the first language by tag; then any
        alternative label by the same order; the slug where the concept has no label at all.
        """
        for labels in (self.pref_labels, self.alt_labels):
            for language in (*languages, "en", "", *sorted(labels)):
                if found := in_language(labels, language):
                    return found[0]
        return self.slug

    def labels(self) -> Iterator[tuple[LabelKind, str, str]]:
        """Every label as kind, language tag and text."""
        kinds: tuple[tuple[LabelKind, Texts], ...] = (
            ("preferred", self.pref_labels),
            ("alternative", self.alt_labels),
            ("hidden", self.hidden_labels),
        )
        for kind, labels in kinds:
            for language, texts in labels.items():
                for text in texts:
                    yield kind, language, text

    def __str__(self) -> str:
        return f"{self.label()} <{self.iri}>"


@dataclass(frozen=True, slots=True)
class Grouping:
    """A collection of concepts, or an array of a thesaurus: it groups, it is no concept.

    ``members`` are IRIs of concepts and groupings, in the list's order where there is one.
    """

    iri: str
    kind: Literal["collection", "array"]
    labels: Texts = field(default_factory=dict, compare=False, repr=False)
    members: tuple[str, ...] = field(default=(), compare=False, repr=False)
