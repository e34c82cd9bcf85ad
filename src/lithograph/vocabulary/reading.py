"""Triples → the concepts of one scheme, with everything odd that was met on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pyoxigraph import Triple

from lithograph.errors import VocabularyError
from lithograph.vocabulary import terms as t
from lithograph.vocabulary.concepts import Concept, Grouping, Texts
from lithograph.vocabulary.dates import date_fault
from lithograph.vocabulary.findings import (
    Finding,
    FindingKind,
    Severity,
    fake_language_finding,
)
from lithograph.vocabulary.hierarchy import Hierarchy, arrange
from lithograph.vocabulary.links import both_ways, check_links, check_orphans, parents
from lithograph.vocabulary.roles import Reading, choose_scheme, is_deprecated, sort_nodes
from lithograph.vocabulary.statements import Statements, Text


@dataclass(frozen=True, slots=True)
class Contents:
    """What one scheme holds."""

    iri: str
    title: Mapping[str, str]
    concepts: tuple[Concept, ...]
    hierarchy: Hierarchy
    groupings: tuple[Grouping, ...]
    templates: Texts
    findings: tuple[Finding, ...]


def read_contents(triples: Iterable[Triple], scheme: str | None, name: str) -> Contents:
    """Read one scheme. ``name`` is what messages call the file.

    Raises VocabularyError where there is no concept, no label, or no such scheme.
    """
    reading = Reading(Statements(triples), name)
    sort_nodes(reading)
    if not reading.concepts:
        raise VocabularyError(
            f"{name}: expected at least one skos:Concept, found none", subject=name
        )
    everywhere = frozenset(reading.concepts)
    iri = choose_scheme(reading, scheme)
    said = reading.statements
    tops = set(said.nodes(iri, t.HAS_TOP)) | {
        concept for concept in reading.concepts if iri in said.nodes(concept, t.TOP_OF)
    }
    background = set(said.nodes(iri, t.BACKGROUND))
    concepts, hierarchy = _concepts(reading, tops, background)
    if not any(kind != "hidden" for concept in concepts for kind, _, _ in concept.labels()):
        raise VocabularyError(
            f"{name}: expected at least one concept with a label, found none", subject=name
        )
    check_links(reading, iri, everywhere, tops)
    check_orphans(reading, iri, hierarchy, tops, background)
    _report_noise(reading)
    return Contents(
        iri=iri,
        title=_title(said, iri),
        concepts=concepts,
        hierarchy=hierarchy,
        groupings=tuple(_grouping(reading, grouping) for grouping in sorted(reading.groupings)),
        templates=_by_language(said.texts(iri, t.PROMPT_TEMPLATE)),
        findings=tuple(reading.findings),
    )


def _concepts(
    reading: Reading, tops: set[str], background: set[str]
) -> tuple[tuple[Concept, ...], Hierarchy]:
    """Every concept in the order of the hierarchy."""
    said = reading.statements
    broader = parents(reading)
    numbers = {
        iri: number
        for iri in sorted(reading.concepts)
        if (number := _number(reading, iri)) is not None
    }
    hierarchy = arrange(broader, tops & reading.concepts, numbers)
    place = {iri: index for index, iri in enumerate(hierarchy.order)}
    related = both_ways(reading, t.RELATED)
    confused = both_ways(reading, t.CONFUSED_WITH)

    def ordered(iris: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(iris, key=place.__getitem__))

    return tuple(
        Concept(
            iri=iri,
            pref_labels=_labels(reading, iri, t.PREF_LABEL),
            alt_labels=_labels(reading, iri, t.ALT_LABEL),
            hidden_labels=_labels(reading, iri, t.HIDDEN_LABEL),
            definitions=_by_language(said.notes(iri, t.DEFINITION)),
            scope_notes=_by_language(said.notes(iri, t.SCOPE_NOTE)),
            visual_descriptions=_by_language(said.texts(iri, t.VISUAL_DESCRIPTION)),
            broader=ordered(broader[iri]),
            narrower=hierarchy.narrower[iri],
            related=ordered(related.get(iri, ())),
            confused_with=ordered(confused.get(iri, ())),
            mappings={
                relation: tuple(targets)
                for relation in t.MAPPINGS
                if (targets := said.nodes(iri, t.SKOS + relation))
            },
            category_id=numbers.get(iri),
            deprecated=is_deprecated(said, iri),
            replaced_by=tuple(said.nodes(iri, t.REPLACED_BY)),
            is_background=iri in background,
        )
        for iri in hierarchy.order
    ), hierarchy


def _labels(reading: Reading, iri: str, predicate: str) -> Texts:
    """Labels, plain and SKOS-XL, trimmed; what had to be trimmed or is empty is reported."""
    texts = reading.statements.texts(iri, predicate)
    for node in reading.statements.nodes(iri, t.XL_LABELS[predicate], predicate):
        texts += reading.statements.texts(node, t.LITERAL_FORM)
    kept = []
    for text in texts:
        trimmed = " ".join(text.value.split())
        if not trimmed:
            reading.note(
                FindingKind.EMPTY_LABEL,
                Severity.WARNING,
                iri,
                f"{iri}: expected labels with text, found an empty one; it is left out",
            )
            continue
        if trimmed != text.value:
            reading.note(
                FindingKind.UNTRIMMED_LABEL,
                Severity.INFO,
                iri,
                f"{iri}: expected a label without spaces at its ends or in a row, "
                f"found {text.value!r}; it is read as {trimmed!r}",
            )
        kept.append(text._replace(value=trimmed))
    return _by_language(kept)


def _number(reading: Reading, iri: str) -> int | None:
    """The category number that the scheme states, the smallest where it states several."""
    stated = [
        text.value
        for text in reading.statements.texts(iri, t.NOTATION)
        if text.datatype == t.CATEGORY_ID
    ]
    # Longer digits than a JSON number holds exactly are no category number.
    good = sorted(int(v) for v in stated if v.isascii() and v.isdecimal() and len(v) <= 15)
    if len(stated) > 1 or len(good) < len(stated):
        reading.note(
            FindingKind.BAD_CATEGORY_ID,
            Severity.ERROR,
            iri,
            f"{iri}: expected one category number of at most 15 decimal digits, found "
            f"{', '.join(map(repr, stated))}; {good[0] if good else 'none'} is used",
        )
    return good[0] if good else None


def _grouping(reading: Reading, iri: str) -> Grouping:
    said = reading.statements
    kind: Literal["collection", "array"] = (
        "array" if set(said.nodes(iri, t.TYPE)) & (t.GROUPINGS - t.COLLECTIONS) else "collection"
    )
    members = [
        item for head in said.nodes(iri, t.MEMBER_LIST) for item in said.list_items(head)
    ] + said.nodes(iri, t.MEMBER)
    known = reading.concepts | reading.groupings
    return Grouping(
        iri=iri,
        kind=kind,
        labels=_labels(reading, iri, t.PREF_LABEL),
        members=tuple(member for member in dict.fromkeys(members) if member in known),
    )


def _title(said: Statements, scheme: str) -> dict[str, str]:
    for predicate in t.TITLES:
        if found := _by_language(said.texts(scheme, predicate)):
            return {language: texts[0] for language, texts in found.items()}
    return {}


def _report_noise(reading: Reading) -> None:
    """What exporters write that is no text, no description and no date."""
    said = reading.statements
    if said.fake_languages:
        reading.findings.append(fake_language_finding(said.fake_languages))
    paths = 0
    for subject in said.subjects():
        for predicate in t.DATES:
            for text in said.texts(subject, predicate):
                if expected := date_fault(text.value, text.datatype):
                    reading.note(
                        FindingKind.ILL_TYPED_DATE,
                        Severity.INFO,
                        subject,
                        f"{subject}: expected {expected}, found {text.value!r}",
                    )
        if subject in reading.concepts:
            paths += sum(_is_id_path(text.value) for text in said.texts(subject, t.DESCRIPTION))
    if paths:
        reading.note(
            FindingKind.ID_PATH,
            Severity.INFO,
            None,
            f"{paths} concepts have a path of identifiers as dcterms:description; it is not read",
        )


def _is_id_path(text: str) -> bool:
    """Opentheso's ``1027236##1027237``: where a concept stands, in internal identifiers."""
    parts = [part.strip() for part in text.split("##")]
    if any(not part or " " in part for part in parts):
        return False
    return len(parts) > 1 or parts[0].isdecimal()


def _by_language(texts: Sequence[Text]) -> dict[str, tuple[str, ...]]:
    if not texts:
        return {}
    found: defaultdict[str, set[str]] = defaultdict(set)
    for text in texts:
        if text.value.strip():
            found[text.language].add(text.value)
    return {language: tuple(sorted(found[language])) for language in sorted(found)}
