"""How concepts hang together: parents by whichever link, and links that lead nowhere."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from lithograph.vocabulary import terms as t
from lithograph.vocabulary.findings import FindingKind, Severity
from lithograph.vocabulary.hierarchy import Hierarchy
from lithograph.vocabulary.roles import Reading, is_deprecated


def parents(reading: Reading) -> dict[str, tuple[str, ...]]:
    """Every concept's parents, whichever way they are named, from either end."""
    up: defaultdict[str, set[str]] = defaultdict(set)
    folded: Counter[str] = Counter()
    for child, predicate, parent in reading.statements.links(*t.PARENT_LINKS):
        up[child].add(parent)
        folded[predicate] += predicate != t.BROADER
    for parent, predicate, child in reading.statements.links(*t.CHILD_LINKS):
        up[child].add(parent)
        folded[predicate] += predicate != t.NARROWER
    for array, _, parent in reading.statements.links(t.SUPER_ORDINATE):
        up[array].add(parent)
    for parent, _, array in reading.statements.links(t.SUBORDINATE_ARRAY):
        up[array].add(parent)
    for predicate, count in sorted(folded.items()):
        if count:
            reading.note(
                FindingKind.FOLDED_HIERARCHY,
                Severity.INFO,
                None,
                f"{count} links by <{predicate}> are read as skos:broader or skos:narrower",
            )
    return {
        concept: tuple(sorted(_concepts_above(reading, concept, up)))
        for concept in sorted(reading.concepts)
    }


def both_ways(reading: Reading, predicate: str) -> dict[str, set[str]]:
    """A symmetric link between concepts, from whichever end it is said."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one, _, other in reading.statements.links(predicate):
        if one in reading.concepts and other in reading.concepts and one != other:
            found[one].add(other)
            found[other].add(one)
    return found


def _concepts_above(reading: Reading, concept: str, up: Mapping[str, set[str]]) -> set[str]:
    """The nearest concepts above, past groupings that stand in between (Getty's guide terms)."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = list(up.get(concept, ()))
    while waiting:
        parent = waiting.pop()
        if parent in reading.concepts:
            found.add(parent)
        elif parent in reading.groupings and parent not in seen:
            seen.add(parent)
            waiting.extend(up.get(parent, ()))
    return found


def check_links(
    reading: Reading,
    scheme: str,
    everywhere: frozenset[str],
    tops: set[str],
) -> None:
    """Report links that lead nowhere, out of the scheme, or one way only.

    ``everywhere`` are the concepts of all schemes of the file.
    """
    links = (*t.PARENT_LINKS, *t.CHILD_LINKS, t.RELATED, t.CONFUSED_WITH, t.REPLACED_BY)
    said = reading.statements
    known = everywhere | reading.groupings
    for concept in sorted(reading.concepts):
        _check_targets(reading, concept, said.nodes(concept, *links), known)
        stated = set(said.nodes(concept, *t.CHILD_LINKS))
        for child in sorted(stated & reading.concepts):
            if concept not in said.nodes(child, *t.PARENT_LINKS):
                reading.note(
                    FindingKind.NARROWER_ONLY,
                    Severity.INFO,
                    concept,
                    f"{concept} names {child} as narrower, which does not name it as broader; "
                    "it is read as if it did",
                )
    _check_targets(reading, scheme, [*sorted(tops), *said.nodes(scheme, t.BACKGROUND)], known)
    for grouping in sorted(reading.groupings):
        _check_targets(reading, grouping, said.nodes(grouping, t.MEMBER), known)


def _check_targets(
    reading: Reading, subject: str, targets: Iterable[str], known: frozenset[str]
) -> None:
    strangers = [
        target
        for target in targets
        if target not in reading.concepts and target not in reading.groupings
    ]
    for kind, severity, where, found in (
        (
            FindingKind.OUTSIDE_SCHEME,
            Severity.INFO,
            "in another scheme",
            [target for target in strangers if target in known],
        ),
        (
            FindingKind.DANGLING_LINK,
            Severity.WARNING,
            "described nowhere",
            [target for target in strangers if target not in known],
        ),
    ):
        if found:
            more = f" and {len(found) - 3} more" if len(found) > 3 else ""
            reading.note(
                kind,
                severity,
                subject,
                f"{subject}: expected links to concepts of this scheme, found {len(found)} to what "
                f"is {where}: {', '.join(found[:3])}{more}; they are not followed",
            )


def check_orphans(
    reading: Reading, scheme: str, hierarchy: Hierarchy, tops: set[str], background: set[str]
) -> None:
    """Report the roots that the scheme does not name, where it names any."""
    statements = reading.statements
    if not tops:
        return
    for root in hierarchy.roots:
        if root not in tops and root not in background and not is_deprecated(statements, root):
            reading.note(
                FindingKind.ORPHAN,
                Severity.INFO,
                root,
                f"{root}: expected a parent or a place among the top concepts of {scheme}, "
                "found neither; it is read as a top concept",
            )
