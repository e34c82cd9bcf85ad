"""SHACL shapes, read once from their graph into what the gate asks of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, cast

from lithograph.gate.constraints import NodeRule, ValueRule
from lithograph.gate.parameters import Outside, Reader
from lithograph.gate.paths import Path
from lithograph.gate.queries import QueryConstraint
from lithograph.gate.terms import sh
from lithograph.gate.values import Test, term_of

if TYPE_CHECKING:
    from rdflib import Graph
    from rdflib.term import Node

Severity = Literal["Violation", "Warning", "Info"]


@dataclass(frozen=True, slots=True)
class Targets:
    """Which nodes a shape is asked of: terms of classes, predicates and nodes."""

    classes: tuple[str, ...] = ()
    subjects_of: tuple[str, ...] = ()
    objects_of: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Shape:
    """A node shape, or (with a path) a property shape.

    ``sure`` passes only values that pass every one of the ``term_rules``, and saves asking them
    one by one. ``message`` is the English one.
    """

    iri: str | None
    path: Path | None
    severity: Severity
    message: str
    deactivated: bool
    term_rules: tuple[ValueRule, ...]
    sure: Test | None
    value_rules: tuple[ValueRule, ...]
    node_rules: tuple[NodeRule, ...]
    queries: tuple[QueryConstraint, ...]
    properties: tuple[Shape, ...]
    targets: Targets = field(default_factory=Targets)

    @property
    def goes_on(self) -> bool:
        """Whether complaints may be about nodes that the targets lead to, and not only them."""
        inner = [shape for each in self.properties for shape in each.properties]
        return bool(inner) or (self.path is not None and bool(self.properties))

    @property
    def path_text(self) -> str | None:
        """The path as SPARQL writes it."""
        return None if self.path is None else str(self.path)


@dataclass(frozen=True)
class Plan:
    """Every shape that has a target. ``outside`` names those that are not asked here, and why."""

    roots: tuple[Shape, ...]
    outside: dict[Node, str]

    @classmethod
    def read(cls, graph: Graph) -> Plan:
        """The plan of a shapes graph."""
        maker = _Maker(graph)
        roots, outside = [], {}
        for node in sorted(maker.with_targets(), key=str):
            try:
                shape = maker.shape(node, nested=False)
                roots.append(replace(shape, targets=maker.targets(node)))
            except Outside as reason:
                outside[node] = str(reason)
        return cls(tuple(roots), outside)


class _Maker:
    """Shapes from their graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._reader = Reader(graph, self._nested, self._siblings)
        self._made: dict[tuple[Node, bool], Shape] = {}
        self._open: set[Node] = set()

    def with_targets(self) -> set[Node]:
        """The shapes that have a target of their own."""
        names = ("targetClass", "targetNode", "targetObjectsOf", "targetSubjectsOf")
        found = {node for each in names for node in self.graph.subjects(sh(each))}
        return found | {node for node in self._typed() if self._is_class(node)}

    def _typed(self) -> set[Node]:
        from rdflib import RDF

        kinds = (sh("NodeShape"), sh("PropertyShape"))
        return {node for kind in kinds for node in self.graph.subjects(RDF.type, kind)}

    def _is_class(self, node: Node) -> bool:
        """Whether the shape is a class too: its instances are its targets."""
        from rdflib import RDF, RDFS

        kinds = {RDFS.Class, *self.graph.subjects(RDFS.subClassOf, RDFS.Class)}
        return any(kind in kinds for kind in self.graph.objects(node, RDF.type))

    def targets(self, node: Node) -> Targets:
        """The targets of a shape."""

        def terms(name: str) -> tuple[str, ...]:
            return tuple(sorted(map(term_of, self.graph.objects(node, sh(name)))))

        own = (term_of(node),) if node in self._typed() and self._is_class(node) else ()
        return Targets(
            classes=terms("targetClass") + own,
            subjects_of=terms("targetSubjectsOf"),
            objects_of=terms("targetObjectsOf"),
            nodes=terms("targetNode"),
        )

    def shape(self, node: Node, *, nested: bool) -> Shape:
        """The shape of a node.

        A ``nested`` one is only asked whether nodes conform to it. Raises Outside where it holds
        what is not asked here, or itself.
        """
        from rdflib import URIRef

        if (node, nested) in self._made:
            return self._made[node, nested]
        if node in self._open:
            raise Outside("it refers to itself")
        self._open.add(node)
        try:
            reader = self._reader
            reader.check(node)
            severity = self._severity(node)
            queries = reader.queries(node)
            if nested and severity != "Violation":
                raise Outside("a shape inside it has a severity of its own")
            if nested and queries:
                raise Outside("a shape inside it has a SPARQL constraint")
            term_rules, sure = reader.term_rules(node)
            made = Shape(
                iri=str(node) if isinstance(node, URIRef) else None,
                path=reader.path(node),
                severity=severity,
                message=reader.message(node),
                deactivated=reader.flag(node, "deactivated"),
                term_rules=term_rules,
                sure=sure,
                value_rules=tuple(reader.value_rules(node)),
                node_rules=tuple(reader.node_rules(node)),
                queries=queries,
                properties=tuple(
                    self.shape(inner, nested=nested) for inner in self._properties(node)
                ),
            )
        finally:
            self._open.discard(node)
        self._made[node, nested] = made
        return made

    def _nested(self, node: Node) -> Shape:
        return self.shape(node, nested=True)

    def _properties(self, node: Node) -> Iterator[Node]:
        for inner in sorted(self.graph.objects(node, sh("property")), key=str):
            if (inner, sh("path"), None) not in self.graph:
                raise Outside("a property shape has no path")
            yield inner

    def _siblings(self, node: Node) -> list[Shape]:
        """The qualified value shapes of the property shapes beside this one, less its own."""
        own = set(self.graph.objects(node, sh("qualifiedValueShape")))
        beside = {
            shape
            for parent in self.graph.subjects(sh("property"), node)
            for inner in self.graph.objects(parent, sh("property"))
            for shape in self.graph.objects(inner, sh("qualifiedValueShape"))
        }
        return [self._nested(shape) for shape in sorted(beside - own, key=str)]

    def _severity(self, node: Node) -> Severity:
        found = [str(each).rpartition("#")[2] for each in self.graph.objects(node, sh("severity"))]
        if len(found) > 1 or not set(found) <= {"Violation", "Warning", "Info"}:
            raise Outside("its severity is none of Violation, Warning and Info")
        return cast("Severity", found[0]) if found else "Violation"
