"""Names for blank nodes that do not depend on the file they came from.

RDFC-1.0 would do, but pyoxigraph 0.5 takes five minutes over a list of a thousand items, and any
implementation takes forever on a hostile graph. Here a blank node is named by a digest of what is
said of it and of what points at it, in one pass up and one pass down (colour refinement over the
strongly connected components): time grows with the number of triples.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from lithograph.vocabulary.graphs import components, is_cyclic

#: Rounds within a cycle of blank nodes: what tells such nodes apart is seldom further away.
_CYCLE_ROUNDS = 16


def canonical_triples(triples: Iterable[Triple]) -> tuple[Triple, ...]:
    """The triples without duplicates, in code point order of their N-Triples form.

    Blank nodes are renamed so that equal graphs give equal triples, whatever the order, the format
    and the names they were read with. Two blank nodes of which exactly the same is said become
    one; within a cycle of blank nodes that cannot be told apart, the order read decides. Triples
    that hold triples must have been left out before (ValueError).
    """
    read = list(dict.fromkeys(triples))
    names = _names(read)
    if names:
        read = [
            Triple(
                names[t.subject.value] if isinstance(t.subject, BlankNode) else t.subject,
                t.predicate,
                names[t.object.value] if isinstance(t.object, BlankNode) else t.object,
            )
            for t in read
        ]
    return tuple(sorted(set(read), key=str))


def _names(triples: list[Triple]) -> dict[str, BlankNode]:
    """A new blank node for each name of an old one."""
    said: defaultdict[str, list[tuple[str, str, bool]]] = defaultdict(list)
    pointed: defaultdict[str, list[tuple[str, str, bool]]] = defaultdict(list)
    below: defaultdict[str, list[str]] = defaultdict(list)
    for triple in triples:
        subject, predicate, object_ = triple.subject, triple.predicate.value, triple.object
        if isinstance(subject, Triple) or isinstance(object_, Triple):
            raise ValueError(f"expected triples of plain terms, found a triple term in {triple}")
        if isinstance(subject, BlankNode):
            said[subject.value].append((predicate, *_end(object_)))
        if isinstance(object_, BlankNode):
            pointed[object_.value].append((predicate, *_end(subject)))
            if isinstance(subject, BlankNode):
                below[subject.value].append(object_.value)
    nodes = list(dict.fromkeys([*said, *pointed]))
    if not nodes:
        return {}
    groups = components(nodes, below)
    colours = _refined(groups, said, dict.fromkeys(nodes, ""), below)
    colours = _refined(list(reversed(groups)), pointed, colours, below)
    return _named(groups, colours, below)


def _end(node: NamedNode | BlankNode | Literal) -> tuple[str, bool]:
    """The other end of a triple, and whether it is a blank node."""
    return (node.value, True) if isinstance(node, BlankNode) else (str(node), False)


def _refined(
    groups: list[tuple[str, ...]],
    edges: defaultdict[str, list[tuple[str, str, bool]]],
    start: dict[str, str],
    below: defaultdict[str, list[str]],
) -> dict[str, str]:
    """Colours that tell nodes apart by their edges, given those of the groups before them."""
    colours = dict(start)
    for group in groups:
        rounds = min(len(group), _CYCLE_ROUNDS) if is_cyclic(group, below) else 1
        for _ in range(rounds):
            colours |= {node: _digest(node, edges[node], colours.__getitem__) for node in group}
    return colours


def _digest(node: str, edges: list[tuple[str, str, bool]], colour: Callable[[str], str]) -> str:
    lines = sorted(
        f"{predicate} {'_:' + colour(end) if blank else end}" for predicate, end, blank in edges
    )
    return hashlib.sha256("\n".join([colour(node), *lines]).encode()).hexdigest()


def _named(
    groups: list[tuple[str, ...]],
    colours: dict[str, str],
    below: defaultdict[str, list[str]],
) -> dict[str, BlankNode]:
    names: dict[str, BlankNode] = {}
    seen: Counter[str] = Counter()
    for group in groups:
        cyclic = is_cyclic(group, below)
        for node in group:
            name = f"b{colours[node][:24]}"
            if cyclic:
                seen[name] += 1
                name = name if seen[name] == 1 else f"{name}-{seen[name]}"
            names[node] = BlankNode(name)
    return names
