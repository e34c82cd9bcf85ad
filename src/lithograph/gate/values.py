"""What a single value must be: its kind, datatype, range, length, pattern, language.

A test is a function of one term. What a literal means (whether it is well formed, which of two is
greater) is asked of rdflib and of pySHACL's own comparison, which is the reference; doubles and
plain strings, which are almost all that a batch holds, are known without.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from lithograph.queries import bind_terms
from lithograph.rdf import PREFIXES
from lithograph.rdf.quads import datatype_of, language_of, text_term, value_of

if TYPE_CHECKING:
    from rdflib import Literal
    from rdflib.term import Node

#: Whether a term passes.
Test = Callable[[str], bool]

XSD: Final = PREFIXES["xsd"]
_DOUBLE: Final = re.compile(
    r'"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"\^\^'
    r"<http://www\.w3\.org/2001/XMLSchema#double>"
)
_ZONE: Final = "(?:Z|[+-][0-9]{2}:[0-9]{2})?"
_DAY: Final = "-?[0-9]{4,}-[0-9]{2}-[0-9]{2}"
_HOUR: Final = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
_DECIMAL: Final = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
#: The lexical forms of datatypes of which rdflib reads more than there are: what Python reads as
#: a number ("1_000", "Infinity", " 1 "), every form of ISO 8601 ("2020-W10-1T10").
_FORMS: Final = {
    **dict.fromkeys(("integer", "long", "int", "short", "byte"), re.compile("[+-]?[0-9]+")),
    "decimal": re.compile(_DECIMAL),
    **dict.fromkeys(
        ("double", "float"), re.compile(rf"{_DECIMAL}(?:[eE][+-]?[0-9]+)?|[+-]?INF|NaN")
    ),
    "date": re.compile(_DAY + _ZONE),
    "time": re.compile(_HOUR + _ZONE),
    "dateTime": re.compile(f"{_DAY}T{_HOUR}{_ZONE}"),
}
_NO_NUMBERS: Final = {"inf": "INF", "-inf": "-INF", "nan": "NaN"}
_KINDS: Final = {
    "IRI": "<",
    "BlankNode": "_",
    "Literal": '"',
    "BlankNodeOrIRI": "_<",
    "BlankNodeOrLiteral": '_"',
    "IRIOrLiteral": '<"',
}


def term_of(node: Node) -> str:
    """A node of rdflib as a term."""
    from rdflib import BNode, Literal, URIRef

    if isinstance(node, URIRef):
        return f"<{node}>"
    if isinstance(node, BNode):
        return f"_:{node}"
    if not isinstance(node, Literal):
        raise TypeError(f"expected an IRI, a blank node or a literal, found {node!r}")
    if node.language:
        return text_term(str(node), language=node.language)
    # As rdflib reads shapes, "INF" has become "inf", which is no double.
    number = isinstance(node.value, float)
    plain = text_term(_NO_NUMBERS.get(str(node), str(node)) if number else str(node))
    # "a"^^xsd:string is "a" (RDF 1.1), which rdflib tells apart.
    string = node.datatype is None or str(node.datatype) == f"{XSD}string"
    return plain if string else f"{plain}^^<{node.datatype}>"


@contextmanager
def quiet() -> Iterator[None]:
    """No word on the terminal of a literal that is not of its datatype: a shape says so."""
    logger, silence = logging.getLogger("rdflib.term"), _Silence()
    logger.addFilter(silence)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="rdflib", category=UserWarning)
            yield
    finally:
        logger.removeFilter(silence)


class _Silence(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return False


@lru_cache(maxsize=4096)
def literal_of(term: str) -> Literal:
    """A literal term as rdflib's literal, its lexical form kept; ill typed where XSD says so."""
    from rdflib import Literal, URIRef

    language, datatype = language_of(term), datatype_of(term)
    if language is not None:
        return Literal(value_of(term), lang=language)
    if datatype == f"{XSD}string":
        return Literal(value_of(term))
    with quiet():
        literal = Literal(value_of(term), datatype=URIRef(datatype or ""), normalize=False)
    form = _FORMS.get((datatype or "").removeprefix(XSD))
    if form is not None and form.fullmatch(literal) is None:
        literal._ill_typed = True
    return literal


def double_of(term: str) -> float | None:
    """The number of an ``xsd:double`` in decimal digits; None for every other term."""
    match = _DOUBLE.fullmatch(term)
    return None if match is None else float(match[1])


def kind_test(kind: str) -> Test:
    """``sh:nodeKind``, by the local name of the kind."""
    marks = _KINDS[kind]
    # A triple term (RDF 1.2) begins as an IRI does, and is of no kind.
    return lambda term: term[0] in marks and term[:2] != "<<"


