"""What a SELECT gives: a table of RDF terms that turns into whatever people work with."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from lithograph.rdf import literal_value, shorten

if TYPE_CHECKING:
    import pandas
    import pyarrow

Term = NamedNode | BlankNode | Literal | Triple | None

_STRING = "http://www.w3.org/2001/XMLSchema#string"
_LANGUAGE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of RDF terms under named columns; an unbound cell is None.

    Iterating gives one mapping per row, column name → plain Python value (IRIs and strings as
    ``str``, numbers as ``int`` or ``float``). ``rows`` has the terms themselves.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[Term, ...]]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self.rows:
            yield dict(zip(self.columns, map(literal_value, row), strict=True))

    def column(self, name: str) -> list[Any]:
        """One column as plain Python values. KeyError where there is no such column."""
        if name not in self.columns:
            raise KeyError(f"{name}: expected one of {', '.join(self.columns)}")
        index = self.columns.index(name)
        return [literal_value(row[index]) for row in self.rows]

    def to_json(self) -> bytes:
        """SPARQL 1.1 Query Results JSON (W3C Recommendation, 2013)."""
        bindings = [
            {
                name: _json_term(term)
                for name, term in zip(self.columns, row, strict=True)
                if term is not None
            }
            for row in self.rows
        ]
        return orjson.dumps(
            {"head": {"vars": list(self.columns)}, "results": {"bindings": bindings}},
            option=orjson.OPT_INDENT_2,
        )

    def to_csv(self) -> str:
        """SPARQL 1.1 Query Results CSV (W3C Recommendation, 2013): plain values, CRLF lines."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(self.columns)
        for row in self.rows:
            writer.writerow(["" if term is None else _plain(term) for term in row])
        return text.getvalue()

    def to_pandas(self) -> pandas.DataFrame:
        """A pandas DataFrame of plain values. Needs the ``data`` extra."""
        import pandas

        return pandas.DataFrame({name: self.column(name) for name in self.columns})

    def to_arrow(self) -> pyarrow.Table:
        """A pyarrow Table of plain values. Needs the ``data`` extra."""
        import pyarrow

        return pyarrow.table({name: self.column(name) for name in self.columns})

    def shown(self) -> list[list[str]]:
        """The cells as people read them: known prefixes short, literals bare."""
        return [
            ["" if term is None else shorten(_plain(term)) for term in row] for row in self.rows
        ]

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.shown()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _plain(term: NamedNode | BlankNode | Literal | Triple) -> str:
    return str(term) if isinstance(term, Triple) else term.value


def _json_term(term: NamedNode | BlankNode | Literal | Triple) -> dict[str, Any]:
    if isinstance(term, NamedNode):
        return {"type": "uri", "value": term.value}
    if isinstance(term, BlankNode):
        return {"type": "bnode", "value": term.value}
    if isinstance(term, Triple):
        parts = {
            "subject": _json_term(term.subject),
            "predicate": _json_term(term.predicate),
            "object": _json_term(term.object),
        }
        return {"type": "triple", "value": parts}
    literal: dict[str, Any] = {"type": "literal", "value": term.value}
    if term.language:
        literal["xml:lang"] = term.language
    elif term.datatype.value not in {_STRING, _LANGUAGE}:
        literal["datatype"] = term.datatype.value
    return literal
