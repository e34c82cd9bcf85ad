"""What the graph gives as columns: one predicate's subjects and objects, as the engine writes them.

A row that becomes Python objects costs microseconds, and the interpreter's lock for all of them.
The engine writes its answer as text (SPARQL 1.1 Query Results TSV, W3C Recommendation, 2013)
without the lock, so that columns are written in threads while others are read. The text comes
apart at tabs and line ends: inside a term both are escaped. Terms stay bytes, IRIs in ``<…>``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
import pyoxigraph as ox
from numpy.typing import NDArray

from lithograph.rdf.quads import value_of
from lithograph.rdf.terms import PREFIXES, term

if TYPE_CHECKING:
    from lithograph.graph import Graph

#: Rows of a column that are given at once, and bytes that are read at once.
ROWS: Final = 1 << 14
_BLOCK: Final = 1 << 21
_NUMBERS: Final = frozenset([int, float])


def count_of(graph: Graph, kind: str) -> int:
    """How often something is said to be of a class (``oa:Annotation``), over all named graphs."""
    table = graph.select(f"SELECT (COUNT(*) AS ?count) WHERE {{ GRAPH ?g {{ ?s a {kind} }} }}")
    return int(table.column("count")[0])


def write_column(graph: Graph, predicate: str, path: Path) -> None:
    """Write who has a predicate (``lg:status``) and what, over all named graphs, into a file.

    A triple that several graphs hold is there several times; rows are in no order.
    """
    # The results of a query must not leave the thread that asked it.
    results: Any = graph.store.query(
        f"SELECT ?subject ?object WHERE {{ GRAPH ?graph {{ ?subject {term(predicate)} ?object }} }}"
    )
    results.serialize(str(path), format=ox.QueryResultsFormat.TSV)


def read_column(
    path: Path, datatype: str | None = None
) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """The subjects and objects that :func:`write_column` wrote, :data:`ROWS` of them at once.

    Without ``datatype`` objects are terms. With one (``xsd:double``), which most of them have,
    they are lexical forms (of an IRI the IRI), escaped as inside a JSON string.
    """
    subjects: list[bytes] = []
    objects: list[bytes] = []
    with path.open("rb") as file:
        file.readline()
        while block := file.read(_BLOCK):
            block += file.readline()
            more_subjects, more_objects = _literals(block, datatype) if datatype else _terms(block)
            subjects += more_subjects
            objects += more_objects
            while len(subjects) >= ROWS:
                yield subjects[:ROWS], objects[:ROWS]
                del subjects[:ROWS], objects[:ROWS]
    if subjects:
        yield subjects, objects


def _terms(block: bytes) -> tuple[list[bytes], list[bytes]]:
    cells = block.replace(b"\n", b"\t").split(b"\t")
    return cells[:-1:2], cells[1::2]


def _literals(block: bytes, datatype: str) -> tuple[list[bytes], list[bytes]]:
    prefix, _, local = datatype.partition(":")
    kind = f"^^<{PREFIXES[prefix]}{local}>" if datatype != "xsd:string" else ""
    cells = block.replace(f'"{kind}\n'.encode(), b'\t"').split(b'\t"')
    # Two cells a row, no more and no less, where every object is of this datatype.
    if len(cells) == 2 * block.count(b"\n") + 1:
        return cells[:-1:2], cells[1::2]
    subjects, objects = _terms(block)
    return subjects, [orjson.dumps(text_of(each))[1:-1] for each in objects]


def text_of(written: bytes) -> str:
    """The IRI or the lexical form of a term in TSV, where numbers and booleans may stand bare."""
    text = written.decode("utf-8")
    return value_of(text) if text[0] in '<"_' else text


def numbers_of(forms: Sequence[bytes]) -> NDArray[np.float64]:
    """Lexical forms, as :func:`read_column` gives them, as floats; NaN for what is no number."""
    try:
        found = orjson.loads(b"[" + b",".join(forms) + b"]")
    except orjson.JSONDecodeError:
        found = []
    if len(found) != len(forms) or not _NUMBERS.issuperset(map(type, found)):
        found = [_number(orjson.loads(b'"%b"' % form)) for form in forms]
    return np.array(found, dtype=np.float64)


def _number(form: str) -> float:
    try:
        return float(form)
    except ValueError:
        return float("nan")
