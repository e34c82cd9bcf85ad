"""A graph in parts that the gate can be asked of, each with its context, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import pyoxigraph as ox

from lithograph.graph import store as engine
from lithograph.rdf import Quad, iri_of, quad_of
from lithograph.rdf import terms as t
from lithograph.rdf.quads import TYPE, name

#: Annotations of one part.
PART: Final = 8192
#: What a shape follows further than one step: an annotation must not lead back to itself.
_CHAINS: Final = frozenset((name("prov:wasRevisionOf"), name("lg:alternativeOf")))


def parts_of(
    store: ox.Store, graph: Any, size: int = PART
) -> Iterator[tuple[list[Quad], list[Quad]]]:
    """(quads, context) of a named graph: first all that is no annotation, then the annotations."""
    found = store.quads_for_pattern(None, t.TYPE, t.ANNOTATION, graph)
    annotations = [iri_of(quad.subject) for quad in found]
    known = set(annotations)
    others = [
        quad_of(quad)
        for quad in store.quads_for_pattern(None, None, None, graph)
        if iri_of(quad.subject).partition("#")[0] not in known
    ]
    # A small graph is one part.
    first = annotations[:size] if len(others) < size else []
    yield _part(store, graph, first, others)
    for start in range(len(first), len(annotations), size):
        yield _part(store, graph, annotations[start : start + size], [])


def _part(
    store: ox.Store, graph: Any, annotations: Iterable[str], quads: list[Quad]
) -> tuple[list[Quad], list[Quad]]:
    name_of_graph = str(graph)
    own = list(quads)
    elsewhere: list[Quad] = []
    for annotation in annotations:
        for quad in map(quad_of, engine.quads_of(store, annotation)):
            (own if quad[3] == name_of_graph else elsewhere).append(quad)
    inside = {quad[0] for quad in own}
    context = [
        *elsewhere,
        *engine.neighbourhood(store, {q[0] for q in quads}, graphs=(name_of_graph,)),
    ]
    waiting = {q[2] for q in own if q[2][0] == "<" and q[1] != TYPE} - inside
    seen = inside | waiting
    while waiting:
        around = engine.neighbourhood(store, waiting, graphs=(name_of_graph,))
        context += around
        waiting = {quad[2] for quad in around if quad[1] in _CHAINS} - seen
        seen |= waiting
    return own, context
