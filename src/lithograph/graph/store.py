"""What the graph asks of its engine: patterns, neighbourhoods, one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyoxigraph as ox

from lithograph.rdf import iri_of, quarantine_graph
from lithograph.rdf import terms as t
from lithograph.rdf.terms import term


def exists(store: ox.Store, *pattern: Any) -> bool:
    """Whether any quad matches (subject, predicate, object, graph), None matching anything."""
    return next(iter(store.quads_for_pattern(*pattern)), None) is not None


def has_type(store: ox.Store, iri: str, kind: ox.NamedNode) -> bool:
    """Whether any graph says that ``iri`` is of this class."""
    return exists(store, ox.NamedNode(iri), t.TYPE, kind, None)


def says_all(store: ox.Store, quads: Iterable[ox.Quad]) -> bool:
    """Whether every one of these triples stands in some graph already."""
    return all(exists(store, q.subject, q.predicate, q.object, None) for q in quads)


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


def context(store: ox.Store, quads: list[ox.Quad], *, without: Iterable[str] = ()) -> list[ox.Quad]:
    """What the store says of the nodes that a batch is about or points at: one hop.

    Of a vocabulary one version counts: the batch's own, else the current one. Others only say that
    a concept is one, so that an annotation of a concept that is gone still has a concept.
    Graphs named in ``without`` are about to go and say nothing.
    """
    going = {ox.NamedNode(graph) for graph in without}
    batch = set(quads)
    graphs = {quad.graph_name for quad in quads}
    around = {quad.subject for quad in quads} | {
        quad.object
        for quad in quads
        if isinstance(quad.object, ox.NamedNode) and quad.predicate != t.TYPE
    }
    version = term("lg:VocabularyVersion")
    versions = {q.graph_name for q in store.quads_for_pattern(None, t.TYPE, version, None)}
    other = versions - graphs if versions & graphs else _superseded(store, versions)
    return [
        found
        for node in around
        for found in store.quads_for_pattern(node, None, None, None)
        if found not in batch
        and found.graph_name not in going
        and (found.graph_name not in other or found.predicate == t.TYPE)
    ]


def _superseded(store: ox.Store, versions: set[Any]) -> set[Any]:
    """The versions that another version revises. A version's graph has the version's own name."""
    return {version for version in versions if exists(store, None, t.REVISION_OF, version, None)}


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


def write(store: ox.Store, quads: Iterable[ox.Quad], *, clear: Iterable[str] = ()) -> None:
    """Empty the graphs named in ``clear`` and write quads, all in one transaction."""
    cleared = list(clear)
    if not cleared:
        store.extend(quads)
        return
    # Only an update request clears and inserts in one transaction. TriG without prefixes is the
    # body of an INSERT DATA but for the word GRAPH; its literals hold no line ends.
    trig = (ox.serialize(quads, format=ox.RdfFormat.TRIG) or b"").decode("utf-8")
    body = "\n".join(f"GRAPH {row}" if row.endswith(" {") else row for row in trig.splitlines())
    clears = "".join(f"CLEAR SILENT GRAPH <{graph}> ;\n" for graph in cleared)
    store.update(f"{clears}INSERT DATA {{\n{body}\n}}")
