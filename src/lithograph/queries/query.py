"""A query: its text, what it asks, the parameters that it takes and the columns that it gives.

The header of a ``.rq`` file is made of comments in a fixed form::

    # title: Annotations of a concept, and of everything narrower
    # description: One sentence or two.
    # parameter: concept concept – the concept
    # parameter: min_confidence decimal = 0.5 – least confidence
    # column: annotation – its IRI

A parameter is ``name type [= default] – text``; the variable of its name stands for its value,
and is not projected. A query without a header is a query all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, cast, get_args

import pyoxigraph as ox

from lithograph import resources
from lithograph.errors import QueryError
from lithograph.queries.binding import Term, bind_terms
from lithograph.queries.guard import Answer, Form, examine, guard
from lithograph.queries.tokens import tokenize

Type = Literal["concept", "iri", "string", "integer", "decimal", "dateTime", "language", "boolean"]

_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_NAME: Final = re.compile(r"[\w-]+")
_LINE: Final = re.compile(r"#\s*(title|description|parameter|column):\s*(.*)")
_PARAMETER: Final = re.compile(r"(\w+)\s+(\w+)(?:\s*=\s*(.*?))?\s+[–-]\s+(.+)")
_COLUMN: Final = re.compile(r"(\w+)\s+[–-]\s+(.+)")
_FORMS: Final[dict[str, re.Pattern[str]]] = {
    "concept": re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+"),
    "iri": re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+"),
    "string": re.compile(r".*", re.DOTALL),
    "integer": re.compile(r"[+-]?[0-9]+"),
    "decimal": re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"),
    "dateTime": re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?)?"
        r"(?:Z|[+-][0-9]{2}:[0-9]{2})?"
    ),
    "language": re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*"),
    "boolean": re.compile(r"true|false", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: bound to the variable of its name, as a term of its type."""

    name: str
    type: Type
    default: str | None
    text: str

    def term(self, value: str) -> Term:
        """The value as a term. ValueError says what was expected."""
        if not _FORMS[self.type].fullmatch(value):
            raise ValueError(f"expected {_said(self.type)}, found {value!r}")
        if self.type in {"concept", "iri"}:
            return ox.NamedNode(value)
        if self.type in {"string", "language"}:
            return ox.Literal(value)
        if self.type == "dateTime":
            value = _in_utc(value)
        if self.type == "boolean":
            value = value.lower()
        return ox.Literal(value, datatype=ox.NamedNode(_XSD + self.type))


def _in_utc(value: str) -> str:
    """A day, or a date and time, with its zone: UTC where it has none, as the runs' times are.

    A time without a zone compares with none that has one and lies within fourteen hours of it.
    """
    zone = re.search(r"(?:Z|[+-][0-9]{2}:[0-9]{2})$", value[10:])
    moment = value[: len(value) - len(zone[0])] if zone else value
    if "T" not in moment:
        moment = f"{moment}T00:00:00"
    return moment + (zone[0] if zone else "Z")


def _said(kind: Type) -> str:
    article = "an" if kind in {"iri", "integer"} else "a"
    return f"{article} {'concept (its IRI)' if kind == 'concept' else kind}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the answer."""

    name: str
    text: str


@dataclass(frozen=True)
class Query:
    """A query that was read, not yet asked."""

    name: str
    text: str
    title: str = ""
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    columns: tuple[Column, ...] = ()

    @classmethod
    def parse(cls, text: str, name: str = "query") -> Query:
        """A query from its text.

        QueryError where its header is ill-formed, where it may not run, or where a parameter is
        not used in it or stands where no term can.
        """
        found: dict[str, list[str]] = {}
        for line in text.splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                break
            if match := _LINE.match(line.strip()):
                found.setdefault(match[1], []).append(match[2].strip())
        query = cls(
            name=name,
            text=text,
            title=" ".join(found.get("title", [])),
            description=" ".join(found.get("description", [])),
            parameters=tuple(_parameter(line, name) for line in found.get("parameter", [])),
            columns=tuple(_column(line, name) for line in found.get("column", [])),
        )
        guard(text, name=name)
        if query.parameters:
            _check_parameters(query)
        return query

    @classmethod
    def read(cls, path: Path) -> Query:
        """A query from a file, named after it. QueryError where it cannot be read."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise QueryError(f"query {path}: cannot be read: {error}", subject=path) from error
        return cls.parse(text, path.stem or path.name)

    @cached_property
    def _answer(self) -> Answer:
        return examine(self.text, name=self.name)

    @property
    def form(self) -> Form:
        """SELECT, CONSTRUCT, ASK or DESCRIBE."""
        return self._answer.form

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that a SELECT binds, in order."""
        return self._answer.variables

    def require(self, variable: str) -> None:
        """Make sure, before anything runs, that the query is a SELECT that binds a variable."""
        if self.form != "SELECT" or variable not in self.variables:
            found = (
                ", ".join(f"?{each}" for each in self.variables) or "none"
                if self.form == "SELECT"
                else f"a query of form {self.form}"
            )
            raise QueryError(
                f"query {self.name}: expected a SELECT that binds ?{variable}, found {found}",
                subject=self.name,
            )

    def bind(self, given: Mapping[str, str]) -> str:
        """The text with the parameters bound as terms, ready to be asked.

        QueryError where one is unknown, missing or wrong.
        """
        declared = {parameter.name: parameter for parameter in self.parameters}
        takes = ", ".join(
            f"{p.name} ({p.type}{'' if p.default is None else f', default {p.default}'})"
            for p in self.parameters
        )
        bound: dict[str, Term] = {}
        for name in given:
            if name not in declared:
                raise QueryError(
                    f"query {self.name}: no parameter {name!r}; it takes {takes or 'none'}",
                    subject=name,
                )
        for name, parameter in declared.items():
            value = given.get(name, parameter.default)
            if value is None:
                raise QueryError(
                    f"query {self.name}: missing parameter {name!r}; it takes {takes}", subject=name
                )
            try:
                bound[name] = parameter.term(value)
            except ValueError as error:
                raise QueryError(
                    f"query {self.name}: parameter {name}: {error}", subject=name
                ) from error
        return bind_terms(self.text, bound)


