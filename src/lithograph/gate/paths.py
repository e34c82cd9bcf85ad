"""SHACL property paths, walked from many nodes at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lithograph.gate.data import Data, Values
from lithograph.rdf import shorten


@dataclass(frozen=True, slots=True)
class Predicate:
    """One predicate, given as a term."""

    iri: str

    def values(self, data: Data, nodes: set[str]) -> Values:
        """The objects, of more nodes than were asked for: the column as it is."""
        return data.column(self.iri).forward

    def back(self, data: Data, nodes: set[str]) -> Values:
        """The subjects."""
        return data.column(self.iri).backward

    def __str__(self) -> str:
        return shorten(self.iri[1:-1])


@dataclass(frozen=True, slots=True)
class Inverse:
    """A path walked backwards."""

    path: Path

    def values(self, data: Data, nodes: set[str]) -> Values:
        """What leads to the nodes."""
        return self.path.back(data, nodes)

    def back(self, data: Data, nodes: set[str]) -> Values:
        """What the nodes lead to."""
        return self.path.values(data, nodes)

    def __str__(self) -> str:
        return f"^{_bracketed(self.path)}"


@dataclass(frozen=True, slots=True)
class Sequence:
    """Paths one after the other."""

    paths: tuple[Path, ...]

    def values(self, data: Data, nodes: set[str]) -> Values:
        """What stands at the end."""
        return _chained([path.values for path in self.paths], data, nodes)

    def back(self, data: Data, nodes: set[str]) -> Values:
        """What stands at the beginning."""
        return _chained([path.back for path in reversed(self.paths)], data, nodes)

    def __str__(self) -> str:
        return "/".join(map(_in_sequence, self.paths))


@dataclass(frozen=True, slots=True)
class Alternative:
    """Any of several paths."""

    paths: tuple[Path, ...]

    def values(self, data: Data, nodes: set[str]) -> Values:
        """What any of them leads to."""
        return _united([path.values(data, nodes) for path in self.paths], nodes)

    def back(self, data: Data, nodes: set[str]) -> Values:
        """What leads here by any of them."""
        return _united([path.back(data, nodes) for path in self.paths], nodes)

    def __str__(self) -> str:
        return "|".join(map(str, self.paths))


@dataclass(frozen=True, slots=True)
class Repeated:
    """A path walked ``least`` (0 or 1) times or more, at most once where it is not ``many``."""

    path: Path
    least: int
    many: bool

    def values(self, data: Data, nodes: set[str]) -> Values:
        """Everything on the way."""
        return self._walked(data, nodes, self.path.values)

    def back(self, data: Data, nodes: set[str]) -> Values:
        """Everything on the way back."""
        return self._walked(data, nodes, self.path.back)

    def _walked(self, data: Data, nodes: set[str], step: Step) -> Values:
        found: dict[str, dict[str, None]] = {}
        first = step(data, nodes)
        # Most nodes lead nowhere; with none that does there is nothing to walk.
        start = nodes if self.least == 0 else {n for n in nodes if first.of(n)}
        for node in start:
            reached: dict[str, None] = {} if self.least else {node: None}
            waiting = list(first.of(node))
            while waiting:
                each = waiting.pop()
                if each in reached:
                    continue
                reached[each] = None
                if self.many:
                    waiting.extend(step(data, {each}).of(each))
            found[node] = reached
        return Values.gathered(found)

    def __str__(self) -> str:
        mark = "?" if not self.many else "+" if self.least else "*"
        return f"{_bracketed(self.path)}{mark}"


Path = Predicate | Inverse | Sequence | Alternative | Repeated
Step = Callable[[Data, set[str]], Values]


def _chained(steps: list[Step], data: Data, nodes: set[str]) -> Values:
    reached: Mapping[str, set[str]] = {node: {node} for node in nodes}
    for step in steps:
        here = set().union(*reached.values())
        values = step(data, here)
        reached = {
            node: found
            for node, before in reached.items()
            if (found := {after for each in before for after in values.of(each)})
        }
    return Values.gathered(reached)


def _united(parts: list[Values], nodes: set[str]) -> Values:
    return Values.gathered(
        {
            node: found
            for node in nodes
            if (found := {value for part in parts for value in part.of(node)})
        }
    )


def _in_sequence(path: Path) -> str:
    text = str(path)
    return f"({text})" if "|" in text else text


def _bracketed(path: Path) -> str:
    text = str(path)
    return f"({text})" if any(mark in text for mark in "|/^") else text
