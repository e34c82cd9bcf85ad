"""The parameters of a shape (``sh:minCount`` and its like) → the rules that they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from lithograph.gate import constraints as rules
from lithograph.gate import values
from lithograph.gate.paths import Alternative, Inverse, Path, Predicate, Repeated, Sequence
from lithograph.gate.queries import QueryConstraint
from lithograph.gate.terms import SH, sh
from lithograph.gate.values import Test, double_of, term_of

if TYPE_CHECKING:
    from rdflib import Graph
    from rdflib.term import Node

    from lithograph.gate.plan import Shape

#: What a shape may say that is no constraint, or is a part of one.
# fmt: off
_BESIDE: Final = frozenset((
    "targetClass", "targetNode", "targetObjectsOf", "targetSubjectsOf", "path", "severity",
    "message", "deactivated", "name", "description", "order", "group", "defaultValue", "flags",
    "ignoredProperties", "qualifiedMinCount", "qualifiedMaxCount", "qualifiedValueShapesDisjoint",
    "declare", "select", "prefixes",
))
_ASKED: Final = frozenset((
    "class", "datatype", "nodeKind", "minCount", "maxCount", "minExclusive", "minInclusive",
    "maxExclusive", "maxInclusive", "minLength", "maxLength", "pattern", "languageIn", "in",
    "uniqueLang", "equals", "disjoint", "lessThan", "lessThanOrEquals", "hasValue", "closed", "not",
    "and", "or", "xone", "node", "property", "qualifiedValueShape", "sparql",
))
# fmt: on
#: What is for property shapes alone: pySHACL refuses it on others.
_OF_PROPERTIES: Final = ("minCount", "maxCount", "uniqueLang", "lessThan", "lessThanOrEquals")
_RANGES: Final[dict[str, Callable[[int], bool]]] = {
    "minExclusive": lambda order: order > 0,
    "minInclusive": lambda order: order >= 0,
    "maxExclusive": lambda order: order < 0,
    "maxInclusive": lambda order: order <= 0,
}


class Outside(Exception):
    """Why a shape is left to the reference."""


class Reader:
    """Reads the parameters of one shape after the other.

    ``nested`` gives the shape of a node that only conformance is asked of, ``siblings`` the sibling
    shapes of one with a qualified value shape.
    """

    def __init__(
        self,
        graph: Graph,
        nested: Callable[[Node], Shape],
        siblings: Callable[[Node], list[Shape]],
    ) -> None:
        self.graph = graph
        self._nested, self._siblings = nested, siblings
        self._custom = self._custom_parameters()

    def _custom_parameters(self) -> set[Node]:
        """The predicates of constraint components that the shapes themselves define."""
        return {
            path
            for parameter in self.graph.objects(None, sh("parameter"))
            for path in self.graph.objects(parameter, sh("path"))
        }

    def check(self, node: Node) -> None:
        """Raise Outside where the shape says what is not asked here."""
        for predicate in sorted(set(self.graph.predicates(node)), key=str):
            local = str(predicate).removeprefix(SH)
            known = local in _ASKED or local in _BESIDE
            if predicate in self._custom or (str(predicate).startswith(SH) and not known):
                raise Outside(f"{local or predicate} is not asked here")

    def _one(self, node: Node, name: str) -> Any:
        found = list(self.graph.objects(node, sh(name)))
        if len(found) > 1:
            raise Outside(f"sh:{name} has {len(found)} values")
        return found[0] if found else None

    def _terms(self, node: Node, name: str) -> list[str]:
        return sorted(map(term_of, self.graph.objects(node, sh(name))))

    def _whole(self, node: Node, name: str) -> int | None:
        found = self._one(node, name)
        if found is None:
            return None
        value = getattr(found, "value", None)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise Outside(f"sh:{name} is no whole number")
        return value

    def flag(self, node: Node, name: str) -> bool:
        """A parameter that is true or false; false where it is not there."""
        found = self._one(node, name)
        value = getattr(found, "value", found)
        if value not in (None, True, False):
            raise Outside(f"sh:{name} is neither true nor false")
        return bool(value)

    def _items(self, head: Any) -> list[Node]:
        from rdflib.collection import Collection

        try:
            return list(Collection(self.graph, head))
        except (ValueError, TypeError) as error:
            raise Outside(f"a list is not well formed: {error}") from error

    def message(self, node: Node) -> str:
        """The English message, else one without a language, else the first."""
        found = list(self.graph.objects(node, sh("message")))
        ranked = sorted(found, key=lambda text: (_rank(text), str(text)))
        return " ".join(str(ranked[0]).split()) if ranked else ""

    def path(self, node: Node) -> Path | None:
        """The path of a property shape; None for a node shape."""
        found = self._one(node, "path")
        return None if found is None else self._path(found, 0)

    def _path(self, node: Any, depth: int) -> Path:
        from rdflib import RDF, URIRef

        if depth > 50:
            raise Outside("a path holds itself")
        if isinstance(node, URIRef):
            return Predicate(term_of(node))
        if (node, RDF.first, None) in self.graph:
            return Sequence(tuple(self._path(each, depth + 1) for each in self._items(node)))
        made: list[Path] = []
        for name in ("inversePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath"):
            for inner in self.graph.objects(node, sh(name)):
                path = self._path(inner, depth + 1)
                least = int(name == "oneOrMorePath")
                made.append(
                    Inverse(path)
                    if name == "inversePath"
                    else Repeated(path, least, many=name != "zeroOrOnePath")
                )
        for head in self.graph.objects(node, sh("alternativePath")):
            parts = tuple(self._path(each, depth + 1) for each in self._items(head))
            made.append(Alternative(parts))
        if len(made) != 1:
            raise Outside("a path is not well formed")
        return made[0]

    # -- rules -----------------------------------------------------------------------------

    def term_rules(self, node: Node) -> tuple[tuple[rules.ValueRule, ...], Test | None]:
        """The rules of single values, and one test that is true only where all of them are."""
        found = list(self._judged(node))
        return tuple(found), self._sure(node, found)

    def _judged(self, node: Node) -> Iterator[rules.Judged]:
        kind = self._one(node, "nodeKind")
        if kind is not None:
            local = str(kind).removeprefix(SH)
            yield rules.Judged("NodeKindConstraintComponent", values.kind_test(local))
        datatype = self._one(node, "datatype")
        if datatype is not None:
            test = values.datatype_test(str(datatype))
            yield rules.Judged("DatatypeConstraintComponent", test)
        for name, accepted in _RANGES.items():
            for bound in self._terms(node, name):
                yield rules.Judged(_component(name), values.range_test(bound, accepted))
        least, most = self._whole(node, "minLength"), self._whole(node, "maxLength")
        if least is not None:
            test = values.length_test(least, None)
            yield rules.Judged("MinLengthConstraintComponent", test)
        if most is not None:
            test = values.length_test(None, most)
            yield rules.Judged("MaxLengthConstraintComponent", test)
        flags = str(self._one(node, "flags") or "")
        for pattern in sorted(map(str, self.graph.objects(node, sh("pattern")))):
            test = values.pattern_test(pattern, flags)
            yield rules.Judged("PatternConstraintComponent", test)
        languages = self._one(node, "languageIn")
        if languages is not None:
            test = values.language_test([str(each) for each in self._items(languages)])
            yield rules.Judged("LanguageInConstraintComponent", test)
        members = self._one(node, "in")
        if members is not None:
            test = values.member_test([term_of(each) for each in self._items(members)])
            yield rules.Judged("InConstraintComponent", test)

    def _sure(self, node: Node, judged: list[rules.Judged]) -> Test | None:
        """One look at a double in place of one for its datatype and for each of its bounds."""
        checks = [
            (accepted, double_of(bound))
            for name, accepted in _RANGES.items()
            for bound in self._terms(node, name)
        ]
        datatype = self._one(node, "datatype")
        limits = [(accepted, limit) for accepted, limit in checks if limit is not None]
        if str(datatype) != f"{values.XSD}double" or len(judged) != len(limits) + 1:
            return None

        def sure(term: str) -> bool:
            number = double_of(term)
            return number is not None and all(
                accepted((number > limit) - (number < limit)) for accepted, limit in limits
            )

        return sure

    def value_rules(self, node: Node) -> Iterator[rules.ValueRule]:
        """The rules of values that need the data to be judged."""
        for kind in self._terms(node, "class"):
            yield rules.OfClass(kind)
        for inner in self._sorted(node, "node"):
            yield rules.Conforms(self._nested(inner))
        for inner in self._sorted(node, "not"):
            yield rules.Not(self._nested(inner))
        for name, made in (("and", rules.And), ("or", rules.Or), ("xone", rules.Xone)):
            for head in self._sorted(node, name):
                inners = self._items(head)
                if not inners:
                    raise Outside(f"sh:{name} has an empty list")
                yield made(tuple(map(self._nested, inners)))

    def _sorted(self, node: Node, name: str) -> list[Node]:
        return sorted(self.graph.objects(node, sh(name)), key=str)

    def node_rules(self, node: Node) -> Iterator[rules.NodeRule]:
        """The rules of all values of a node together."""
        is_property = (node, sh("path"), None) in self.graph
        least, most = self._whole(node, "minCount"), self._whole(node, "maxCount")
        for parameter in () if is_property else _OF_PROPERTIES:
            if self._one(node, parameter) is not None:
                raise Outside(f"a node shape has sh:{parameter}")
        if least is not None:
            yield rules.MinCount(least)
        if most is not None:
            yield rules.MaxCount(most)
        for term in self._terms(node, "hasValue"):
            yield rules.HasValue(term)
        if self.flag(node, "uniqueLang"):
            yield rules.UniqueLang()
        for predicate in self._terms(node, "equals"):
            yield rules.Equals(predicate)
        for predicate in self._terms(node, "disjoint"):
            yield rules.Disjoint(predicate)
        for predicate in self._terms(node, "lessThan"):
            yield rules.LessThan(predicate, or_equal=False)
        for predicate in self._terms(node, "lessThanOrEquals"):
            yield rules.LessThan(predicate, or_equal=True)
        yield from self._qualified(node, is_property=is_property)
        if self.flag(node, "closed"):
            yield rules.Closed(frozenset(self._allowed(node)))

    def _qualified(self, node: Node, *, is_property: bool) -> Iterator[rules.NodeRule]:
        shapes = self._sorted(node, "qualifiedValueShape")
        if not shapes or not is_property:
            return
        least, most = self._whole(node, "qualifiedMinCount"), self._whole(node, "qualifiedMaxCount")
        if least is None and most is None:
            raise Outside("a qualified value shape without a number")
        disjoint = self.flag(node, "qualifiedValueShapesDisjoint")
        siblings = tuple(self._siblings(node)) if disjoint else ()
        for inner in shapes:
            shape = self._nested(inner)
            if least is not None:
                yield rules.Qualified(shape, siblings, least=least)
            if most is not None:
                yield rules.Qualified(shape, siblings, most=most)

    def _allowed(self, node: Node) -> Iterator[str]:
        from rdflib import URIRef

        ignored = self._one(node, "ignoredProperties")
        if ignored is not None:
            yield from map(term_of, self._items(ignored))
        for inner in self.graph.objects(node, sh("property")):
            for path in self.graph.objects(inner, sh("path")):
                if isinstance(path, URIRef):
                    yield term_of(path)

    def queries(self, node: Node) -> tuple[QueryConstraint, ...]:
        """The SPARQL constraints. Raises Outside where one cannot be asked of all nodes at once."""
        found = []
        for constraint in self._sorted(node, "sparql"):
            if self.flag(constraint, "deactivated"):
                continue
            select = self._one(constraint, "select")
            if select is None:
                raise Outside("a SPARQL constraint has no sh:select")
            try:
                found.append(
                    QueryConstraint.read(
                        str(select), self._prefixes(constraint), self.message(constraint)
                    )
                )
            except ValueError as error:
                raise Outside(f"a SPARQL constraint {error}") from error
        return tuple(found)

    def _prefixes(self, constraint: Node) -> dict[str, str]:
        """What a query's prefixes stand for, its own and those of every ontology of the graph."""
        from rdflib import OWL, RDF

        found = {
            "rdf": str(RDF),
            "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
            "owl": str(OWL),
        }
        places = set(self.graph.objects(constraint, sh("prefixes")))
        if places:
            places |= set(self.graph.subjects(RDF.type, OWL.Ontology))
        for place in sorted(places, key=str):
            for declared in self.graph.objects(place, sh("declare")):
                prefix, namespace = self._one(declared, "prefix"), self._one(declared, "namespace")
                if prefix is None or namespace is None:
                    raise Outside("a prefix is not well declared")
                found[str(prefix)] = str(namespace)
        return found


def _component(parameter: str) -> str:
    return f"{parameter[0].upper()}{parameter[1:]}ConstraintComponent"


def _rank(text: Any) -> int:
    language = getattr(text, "language", None)
    return 0 if language == "en" else 1 if language is None else 2
