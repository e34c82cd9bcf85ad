"""SPARQL constraints, asked of a whole batch at once in a store of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyoxigraph as ox

from lithograph.errors import ShapesError
from lithograph.gate.constraints import Complaint
from lithograph.gate.data import Data
from lithograph.gate.prebinding import looks_at
from lithograph.rdf.quads import value_of

if TYPE_CHECKING:
    from lithograph.gate.plan import Shape

_PLACEHOLDER: Final = re.compile(r"\{[?$](\w+)\}")


@dataclass(frozen=True, slots=True)
class QueryConstraint:
    """A SELECT that gives what is wrong. ``looks_at`` are its predicates, None for all of them."""

    text: str
    prefixes: Mapping[str, str]
    message: str
    looks_at: frozenset[str] | None

    @classmethod
    def read(cls, text: str, prefixes: Mapping[str, str], message: str) -> QueryConstraint:
        """A constraint from its query. Raises ValueError where it is asked node by node."""
        return cls(text, prefixes, message, looks_at(text, prefixes))


class Asked:
    """The data of one validation, loaded for its queries as far as these look at them."""

    def __init__(self, data: Data, queries: Iterable[QueryConstraint]) -> None:
        self._data = data
        self._looks_at = {query.looks_at for query in queries}
        self._store = ox.Store()

    def load(self) -> None:
        """Load what the queries look at: before any of them is asked, and once."""
        everything = self._data.columns.keys()
        wanted: set[str] = set()
        for predicates in self._looks_at:
            wanted |= everything if predicates is None else predicates
        lines: list[str] = []
        for predicate in wanted & everything:
            column = self._data.column(predicate)
            between = f" {predicate} "
            pairs = zip(column.subjects, column.objects, strict=True)
            lines += [f"{subject}{between}{value} .\n" for subject, value in pairs]
        text = "".join(lines)
        if "_:" in text:
            # Loading gives blank nodes new names; parsing alone keeps them.
            self._store.bulk_extend(
                ox.Quad(triple.subject, triple.predicate, triple.object)
                for triple in ox.parse(text, format=ox.RdfFormat.N_TRIPLES)
            )
        else:
            self._store.bulk_load(text.encode("utf-8"), format=ox.RdfFormat.N_TRIPLES)

    def complaints(
        self, constraint: QueryConstraint, nodes: set[str], shape: Shape, loading: Future[None]
    ) -> list[Complaint]:
        """What the query gives of these nodes, once all is loaded.

        Raises ShapesError where the engine refuses the query.
        """
        loading.result()
        try:
            answer: Any = self._store.query(constraint.text, prefixes=dict(constraint.prefixes))
        except SyntaxError as error:
            brief = " ".join(str(error).split())[:300]
            raise ShapesError(
                f"the shapes could not be applied: {brief}", subject=shape.iri or "shapes"
            ) from error
        names = [variable.value for variable in answer.variables]
        this = names.index("this")
        found = []
        for row in answer:
            node = str(row[this])
            if node not in nodes:
                continue
            bound = {
                name: str(term) for name, term in zip(names, row, strict=True) if term is not None
            }
            own_value = node if shape.path is None else None
            found.append(
                Complaint(
                    node,
                    value=bound.get("value", own_value),
                    path=bound.get("path"),
                    message=_filled(constraint.message or shape.message, bound),
                )
            )
        return found


def _filled(message: str, bound: Mapping[str, str]) -> str:
    """The message with the placeholders of variables filled in."""

    def value(match: re.Match[str]) -> str:
        term = bound.get(match[1])
        return match[0] if term is None else value_of(term)

    return _PLACEHOLDER.sub(value, message)
