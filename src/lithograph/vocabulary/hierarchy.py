"""The order and the tops of a hierarchy that may have several parents, orphans and cycles."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lithograph.vocabulary.graphs import components, is_cyclic


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A hierarchy of names made walkable.

    ``order`` is every name once, depth first from ``roots``; siblings stand by the smallest weight
    below them, then by name. ``narrower`` gives children in that order. ``via`` gives the parent
    through which a name reaches its nearest root (None for a root): following it always ends.
    ``cycles`` are the groups of names that are their own ancestors.
    """

    roots: tuple[str, ...]
    order: tuple[str, ...]
    narrower: Mapping[str, tuple[str, ...]]
    via: Mapping[str, str | None]
    cycles: tuple[tuple[str, ...], ...]


def arrange(
    broader: Mapping[str, Collection[str]], tops: Collection[str], weights: Mapping[str, int]
) -> Hierarchy:
    """Arrange names by their parents.

    ``broader`` has every name as a key and names of the same mapping as values; ``tops`` are names
    declared to be at the top; ``weights`` order siblings. Roots are the declared tops and the names
    without parents; where a cycle hangs from none of them, its first name becomes a root, so that
    every name has exactly one root, the nearest (ties by order).
    """
    children: dict[str, list[str]] = {name: [] for name in broader}
    for name, parents in broader.items():
        for parent in parents:
            children[parent].append(name)
    lightest = _lightest_below(broader, weights)

    def key(name: str) -> tuple[float, str]:
        return lightest.get(name, math.inf), name

    narrower = {name: tuple(sorted(below, key=key)) for name, below in children.items()}
    cycles = tuple(
        tuple(sorted(component, key=key))
        for component in components(sorted(broader), broader)
        if is_cyclic(component, broader)
    )
    declared = set(tops)
    roots = {name for name, parents in broader.items() if name in declared or not parents}
    reached = _below(roots, narrower)
    # Components come parents first, so a cycle under another one is reached from that one's root.
    for cycle in cycles:
        if cycle[0] not in reached:
            roots.add(cycle[0])
            reached |= _below({cycle[0]}, narrower)
    ordered_roots = tuple(sorted(roots, key=key))
    return Hierarchy(
        roots=ordered_roots,
        order=_depth_first(ordered_roots, narrower),
        narrower=narrower,
        via=_nearest_root(ordered_roots, narrower),
        cycles=cycles,
    )


def _lightest_below(
    broader: Mapping[str, Collection[str]], weights: Mapping[str, int]
) -> dict[str, int]:
    """The smallest weight of a name and of those below it. Each name is visited once."""
    lightest: dict[str, int] = {}
    for name in sorted(weights, key=lambda name: (weights[name], name)):
        waiting = [name]
        while waiting:
            above = waiting.pop()
            if above not in lightest:
                lightest[above] = weights[name]
                waiting.extend(broader.get(above, ()))
    return lightest


def _below(names: Collection[str], narrower: Mapping[str, tuple[str, ...]]) -> set[str]:
    reached = set(names)
    waiting = list(names)
    while waiting:
        for child in narrower[waiting.pop()]:
            if child not in reached:
                reached.add(child)
                waiting.append(child)
    return reached


def _depth_first(
    roots: tuple[str, ...], narrower: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    order: dict[str, None] = {}
    for root in roots:
        waiting = [root]
        while waiting:
            name = waiting.pop()
            if name not in order:
                order[name] = None
                waiting.extend(reversed(narrower[name]))
    return tuple(order)


def _nearest_root(
    roots: tuple[str, ...], narrower: Mapping[str, tuple[str, ...]]
) -> dict[str, str | None]:
    """Breadth first from all roots at once."""
    via: dict[str, str | None] = dict.fromkeys(roots)
    waiting = deque(roots)
    while waiting:
        name = waiting.popleft()
        for child in narrower[name]:
            if child not in via:
                via[child] = name
                waiting.append(child)
    return via
