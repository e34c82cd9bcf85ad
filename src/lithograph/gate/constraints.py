"""The constraint components of SHACL Core, each asked of all nodes of a shape at once.

A component either judges values one by one (:class:`Judged`, :class:`OfClass`, the logical ones:
``bad`` gives those of a set that do not pass) or a node by all of its values (:class:`MinCount` and
its like: ``complaints`` gives the nodes, with the value where the component names one). Names,
meaning and what is reported are those of SHACL (W3C Recommendation, 20 July 2017), section 4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lithograph.gate.data import Itself, Values
from lithograph.gate.values import Test, is_less
from lithograph.rdf.quads import language_of, name

if TYPE_CHECKING:
    from lithograph.gate.evaluation import Evaluation
    from lithograph.gate.plan import Shape


class Complaint(NamedTuple):
    """A node that breaks a constraint; the value; path and message where not the shape's own."""

    node: str
    value: str | None = None
    path: str | None = None
    message: str | None = None


class ValueRule(Protocol):
    """A component that judges values one by one."""

    @property
    def component(self) -> str:
        """``ClassConstraintComponent`` and its like."""
        ...

    def bad(self, values: set[str], evaluation: Evaluation) -> set[str]:
        """Those of the values that do not pass."""
        ...


class NodeRule(Protocol):
    """A component that judges a node by all of its values."""

    @property
    def component(self) -> str:
        """``MinCountConstraintComponent`` and its like."""
        ...

    def complaints(
        self, nodes: set[str], values: Values | Itself, evaluation: Evaluation
    ) -> Iterator[Complaint]:
        """The nodes that break it."""
        ...


# --- values one by one ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judged:
    """A test of the value alone: datatype, node kind, range, length, pattern, membership."""

    component: str
    test: Test

    def bad(self, values: set[str], evaluation: Evaluation) -> set[str]:
        """Those that fail the test."""
        test = self.test
        return {value for value in values if not test(value)}


@dataclass(frozen=True, slots=True)
class OfClass:
    """``sh:class``."""

    kind: str
    component: str = "ClassConstraintComponent"

    def bad(self, values: set[str], evaluation: Evaluation) -> set[str]:
        """Those that are no instance of the class."""
        return values - evaluation.data.instances(self.kind)


@dataclass(frozen=True, slots=True)
class Conforms:
    """``sh:node``."""

    shape: Shape
    component: str = "NodeConstraintComponent"

    def bad(self, values: set[str], evaluation: Evaluation) -> set[str]:
        """Those that do not conform to the shape."""
        return evaluation.failing(self.shape, values)


@dataclass(frozen=True, slots=True)
class Not:
    """``sh:not``."""

    shape: Shape
    component: str = "NotConstraintComponent"

    def bad(self, values: set[str], evaluation: Evaluation) -> set[str]:
        """Those that conform to the shape."""
        return values - evaluation.failing(self.shape, values)


@dataclass(frozen=True, slots=True)
class And:
    """``sh:and``."""

    shapes: tuple[Shape, ...]
    component: str = "AndConstraintComponent"

    def bad(self, values: set[str], evaluation: Evaluation) -> set[str]:
        """Those that fail any of the shapes."""
        return set().union(*(evaluation.failing(shape, values) for shape in self.shapes))


@dataclass(frozen=True, slots=True)
class Or:
    """``sh:or``."""

    shapes: tuple[Shape, ...]
    component: str = "OrConstraintComponent"

    def bad(self, values: set[str], evaluation: Evaluation) -> set[str]:
        """Those that fail all of the shapes."""
        left = values
        for shape in self.shapes:
            left = evaluation.failing(shape, left) if left else left
        return left


@dataclass(frozen=True, slots=True)
class Xone:
    """``sh:xone``."""

    shapes: tuple[Shape, ...]
    component: str = "XoneConstraintComponent"

    def bad(self, values: set[str], evaluation: Evaluation) -> set[str]:
        """Those that conform to none of the shapes, or to more than one."""
        passed: Counter[str] = Counter()
        for shape in self.shapes:
            passed.update(values - evaluation.failing(shape, values))
        return {value for value in values if passed[value] != 1}


# --- a node by all of its values ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MinCount:
    """``sh:minCount``."""

    least: int
    component: str = "MinCountConstraintComponent"

    def complaints(
        self, nodes: set[str], values: Values | Itself, evaluation: Evaluation
    ) -> Iterator[Complaint]:
        """Nodes with fewer values."""
        if self.least <= 0 or isinstance(values, Itself):
            return iter(())
        few = nodes.difference(values.one if self.least == 1 else (), values.more)
        few |= {n for n in nodes & values.more.keys() if len(values.more[n]) < self.least}
        return map(Complaint, few)


@dataclass(frozen=True, slots=True)
class MaxCount:
    """``sh:maxCount``."""

    most: int
    component: str = "MaxCountConstraintComponent"

    def complaints(
        self, nodes: set[str], values: Values | Itself, evaluation: Evaluation
    ) -> Iterator[Complaint]:
        """Nodes with more values."""
        if isinstance(values, Itself):
            return iter(())
        many = {n for n in nodes & values.more.keys() if len(values.more[n]) > self.most}
        if self.most == 0:
            many |= nodes & values.one.keys()
        return map(Complaint, many)


