"""What the graph gives as columns: subjects and objects of predicates, as the engine writes them.

A row that becomes Python objects costs microseconds, and the interpreter's lock for all of them.
The engine writes its answer as text (SPARQL 1.1 Query Results TSV, W3C Recommendation, 2013)
without the lock, so that columns are written in threads while others are read. The text comes
apart at tabs and line ends: inside a term both are escaped. Terms stay bytes, IRIs in ``<…>``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import orjson
import pyoxigraph as ox
from numpy.typing import NDArray

from lithograph.rdf.quads import text_term, value_of
from lithograph.rdf.terms import PREFIXES, term

if TYPE_CHECKING:
    from lithograph.graph import Graph

#: Rows that are given at once, and bytes that are read at once.
ROWS: Final = 1 << 14
_BLOCK: Final = 1 << 20
_NUMBERS: Final = frozenset([int, float])

#: How the engine joins the predicates of one subject: by looking up each for each subject, which
#: is quick in memory, or by tables of all rows, which is quick on disk and takes some 300 bytes a
#: row and predicate.
Join = Literal["look up", "tables"]


def count_of(graph: Graph, kind: str) -> int:
    """How often something is said to be of a class (``oa:Annotation``), over all named graphs."""
    table = graph.select(f"SELECT (COUNT(*) AS ?count) WHERE {{ GRAPH ?g {{ ?s a {kind} }} }}")
    return int(table.column("count")[0])


def write_columns(
    graph: Graph, predicates: Sequence[str], path: Path, join: Join = "look up"
) -> None:
    """Write into a file who has all of these predicates (``lg:status``), and what.

    All named graphs count, together; what is there several times is written several times. Rows are
    in no order.
    """
    patterns = [
        f"GRAPH ?g{number} {{ ?s {term(name)} ?o{number} }}"
        for number, name in enumerate(predicates)
    ]
    if join == "tables":
        patterns = [
            f"{{ SELECT ?s ?o{number} {{ {pattern} }} }}" for number, pattern in enumerate(patterns)
        ]
    objects = " ".join(f"?o{number}" for number in range(len(predicates)))
    # The results of a query must not leave the thread that asked it.
    results: Any = graph.store.query(f"SELECT ?s {objects} WHERE {{ {' '.join(patterns)} }}")
    results.serialize(str(path), format=ox.QueryResultsFormat.TSV)


def read_columns(
    path: Path, width: int, datatype: str | None = None
) -> Iterator[tuple[list[bytes], list[list[bytes]]]]:
    """The subjects that :func:`write_columns` wrote, and the objects of ``width`` predicates.

    They come :data:`ROWS` at once. Without ``datatype`` objects are terms. With one
    (``xsd:double``), which most of them have, they are lexical forms (of an IRI the IRI), escaped
    as between the quotation marks of a literal.
    """
    columns: list[list[bytes]] = [[] for _ in range(width + 1)]
    with path.open("rb") as file:
        file.readline()
        while block := file.read(_BLOCK):
            block += file.readline()
            cells = _forms(block, width, datatype) if datatype else _terms(block)
            for number, column in enumerate(columns):
                column += cells[number :: width + 1]
            while len(columns[0]) >= ROWS:
                yield columns[0][:ROWS], [column[:ROWS] for column in columns[1:]]
                columns = [column[ROWS:] for column in columns]
    if columns[0]:
        yield columns[0], columns[1:]


def _terms(block: bytes) -> list[bytes]:
    return block.replace(b"\n", b"\t").split(b"\t")[:-1]


def _forms(block: bytes, width: int, datatype: str) -> list[bytes]:
    prefix, _, local = datatype.partition(":")
    end = b'"' if datatype == "xsd:string" else f'"^^<{PREFIXES[prefix]}{local}>'.encode()
    rows = block.count(b"\n")
    if width == 1:
        cells = block.replace(end + b"\n", b'\t"').split(b'\t"')
    elif block.count(end) == width * rows:
        cells = block.replace(end, b"").replace(b"\n", b'\t"').split(b'\t"')
    else:
        cells = []
    # As many cells as there are, where every object is a literal of this datatype.
    if len(cells) == (width + 1) * rows + 1:
        return cells[:-1]
    return [
        text_term(text_of(cell))[1:-1].encode() if number % (width + 1) else cell
        for number, cell in enumerate(_terms(block))
    ]


def text_of(written: bytes) -> str:
    """The IRI or the lexical form of a term in TSV, where numbers and booleans may stand bare."""
    text = written.decode("utf-8")
    return value_of(text) if text[0] in '<"_' else text


def unescaped(form: bytes) -> str:
    """The lexical form that :func:`read_columns` gives, as it is meant."""
    if b"\\" not in form:
        return form.decode("utf-8")
    try:
        # The escapes are JSON's; characters that JSON must escape may stand as they are.
        return str(orjson.loads(b'"%b"' % form))
    except orjson.JSONDecodeError:
        return text_of(b'"%b"' % form)


def numbers_of(forms: Sequence[bytes]) -> NDArray[np.float64]:
    """Lexical forms, as :func:`read_columns` gives them, as floats; NaN for what is no number."""
    try:
        found = orjson.loads(b"[" + b",".join(forms) + b"]")
    except orjson.JSONDecodeError:
        found = []
    # In JSON a whole number has no negative zero.
    if len(found) != len(forms) or not _NUMBERS.issuperset(map(type, found)) or b"-0" in forms:
        found = list(map(_number, forms))
    return np.array(found, dtype=np.float64)


def _number(form: bytes) -> float:
    try:
        return float(unescaped(form))
    except ValueError:
        return float("nan")
