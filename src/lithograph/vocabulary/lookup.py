"""Finding concepts by what people and files call them."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lithograph.vocabulary.concepts import Concept

if TYPE_CHECKING:
    from lithograph.vocabulary.model import Vocabulary

#: Below this share of agreement (0 to 100, rapidfuzz' ratio of edits) a name is not called near.
_NEAR = 55.0
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "&": "and"})


def fold(text: str) -> str:
    """A label without what people vary: case, spaces, hyphens, CamelCase, diacritics, ligatures.

    ``"ChromaticAlteration&Deposit"`` and ``"chromatic alteration and deposit"`` fold alike, so do
    ``"Érosion"`` and ``"erosion"``. Marks of scripts that need them are kept. A label of signs
    alone is folded to itself in lower case.
    """
    # Twice, as Unicode's compatibility caseless match has it: decomposing may yield capitals.
    folded = text
    for _ in range(2):
        folded = unicodedata.normalize("NFKD", folded.casefold().translate(_LIGATURES))
    letters = "".join(
        character
        for character in folded
        if character.isalnum()
        or (unicodedata.category(character)[0] == "M" and not "\u0300" <= character <= "\u036f")
    )
    return letters or plain(text)


@dataclass(frozen=True, slots=True)
class CategoryMatch:
    """The concept that a foreign category names, or, where none or several do, the nearest.

    ``concept`` is None where there is no match. ``candidates`` are then the concepts that share
    the name (``ambiguous``), or those with the nearest names, nearest first.
    """

    concept: Concept | None
    candidates: tuple[Concept, ...] = ()
    ambiguous: bool = False


class LabelIndex:
    """Concepts by IRI, slug and folded label."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self.by_iri: dict[str, Concept] = {}
        shown: defaultdict[str, dict[str, Concept]] = defaultdict(dict)
        hidden: defaultdict[str, dict[str, Concept]] = defaultdict(dict)
        slugs: defaultdict[str, dict[str, Concept]] = defaultdict(dict)
        for concept in concepts:
            self.by_iri[concept.iri] = concept
            slugs[concept.slug][concept.iri] = concept
            for kind, _, text in concept.labels():
                (hidden if kind == "hidden" else shown)[fold(text)][concept.iri] = concept
        self._slugs: Mapping[str, Mapping[str, Concept]] = slugs
        self._shown: Mapping[str, Mapping[str, Concept]] = shown
        self._hidden: Mapping[str, Mapping[str, Concept]] = hidden

    def find(self, name: str) -> tuple[Concept, ...]:
        """The concepts of that slug; failing that of that label; failing that hidden label."""
        key = fold(name)
        for table, entry in ((self._slugs, name), (self._shown, key), (self._hidden, key)):
            if entry in table:
                return _plainest(table[entry], name)
        return ()

    def labelled(self, name: str) -> tuple[Concept, ...]:
        """The concepts of that label, failing that of that hidden label; slugs do not count."""
        key = fold(name)
        return _plainest(self._shown.get(key) or self._hidden.get(key) or {}, name)

    def nearest(self, name: str, limit: int = 3) -> tuple[Concept, ...]:
        """The concepts with the labels or slugs nearest to a name, nearest first."""
        from rapidfuzz import fuzz, process

        tables = (self._shown, self._hidden, {fold(slug): c for slug, c in self._slugs.items()})
        near: dict[str, tuple[float, Concept]] = {}
        for table in tables:
            # More than asked for: several labels may be of one concept.
            for label, score, _ in process.extract(
                fold(name), list(table), scorer=fuzz.ratio, limit=limit * 4, score_cutoff=_NEAR
            ):
                for iri, concept in table[label].items():
                    near[iri] = max(near.get(iri, (score, concept)), (score, concept), key=_score)
        ranked = sorted(near.items(), key=lambda entry: (-entry[1][0], entry[0]))
        return tuple(concept for _, (_, concept) in ranked[:limit])


def plain(text: str) -> str:
    """A label without case and without spaces at its ends or in a row."""
    return " ".join(text.split()).casefold()


def _plainest(found: Mapping[str, Concept], name: str) -> tuple[Concept, ...]:
    """Of several concepts those that have the name itself, as ``c++`` and not ``c``, if any."""
    concepts = tuple(found.values())
    if len(concepts) > 1:
        wanted = plain(name)
        exact = [c for c in concepts if any(plain(text) == wanted for _, _, text in c.labels())]
        return tuple(exact) or concepts
    return concepts


def _score(entry: tuple[float, Concept]) -> float:
    return entry[0]


def match_category(
    vocabulary: Vocabulary,
    index: LabelIndex,
    name: str,
    number: int | None,
    supercategory: str | None,
) -> CategoryMatch:
    """See :meth:`Vocabulary.match_category`."""
    if name in index.by_iri:
        return CategoryMatch(index.by_iri[name])

    def has_number(concept: Concept) -> bool:
        return number is not None and concept.category_id == number

    def is_below(concept: Concept) -> bool:
        above = (text for one in vocabulary.ancestors(concept) for _, _, text in one.labels())
        return bool(supercategory) and fold(supercategory or "") in map(fold, above)

    def is_living(concept: Concept) -> bool:
        return not concept.deprecated

    if name.strip():
        found = index.labelled(name)
        if not found:
            return CategoryMatch(None, index.nearest(name))
    else:
        found = tuple(filter(has_number, vocabulary.concepts))
    for is_meant in (is_below, has_number, is_living):
        found = tuple(filter(is_meant, found)) or found
    if len(found) == 1:
        return CategoryMatch(found[0])
    return CategoryMatch(None, found, ambiguous=len(found) > 1)
