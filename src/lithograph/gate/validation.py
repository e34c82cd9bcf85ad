"""A batch against the shapes, by pySHACL: the reference."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from lithograph.entities import Violation
from lithograph.errors import ShapesError
from lithograph.gate.shapes import Shapes
from lithograph.rdf import PREFIXES, iri_of, shorten

if TYPE_CHECKING:
    from pyoxigraph import Quad
    from rdflib import Graph
    from rdflib.term import Node

_SH: Final = "http://www.w3.org/ns/shacl#"
_PLACEHOLDER: Final = re.compile(r"\{[?$]\w+\}")


def validate(
    quads: Iterable[Quad], shapes: Shapes, *, context: Iterable[Quad] = ()
) -> tuple[Violation, ...]:
    """What the shapes say of a batch of quads, graph names aside, in a fixed order.

    ``context`` is what else is known of the nodes that the batch points at; it is there to be
    looked at, and complaints about its nodes are not reported. Nothing is inferred or fetched.
    Raises ShapesError where pySHACL cannot work with the shapes.
    """
    from pyshacl import validate as pyshacl_validate

    batch = list(quads)
    if not batch:
        return ()
    focus = {iri_of(quad.subject) for quad in batch}
    with _quiet():
        data = _rdflib_graph([*batch, *context], shapes.prepared)
    try:
        with _quiet():
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
        raise _failed(error) from error
    results = answer[1]
    # pySHACL may return its exception in place of the graph of results.
    if not hasattr(results, "subjects"):
        raise _failed(results)
    return _violations(cast("Graph", results), shapes.graph, focus)


@contextmanager
def _quiet() -> Iterator[None]:
    """No traceback on the terminal for a literal that is not of its datatype: a shape says so."""
    logger, silence = logging.getLogger("rdflib.term"), _Silence()
    logger.addFilter(silence)
    try:
        yield
    finally:
        logger.removeFilter(silence)


class _Silence(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return False


def _failed(what: object) -> ShapesError:
    brief = " ".join(str(what).split())[:300]
    return ShapesError(f"the shapes could not be applied: {brief}", subject="shapes")


def _rdflib_graph(quads: Iterable[Quad], prepared: dict[str, Any]) -> Graph:
    """The triples as rdflib has them, lexical forms kept; queries on it are parsed once."""
    from pyoxigraph import BlankNode, NamedNode
    from rdflib import BNode, Literal, URIRef

    known: dict[Any, Node] = {}

    def converted(term: Any) -> Node:
        node = known.get(term)
        if node is None:
            if isinstance(term, NamedNode):
                node = URIRef(term.value)
            elif isinstance(term, BlankNode):
                node = BNode(term.value)
            elif term.language:
                node = Literal(term.value, lang=term.language)
            elif term.datatype.value == f"{PREFIXES['xsd']}string":
                # rdflib tells "a" and "a"^^xsd:string apart, RDF 1.1 and the shapes do not.
                node = Literal(term.value)
            else:
                node = Literal(term.value, datatype=URIRef(term.datatype.value), normalize=False)
            known[term] = node
        return node

    graph = _remembering_graph(prepared)
    add = graph.store.add
    for quad in quads:
        add((converted(quad.subject), converted(quad.predicate), converted(quad.object)), graph)
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


def _violations(results: Graph, shapes: Graph, focus: set[str]) -> tuple[Violation, ...]:
    from rdflib import RDF, URIRef

    def one(result: Node, name: str) -> Node | None:
        return results.value(result, URIRef(_SH + name))

    found: set[Violation] = set()
    for result in results.subjects(RDF.type, URIRef(f"{_SH}ValidationResult")):
        node = one(result, "focusNode")
        if node is None or str(node) not in focus:
            continue
        path, value, shape = (
            one(result, "resultPath"),
            one(result, "value"),
            one(result, "sourceShape"),
        )
        severity = str(one(result, "resultSeverity")).removeprefix(_SH)
        found.add(
            Violation(
                focus=str(node),
                path=None if path is None else path_text(path, results, shapes),
                component=shorten(str(one(result, "sourceConstraintComponent"))).rpartition("#")[2],
                severity=cast('Literal["Violation", "Warning", "Info"]', severity),
                message=_message(
                    results.objects(result, URIRef(f"{_SH}resultMessage")),
                    [
                        text
                        for source in (one(result, "sourceConstraint"), shape)
                        if source is not None
                        for text in shapes.objects(source, URIRef(f"{_SH}message"))
                    ],
                ),
                value=None if value is None else str(value)[:500],
                shape=str(shape) if isinstance(shape, URIRef) else None,
            )
        )
    return tuple(
        sorted(found, key=lambda v: (v.focus, v.path or "", v.component, v.message, v.value or ""))
    )


def _message(messages: Iterable[Any], templates: Iterable[Any]) -> str:
    """The English message, else the one without a language, else the first.

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
            return "/".join(path_text(each, *graphs) for each in Collection(graph, path))
    return "a path"


def _bracketed(text: str) -> str:
    return f"({text})" if any(mark in text for mark in "|/^") else text
