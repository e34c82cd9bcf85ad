"""What the graph asks of its engine: patterns, neighbourhoods, one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

import pyoxigraph as ox

from lithograph.rdf import Quad, iri_of, n_quads, parsed, quad_of, quarantine_graph
from lithograph.rdf import terms as t
from lithograph.rdf.quads import TYPE, iri_term, value_of
from lithograph.rdf.terms import term

#: From about here on, writing files of their own is quicker than a transaction (measured: 8 ms and
#: 4 µs a quad, against 9 µs a quad).
_MANY: Final = 4000


def exists(store: ox.Store, *pattern: Any) -> bool:
    """Whether any quad matches (subject, predicate, object, graph), None matching anything."""
    return next(iter(store.quads_for_pattern(*pattern)), None) is not None


def has_type(store: ox.Store, iri: str, kind: ox.NamedNode) -> bool:
    """Whether any graph says that ``iri`` is of this class."""
    return exists(store, ox.NamedNode(iri), t.TYPE, kind, None)


def is_closed(store: ox.Store, run: str) -> bool:
    """Whether a run has ended."""
    node = ox.NamedNode(run)
    return exists(store, node, t.ENDED, None, node)


def is_undone(store: ox.Store, run: str) -> bool:
    """Whether a run was undone."""
    return has_type(store, run, term("lg:Tombstone"))


def says_all(store: ox.Store, quads: Iterable[Quad]) -> bool:
    """Whether every one of these triples stands in some graph already."""
    return all(exists(store, q.subject, q.predicate, q.object, None) for q in parsed(quads))


def quads_of(store: ox.Store, iri: str) -> Iterator[ox.Quad]:
    """The quads of a node and of its parts (``iri#…``) that it leads to."""
    waiting, seen = [iri], {iri}
    while waiting:
        for quad in store.quads_for_pattern(ox.NamedNode(waiting.pop()), None, None, None):
            yield quad
            if isinstance(quad.object, ox.NamedNode):
                part = quad.object.value
                if part.startswith(f"{iri}#") and part not in seen:
                    seen.add(part)
                    waiting.append(part)


def neighbourhood(
    store: ox.Store, nodes: Iterable[str], *, graphs: Collection[str] = (), without: str = ""
) -> list[Quad]:
    """What the store says of these nodes (terms): the one hop of context that a batch needs.

    Of a vocabulary one version counts: the one among ``graphs``, those of the batch, else the
    current one. Others only say that a concept is one, so that an annotation of a concept that is
    gone still has a concept. The graph ``without`` is about to go and says nothing.
    """
    version = term("lg:VocabularyVersion")
    versions = {q.graph_name for q in store.quads_for_pattern(None, t.TYPE, version, None)}
    own = {node for node in versions if str(node) in graphs}
    other = versions - own if own else _superseded(store, versions)
    silent = {str(each) for each in other}
    found = []
    for node in nodes:
        for quad in map(quad_of, store.quads_for_pattern(_node(node), None, None, None)):
            _, predicate, _, graph = quad
            if graph != without and (graph not in silent or predicate == TYPE):
                found.append(quad)
    return found


def _superseded(store: ox.Store, versions: set[Any]) -> set[Any]:
    """The versions that another version revises. A version's graph has the version's own name."""
    return {version for version in versions if exists(store, None, t.REVISION_OF, version, None)}


def _node(term_text: str) -> ox.NamedNode | ox.BlankNode:
    value = value_of(term_text)
    return ox.NamedNode(value) if term_text[0] == "<" else ox.BlankNode(value)


def dependants(store: ox.Store, run: str) -> list[str]:
    """Graphs whose triples point at a node that only this run describes."""
    node = ox.NamedNode(run)
    own = {node, ox.NamedNode(quarantine_graph(run))}
    described = {
        quad.subject
        for quad in store.quads_for_pattern(None, t.TYPE, None, node)
        if not any(
            other.graph_name != node
            for other in store.quads_for_pattern(quad.subject, t.TYPE, None, None)
        )
    }
    return sorted(
        {
            iri_of(quad.graph_name)
            for thing in described
            for quad in store.quads_for_pattern(None, None, thing, None)
            if quad.graph_name not in own
        }
    )


def count_new(store: ox.Store, quads: Iterable[Quad]) -> int:
    """How many of these quads the store lacks, each counted once."""
    return sum(quad not in store for quad in parsed(set(quads)))


def write(store: ox.Store, quads: Collection[Quad], *, clear: str = "") -> None:
    """Write quads, all of them or none; readers see none or all.

    With ``clear`` the graph of that IRI is emptied in the same transaction as what is said of the
    graph itself is written: the rest of a large number follows.
    """
    if clear:
        graph = iri_term(clear)
        own = [quad for quad in quads if len(quads) <= _MANY or quad[0] == quad[3]]
        store.update(f"CLEAR SILENT GRAPH {graph} ;\nINSERT DATA {{\n{_grouped(own)}}}")
        if len(own) == len(quads):
            return
    # Large numbers go past the transaction log into files of their own, which appear at once.
    put = store.bulk_load if len(quads) > _MANY else store.load
    put(n_quads(quads), format=ox.RdfFormat.N_QUADS)


def _grouped(quads: Iterable[Quad]) -> str:
    """Quads as an update writes them, graph by graph."""
    graphs: dict[str, list[str]] = defaultdict(list)
    for subject, predicate, value, graph in quads:
        graphs[graph].append(f"{subject} {predicate} {value} .\n")
    return "".join(f"GRAPH {graph} {{\n{''.join(rows)}}}\n" for graph, rows in graphs.items())


def empty(store: ox.Store, graphs: Iterable[str], quads: Iterable[Quad]) -> int:
    """Empty graphs and write what stays, in one transaction; returns how many quads went."""
    named = [ox.NamedNode(graph) for graph in graphs]
    went = sum(1 for graph in named for _ in store.quads_for_pattern(None, None, None, graph))
    clears = "".join(f"CLEAR SILENT GRAPH {graph} ;\n" for graph in named)
    store.update(f"{clears}INSERT DATA {{\n{_grouped(quads)}}}")
    return went
