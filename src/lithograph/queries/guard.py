"""Whether a query from outside may run, and what it would give."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pyoxigraph as ox

from lithograph.errors import QueryError
from lithograph.queries.tokens import Token, calls_service, tokenize
from lithograph.rdf import PREFIXES

Form = Literal["SELECT", "CONSTRUCT", "ASK", "DESCRIBE"]

_FORMS: Final[tuple[Form, ...]] = ("SELECT", "CONSTRUCT", "ASK", "DESCRIBE")
_UPDATES: Final = frozenset(
    ["INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH"]
)
#: The engine's parser and planner are recursive: some thousand levels of brackets, chained
#: operators, triples or list members overflow the stack, and the whole process dies. The planner's
#: time grows with the cube of the triples. Queries that people write stay far below (the largest
#: shipped one has some 60 clauses); the values of a VALUES or an IN may be as many as fit.
MAX_LENGTH: Final = 100_000
MAX_DEPTH: Final = 60
MAX_CLAUSES: Final = 250
MAX_NAME: Final = 250

_NAMES: Final = re.compile("[A-Za-z0-9_.:%\u0080-\U0010ffff-]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gives: its form, and for a SELECT the variables that it binds, in order."""

    form: Form
    variables: tuple[str, ...]


def guard(text: str, *, graphs: Container[str] = (), name: str = "query") -> None:
    """Refuse a query that may not run; say nothing of one that may.

    Refused are updates of every kind, SERVICE (it would open a network connection), FROM and FROM
    NAMED with anything but the IRIs in ``graphs`` (nothing is ever fetched), and queries so deep or
    long that the engine's parser could not stand them. The words inside comments, strings, IRIs,
    variables and prefixed names mean nothing. Raises QueryError with ``name`` as its subject.

    The text is read by its terminals, under every reading they allow, rather than parsed: what
    decides is that no reading holds a SERVICE clause, whichever parser runs the query later.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(
            f"{name}: expected at most {MAX_LENGTH} characters, found {len(text)}", subject=name
        )
    longest = max((len(word) for word in _NAMES.findall(text)), default=0)
    if longest > MAX_NAME:
        raise QueryError(
            f"{name}: expected names of at most {MAX_NAME} characters, found {longest}",
            subject=name,
        )
    tokens = list(tokenize(text))
    _check_size(tokens, name)
    first = next((token.word for token in tokens if token.word in {*_FORMS, *_UPDATES}), "")
    if first in _UPDATES:
        raise QueryError(
            f"{name}: {first} is an update; expected one of {', '.join(_FORMS)}", subject=name
        )
    if calls_service(text):
        raise QueryError(
            f"{name}: SERVICE would call another server, which is not allowed here", subject=name
        )
    for dataset in _datasets(tokens):
        if dataset not in graphs:
            raise QueryError(
                f"{name}: FROM <{dataset}>: expected a graph of this store, found none of that "
                "name, and nothing is fetched; say GRAPH for one graph of the store",
                subject=name,
            )


def examine(text: str, *, name: str = "query") -> Answer:
    """The form of a query and the variables that it binds, as the engine reads it, on no data.

    Raises QueryError where it is no SPARQL 1.1 query. The prefixes of the graph model are known.
    Guard the text first: an unguarded SERVICE could already be called.
    """
    found = next((token.word for token in tokenize(text) if token.word in _FORMS), None)
    form = next((form for form in _FORMS if form == found), None)
    try:
        results = ox.Store().query(text, prefixes=PREFIXES)
    except (SyntaxError, ValueError, RuntimeError, OSError) as error:
        raise QueryError(f"{name}: not a SPARQL query: {_brief(error)}", subject=name) from error
    if form is None:
        raise QueryError(
            f"{name}: expected one of {', '.join(_FORMS)}, found none of them", subject=name
        )
    if isinstance(results, ox.QuerySolutions):
        return Answer(form, tuple(variable.value for variable in results.variables))
    return Answer(form, ())


def variables(text: str, *, name: str = "query") -> tuple[str, ...]:
    """The variables that a SELECT binds, in order; none for any other form. See :func:`examine`."""
    return examine(text, name=name).variables


def _check_size(tokens: Sequence[Token], name: str) -> None:
    # Each open bracket with the number of terms in it since its last comma.
    within: list[tuple[str, int]] = [("", 0)]
    deepest = clauses = chain = longest = 0
    for token in tokens:
        bracket, terms = within[-1]
        if token.text in {")", "}", "]"} and len(within) > 1:
            within.pop()
        elif token.text == "," and bracket == "(":
            within[-1] = (bracket, 0)
        else:
            within[-1] = (bracket, terms + 1)
            longest = max(longest, terms + 1 if bracket == "(" else 0)
        if token.text in {"(", "{", "["}:
            within.append((token.text, 0))
        chain = chain + 1 if token.text in {"!", "-", "+"} else 0
        deepest = max(deepest, len(within) - 1 + chain)
        clauses += _counts(token, bracket)
    for what, most, found in (
        ("levels of brackets", MAX_DEPTH, deepest),
        ("clauses and operators", MAX_CLAUSES, clauses),
        ("members in one list", MAX_CLAUSES, longest),
    ):
        if found > most:
            raise QueryError(f"{name}: expected at most {most} {what}, found {found}", subject=name)


def _counts(token: Token, bracket: str) -> bool:
    """Whether a token adds a clause, a triple or an operator; a long list of values is harmless."""
    if token.kind == "mark":
        return token.text not in (",()" if bracket == "(" else "()]}")
    return token.kind == "word" or not bracket


def _datasets(tokens: Sequence[Token]) -> Iterator[str]:
    """The IRIs after FROM and FROM NAMED; an IRI that cannot be told as it stands in the text."""
    prefixes = dict(PREFIXES)
    for index, token in enumerate(tokens):
        following = [after.text for after in tokens[index + 1 : index + 3]]
        if token.word == "PREFIX" and len(following) == 2:
            prefixes[following[0].removesuffix(":")] = following[1][1:-1]
        if token.word == "FROM" and following:
            named = following[0].upper() == "NAMED" and len(following) == 2
            written = following[1] if named else following[0]
            prefix, colon, local = written.partition(":")
            if written.startswith("<"):
                yield written[1:-1]
            elif colon:
                yield prefixes.get(prefix, f"{prefix}:") + local
            else:
                yield written


def _brief(error: Exception) -> str:
    """The engine's complaint on one line, without its list of all that it had expected."""
    line = " ".join(str(error).split())
    return re.sub(r"expected one of .*", "the text is not what SPARQL expects there", line)[:200]
