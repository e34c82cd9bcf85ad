"""SPARQL text → tokens, and every way in which it could be read.

The terminals are those of SPARQL 1.1 (W3C Recommendation, 2013, section 19.8). One of them cannot
be told apart without the grammar: ``<`` opens an IRI in a triple and compares in an expression, so
that ``?a<'x>' ) SERVICE <…> {…} FILTER('y'='y'`` is harmless under one reading and opens a network
connection under the other. :func:`tokenize` takes the likelier reading, to find its way in queries
of good faith; :func:`calls_service` follows all of them, for queries of any faith.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# Outside ASCII, SPARQL knows names only: a character that is in no name is a syntax error anyway.
_START = "A-Za-z_\u0080-\U0010ffff"
_NAME = f"{_START}0-9\\-"
_LOCAL = rf"(?:[{_NAME}:]|%[0-9A-Fa-f]{{2}}|\\[_~.\-!$&'()*+,;=/?#@%])"
_IRI = r'<[^<>"{}|^`\x00-\x20]*>'
_VARIABLE = f"[?$][{_START}0-9]+"
_PREFIXED = rf"(?:[{_START}](?:[{_NAME}.]*[{_NAME}])?)?:(?:{_LOCAL}(?:\.*{_LOCAL})*)?"
_STRING = (
    r"'''(?:'{0,2}(?:[^'\\]|\\.))*'''"
    r'|"""(?:"{0,2}(?:[^"\\]|\\.))*"""'
    r"|'(?:[^'\\\r\n]|\\.)*'"
    r'|"(?:[^"\\\r\n]|\\.)*"'
)
_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_LANGUAGE = r"@[A-Za-z]+(?:-[A-Za-z0-9]+)*"
_BLANK = rf"_:[{_START}0-9](?:[{_NAME}.]*[{_NAME}])?"
_SKIPPED = r"(?:[ \t\r\n]|\#[^\r\n]*)"

_TOKEN: Final = re.compile(
    rf"(?P<iri>{_IRI})|(?P<string>{_STRING})|(?P<variable>{_VARIABLE})|(?P<language>{_LANGUAGE})"
    rf"|(?P<blank>{_BLANK})|(?P<prefixed>{_PREFIXED})|(?P<number>{_NUMBER})"
    rf"|(?P<word>[{_START}][{_START}0-9]*)|(?P<mark>&&|\|\||\^\^|!=|<=|>=|.)",
    re.DOTALL,
)
_SKIP: Final = re.compile(f"{_SKIPPED}+")
_SERVICE: Final = re.compile(
    rf"SERVICE{_SKIPPED}*(?:SILENT{_SKIPPED}*)?"
    rf"(?:<[^<>]*>|{_VARIABLE}|{_PREFIXED}){_SKIPPED}*\{{",
    re.IGNORECASE,
)
_WORD: Final = re.compile(f"[{_START}0-9]+")
_INNER_SERVICE: Final = re.compile("(?<!^)SERVICE", re.IGNORECASE)
_ATOMS: Final = {
    "<": re.compile(_IRI),
    "'": re.compile(_STRING, re.DOTALL),
    '"': re.compile(_STRING, re.DOTALL),
    "?": re.compile(_VARIABLE),
    "$": re.compile(_VARIABLE),
    "@": re.compile(_LANGUAGE),
    "_": re.compile(_BLANK),
}
_PREFIXED_NAME: Final = re.compile(_PREFIXED)
_NUMBERS: Final = tuple(
    re.compile(form)
    for form in (r"[0-9]+", r"[0-9]*\.[0-9]*", r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][+-]?[0-9]+")
)
#: Words that something else than a clause must follow.
_BINDING_WORDS: Final = frozenset(
    [
        "a",
        "as",
        "asc",
        "ask",
        "avg",
        "base",
        "bind",
        "by",
        "construct",
        "count",
        "desc",
        "describe",
        "distinct",
        "exists",
        "filter",
        "from",
        "graph",
        "group",
        "having",
        "in",
        "insert",
        "lateral",
        "limit",
        "max",
        "min",
        "minus",
        "named",
        "not",
        "offset",
        "optional",
        "order",
        "prefix",
        "reduced",
        "sample",
        "select",
        "separator",
        "silent",
        "sum",
        "undef",
        "union",
        "using",
        "values",
        "where",
    ]
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its kind (a group of the terminals), its text and where it starts."""

    kind: str
    text: str
    start: int

    @property
    def word(self) -> str:
        """The keyword that it is, in capitals, or an empty string."""
        return self.text.upper() if self.kind == "word" else ""


def tokenize(text: str) -> Iterator[Token]:
    """The tokens of a query in their order, without spaces and comments.

    Anything that looks like an IRI is one. A character that is no terminal is a ``mark`` of its
    own, and a quote that nothing closes the last: the engine's parser will say what is wrong.
    """
    position = 0
    while position < len(text):
        if skipped := _SKIP.match(text, position):
            position = skipped.end()
            continue
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            return
        yield Token(found.lastgroup, found.group(), position)
        if found.group() in {"'", '"'}:
            return
        position = found.end()


def calls_service(text: str) -> bool:
    """Whether any reading of the text holds a SERVICE clause.

    The positions at which a token may start are followed under every reading at once, each visited
    twice at most. The word inside a comment, a string, an IRI, a variable or a prefixed name is no
    clause, unless one reading takes it for one.
    """
    # A position together with whether the word before it excludes that a clause starts there.
    pending = [(0, False)] if text else []
    seen = set(pending)
    while pending:
        position, bound = pending.pop()
        if skipped := _SKIP.match(text, position):
            following = {(skipped.end(), bound)}
        elif not bound and _SERVICE.match(text, position):
            return True
        else:
            following = set(_next_positions(text, position))
        fresh = {state for state in following if state[0] < len(text)} - seen
        seen |= fresh
        pending.extend(fresh)
    return False


def _next_positions(text: str, position: int) -> Iterator[tuple[int, bool]]:
    """Where the next token may start, were one to start here; nowhere if none can start here."""
    first = text[position]
    if (atom := _ATOMS.get(first)) and (found := atom.match(text, position)):
        yield found.end(), False
        if first == "<":
            yield position + 1, False
    elif first in "'\"\\":
        return
    elif first.isdigit() or first == ".":
        yield from (
            (number.end(), False) for form in _NUMBERS if (number := form.match(text, position))
        )
    elif found := _PREFIXED_NAME.match(text, position):
        yield found.end(), False
        # Parsers of the PEG kind, the engine's among them, may read trueSERVICE:x as two words.
        for word in ("true", "false"):
            if text[position : position + len(word)].lower() == word:
                yield position + len(word), False
    elif found := _WORD.match(text, position):
        yield found.end(), found.group().lower() in _BINDING_WORDS
        for inner in _INNER_SERVICE.finditer(found.group()):
            yield position + inner.start(), False
    else:
        yield position + 1, False
