"""A plan asked of data: the nodes of each shape, their values, what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from lithograph.entities import Violation
from lithograph.gate.constraints import Complaint
from lithograph.gate.data import Data, Itself, Values
from lithograph.gate.plan import Plan, Shape
from lithograph.gate.queries import Asked
from lithograph.rdf import shorten
from lithograph.rdf.quads import value_of

#: Characters of a value that a violation keeps.
_SHOWN: Final = 500


class Evaluation:
    """One validation of one set of data."""

    def __init__(self, plan: Plan, data: Data) -> None:
        self.data = data
        self._plan = plan

    def violations(self, *, everywhere: bool = False) -> Iterator[Violation]:
        """What is wrong with the nodes of the batch, or with those of the context too.

        The engine loads and answers queries on threads of its own, while the rules are asked on
        this one.
        """
        found: list[tuple[Shape, set[str], Values | Itself]] = []
        for root in self._plan.roots:
            nodes = self._targets(root)
            if not (everywhere or root.goes_on):
                nodes = self.data.in_batch(nodes)
            found += self._reached(root, nodes)
        queries = [(shape, nodes, each) for shape, nodes, _ in found for each in shape.queries]
        with ThreadPoolExecutor(max_workers=2) as engine:
            asked = Asked(self.data, [query for _, _, query in queries])
            loading = engine.submit(asked.load)
            answers = [
                (shape, engine.submit(asked.complaints, query, nodes, shape, loading))
                for shape, nodes, query in queries
            ]
            for shape, nodes, values in found:
                for component, complaint in self._own(shape, nodes, values):
                    if everywhere or complaint.node in self.data.batch_nodes:
                        yield _violation(shape, component, complaint)
            for shape, answer in answers:
                for complaint in answer.result():
                    if everywhere or complaint.node in self.data.batch_nodes:
                        yield _violation(shape, "SPARQLConstraintComponent", complaint)

    def _targets(self, shape: Shape) -> set[str]:
        data, targets = self.data, shape.targets
        found = [data.instances(kind) for kind in targets.classes]
        found += [set(data.column(predicate).subjects) for predicate in targets.subjects_of]
        found += [set(data.column(predicate).objects) for predicate in targets.objects_of]
        if targets.nodes:
            found.append(set(targets.nodes))
        return found[0] if len(found) == 1 else set().union(*found)

    def _values(self, shape: Shape, nodes: set[str]) -> Values | Itself:
        return Itself(nodes) if shape.path is None else shape.path.values(self.data, nodes)

    def _reached(
        self, shape: Shape, nodes: set[str]
    ) -> Iterator[tuple[Shape, set[str], Values | Itself]]:
        """A shape and the property shapes that it has, with the nodes and values of each."""
        if not nodes or shape.deactivated:
            return
        values = self._values(shape, nodes)
        yield shape, nodes, values
        if shape.properties:
            below = nodes if shape.path is None else {value for _, value in values.pairs(nodes)}
            for inner in shape.properties:
                yield from self._reached(inner, below)

    def _own(
        self, shape: Shape, nodes: set[str], values: Values | Itself
    ) -> Iterator[tuple[str, Complaint]]:
        """(component, complaint) of the shape's own Core constraints."""
        for node_rule in shape.node_rules:
            for complaint in node_rule.complaints(nodes, values, self):
                yield node_rule.component, complaint
        if not (shape.term_rules or shape.value_rules):
            return
        found = values.distinct()
        sure = shape.sure
        doubtful = {value for value in found if not sure(value)} if sure else found
        if doubtful:
            for term_rule in shape.term_rules:
                yield from _with_bad(
                    term_rule.component, term_rule.bad(doubtful, self), nodes, values
                )
        for value_rule in shape.value_rules:
            yield from _with_bad(value_rule.component, value_rule.bad(found, self), nodes, values)

    def failing(self, shape: Shape, nodes: set[str]) -> set[str]:
        """Those of the nodes that do not conform to a shape."""
        if not nodes or shape.deactivated:
            return set()
        values = self._values(shape, nodes)
        found = {complaint.node for _, complaint in self._own(shape, nodes, values)}
        if shape.properties:
            below = {value for _, value in values.pairs(nodes)}
            bad = set().union(*(self.failing(inner, below) for inner in shape.properties))
            if bad:
                found |= {node for node, value in values.pairs(nodes) if value in bad}
        return found


def _with_bad(
    component: str, bad: set[str], nodes: set[str], values: Values | Itself
) -> Iterator[tuple[str, Complaint]]:
    if bad:
        for node, value in values.pairs(nodes):
            if value in bad:
                yield component, Complaint(node, value)


def _violation(shape: Shape, component: str, complaint: Complaint) -> Violation:
    path = shape.path_text if complaint.path is None else shorten(value_of(complaint.path))
    message = complaint.message or shape.message or plain_message(component, path)
    return Violation(
        focus=value_of(complaint.node),
        path=path,
        component=component,
        severity=shape.severity,
        message=message,
        value=None if complaint.value is None else value_of(complaint.value)[:_SHOWN],
        shape=shape.iri,
    )


def plain_message(component: str, path: str | None) -> str:
    """What is said where a shape has no message of its own."""
    where = f" of {path}" if path else ""
    return f"{component.removesuffix('ConstraintComponent')}{where} is not met"
