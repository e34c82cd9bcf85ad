"""Violations → what is admitted and what is refused, whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from lithograph.entities import Refusal, Violation
from lithograph.rdf import Quad
from lithograph.rdf.quads import TYPE, name, value_of

#: What says one of these of a refused node cannot stand without it.
_NEEDS: Final = frozenset(
    (
        name("oa:hasSource"),
        name("lg:region"),
        name("lg:layer"),
        name("prov:wasRevisionOf"),
        name("prov:wasGeneratedBy"),
        name("prov:wasAssociatedWith"),
        name("mls:executes"),
    )
)
_USED: Final = name("prov:used")
_ALTERNATIVE: Final = name("lg:alternativeOf")
_RUN: Final = name("prov:Activity")
_VERSION: Final = name("lg:VocabularyVersion")
_IMPLEMENTATION: Final = name("mls:Implementation")
#: Nodes that are refused one by one; the rest of a refused run's graph is refused as the run's.
_RECORDS: Final = frozenset((name("oa:Annotation"), name("schema:ImageObject"), name("lg:Region")))


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
    whole = list(quads)
    faults = [violation for violation in violations if violation.severity == "Violation"]
    if not faults:
        return whole, ()
    batch = _Batch(whole)
    reasons: dict[str, list[str]] = defaultdict(list)
    for violation in faults:
        where = f"{violation.path}: " if violation.path else ""
        reasons[batch.owner_of(violation.focus)].append(f"{where}{violation.message}")
    complained = set(reasons)
    waiting = sorted(reasons)
    while waiting:
        refused = waiting.pop(0)
        for dependant in sorted(batch.needed_by[refused] - set(reasons)):
            cause = reasons[refused][0]
            reasons[dependant].append(f"it needs {refused}, which was refused: {cause}")
            waiting.append(dependant)
    admitted, kept_out = [], defaultdict(list)
    for quad in whole:
        owner = batch.owner(quad)
        lost = batch.owner_of(value_of(quad[2])) if quad[1] == _ALTERNATIVE else owner
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
        types: dict[str, set[str]] = defaultdict(set)
        for subject, predicate, value, _ in quads:
            if predicate == TYPE:
                types[value_of(subject)].add(value)
        self.records = {iri for iri, kinds in types.items() if kinds & _RECORDS}
        graphs = {iri for iri, kinds in types.items() if kinds & {_RUN, _VERSION}}
        self._versions = {iri for iri, kinds in types.items() if _VERSION in kinds}
        self._graph_of: dict[str, str] = {}
        for subject, _, _, graph in quads:
            if (place := value_of(graph)) in graphs:
                self._graph_of.setdefault(annotation_of(value_of(subject)), place)
        self.needed_by: dict[str, set[str]] = defaultdict(set)
        for quad in quads:
            owner, predicate = self.owner(quad), quad[1]
            runs_model = predicate == _USED and _IMPLEMENTATION in types[owner]
            if predicate in _NEEDS or runs_model:
                self.needed_by[self.owner_of(value_of(quad[2]))].add(owner)
        for node, place in self._graph_of.items():
            if node != place:
                self.needed_by[place].add(node)

    def graph_of(self, node: str) -> str:
        """The run or vocabulary version in whose graph a node stands; itself where in none."""
        return self._graph_of.get(node, node)

    def owner(self, quad: Quad) -> str:
        """The node that a quad belongs to."""
        return self.owner_of(value_of(quad[0]))

    def owner_of(self, iri: str) -> str:
        """The node that an IRI is of or a part of; all of a vocabulary version is the version's."""
        node = annotation_of(iri)
        return graph if (graph := self.graph_of(node)) in self._versions else node


def _as_text(quads: Sequence[Quad]) -> str:
    """N-Triples in a fixed order, so that the same content is the same refusal."""
    return "".join(sorted(f"{' '.join(quad[:3])} .\n" for quad in quads))
