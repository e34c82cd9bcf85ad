"""Directed graphs of names: strongly connected components."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping


def components(
    nodes: Iterable[str], successors: Mapping[str, Iterable[str]]
) -> list[tuple[str, ...]]:
    """Strongly connected components, each before those that point at it (sinks first).

    ``successors`` may name nodes that are not in ``nodes``: they are left out. The order depends on
    that of ``nodes`` and ``successors`` alone. Tarjan's algorithm (SIAM J. Comput. 1(2), 1972),
    without recursion: a thesaurus may be deeper than Python's stack.
    """
    known = list(dict.fromkeys(nodes))
    members = set(known)
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_nodes: list[str] = []
    is_open: set[str] = set()
    found: list[tuple[str, ...]] = []
    for start in known:
        if start in index:
            continue
        work: list[tuple[str, Iterator[str]]] = []

        def enter(node: str, work: list[tuple[str, Iterator[str]]] = work) -> None:
            index[node] = low[node] = len(index)
            open_nodes.append(node)
            is_open.add(node)
            work.append((node, iter(successors.get(node, ()))))

        enter(start)
        while work:
            node, rest = work[-1]
            for following in rest:
                if following not in members:
                    continue
                if following not in index:
                    enter(following)
                    break
                if following in is_open:
                    low[node] = min(low[node], index[following])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == index[node]:
                    component = []
                    while True:
                        member = open_nodes.pop()
                        is_open.discard(member)
                        component.append(member)
                        if member == node:
                            break
                    found.append(tuple(reversed(component)))
    return found


def is_cyclic(component: tuple[str, ...], successors: Mapping[str, Iterable[str]]) -> bool:
    """Whether a component holds a cycle: several nodes, or one that points at itself."""
    return len(component) > 1 or component[0] in set(successors.get(component[0], ()))
