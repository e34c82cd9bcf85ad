"""Violations → what is admitted and what is refused, whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from lithograph.entities import Refusal, Violation
from lithograph.rdf import iri_of
from lithograph.rdf import terms as t
from lithograph.rdf.terms import term

if TYPE_CHECKING:
    from pyoxigraph import Quad

#: What says one of these of a refused node cannot stand without it.
_NEEDS: Final = frozenset(
    (
        term("oa:hasSource"),
        term("lg:region"),
        term("lg:layer"),
        t.REVISION_OF,
        t.GENERATED_BY,
        term("prov:wasAssociatedWith"),
        term("mls:executes"),
    )
)
_ALTERNATIVE: Final = term("lg:alternativeOf")
_RUN: Final = term("prov:Activity")
_VERSION: Final = term("lg:VocabularyVersion")
_IMPLEMENTATION: Final = term("mls:Implementation")
#: Nodes that are refused one by one; the rest of a refused run's graph is refused as the run's.
_RECORDS: Final = frozenset((t.ANNOTATION, t.IMAGE, term("lg:Region")))


def annotation_of(iri: str) -> str:
    """The node that a part belongs to: ``<annotation>#box`` → ``<annotation>``."""
    return iri.partition("#")[0]


def partition(
    quads: Iterable[Quad], violations: Iterable[Violation]
) -> tuple[list[Quad], tuple[Refusal, ...]]:
    """Part a batch into the quads admitted and what is refused, with its reasons.

    A complaint of severity Violation about a node or a part of it refuses the node, whole. What
    cannot stand without a refused node is refused with it: annotations on a refused image or
    region, revisions of a refused annotation, the run of a refused agent or model, and everything
    in the graph of a refused run (what is no annotation, image or region as part of the run). An
    alternative of a refused annotation stands on its own: it only loses the link, which the refusal
    keeps. A vocabulary version is refused whole or not at all. Refusals come in the order of their
    nodes.
    """
    batch = _Batch(list(quads))
    reasons: dict[str, list[str]] = defaultdict(list)
    for violation in violations:
        if violation.severity == "Violation":
            where = f"{violation.path}: " if violation.path else ""
            reasons[batch.owner_of(violation.focus)].append(f"{where}{violation.message}")
    if not reasons:
        return batch.quads, ()
    complained = set(reasons)
    waiting = sorted(reasons)
    while waiting:
        refused = waiting.pop(0)
        for dependant in sorted(batch.needed_by[refused] - set(reasons)):
            cause = reasons[refused][0]
            reasons[dependant].append(f"it needs {refused}, which was refused: {cause}")
            waiting.append(dependant)
    admitted, kept_out = [], defaultdict(list)
    for quad in batch.quads:
        owner = batch.owner(quad)
        lost = batch.owner_of(iri_of(quad.object)) if quad.predicate == _ALTERNATIVE else owner
        if owner in reasons:
            alone = owner in complained or owner in batch.records
            kept_out[owner if alone else batch.graph_of(owner)].append(quad)
        elif lost in reasons:
            kept_out[lost].append(quad)
        else:
            admitted.append(quad)
    refusals = tuple(
        Refusal(
            node, "; ".join(dict.fromkeys(reasons[node])), _as_text(kept_out[node]), "n-triples"
        )
        for node in sorted(kept_out)
    )
    return admitted, refusals


class _Batch:
    """The quads of a batch by the node that they belong to, and which node needs which."""

    def __init__(self, quads: list[Quad]) -> None:
        self.quads = quads
        types: dict[str, set[object]] = defaultdict(set)
        for quad in quads:
            if quad.predicate == t.TYPE:
                types[iri_of(quad.subject)].add(quad.object)
        self.records = {iri for iri, kinds in types.items() if kinds & _RECORDS}
        graphs = {iri for iri, kinds in types.items() if kinds & {_RUN, _VERSION}}
        self._versions = {iri for iri, kinds in types.items() if _VERSION in kinds}
        self._graph_of: dict[str, str] = {}
        for quad in quads:
            graph = iri_of(quad.graph_name)
            if graph in graphs:
                self._graph_of.setdefault(annotation_of(iri_of(quad.subject)), graph)
        self.needed_by: dict[str, set[str]] = defaultdict(set)
        for quad in quads:
            owner = self.owner(quad)
            runs_model = quad.predicate == t.USED and _IMPLEMENTATION in types[owner]
            if quad.predicate in _NEEDS or runs_model:
                self.needed_by[self.owner_of(iri_of(quad.object))].add(owner)
        for node, graph in self._graph_of.items():
            if node != graph:
                self.needed_by[graph].add(node)

    def graph_of(self, node: str) -> str:
        """The run or vocabulary version in whose graph a node stands; itself where in none."""
        return self._graph_of.get(node, node)

    def owner(self, quad: Quad) -> str:
        """The node that a quad belongs to."""
        return self.owner_of(iri_of(quad.subject))

    def owner_of(self, iri: str) -> str:
        """The node that an IRI is of or a part of; all of a vocabulary version is the version's."""
        node = annotation_of(iri)
        return graph if (graph := self.graph_of(node)) in self._versions else node


def _as_text(quads: Sequence[Quad]) -> str:
    """N-Triples in a fixed order, so that the same content is the same refusal."""
    return "".join(sorted(f"{quad.triple} .\n" for quad in quads))
