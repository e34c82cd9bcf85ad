"""COCO's ``categories`` → the concepts of the vocabulary that they name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lithograph.formats.coco_values import is_text, read_id, shown
from lithograph.formats.imported import FindingKind, Findings, RecordFault

if TYPE_CHECKING:
    from lithograph.vocabulary import CategoryMatch, Vocabulary


class CategoryReader:
    """Reads the ``categories`` of one file.

    A category is a concept by, in this order: its ``concept_iri`` (as our exports have it), its
    name as a label of the concept in any language, and its number, but only where it has no name.
    Every file numbers its categories from 1, and MS COCO's 1 is a person: a number never decides
    against a name. Where name and number disagree, the name decides and it is told.

    A category that names no concept is refused, with the nearest ones, and so is every annotation
    of it.
    """

    def __init__(self, vocabulary: Vocabulary, findings: Findings) -> None:
        self.vocabulary, self.findings = vocabulary, findings
        self._concepts: dict[str, str | RecordFault] = {}
        self._by_iri: dict[str, bool] = {}

    def read(self, record: Mapping[str, Any], path: str) -> None:
        """One category. Raises RecordFault."""
        number = read_id(record, "id", path, self.findings)
        if number in self._concepts:
            raise RecordFault(f"{path}.id", f"expected an id of its own, found {number} again")
        try:
            self._concepts[number] = self._match(record, number, path)
        except RecordFault as fault:
            self._concepts[number] = fault
            raise

    def concept_of(self, record: Mapping[str, Any], path: str) -> str:
        """The IRI of an annotation's concept: its own, else its category's. Raises RecordFault."""
        iri = record.get("concept_iri")
        if iri is not None:
            return self._known(iri, path)
        number = read_id(record, "category_id", path, self.findings)
        found = self._concepts.get(number)
        if isinstance(found, str):
            return found
        reason = (
            f"expected a category that the file lists, found {number}"
            if found is None
            else f"its category was refused: {found.reason}"
        )
        raise RecordFault(f"{path}.category_id", reason)

    def _match(self, record: Mapping[str, Any], number: str, path: str) -> str:
        iri = record.get("concept_iri")
        if iri is not None:
            return self._known(iri, path)
        name, above = record.get("name"), record.get("supercategory")
        if name is not None and not is_text(name):
            raise RecordFault(f"{path}.name", f"expected a name, found {shown(name)}")
        name = (name or "").strip()
        match = self.vocabulary.match_category(
            name,
            number=int(number) if number.isascii() and number.isdecimal() else None,
            supercategory=above if is_text(above) else None,
        )
        concept = match.concept
        if concept is None:
            raise RecordFault(f"{path}.name" if name else path, _unmatched(match, name, number))
        if not name:
            self.findings.add(FindingKind.NUMBER_ALONE, path, f"{number} is {concept}")
        elif concept.category_id is not None and str(concept.category_id) != number:
            detail = f"{name} is {number} here, and {concept.category_id} there"
            self.findings.add(FindingKind.NUMBER_DIFFERS, path, detail)
        if concept.deprecated:
            self.findings.add(FindingKind.CONCEPT_RETIRED, path, str(concept))
        return concept.iri

    def _known(self, iri: Any, path: str) -> str:
        """An IRI that must be a concept's."""
        if is_text(iri):
            if iri not in self._by_iri:
                concept = self.vocabulary.match_category(iri).concept
                self._by_iri[iri] = concept is not None and concept.iri == iri
            if self._by_iri[iri]:
                return iri
        raise RecordFault(
            f"{path}.concept_iri",
            f"expected a concept of {self.vocabulary.iri}, found {shown(iri)}",
        )


def _unmatched(match: CategoryMatch, name: str, number: str) -> str:
    called = repr(name) if name else f"number {number}"
    if match.ambiguous:
        listed = ", ".join(map(str, match.candidates))
        return f"expected the label of one concept, found {called}, which several have: {listed}"
    near = ", ".join(map(str, match.candidates))
    hint = f"; the nearest: {near}" if near else ""
    return f"expected the label of a concept, found {called}{hint}"