@dataclass(frozen=True, slots=True)
class HasValue:
    """``sh:hasValue``."""

    term: str
    component: str = "HasValueConstraintComponent"

    def complaints(
        self, nodes: set[str], values: Values | Itself, evaluation: Evaluation
    ) -> Iterator[Complaint]:
        """Nodes without that value."""
        if isinstance(values, Values) and not values.more and values.distinct() <= {self.term}:
            return map(Complaint, nodes.difference(values.one))
        return (Complaint(node) for node in nodes if self.term not in values.of(node))


@dataclass(frozen=True, slots=True)
class UniqueLang:
    """``sh:uniqueLang``."""

    component: str = "UniqueLangConstraintComponent"

    def complaints(
        self, nodes: set[str], values: Values | Itself, evaluation: Evaluation
    ) -> Iterator[Complaint]:
        """Nodes with two values in one language, once for each such language."""
        if isinstance(values, Itself):
            return
        for node in nodes & values.more.keys():
            languages = [language_of(value) for value in values.more[node]]
            used = Counter(language.lower() for language in languages if language)
            for count in used.values():
                if count > 1:
                    yield Complaint(node)


@dataclass(frozen=True, slots=True)
class Equals:
    """``sh:equals``."""

    predicate: str
    component: str = "EqualsConstraintComponent"

    def complaints(
        self, nodes: set[str], values: Values | Itself, evaluation: Evaluation
    ) -> Iterator[Complaint]:
        """Values of the one that are not values of the other, either way."""
        other = evaluation.data.column(self.predicate).forward
        for node in nodes:
            for value in set(values.of(node)) ^ set(other.of(node)):
                yield Complaint(node, value)


@dataclass(frozen=True, slots=True)
class Disjoint:
    """``sh:disjoint``."""

    predicate: str
    component: str = "DisjointConstraintComponent"

    def complaints(
        self, nodes: set[str], values: Values | Itself, evaluation: Evaluation
    ) -> Iterator[Complaint]:
        """Values that both have."""
        other = evaluation.data.column(self.predicate).forward
        for node in _having(nodes, other):
            for value in set(values.of(node)).intersection(other.of(node)):
                yield Complaint(node, value)


@dataclass(frozen=True, slots=True)
class LessThan:
    """``sh:lessThan`` and ``sh:lessThanOrEquals``."""

    predicate: str
    or_equal: bool

    @property
    def component(self) -> str:
        """Of the one or the other."""
        return f"LessThan{'OrEquals' if self.or_equal else ''}ConstraintComponent"

    def complaints(
        self, nodes: set[str], values: Values | Itself, evaluation: Evaluation
    ) -> Iterator[Complaint]:
        """Values that are not less than every value of the other predicate."""
        other = evaluation.data.column(self.predicate).forward
        for node in _having(nodes, other):
            for value in values.of(node):
                limits = other.of(node)
                if not all(is_less(value, limit, or_equal=self.or_equal) for limit in limits):
                    yield Complaint(node, value)


def _having(nodes: set[str], values: Values) -> set[str]:
    """The nodes that have any of the values."""
    return (nodes & values.one.keys()) | (nodes & values.more.keys())


@dataclass(frozen=True, slots=True)
class Qualified:
    """``sh:qualifiedValueShape`` with its least or its greatest number; ``None`` is no bound."""

    shape: Shape
    siblings: tuple[Shape, ...]
    least: int | None = None
    most: int | None = None

    @property
    def component(self) -> str:
        """Of the least or the greatest number."""
        return f"Qualified{'Max' if self.least is None else 'Min'}CountConstraintComponent"

    def complaints(
        self, nodes: set[str], values: Values | Itself, evaluation: Evaluation
    ) -> Iterator[Complaint]:
        """Nodes with too few or too many values that conform to the shape and to no sibling."""
        asked = {value for _, value in values.pairs(nodes)}
        good = asked - evaluation.failing(self.shape, asked)
        for sibling in self.siblings:
            good &= evaluation.failing(sibling, good)
        counts = Counter(node for node, value in values.pairs(nodes) if value in good)
        for node in nodes:
            count = counts[node]
            few = self.least is not None and count < self.least
            if few or (self.most is not None and count > self.most):
                yield Complaint(node)


_RESOURCE = (name("rdf:type"), name("rdfs:Resource"))


@dataclass(frozen=True, slots=True)
class Closed:
    """``sh:closed``, with the predicates that are allowed."""

    allowed: frozenset[str]
    component: str = "ClosedConstraintComponent"

    def complaints(
        self, nodes: set[str], values: Values | Itself, evaluation: Evaluation
    ) -> Iterator[Complaint]:
        """Every statement of a value node with another predicate; its path is that predicate."""
        data = evaluation.data
        guilty = data.with_other_predicates(values.distinct(), self.allowed)
        if not guilty:
            return
        for node in nodes:
            for value in guilty.intersection(values.of(node)):
                for predicate, column in data.columns.items():
                    if predicate in self.allowed:
                        continue
                    for each in column.forward.of(value):
                        if (predicate, each) != _RESOURCE:
                            yield Complaint(node, each, predicate)
