"""Concepts → the categories of a COCO file, at a level of the hierarchy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lithograph.errors import ExportError
from lithograph.graph.vocabularies import category_numbers, current_versions, read_vocabulary

if TYPE_CHECKING:
    from lithograph.graph import Graph
    from lithograph.vocabulary import Concept, Vocabulary

#: Where the hierarchy is cut: each annotation's own concept, its top ancestor, its ancestor at a
#: depth (0 is the top), or the nearest of the concepts whose IRIs are given.
Level = Literal["leaves", "families"] | int | tuple[str, ...]


@dataclass(frozen=True)
class Categories:
    """The categories of one export: the concepts at a level of the hierarchy, with their numbers.

    Numbers are the concepts' own (``lg:categoryId``). Where concepts of several schemes meet, the
    numbers of each further scheme, in IRI order, start above the highest of those before it.
    ``listed`` maps a category's concept to its number, ``of_concept`` an annotation's concept to
    its category's (None where the cut has none above it).
    """

    versions: tuple[str, ...]
    listed: Mapping[str, int]
    of_concept: Mapping[str, str | None]
    vocabularies: Mapping[str, Vocabulary]
    language: str

    @classmethod
    def of(cls, graph: Graph, concepts: set[str], level: Level, language: str) -> Categories:
        """The categories for these concepts. ExportError where one is in no scheme of the graph."""
        versions = current_versions(graph)
        schemes = {scheme: read_vocabulary(graph, scheme) for scheme in sorted(versions)}
        home: dict[str, str] = {}
        for scheme, vocabulary in schemes.items():
            for concept in vocabulary.concepts:
                home.setdefault(concept.iri, scheme)
        for iri in sorted(concepts):
            if iri not in home:
                raise ExportError(
                    f"{iri}: expected a concept of a scheme in the graph, found none", subject=iri
                )
        used = sorted({home[iri] for iri in concepts})
        listed: dict[str, int] = {}
        of_concept: dict[str, str | None] = {}
        for scheme in used:
            vocabulary = schemes[scheme]
            numbers = category_numbers(graph, scheme)
            offset = max(listed.values(), default=0)
            cuts = {
                iri: None
                if vocabulary[iri].is_background
                else _cut(vocabulary, vocabulary[iri], level)
                for iri in concepts
                if home[iri] == scheme
            }
            wanted = {cut for cut in cuts.values() if cut} | _standing(vocabulary, level)
            listed |= {iri: numbers[iri] + offset for iri in wanted}
            of_concept |= cuts
        return cls(
            versions=tuple(versions[scheme][0] for scheme in used),
            listed=dict(sorted(listed.items(), key=lambda entry: entry[1])),
            of_concept=of_concept,
            vocabularies={iri: schemes[home[iri]] for iri in listed},
            language=language,
        )

    def records(self) -> list[dict[str, Any]]:
        """The ``categories`` of the COCO file, by number.

        ``supercategory`` is the top ancestor's label; ``ancestry`` the labels from there down.
        """
        records = []
        for iri, number in self.listed.items():
            vocabulary = self.vocabularies[iri]
            concept = vocabulary[iri]
            path = vocabulary.path(concept)
            labels = [ancestor.label(self.language) for ancestor in path]
            records.append(
                {
                    "id": number,
                    "name": labels[-1],
                    "supercategory": labels[0],
                    "concept_iri": iri,
                    "ancestry": labels,
                    "ancestry_iris": [ancestor.iri for ancestor in path],
                    "names": _names(concept),
                }
            )
        return records


def _names(concept: Concept) -> dict[str, str]:
    """The preferred label in each language."""
    return {language or "und": concept.label(language) for language in sorted(concept.pref_labels)}


def _cut(vocabulary: Vocabulary, concept: Concept, level: Level) -> str | None:
    """The concept that stands for this one at a level; None where the cut has none above it."""
    path = [ancestor.iri for ancestor in vocabulary.path(concept)]
    if level == "leaves":
        return concept.iri
    if level == "families":
        return path[0]
    if isinstance(level, int):
        return path[min(level, len(path) - 1)]
    return next((iri for iri in reversed(path) if iri in level), None)


def _standing(vocabulary: Vocabulary, level: Level) -> set[str]:
    """The concepts that a level lists whether used or not: a number always means the same."""
    concepts = [c for c in vocabulary.concepts if not c.is_background and not c.deprecated]
    if level == "leaves":
        leaves = {concept.iri for concept in vocabulary.leaves}
        return {concept.iri for concept in concepts if concept.iri in leaves}
    return {cut for concept in concepts if (cut := _cut(vocabulary, concept, level))}
