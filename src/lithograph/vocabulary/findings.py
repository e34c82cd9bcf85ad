"""What is odd or wrong with a vocabulary. Nothing is repaired silently: it is said here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters.

    An error leads to wrong or missing prompts, numbers or ancestors; a warning says that a lookup
    or a link may not do what was meant; information says what was read in an unusual way.
    """

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class FindingKind(StrEnum):
    """What a finding is about."""

    BAD_CATEGORY_ID = "bad-category-id"
    BAD_TEMPLATE = "bad-template"
    BLANK_CONCEPT = "blank-concept"
    CONCEPT_AND_GROUPING = "concept-and-grouping"
    CYCLE = "cycle"
    DANGLING_LINK = "dangling-link"
    EMPTY_LABEL = "empty-label"
    FAKE_LANGUAGE = "fake-language-tag"
    FOLDED_HIERARCHY = "folded-hierarchy"
    ID_PATH = "id-path-description"
    ILL_TYPED_DATE = "ill-typed-date"
    LABEL_TWICE = "label-twice"
    MALFORMED_TERM = "malformed-term"
    MAPPING_CLASH = "mapping-clash"
    MISSING_LANGUAGE = "missing-language"
    MISSING_TRANSLATION = "missing-translation"
    NARROWER_ONLY = "narrower-without-broader"
    NO_BACKGROUND = "no-background"
    NO_LABEL = "no-label"
    NO_SCHEME = "no-scheme"
    NO_TEMPLATE = "no-template"
    ORPHAN = "orphan"
    OUTSIDE_SCHEME = "outside-scheme"
    PROMPT_CUT = "prompt-cut"
    RELATED_ANCESTOR = "related-ancestor"
    SEVERAL_PARENTS = "several-parents"
    SEVERAL_SCHEMES = "several-schemes"
    SHARED_LABEL = "shared-label"
    TWO_PREFERRED = "two-preferred-labels"
    UNTRIMMED_LABEL = "untrimmed-label"
    UNTYPED_CONCEPT = "untyped-concept"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is odd or wrong.

    ``concept`` is the IRI of the concept, grouping or scheme at fault, None where it is the file
    as a whole. The message names the thing, what was expected and what was found.
    """

    kind: FindingKind
    severity: Severity
    concept: str | None
    message: str

    def __str__(self) -> str:
        return self.message


def fake_language_finding(count: int) -> Finding:
    """That an exporter's votes and discussions were met, and are not read."""
    return Finding(
        FindingKind.FAKE_LANGUAGE,
        Severity.INFO,
        None,
        f"{count} texts with the language tag @status, @vote or @message are votes and "
        "discussions; they are not read",
    )


def sorted_findings(findings: list[Finding]) -> tuple[Finding, ...]:
    """Each finding once: errors first, then by kind, concept and message."""
    rank = {severity: place for place, severity in enumerate(Severity)}
    return tuple(
        sorted(
            set(findings),
            key=lambda f: (rank[f.severity], f.kind, f.concept or "", f.message),
        )
    )
