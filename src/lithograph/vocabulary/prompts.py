"""Prompts: the sentences that a text encoder is asked, made from labels and templates in RDF."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from lithograph.vocabulary.concepts import Concept, Texts, in_language
from lithograph.vocabulary.findings import Finding, FindingKind, Severity

if TYPE_CHECKING:
    from lithograph.vocabulary.model import Vocabulary

#: What a template holds once: where the label goes.
PLACEHOLDER = "{label}"

#: Where a prompt may be cut, the gentlest first: after a sentence, after a clause, after a word.
_CUTS = (
    re.compile(r"(?<=[.!?…。])\s+"),
    re.compile(r"(?<=[,;:—–)])\s+"),
    re.compile(r"\s+"),
    re.compile(r"(?<=.)(?=.)", re.DOTALL),
)


class PromptKind(StrEnum):
    """What of a concept a prompt says."""

    LABEL = "label"
    ALTERNATIVE = "alternative"
    DESCRIPTION = "description"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A sentence for a text encoder. ``concept`` is an IRI, ``language`` a tag, None if unknown."""

    concept: str
    text: str
    language: str | None
    kind: PromptKind


def is_template(text: str) -> bool:
    """Whether a template has its one place for a label."""
    return text.count(PLACEHOLDER) == 1


def make_prompts(
    vocabulary: Vocabulary,
    languages: Sequence[str],
    concepts: Iterable[Concept],
    *,
    alternatives: bool,
    descriptions: bool,
) -> tuple[Prompt, ...]:
    """The prompts of some concepts, in the concepts' order; each text once per concept."""
    if isinstance(languages, str) or not languages or not all(languages):
        raise ValueError(
            f"languages: expected one tag or more, as ('en', 'fr'), found {languages!r}"
        )
    made = (
        prompt
        for concept in concepts
        for prompt in _of_concept(
            concept,
            vocabulary.prompt_templates,
            tuple(language.lower() for language in languages),
            alternatives=alternatives,
            descriptions=descriptions,
        )
    )
    first: dict[tuple[str, str], Prompt] = {}
    for prompt in made:
        first.setdefault((prompt.concept, prompt.text), prompt)
    return tuple(first.values())


def _of_concept(
    concept: Concept,
    templates: Texts,
    languages: tuple[str, ...],
    *,
    alternatives: bool,
    descriptions: bool,
) -> Iterator[Prompt]:
    labels = concept.pref_labels, concept.alt_labels
    asked = [tag for tag in languages if any(in_language(texts, tag) for texts in labels)]
    if not asked:
        # Every concept is asked for: in no language, or in another, rather than not at all.
        asked = sorted({tag for texts in labels for tag in texts})[:1]
    for tag in asked:
        language = tag or None
        forms = [form for form in in_language(templates, tag or languages[0]) if is_template(form)]
        kinds = [(PromptKind.LABEL, concept.pref_labels)]
        if alternatives:
            kinds.append((PromptKind.ALTERNATIVE, concept.alt_labels))
        for kind, texts in kinds:
            for label in _tagged(texts, tag):
                for form in forms or [PLACEHOLDER]:
                    yield Prompt(concept.iri, form.replace(PLACEHOLDER, label), language, kind)
    if descriptions:
        for tag in languages if any(languages) else asked:
            for text in in_language(concept.visual_descriptions, tag):
                yield Prompt(concept.iri, text, tag or None, PromptKind.DESCRIPTION)


def _tagged(texts: Texts, tag: str) -> tuple[str, ...]:
    return in_language(texts, tag) if tag else texts.get("", ())


def fit_prompts(
    prompts: Iterable[Prompt], count_tokens: Callable[[str], int], limit: int = 77
) -> tuple[tuple[Prompt, ...], tuple[Finding, ...]]:
    """The prompts, each cut to at most ``limit`` tokens, and a finding for each that was cut.

    ``count_tokens`` gives the length of a text in the encoder's tokens, start and end tokens
    included; 77 is CLIP's context. A prompt is cut after a sentence, else after a clause, else
    after a word, else within it, keeping as much as fits; one that fits nowhere is left out. Never
    raises for a prompt; ValueError for a limit below 1.
    """
    if limit < 1:
        raise ValueError(f"limit: expected at least 1 token, found {limit}")
    kept: list[Prompt] = []
    findings: list[Finding] = []
    for prompt in prompts:
        tokens = count_tokens(prompt.text)
        if tokens <= limit:
            kept.append(prompt)
            continue
        text = _cut(prompt.text, count_tokens, limit)
        if text:
            kept.append(replace(prompt, text=text))
        findings.append(
            Finding(
                FindingKind.PROMPT_CUT,
                Severity.WARNING,
                prompt.concept,
                f"{prompt.concept}: expected a prompt of at most {limit} tokens, found {tokens}; "
                + (f"cut to {text!r}" if text else f"left out: {prompt.text!r}"),
            )
        )
    return tuple(kept), tuple(findings)


def _cut(text: str, count_tokens: Callable[[str], int], limit: int) -> str:
    """The longest beginning that fits, by the gentlest kind of cut that leaves anything."""
    for cut in _CUTS:
        ends = [found.start() for found in cut.finditer(text)]
        fitting = bisect_right(
            ends, 0, key=lambda end: int(count_tokens(_ended(text[:end])) > limit)
        )
        # Token counts need not grow with every letter: what is returned was counted itself.
        while fitting and count_tokens(_ended(text[: ends[fitting - 1]])) > limit:
            fitting -= 1
        if fitting and (beginning := _ended(text[: ends[fitting - 1]])):
            return beginning
    return ""


def _ended(text: str) -> str:
    """A beginning without the comma or dash that led on."""
    return text.rstrip().rstrip(",;:—–").rstrip()
