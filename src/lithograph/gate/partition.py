"""Violations → what is admitted and what is refused, whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lithograph.entities import Refusal, Violation
from lithograph.rdf import iri_of
from lithograph.rdf import terms as t
from lithograph.rdf.terms import term

if TYPE_CHECKING:
    from pyoxigraph import Quad

#: An annotation that says one of these of a refused node cannot stand without it.
_NEEDS = (
    term("oa:hasSource"),
    term("lg:region"),
    t.REVISION_OF,
    t.GENERATED_BY,
)
_ALTERNATIVE = term("lg:alternativeOf")


def annotation_of(iri: str) -> str:
    """The node that a part belongs to: ``<annotation>#box`` → ``<annotation>``."""
    return iri.partition("#")[0]


def partition(
    quads: Iterable[Quad], violations: Iterable[Violation]
) -> tuple[list[Quad], tuple[Refusal, ...]]:
    """Part a batch into the quads admitted and what is refused, with its reasons.

    A complaint of severity Violation about a node or a part of it refuses the node, whole. What
    cannot stand without a refused node is refused with it: the annotations on a refused image or
    of a refused run or region, and revisions of a refused annotation. An alternative of a refused
    annotation stands on its own: it only loses the link.
    """
    whole = list(quads)
    reasons: dict[str, list[str]] = defaultdict(list)
    for violation in violations:
        if violation.severity == "Violation":
            where = f"{violation.path}: " if violation.path else ""
            reasons[annotation_of(violation.focus)].append(f"{where}{violation.message}")
    if not reasons:
        return whole, ()
    by_node: dict[str, list[Quad]] = defaultdict(list)
    needed_by: dict[str, set[str]] = defaultdict(set)
    for quad in whole:
        node = annotation_of(iri_of(quad.subject))
        by_node[node].append(quad)
        if quad.predicate in _NEEDS:
            needed_by[iri_of(quad.object)].add(node)
    waiting = list(reasons)
    while waiting:
        refused = waiting.pop()
        for dependant in sorted(needed_by[refused] - set(reasons)):
            reasons[dependant].append(f"it needs {refused}, which was refused")
            waiting.append(dependant)
    admitted = [
        quad
        for node, own in by_node.items()
        if node not in reasons
        for quad in own
        if not (quad.predicate == _ALTERNATIVE and iri_of(quad.object) in reasons)
    ]
    refusals = tuple(
        Refusal(node, "; ".join(dict.fromkeys(reasons[node])), _as_text(by_node[node]), "n-triples")
        for node in sorted(reasons)
        if node in by_node
    )
    return admitted, refusals


def _as_text(quads: Sequence[Quad]) -> str:
    """N-Triples in a fixed order, so that the same content is the same refusal."""
    return "".join(sorted(f"{quad.triple} .\n" for quad in quads))