#: A value of each type, to try a query with.
_SAMPLES: Final[dict[Type, str]] = {
    "concept": "urn:x",
    "iri": "urn:x",
    "string": "x",
    "integer": "1",
    "decimal": "1.0",
    "dateTime": "2000-01-01",
    "language": "en",
    "boolean": "true",
}


def _check_parameters(query: Query) -> None:
    """Every parameter is used, and the query is one still with a term in its place."""
    tokens = list(tokenize(query.text))
    used = {token.text[1:] for token in tokens if token.kind == "variable"}
    for parameter in query.parameters:
        name = parameter.name
        hidden = [t for t in tokens if t.kind == "iri" and re.search(rf"[?$]{name}\b", t.text)]
        if name not in used or hidden:
            why = f"it is read as a part of {hidden[0].text}" if hidden else "it is nowhere used"
            raise QueryError(
                f"query {query.name}: parameter {name}: expected ?{name} in the query, but {why}",
                subject=name,
            )
    sample = query.bind({each.name: _SAMPLES[each.type] for each in query.parameters})
    try:
        examine(sample, name=query.name)
    except QueryError as error:
        # Where the text without its parameters is at fault, say that.
        examine(query.text, name=query.name)
        names = ", ".join(f"?{parameter.name}" for parameter in query.parameters)
        raise QueryError(
            f"query {query.name}: a term must be able to stand for {names}; none can in SELECT or "
            f"after AS ({error})",
            subject=query.name,
        ) from error


def shipped() -> dict[str, Query]:
    """The shipped queries by name, sorted."""
    return {path.stem: Query.read(path) for path in sorted(resources.queries().glob("*.rq"))}


def is_shipped(name: str) -> bool:
    """Whether a shipped query has this name. None is read for it."""
    return bool(_NAME.fullmatch(name)) and (resources.queries() / f"{name}.rq").is_file()


def find(name: str, folders: Iterable[Path] = ()) -> Query:
    """A query by name, looked for in these folders and then among the shipped, or by path.

    QueryError names the nearest where there is none.
    """
    places = [*folders, resources.queries()]
    if _NAME.fullmatch(name):
        for folder in places:
            path = folder / f"{name}.rq"
            if path.is_file():
                return Query.read(path)
    if Path(name).suffix == ".rq" or "/" in name:
        return Query.read(Path(name))
    from rapidfuzz import process

    known = sorted({path.stem for folder in places for path in folder.glob("*.rq")})
    near = [found for found, _, _ in process.extract(name, known, limit=3, score_cutoff=50)]
    hint = f"the nearest: {', '.join(near)}" if near else "`lithograph query` lists them"
    raise QueryError(f"query {name}: there is none of that name; {hint}", subject=name)


def _parameter(line: str, name: str) -> Parameter:
    match = _PARAMETER.fullmatch(line)
    if match is None or match[2] not in get_args(Type):
        raise QueryError(
            f"query {name}: expected '# parameter: name type [= default] – text' with a type among "
            f"{', '.join(get_args(Type))}, found {line!r}",
            subject=name,
        )
    return Parameter(match[1], cast("Type", match[2]), match[3], match[4])


def _column(line: str, name: str) -> Column:
    match = _COLUMN.fullmatch(line)
    if match is None:
        raise QueryError(
            f"query {name}: expected '# column: name – text', found {line!r}", subject=name
        )
    return Column(match[1], match[2])
