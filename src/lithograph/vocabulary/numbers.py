"""Category numbers: they only grow, and a retired concept keeps its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lithograph.errors import VocabularyError

if TYPE_CHECKING:
    from lithograph.vocabulary.model import Vocabulary


def assign_category_ids(vocabulary: Vocabulary, previous: Mapping[str, int]) -> dict[str, int]:
    """Concept IRI → category number, of every concept that the scheme has or ever had, by number.

    Numbers that the scheme states (``skos:notation`` of type ``lg:categoryId``) and those of
    ``previous`` are kept, also of concepts that are no longer there. Concepts without one get the
    numbers above the highest, in the vocabulary's order, from 1. The background concept has none.

    Raises VocabularyError where the scheme states a number that another concept has or had, or
    another number than the concept had before; ValueError where ``previous`` gives a number below
    0, or one number to two concepts.
    """
    numbers: dict[str, int] = {}
    holder: dict[int, str] = {}
    for iri, number in previous.items():
        if number < 0:
            raise ValueError(f"previous: expected numbers of 0 or more, found {number} for {iri}")
        if number in holder:
            raise ValueError(
                f"previous: expected a number of its own for {iri}, found {number}, which "
                f"{holder[number]} has too"
            )
        numbers[iri], holder[number] = number, iri
    numbered = [concept for concept in vocabulary.concepts if not concept.is_background]
    for concept in numbered:
        stated = concept.category_id
        if stated is None:
            continue
        if numbers.get(concept.iri, stated) != stated:
            raise VocabularyError(
                f"{concept.iri}: expected the category number {numbers[concept.iri]} that it had "
                f"before, found {stated}: numbers never change",
                subject=concept.iri,
            )
        if holder.setdefault(stated, concept.iri) != concept.iri:
            raise VocabularyError(
                f"{concept.iri}: expected a category number of its own, found {stated}, which "
                f"{holder[stated]} has or had",
                subject=concept.iri,
            )
        numbers[concept.iri] = stated
    following = max(holder, default=0) + 1
    for concept in numbered:
        if concept.iri not in numbers:
            numbers[concept.iri] = following
            following += 1
    return dict(sorted(numbers.items(), key=lambda entry: entry[1]))
