"""Whether a SPARQL constraint may be asked of all nodes at once.

SHACL-SPARQL asks a query anew for each focus node, with ``$this`` replaced by it everywhere
("pre-binding", SHACL section 5.3.1 and appendix A). Asked once, with ``?this`` a variable, it gives
the same answers for a node where every part of the query either binds ``?this`` by itself,
surely, or never speaks of it: joins then meet on it, and each filter, OPTIONAL and EXISTS has it
bound when it is evaluated. This reads the query's algebra (SPARQL 1.1, section 18) and says so, or
why not. Nothing is taken on trust: what is not known here is refused, and the query is left to
pySHACL, which asks node by node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_THIS: Final = "this"
_RESERVED: Final = frozenset({"shapesGraph", "currentShape", "PATH", "failure"})


def looks_at(text: str, prefixes: Mapping[str, str]) -> frozenset[str] | None:
    """The predicates, as terms, that a query looks at; None where it looks at all of them.

    Raises ValueError, beginning with a verb, where the query cannot be asked of all nodes at once.
    """
    from rdflib.plugins.sparql import prepareQuery

    try:
        algebra = prepareQuery(text, initNs=dict(prefixes)).algebra
    except Exception as error:
        brief = " ".join(str(error).split())[:200]
        raise ValueError(f"is not SPARQL 1.1: {brief}") from error
    if algebra.name != "SelectQuery" or algebra.datasetClause:
        raise ValueError("is no plain SELECT")
    _check_reserved(algebra.p)
    if _THIS not in map(str, algebra.PV):
        raise ValueError("does not select $this")
    if not _binds(algebra.p):
        raise ValueError("does not bind $this by itself")
    return _predicates(algebra.p)


def _binds(part: Any) -> bool:
    """Whether a part surely binds ``?this`` (True) or never speaks of it (False).

    Raises ValueError for anything between the two, and for what is not known here.
    """
    kind = part.name
    if kind == "BGP":
        return any(_names(node) for triple in part.triples for node in triple)
    if kind == "Join":
        # Both are looked at: neither may be in between.
        return any([_binds(part.p1), _binds(part.p2)])
    if kind == "Union":
        first, second = _binds(part.p1), _binds(part.p2)
        if first != second:
            raise ValueError("binds $this in one branch of a UNION only")
        return first
    if kind == "LeftJoin":
        first, second = _binds(part.p1), _binds(part.p2)
        _check_expression(part.expr, bound=first)
        if second and not first:
            raise ValueError("binds $this in an OPTIONAL only")
        return first
    if kind == "Filter":
        bound = _binds(part.p)
        _check_expression(part.expr, bound=bound)
        return bound
    if kind == "Extend":
        bound = _binds(part.p)
        if str(part.var) == _THIS:
            raise ValueError("sets $this")
        _check_expression(part.expr, bound=bound)
        return bound
    if kind in {"Distinct", "Reduced", "OrderBy"}:
        return _binds(part.p)
    if kind == "Project":
        # SHACL forbids a sub-query that does not give $this; pySHACL says so.
        if _THIS not in map(str, part.PV):
            raise ValueError("hides $this in a sub-query")
        return _binds(part.p)
    if kind == "ToMultiSet" and "p" in part:
        return _binds(part.p)
    raise ValueError(f"uses {kind}, which is asked node by node")


def _check_expression(expression: Any, *, bound: bool) -> None:
    """Raise ValueError where an expression needs ``$this`` that is not bound under it."""
    for each in _walk(expression):
        if not bound and _names(each):
            raise ValueError("needs $this where it is not bound")
        if getattr(each, "name", "") in _EXISTS:
            _check_exists(each.graph)


def _check_exists(part: Any) -> None:
    """A pattern in EXISTS is given the bindings around it; only plain ones surely get them all."""
    for each in _walk(part):
        kind = getattr(each, "name", None)
        if isinstance(kind, str) and kind not in _PLAIN and not _EXPRESSION.fullmatch(kind):
            raise ValueError(f"uses {kind} within EXISTS")


_PLAIN: Final = frozenset(("BGP", "Join", "LeftJoin", "Union", "Filter", "Extend"))
_EXPRESSION: Final = re.compile(r"Builtin_\w+|\w*Expression|Function|Unary\w+|literal|vars|pname")
_EXISTS: Final = frozenset(("Builtin_EXISTS", "Builtin_NOTEXISTS"))


def _walk(part: Any) -> Iterator[Any]:
    """A part of the algebra and everything in it."""
    from rdflib.plugins.sparql.parserutils import CompValue

    yield part
    inner: list[Any] = []
    if isinstance(part, CompValue) and part.name in _EXISTS:
        # The algebra is the attribute; the item of that name is the parse tree.
        inner = [part.graph]
    elif isinstance(part, CompValue):
        inner = list(part.values())
    elif isinstance(part, list | tuple | set | frozenset):
        inner = list(part)
    for each in inner:
        yield from _walk(each)


def _names(node: Any) -> bool:
    """Whether a node of the algebra is ``?this``."""
    from rdflib import Variable

    return isinstance(node, Variable) and str(node) == _THIS


def _check_reserved(part: Any) -> None:
    """Raise ValueError for a variable that means something to SHACL, other than ``?this``."""
    from rdflib import Variable

    for each in _walk(part):
        if isinstance(each, Variable) and str(each) in _RESERVED:
            raise ValueError(f"uses ${each}, which is asked node by node")


def _predicates(part: Any) -> frozenset[str] | None:
    from rdflib import URIRef, Variable
    from rdflib.paths import Path

    found: set[str] = set()
    for each in _walk(part):
        if getattr(each, "name", "") != "BGP":
            continue
        for _, predicate, _ in each.triples:
            if isinstance(predicate, Variable):
                return None
            if isinstance(predicate, URIRef):
                found.add(f"<{predicate}>")
            elif isinstance(predicate, Path):
                inner = _of_path(predicate)
                if inner is None:
                    return None
                found |= inner
    return frozenset(found)


def _of_path(path: Any) -> frozenset[str] | None:
    from rdflib import URIRef
    from rdflib.paths import AlternativePath, InvPath, MulPath, SequencePath

    if isinstance(path, URIRef):
        return frozenset((f"<{path}>",))
    if isinstance(path, SequencePath | AlternativePath):
        parts = [_of_path(each) for each in path.args]
    elif isinstance(path, InvPath):
        parts = [_of_path(path.arg)]
    elif isinstance(path, MulPath) and path.mod == "+":
        parts = [_of_path(path.path)]
    else:
        # A path of no steps meets every node, a negated one every predicate.
        return None
    if any(part is None for part in parts):
        return None
    return frozenset().union(*(part for part in parts if part is not None))
