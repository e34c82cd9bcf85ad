"""Which nodes are concepts, which are groupings, and which scheme is meant."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from lithograph.errors import VocabularyError
from lithograph.vocabulary import terms as t
from lithograph.vocabulary.findings import Finding, FindingKind, Severity
from lithograph.vocabulary.statements import Statements


@dataclass(slots=True)
class Reading:
    """One reading of a scheme: the statements, what the nodes are, and the findings so far."""

    statements: Statements
    name: str
    findings: list[Finding] = field(default_factory=list)
    concepts: set[str] = field(default_factory=set)
    groupings: set[str] = field(default_factory=set)

    def note(
        self, kind: FindingKind, severity: Severity, concept: str | None, message: str
    ) -> None:
        """Keep a finding."""
        self.findings.append(Finding(kind, severity, concept, message))


def sort_nodes(reading: Reading) -> None:
    """Tell concepts from groupings, into ``reading``; blank nodes can be neither.

    A node with a label and a place in a hierarchy or a scheme is a concept even where its type is
    not said, as the ranges of SKOS' properties have it; Getty's obsolete subjects are too.
    """
    links = (*t.PARENT_LINKS, t.TOP_OF, t.IN_SCHEME)
    for subject in reading.statements.subjects():
        types = set(reading.statements.nodes(subject, t.TYPE))
        typed = bool(types & t.CONCEPTS)
        grouping = bool(types & t.GROUPINGS)
        undeclared = not typed and not grouping and t.SCHEME not in types
        if undeclared and _has_label(reading.statements, subject):
            typed = t.OBSOLETE in types or bool(reading.statements.nodes(subject, *links))
            if typed and t.OBSOLETE not in types:
                reading.note(
                    FindingKind.UNTYPED_CONCEPT,
                    Severity.INFO,
                    subject,
                    f"{subject}: expected the type skos:Concept, found none; it is read as one",
                )
        if typed and grouping:
            reading.note(
                FindingKind.CONCEPT_AND_GROUPING,
                Severity.WARNING,
                subject,
                f"{subject}: expected a concept or a grouping, found both; read as a concept",
            )
        if subject.startswith("_:"):
            if typed:
                reading.note(
                    FindingKind.BLANK_CONCEPT,
                    Severity.ERROR,
                    None,
                    "expected every concept to have an IRI, found a blank node; it is left out",
                )
        elif typed:
            reading.concepts.add(subject)
        elif grouping:
            reading.groupings.add(subject)


def choose_scheme(reading: Reading, wanted: str | None) -> str:
    """The scheme to read; concepts that are said to be in others only leave ``reading``.

    Without a wish it is the one with most concepts. A namespace stands for it where there is none.
    Raises VocabularyError where the one wished for is not there, or has no concept.
    """
    schemes = {
        subject
        for subject in reading.statements.subjects()
        if t.SCHEME in reading.statements.nodes(subject, t.TYPE)
    }
    homes: defaultdict[str, set[str]] = defaultdict(set)
    for concept in reading.concepts:
        homes[concept].update(reading.statements.nodes(concept, t.IN_SCHEME, t.TOP_OF))
    for scheme, _, top in reading.statements.links(t.HAS_TOP):
        if top in reading.concepts:
            homes[top].add(scheme)
    sizes = Counter(scheme for found in homes.values() for scheme in found)
    known = sorted(
        (iri for iri in schemes | set(sizes) if not iri.startswith("_:")),
        key=lambda iri: (-sizes[iri], iri not in schemes, iri),
    )
    if wanted is not None and wanted not in known:
        raise VocabularyError(
            f"{reading.name}: expected the scheme {wanted}, "
            f"found {', '.join(known[:5]) or 'no scheme at all'}",
            subject=wanted,
        )
    if not known:
        made_up = _common_namespace(reading.concepts)
        reading.note(
            FindingKind.NO_SCHEME,
            Severity.WARNING,
            None,
            f"expected a skos:ConceptScheme, found none; {made_up} stands for it",
        )
        return made_up
    chosen = wanted or known[0]
    if len(known) > 1:
        reading.concepts = {c for c in reading.concepts if not homes[c] or chosen in homes[c]}
        if wanted is None:
            others = ", ".join(f"{iri} ({sizes[iri]} concepts)" for iri in known[1:6])
            reading.note(
                FindingKind.SEVERAL_SCHEMES,
                Severity.WARNING,
                chosen,
                f"expected one scheme, found {len(known)}; read {chosen} "
                f"({sizes[chosen]} concepts), the largest; the others: {others}",
            )
    if not reading.concepts:
        raise VocabularyError(
            f"{reading.name}: expected concepts in the scheme {chosen}, found none", subject=chosen
        )
    return chosen


def _has_label(statements: Statements, subject: str) -> bool:
    return any(
        statements.texts(subject, plain) or statements.nodes(subject, xl)
        for plain, xl in t.XL_LABELS.items()
    )


def is_deprecated(statements: Statements, iri: str) -> bool:
    """Whether a concept is retired."""
    stated = {text.value.strip().lower() for text in statements.texts(iri, t.DEPRECATED)}
    return bool(stated & {"true", "1"}) or t.OBSOLETE in statements.nodes(iri, t.TYPE)


def _common_namespace(iris: Iterable[str]) -> str:
    """The namespace that most of the IRIs are in."""
    names = Counter(
        iri[: max(iri.rstrip("/#").rfind("/"), iri.rfind("#", 0, -1)) + 1] or iri for iri in iris
    )
    return min(names, key=lambda name: (-names[name], name))
