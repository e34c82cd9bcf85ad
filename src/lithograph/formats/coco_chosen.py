"""Which annotations an export holds: those that a query binds to ``?annotation``.

A query sorts its rows and binds more columns, for people to read. An export asks for one column
and sorts by IRI itself, and the engine sorts slowly: it reads both terms again for each pair that
it compares. So what the answer does not depend on is left out, where the text shows it plainly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyoxigraph as ox

from lithograph.errors import QueryError
from lithograph.graph.columns import text_of
from lithograph.queries import guard
from lithograph.queries.tokens import tokenize
from lithograph.rdf import PREFIXES

if TYPE_CHECKING:
    from lithograph.graph import Graph
    from lithograph.queries import Query

_VARIABLE: Final = r"[?$]\w+"
#: What may stand between SELECT and the pattern: no expression, no dataset, no comment.
_PROJECTION: Final = re.compile(
    rf"\s*(?:DISTINCT\b|REDUCED\b)?\s*(?:\*|(?:{_VARIABLE}\s*)+)\s*(?:WHERE\b)?\s*", re.IGNORECASE
)
#: What may stand behind the pattern: an order, and nothing that makes rows fewer or others.
_ORDER: Final = re.compile(
    r"(?!.*(?:LIMIT|OFFSET|GROUP|HAVING|VALUES))\s*(?:ORDER\b.*)?", re.IGNORECASE | re.DOTALL
)


def write_chosen(graph: Graph, query: Query, parameters: Mapping[str, object], path: Path) -> None:
    """Write what a query binds to ``?annotation`` into a file, a line each, as it is found.

    Raises QueryError where the query does not bind it, may not run, or fails.
    """
    query.require("annotation")
    guard(query.text)
    given = {key: str(getattr(value, "iri", value)) for key, value in parameters.items()}
    text = only(query.bind(given), "annotation")
    try:
        found: Any = graph.store.query(text, prefixes=PREFIXES, use_default_graph_as_union=True)
        found.serialize(str(path), format=ox.QueryResultsFormat.TSV)
    except (SyntaxError, ValueError, OSError, RuntimeError) as error:
        raise QueryError(f"query {query.name}: {error}", subject=query.name) from error


def read_chosen(path: Path) -> list[bytes]:
    """The IRIs that :func:`write_chosen` wrote, each once, sorted, in UTF-8."""
    head, _, rows = path.read_bytes().partition(b"\n")
    names = head.split(b"\t")
    cells = rows.replace(b"\n", b"\t").split(b"\t")[:-1]
    terms = set(cells[names.index(b"?annotation") :: len(names)]) - {b""}
    # As bytes UTF-8 sorts as its characters do.
    return sorted({each[1:-1] if each[:1] == b"<" else text_of(each).encode() for each in terms})


def only(text: str, variable: str) -> str:
    """A SELECT that gives the same values of one variable, if not as often and not in order.

    The text comes back as it is where it has more to it than a pattern, an order and variables.
    """
    tokens = list(tokenize(text))
    select = next((each for each in tokens if each.word == "SELECT"), None)
    depth, braces = 0, []
    for token in tokens:
        if token.kind == "mark" and token.text in {"{", "}"}:
            depth += 1 if token.text == "{" else -1
            braces.append((token.start, depth))
    # The first brace must be closed by the last: nothing stands behind but solution modifiers.
    if select is None or not braces or [at for at, deep in braces if deep <= 0] != [braces[-1][0]]:
        return text
    begin, end = braces[0][0], braces[-1][0] + 1
    before, behind = text[select.start + len("SELECT") : begin], text[end:]
    if not _PROJECTION.fullmatch(before) or not _ORDER.fullmatch(behind):
        return text
    return f"{text[: select.start]}SELECT ?{variable} WHERE {text[begin:end]}"
