"""A quad as text: four terms as N-Quads writes them, which is what is checked and what is stored.

pyoxigraph's own quads cost some 4 µs each to make, compare and write out again; an import of a
million annotations has twenty-five million. As text a quad is a tuple of strings, most of them
shared, and a line of N-Quads is the four with spaces between. What comes back from the store is
pyoxigraph's (:func:`quad_of`, :func:`parsed` go between the two).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Final

import pyoxigraph as ox

from lithograph.rdf.terms import PREFIXES

#: Subject, predicate, object and graph, each as N-Quads writes it.
Quad = tuple[str, str, str, str]

#: IRIs that need no parser to be known as such: what our own keys are made of.
_PLAIN_IRI: Final = re.compile(
    r"https?://[a-zA-Z0-9.-]+(?::[0-9]+)?/[a-zA-Z0-9._~/-]*(?:#[\w-]*)?", re.A
)
#: Printable ASCII, less the quotation mark and the backslash, stands in a literal as it is.
_PLAIN_TEXT: Final = re.compile(r"[ !#-\[\]-~]*")


@lru_cache(maxsize=4096)
def iri_term(iri: str) -> str:
    """An IRI as a term. Raises ValueError where it is none."""
    return f"<{iri}>" if _PLAIN_IRI.fullmatch(iri) else str(ox.NamedNode(iri))


@cache
def name(short: str) -> str:
    """``lg:status`` → its IRI as a term."""
    prefix, _, local = short.partition(":")
    return f"<{PREFIXES[prefix]}{local}>"


#: The predicate that every node has.
TYPE: Final = name("rdf:type")


def text_term(text: str, *, language: str | None = None) -> str:
    """A string as a literal term."""
    if language is None and _PLAIN_TEXT.fullmatch(text):
        return f'"{text}"'
    return str(ox.Literal(text, language=language))


def typed_term(text: str, datatype: str) -> str:
    """A lexical form and its datatype (``xsd:double``) as a literal term."""
    return f"{text_term(text)}^^{name(datatype)}"


def line_of(quad: Quad) -> str:
    """The quad as a line of N-Quads."""
    return " ".join(quad) + " .\n"


def n_quads(quads: Iterable[Quad]) -> bytes:
    """Quads as N-Quads in UTF-8."""
    return "".join(map(line_of, quads)).encode("utf-8")


def parsed(quads: Iterable[Quad]) -> list[ox.Quad]:
    """Quads as pyoxigraph has them."""
    return list(ox.parse(n_quads(quads), format=ox.RdfFormat.N_QUADS))


def quad_of(quad: ox.Quad) -> Quad:
    """One of pyoxigraph's quads as text. One of the default graph has an empty graph name."""
    graph = quad.graph_name
    named = "" if isinstance(graph, ox.DefaultGraph) else str(graph)
    return str(quad.subject), str(quad.predicate), str(quad.object), named


def value_of(term: str) -> str:
    """The IRI, blank node identifier or lexical form of a term."""
    if term[0] == "<":
        return term[1:-1]
    if term[0] == "_":
        return term[2:]
    text = term[1 : term.rindex('"')]
    return _unescaped(text) if "\\" in text else text


def datatype_of(term: str) -> str | None:
    """The IRI of a literal's datatype; None where the term is no literal."""
    if term[0] != '"':
        return None
    close = term.rindex('"')
    after = term[close + 1 :]
    if after.startswith("^^<"):
        return after[3:-1]
    return f"{PREFIXES['rdf']}langString" if after else f"{PREFIXES['xsd']}string"


def language_of(term: str) -> str | None:
    """The language of a literal; None where it has none, or where the term is no literal."""
    if term[0] != '"' or term[-1] in {'"', ">"}:
        return None
    return term[term.rindex('"') + 2 :]


_ESCAPED: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_CHARACTERS: Final = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}


def _unescaped(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        short, long, mark = match.groups()
        return _CHARACTERS.get(mark, mark) if mark else chr(int(short or long, 16))

    return _ESCAPED.sub(character, text)