def datatype_test(datatype: str) -> Test:
    """``sh:datatype``: that very datatype, and a lexical form which is one of it."""
    if datatype == f"{XSD}string":
        return lambda term: term[0] == '"' and term[-1] == '"'
    if datatype == f"{PREFIXES['rdf']}langString":
        return lambda term: language_of(term) is not None
    known = datatype.startswith(XSD)
    ending = f'"^^<{datatype}>'

    def passes(term: str) -> bool:
        if not term.endswith(ending):
            return False
        return not known or double_of(term) is not None or _is_well_formed(term, datatype)

    return passes


def _is_well_formed(term: str, datatype: str) -> bool:
    from datetime import date, datetime, time
    from decimal import Decimal

    types: dict[str, type | tuple[type, ...]] = {
        "integer": int,
        "float": float,
        "decimal": Decimal,
        "boolean": bool,
        "date": date,
        "time": time,
        "dateTime": datetime,
    }
    literal = literal_of(term)
    wanted = types.get(datatype.removeprefix(XSD))
    return not literal.ill_typed and (wanted is None or isinstance(literal.value, wanted))


def length_test(least: int | None, most: int | None) -> Test:
    """``sh:minLength`` or ``sh:maxLength``, in characters; blank nodes have none."""

    def passes(term: str) -> bool:
        if least is not None:
            return least == 0 or (term[0] != "_" and len(value_of(term)) >= least)
        # A term is never shorter than its value: most need no look at what is in it.
        return term[0] != "_" and (most is None or len(term) <= most or len(value_of(term)) <= most)

    return passes


def pattern_test(pattern: str, flags: str) -> Test:
    """``sh:pattern`` with ``sh:flags``, of which i and m count."""
    options = re.IGNORECASE if "i" in flags else re.NOFLAG
    options |= re.MULTILINE if "m" in flags else re.NOFLAG
    search = re.compile(pattern, options).search

    def passes(term: str) -> bool:
        if term[0] == "_":
            return False
        text = value_of(term)
        if text[-1:] == "\n" and "$" in pattern:
            # To Python the end may be before a last line end, to SPARQL's REGEX it is the end.
            return _engine_finds(text, pattern, flags)
        return search(text) is not None

    return passes


def _engine_finds(text: str, pattern: str, flags: str) -> bool:
    import pyoxigraph as ox

    terms = {
        name: ox.Literal(value) for name, value in zip("tpf", (text, pattern, flags), strict=True)
    }
    answer: Any = ox.Store().query(bind_terms("ASK { FILTER (REGEX(?t, ?p, ?f)) }", terms))
    return bool(answer)


def language_test(ranges: Collection[str]) -> Test:
    """``sh:languageIn``: basic language ranges (RFC 4647), as ``langMatches`` has them."""
    wanted = tuple(each.lower() for each in ranges)

    def passes(term: str) -> bool:
        language = (language_of(term) or "").lower()
        return bool(language) and any(
            each in {"*", language} or language.startswith(f"{each}-") for each in wanted
        )

    return passes


def member_test(terms: Collection[str]) -> Test:
    """``sh:in``."""
    return frozenset(terms).__contains__


def range_test(bound: str, accepted: Callable[[int], bool]) -> Test:
    """``sh:minInclusive`` and its like: ``accepted`` is given the order, -1, 0 or 1, to the bound.

    What cannot be compared with the bound does not pass.
    """
    limit = double_of(bound)

    def passes(term: str) -> bool:
        number = double_of(term) if limit is not None else None
        if number is not None and limit is not None:
            return accepted((number > limit) - (number < limit))
        order = _order(term, bound)
        return order is not None and accepted(order)

    return passes


def _order(term: str, other: str) -> int | None:
    """-1, 0 or 1, or None where two terms cannot be compared."""
    from pyshacl.rdfutil.compare import compare_literal

    if term[0] != '"':
        return None
    first, second = literal_of(term), literal_of(other)
    if isinstance(first.value, str) != isinstance(second.value, str):
        return None
    # Not a number is neither equal nor greater, which pySHACL takes for less.
    if first.value != first.value or second.value != second.value:
        return None
    try:
        return int(compare_literal(first, second))
    except (TypeError, NotImplementedError, ArithmeticError):
        return None


def is_less(term: str, other: str, *, or_equal: bool) -> bool:
    """Whether a term is less than another, as ``sh:lessThan`` asks; not where they have no order.

    IRIs are compared as strings, as the reference does. Blank nodes have no order, nor have values
    that rdflib cannot compare; of both the reference fails.
    """
    if "_" in {term[0], other[0]}:
        return False
    texts = _text_of(term), _text_of(other)
    if texts[0] is not None and texts[1] is not None:
        return texts[0] < texts[1] or (or_equal and texts[0] == texts[1])
    if texts != (None, None):
        return False
    first, second = literal_of(term), literal_of(other)
    try:
        # Not <=, which rdflib has true of what cannot be compared.
        return first < second or (or_equal and first.eq(second))
    except (TypeError, ArithmeticError):
        return False


def _text_of(term: str) -> str | None:
    """What is compared as a string: an IRI, or a literal whose value is one; else None."""
    if term[0] == "<":
        return value_of(term)
    value = literal_of(term).value
    return value if isinstance(value, str) else None
