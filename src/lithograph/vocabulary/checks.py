"""What is odd about concepts once they are read: labels, ancestors, numbers, templates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from lithograph.vocabulary.concepts import Concept, in_language
from lithograph.vocabulary.findings import Finding, FindingKind, Severity
from lithograph.vocabulary.lookup import fold
from lithograph.vocabulary.prompts import is_template

if TYPE_CHECKING:
    from lithograph.vocabulary.model import Vocabulary

#: Mapping relations that SKOS holds apart (SKOS Reference, S46): a pair may not have two of these.
_APART = (
    ("exactMatch", "broadMatch"),
    ("exactMatch", "relatedMatch"),
    ("broadMatch", "relatedMatch"),
)


def check_concepts(vocabulary: Vocabulary) -> Iterator[Finding]:
    """Everything that the concepts of a vocabulary show."""
    for concept in vocabulary.concepts:
        yield from _labels(concept)
        yield from _mappings(concept)
        yield from _parents(vocabulary, concept)
    yield from _translations(vocabulary)
    yield from _shared_labels(vocabulary)
    yield from _cycles(vocabulary)
    yield from _numbers(vocabulary)
    yield from _prompting(vocabulary)


def _labels(concept: Concept) -> Iterator[Finding]:
    iri = concept.iri
    if not concept.pref_labels:
        worst = not concept.alt_labels
        yield Finding(
            FindingKind.NO_LABEL,
            Severity.ERROR if worst else Severity.WARNING,
            iri,
            f"{iri}: expected a preferred label, found "
            + (
                "no label at all: models cannot be asked for it"
                if worst
                else "alternative ones only"
            ),
        )
    for language, texts in concept.pref_labels.items():
        if len(texts) > 1:
            yield Finding(
                FindingKind.TWO_PREFERRED,
                Severity.ERROR,
                iri,
                f"{iri}: expected one preferred label in {language or 'no language'!r}, found "
                f"{', '.join(map(repr, texts))}; {texts[0]!r} stands for it",
            )
    for kind, labels in (("preferred", concept.pref_labels), ("alternative", concept.alt_labels)):
        for text in labels.get("", ()):
            yield Finding(
                FindingKind.MISSING_LANGUAGE,
                Severity.WARNING,
                iri,
                f"{iri}: expected a language tag on the {kind} label {text!r}, found none",
            )
    kinds: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for label_kind, language, text in concept.labels():
        kinds[text, language].append(label_kind)
    for (text, language), found in kinds.items():
        if len(found) > 1:
            yield Finding(
                FindingKind.LABEL_TWICE,
                Severity.WARNING,
                iri,
                f"{iri}: expected {text!r} ({language or 'no language'}) as one kind of label, "
                f"found it as {' and '.join(found)}",
            )


def _mappings(concept: Concept) -> Iterator[Finding]:
    for one, other in _APART:
        for target in set(concept.mappings.get(one, ())) & set(concept.mappings.get(other, ())):
            yield Finding(
                FindingKind.MAPPING_CLASH,
                Severity.WARNING,
                concept.iri,
                f"{concept.iri}: expected one relation to {target}, found {one} and {other}",
            )


def _parents(vocabulary: Vocabulary, concept: Concept) -> Iterator[Finding]:
    if len(concept.broader) > 1:
        yield Finding(
            FindingKind.SEVERAL_PARENTS,
            Severity.INFO,
            concept.iri,
            f"{concept.iri} has {len(concept.broader)} parents: {', '.join(concept.broader)}; "
            f"its top ancestor is {vocabulary.top_ancestor(concept).iri}",
        )
    if concept.related:
        above = {ancestor.iri for ancestor in vocabulary.ancestors(concept)}
        for related in above.intersection(concept.related):
            yield Finding(
                FindingKind.RELATED_ANCESTOR,
                Severity.WARNING,
                concept.iri,
                f"{concept.iri}: expected {related} as an ancestor or as related, found both",
            )


def _translations(vocabulary: Vocabulary) -> Iterator[Finding]:
    """Languages that more than half of the concepts have, and some lack."""
    living = [concept for concept in vocabulary.concepts if not concept.deprecated]
    for language in vocabulary.languages:
        lacking = [
            concept
            for concept in living
            if concept.pref_labels and not in_language(concept.pref_labels, language)
        ]
        if not language or 2 * len(lacking) >= len(living):
            continue
        for concept in lacking:
            yield Finding(
                FindingKind.MISSING_TRANSLATION,
                Severity.INFO,
                concept.iri,
                f"{concept.iri}: expected a preferred label in {language!r} as most have, "
                f"found {', '.join(map(repr, sorted(concept.pref_labels)))}",
            )


def _shared_labels(vocabulary: Vocabulary) -> Iterator[Finding]:
    """Labels that name two concepts in one language, however they are written."""
    named: defaultdict[tuple[str, str], dict[str, tuple[str, str]]] = defaultdict(dict)
    for concept in vocabulary.concepts:
        if concept.deprecated:
            continue
        for kind, language, text in concept.labels():
            named[fold(text), language].setdefault(concept.iri, (kind, text))
    for (_, language), holders in named.items():
        if len(holders) < 2:
            continue
        text = next(iter(holders.values()))[1]
        preferred = sum(kind == "preferred" for kind, _ in holders.values())
        for iri in holders:
            others = ", ".join(
                f"{other} ({holders[other][0]})" for other in holders if other != iri
            )
            yield Finding(
                FindingKind.SHARED_LABEL,
                # Of two concepts with one preferred label, models can tell neither from the other.
                Severity.ERROR if preferred > 1 else Severity.WARNING,
                iri,
                f"{iri}: expected the label {text!r} ({language or 'no language'}) to name one "
                f"concept, it names {others} too",
            )


def _cycles(vocabulary: Vocabulary) -> Iterator[Finding]:
    for cycle in vocabulary.cycles:
        names = ", ".join(concept.iri for concept in cycle)
        for concept in cycle:
            yield Finding(
                FindingKind.CYCLE,
                Severity.ERROR,
                concept.iri,
                f"{concept.iri}: expected a concept not to be its own ancestor, found a cycle of "
                f"{names}; its top ancestor is taken to be {vocabulary.top_ancestor(concept).iri}",
            )


def _numbers(vocabulary: Vocabulary) -> Iterator[Finding]:
    holders: defaultdict[int, list[str]] = defaultdict(list)
    for concept in vocabulary.concepts:
        if concept.category_id is not None:
            holders[concept.category_id].append(concept.iri)
            if concept.is_background:
                yield Finding(
                    FindingKind.BAD_CATEGORY_ID,
                    Severity.ERROR,
                    concept.iri,
                    f"{concept.iri}: expected no category number on the background concept, "
                    f"found {concept.category_id}",
                )
    for number, iris in holders.items():
        for one, other in combinations(iris, 2):
            yield Finding(
                FindingKind.BAD_CATEGORY_ID,
                Severity.ERROR,
                one,
                f"{one}: expected a category number of its own, found {number}, which {other} has "
                "too",
            )


def _prompting(vocabulary: Vocabulary) -> Iterator[Finding]:
    usable = set()
    for language, templates in vocabulary.prompt_templates.items():
        for template in templates:
            if is_template(template):
                usable.add(language)
            else:
                yield Finding(
                    FindingKind.BAD_TEMPLATE,
                    Severity.WARNING,
                    vocabulary.iri,
                    f"{vocabulary.iri}: expected a prompt template with {{label}} once, "
                    f"found {template!r}; it is not used",
                )
    if not usable:
        yield Finding(
            FindingKind.NO_TEMPLATE,
            Severity.INFO,
            vocabulary.iri,
            f"{vocabulary.iri}: no prompt template; labels prompt as they are",
        )
    for language in vocabulary.languages if usable else ():
        if language.partition("-")[0] not in usable and language not in usable:
            yield Finding(
                FindingKind.NO_TEMPLATE,
                Severity.INFO,
                vocabulary.iri,
                f"{vocabulary.iri}: no prompt template in {language or 'no language'!r}; "
                "labels prompt as they are",
            )
    if vocabulary.background is None:
        yield Finding(
            FindingKind.NO_BACKGROUND,
            Severity.INFO,
            vocabulary.iri,
            f"{vocabulary.iri}: no lg:backgroundConcept; models must choose a concept even where "
            "none is seen",
        )
