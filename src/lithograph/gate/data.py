"""What is validated, as columns: for each predicate the subjects and their objects.

A shape asks the same thing of thousands of nodes. Asked of a whole column at once (who lacks a
value, who has two, which of the few different values are bad) it costs a set operation of the
interpreter, not a search for each node.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from lithograph.rdf.quads import TYPE, Quad, name

_SUBCLASS: Final = name("rdfs:subClassOf")

Append = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Values:
    """Nodes and their values: ``one`` for nodes with a single one, ``more`` for all others.

    Both may speak of more nodes than were asked for; a node without values is in neither.
    """

    one: Mapping[str, str]
    more: Mapping[str, tuple[str, ...]]

    def of(self, node: str) -> tuple[str, ...]:
        """The values of one node, each once."""
        value = self.one.get(node)
        return (value,) if value is not None else self.more.get(node, ())

    def pairs(self, nodes: Collection[str]) -> Iterator[tuple[str, str]]:
        """(node, value) of these nodes."""
        one, more = self.one, self.more
        for node in nodes:
            value = one.get(node)
            if value is not None:
                yield node, value
            elif node in more:
                for each in more[node]:
                    yield node, each

    def distinct(self) -> set[str]:
        """Every value that any node has."""
        found = set(self.one.values())
        for values in self.more.values():
            found.update(values)
        return found

    @classmethod
    def gathered(cls, found: Mapping[str, Collection[str]]) -> Values:
        """From the set of values of each node."""
        return cls(
            {node: next(iter(values)) for node, values in found.items() if len(values) == 1},
            {node: tuple(values) for node, values in found.items() if len(values) > 1},
        )


@dataclass(frozen=True, slots=True)
class Itself:
    """The value nodes of a node shape: each node is its own."""

    nodes: Collection[str]

    def of(self, node: str) -> tuple[str, ...]:
        """The node."""
        return (node,)

    def pairs(self, nodes: Collection[str]) -> Iterator[tuple[str, str]]:
        """(node, node) of these nodes."""
        return ((node, node) for node in nodes)

    def distinct(self) -> set[str]:
        """The nodes."""
        return set(self.nodes)


class Column:
    """One predicate: subjects and objects in parallel, as they came, repetitions and all."""

    __slots__ = ("_backward", "_forward", "objects", "subjects")

    def __init__(self) -> None:
        self.subjects: list[str] = []
        self.objects: list[str] = []
        self._forward: Values | None = None
        self._backward: Values | None = None

    @property
    def forward(self) -> Values:
        """Subject → objects."""
        if self._forward is None:
            self._forward = _values(self.subjects, self.objects)
        return self._forward

    @property
    def backward(self) -> Values:
        """Object → subjects."""
        if self._backward is None:
            self._backward = _values(self.objects, self.subjects)
        return self._backward


def _values(nodes: list[str], values: list[str]) -> Values:
    one = dict(zip(nodes, values, strict=True))
    if len(one) == len(nodes):
        return Values(one, {})
    gathered: dict[str, dict[str, None]] = {}
    last: dict[str, str] = {}
    for node, value in zip(nodes, values, strict=True):
        before = last.setdefault(node, value)
        if before is not value and before != value:
            gathered.setdefault(node, {before: None})[value] = None
    for node in gathered:
        del last[node]
    return Values(last, {node: tuple(found) for node, found in gathered.items()})


_NOTHING: Final = Column()


class Data:
    """The quads of a batch and of its context, graph names aside."""

    def __init__(self, batch: Iterable[Quad], context: Iterable[Quad] = ()) -> None:
        self.columns: dict[str, Column] = {}
        self._bits: dict[str, int] = {}
        #: Node → the predicates that it has, one bit for each.
        self._used: dict[str, int] = {}
        self._take(batch)
        #: Subjects of the batch: the nodes that complaints may be about.
        self.batch_nodes: set[str] = set(self._used)
        self._take(context)
        self._context_only = self._used.keys() - self.batch_nodes

    def _take(self, quads: Iterable[Quad]) -> None:
        appenders: dict[str, tuple[Append, Append, int]] = {}
        used = self._used
        # What is said of one node mostly stands together: its bits are gathered before they are
        # written down.
        last, bits = "", 0
        for subject, predicate, value, _ in quads:
            known = appenders.get(predicate)
            if known is None:
                known = appenders[predicate] = self._appender(predicate)
            append_subject, append_object, bit = known
            append_subject(subject)
            append_object(value)
            if subject is last:
                bits |= bit
            else:
                if last:
                    used[last] = used.get(last, 0) | bits
                last, bits = subject, bit
        if last:
            used[last] = used.get(last, 0) | bits

    def _appender(self, predicate: str) -> tuple[Append, Append, int]:
        column = self.columns.setdefault(predicate, Column())
        bit = self._bits.setdefault(predicate, 1 << len(self._bits))
        return column.subjects.append, column.objects.append, bit

    def column(self, predicate: str) -> Column:
        """The column of a predicate; an empty one where nothing has it."""
        return self.columns.get(predicate, _NOTHING)

    @cached_property
    def _by_class(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        types = self.column(TYPE)
        for node, kind in zip(types.subjects, types.objects, strict=True):
            members = found.get(kind)
            if members is None:
                members = found[kind] = set()
            members.add(node)
        return found

    def instances(self, kind: str) -> set[str]:
        """The nodes of a class or of a subclass of it that the data tell of."""
        direct = self._by_class.get(kind, set())
        if _SUBCLASS not in self.columns:
            return direct
        return set().union(*(self._by_class.get(each, ()) for each in self._subclasses(kind)))

    def _subclasses(self, kind: str) -> set[str]:
        below = self.column(_SUBCLASS).backward
        found, waiting = {kind}, [kind]
        while waiting:
            for each in below.of(waiting.pop()):
                if each not in found:
                    found.add(each)
                    waiting.append(each)
        return found

    def in_batch(self, nodes: set[str]) -> set[str]:
        """Those of the nodes that the batch is about; they must be subjects of some quad."""
        return nodes - self._context_only if self._context_only else nodes

    def with_other_predicates(self, nodes: set[str], allowed: Collection[str]) -> set[str]:
        """Those of the nodes that say something with a predicate which is not among the allowed."""
        within = sum(bit for predicate, bit in self._bits.items() if predicate in allowed)
        known = self._used.get
        bad = {used for used in map(known, nodes) if used is not None and used & ~within}
        return {node for node in nodes if known(node) in bad} if bad else set()
