"""A batch against the shapes, by pySHACL: the reference, node by node.

It is what :mod:`lithograph.gate.validation` is held to, and what asks the shapes that are outside
of what that one asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from lithograph.entities import Violation
from lithograph.errors import ShapesError
from lithograph.gate.evaluation import plain_message
from lithograph.gate.shapes import Shapes
from lithograph.gate.values import literal_of, quiet, term_of
from lithograph.rdf import Quad, shorten
from lithograph.rdf.quads import value_of

if TYPE_CHECKING:
    from rdflib import Graph
    from rdflib.term import Node

_SH: Final = "http://www.w3.org/ns/shacl#"
_PLACEHOLDER: Final = re.compile(r"\{[?$]\w+\}")


def validate(
    quads: Iterable[Quad],
    shapes: Shapes,
    *,
    context: Iterable[Quad] = (),
    everywhere: bool = False,
) -> tuple[Violation, ...]:
    """As :func:`lithograph.gate.validate`, by pySHACL; its time is some thousand times longer.

    ``everywhere``, what is said of nodes of the context, and of nodes that nothing is said of, is
    told too. Raises ShapesError where pySHACL cannot work with the shapes.
    """
    from pyshacl import validate as pyshacl_validate

    batch = list(quads)
    if not batch:
        return ()
    focus = None if everywhere else {subject for subject, *_ in batch}
    data = _rdflib_graph([*batch, *context], shapes.prepared)
    try:
        with quiet():
            answer = pyshacl_validate(
                data,
                shacl_graph=shapes.graph,
                inference="none",
                advanced=False,
                js=False,
                do_owl_imports=False,
                allow_infos=True,
                allow_warnings=True,
            )
    except Exception as error:
        raise failed(error) from error
    results = answer[1]
    # pySHACL may return its exception in place of the graph of results.
    if not hasattr(results, "subjects"):
        raise failed(results)
    return _violations(cast("Graph", results), shapes.graph, focus)


def failed(what: object) -> ShapesError:
    """The error to raise where shapes could not be applied."""
    brief = " ".join(str(what).split())[:300]
    return ShapesError(f"the shapes could not be applied: {brief}", subject="shapes")


def _rdflib_graph(quads: Iterable[Quad], prepared: dict[str, Any]) -> Graph:
    """The triples as rdflib has them, lexical forms kept; queries on it are parsed once."""
    from rdflib import BNode, URIRef

    known: dict[str, Node] = {}

    def converted(term: str) -> Node:
        node = known.get(term)
        if node is None:
            if term[0] == "<":
                node = URIRef(value_of(term))
            elif term[0] == "_":
                node = BNode(value_of(term))
            else:
                node = literal_of(term)
            known[term] = node
        return node

    graph = _remembering_graph(prepared)
    add = graph.store.add
    for subject, predicate, value, _ in quads:
        add((converted(subject), converted(predicate), converted(value)), graph)
    return graph


def _remembering_graph(prepared: dict[str, Any]) -> Graph:
    """An empty graph that parses each query once, into ``prepared``.

    pySHACL asks the same text anew for every focus node, and rdflib's parser takes some 70 ms.
    """
    from rdflib import Graph
    from rdflib.plugins.sparql import prepareQuery

    class RememberingGraph(Graph):
        def query(self, query_object: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(query_object, str):
                if query_object not in prepared:
                    prepared[query_object] = prepareQuery(query_object)
                query_object = prepared[query_object]
            return super().query(query_object, *args, **kwargs)

    return RememberingGraph(bind_namespaces="none")


def _violations(results: Graph, shapes: Graph, focus: set[str] | None) -> tuple[Violation, ...]:
    from rdflib import URIRef

    def one(result: Node, name: str) -> Node | None:
        return results.value(result, URIRef(_SH + name))

    found: set[Violation] = set()
    # A result of a nested shape is a detail of one of these, and no violation of its own.
    for result in results.objects(None, URIRef(f"{_SH}result")):
        node = one(result, "focusNode")
        if node is None or (focus is not None and term_of(node) not in focus):
            continue
        path, value, shape = (
            one(result, "resultPath"),
            one(result, "value"),
            one(result, "sourceShape"),
        )
        severity = str(one(result, "resultSeverity")).removeprefix(_SH)
        kind, where = str(one(result, "sourceConstraintComponent")), None
        component = shorten(kind).rpartition("#")[2]
        if path is not None:
            where = path_text(path, results, shapes)
        templates = [
            text
            for source in (one(result, "sourceConstraint"), shape)
            if source is not None
            for text in shapes.objects(source, URIRef(f"{_SH}message"))
        ]
        if templates or not kind.startswith(_SH):
            message = _message(results.objects(result, URIRef(f"{_SH}resultMessage")), templates)
        else:
            message = plain_message(component, where)
        found.add(
            Violation(
                focus=str(node),
                path=where,
                component=component,
                severity=cast('Literal["Violation", "Warning", "Info"]', severity),
                message=message,
                value=None if value is None else str(value)[:500],
                shape=str(shape) if isinstance(shape, URIRef) else None,
            )
        )
    return ordered(found)


def ordered(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """Violations in the order in which they are told."""
    return tuple(
        sorted(
            violations,
            key=lambda v: (
                *(v.focus, v.path or "", v.component, v.message, v.value or ""),
                *(v.shape or "", v.severity),
            ),
        )
    )


def _message(messages: Iterable[Any], templates: Iterable[Any]) -> str:
    """The English message, else the one without a language, else the first; empty for none.

    pySHACL drops the language of what a SPARQL constraint says: it is that of the template, which
    may hold variables in braces.
    """
    english = [
        re.compile(".*".join(map(re.escape, _PLACEHOLDER.split(text))), re.DOTALL)
        for text in templates
        if text.language == "en"
    ]

    def rank(text: Any) -> tuple[int, str]:
        if text.language == "en" or any(form.fullmatch(text) for form in english):
            return 0, str(text)
        return (1 if text.language is None else 2), str(text)

    ordered = sorted(messages, key=rank)
    return " ".join(str(ordered[0]).split()) if ordered else ""


def path_text(path: Node, *graphs: Graph) -> str:
    """A SHACL property path as SPARQL writes it, with known prefixes."""
    from rdflib import RDF, URIRef
    from rdflib.collection import Collection

    if isinstance(path, URIRef):
        return shorten(str(path))
    for graph in graphs:
        for name, form in (
            ("inversePath", "^{}"),
            ("zeroOrMorePath", "{}*"),
            ("oneOrMorePath", "{}+"),
            ("zeroOrOnePath", "{}?"),
        ):
            inner = graph.value(path, URIRef(_SH + name))
            if inner is not None:
                return form.format(_bracketed(path_text(inner, *graphs)))
        alternatives = graph.value(path, URIRef(f"{_SH}alternativePath"))
        if alternatives is not None:
            return "|".join(path_text(each, *graphs) for each in Collection(graph, alternatives))
        if graph.value(path, RDF.first) is not None:
            texts = [path_text(each, *graphs) for each in Collection(graph, path)]
            return "/".join(f"({text})" if "|" in text else text for text in texts)
    return "a path"


def _bracketed(text: str) -> str:
    return f"({text})" if any(mark in text for mark in "|/^") else text
