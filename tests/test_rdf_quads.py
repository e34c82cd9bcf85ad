"""Quads as text: the very terms that pyoxigraph writes, and back."""

from __future__ import annotations

import pyoxigraph as ox
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lithograph.rdf import PREFIXES, Quad, n_quads, parsed, quad_of
from lithograph.rdf.quads import (
    datatype_of,
    iri_term,
    language_of,
    line_of,
    name,
    text_term,
    typed_term,
    value_of,
)
from lithograph.rdf.terms import term

#: What a line of N-Quads must escape, what lies beside it, and what beyond 16 bits.
HARD = (
    '"\\\x00\x01\x07\b\t\n\x0b\f\r\x1f \x7f\x85\xa0\u2028\ufeff\ufffe\U0001f3db\U0010fffdéß<>^@_:#.'
)
texts = st.text() | st.text(HARD, max_size=12) | st.text("abc \"\\nu0041U{}'", max_size=20)
languages = st.sampled_from(["en", "fr", "en-GB", "zh-Hant-TW", "x-own", "status"])
shorts = st.sampled_from(["xsd:double", "xsd:integer", "xsd:dateTime", "rdf:JSON", "lg:pixelWkt"])
iris = st.builds(
    str.__add__,
    st.sampled_from(["http://example.org/", "https://data.example.org/ca19/é#", "urn:x:", "a:"]),
    st.text("abcXYZ019-._~/%?&=+,;@!$'()*:#é\U0001f3db", max_size=15),
)


def is_iri(text: str) -> bool:
    try:
        ox.NamedNode(text)
    except ValueError:
        return False
    return True


nodes = iris.filter(is_iri).map(ox.NamedNode)
blanks = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True).map(ox.BlankNode)
literals = (
    texts.map(ox.Literal)
    | st.builds(lambda text, tag: ox.Literal(text, language=tag), texts, languages)
    | st.builds(lambda text, node: ox.Literal(text, datatype=node), texts, nodes)
    | st.builds(lambda text, short: ox.Literal(text, datatype=term(short)), texts, shorts)
)
quads = st.builds(
    ox.Quad, nodes | blanks, nodes, nodes | blanks | literals, nodes | st.just(ox.DefaultGraph())
)


# --- terms ----------------------------------------------------------------------------------------


@given(texts)
def test_a_text_is_written_as_pyoxigraph_writes_it(text: str) -> None:
    assert text_term(text) == str(ox.Literal(text))
    assert value_of(text_term(text)) == text


@pytest.mark.parametrize("character", HARD)
def test_every_hard_character_alone(character: str) -> None:
    assert text_term(character) == str(ox.Literal(character))
    assert value_of(text_term(character)) == character


def test_every_character_of_the_first_planes_edge() -> None:
    for number in [*range(0x500), *range(0x2000, 0x2100), *range(0xFDD0, 0x10010)]:
        text = f"a{chr(number)}b"
        assert text_term(text) == str(ox.Literal(text))
        assert value_of(text_term(text)) == text


@given(texts, languages)
def test_a_text_in_a_language(text: str, language: str) -> None:
    written = text_term(text, language=language)
    literal = ox.Literal(text, language=language)
    assert written == str(literal)
    assert (value_of(written), language_of(written)) == (text, literal.language)
    assert datatype_of(written) == f"{PREFIXES['rdf']}langString"


@given(texts, shorts)
def test_a_lexical_form_of_a_datatype(text: str, datatype: str) -> None:
    written = typed_term(text, datatype)
    assert written == str(ox.Literal(text, datatype=term(datatype)))
    assert value_of(written) == text
    assert datatype_of(written) == term(datatype).value
    assert language_of(written) is None


@given(literals)
def test_what_is_read_of_a_literal_is_what_it_is(literal: ox.Literal) -> None:
    written = str(literal)
    assert value_of(written) == literal.value
    assert language_of(written) == literal.language
    assert datatype_of(written) == literal.datatype.value


@given(nodes | blanks)
def test_what_is_read_of_a_node_is_what_it_is(node: ox.NamedNode | ox.BlankNode) -> None:
    assert value_of(str(node)) == node.value
    assert datatype_of(str(node)) is None
    assert language_of(str(node)) is None


@given(
    iris | st.from_regex(r"https?://[a-zA-Z0-9.-]+(:[0-9]+)?/[a-z._~/-]*(#[\w-]*)?", fullmatch=True)
)
@example("http://-/")
@example("http://example.org:0/")
@example("https://data.example.org/ca19/annotation/1#box\n")
def test_an_iri_is_one_for_pyoxigraph_or_none_at_all(iri: str) -> None:
    if is_iri(iri):
        assert iri_term(iri) == str(ox.NamedNode(iri))
        assert value_of(iri_term(iri)) == iri
    else:
        with pytest.raises(ValueError):  # noqa: PT011  (pyoxigraph's own words)
            iri_term(iri)


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "/relative", "1:x", "http://a b/", "http://[x/", "http://x/>", "http://x/a b"),
        *("http://x/{}", "http://x/\n", 'http://x/"', "http://x/\\", "http://x/^", "http://x/`"),
    ],
)
def test_what_is_no_iri_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (pyoxigraph's own words)
        iri_term(text)


@pytest.mark.parametrize("short", ["lg:status", "rdf:type", "oa:hasBody", "xsd:double"])
def test_a_short_name_is_its_iri(short: str) -> None:
    assert name(short) == str(term(short))


def test_an_unknown_prefix_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="nobody"):
        name("nobody:knows")


# --- quads ----------------------------------------------------------------------------------------


@given(st.lists(quads, max_size=6))
def test_quads_come_back_from_their_text(given_quads: list[ox.Quad]) -> None:
    as_text = [quad_of(quad) for quad in given_quads]
    assert parsed(as_text) == given_quads
    assert [quad_of(quad) for quad in parsed(as_text)] == as_text


@given(st.lists(quads, max_size=6))
def test_text_is_n_quads_a_line_each(given_quads: list[ox.Quad]) -> None:
    as_text = [quad_of(quad) for quad in given_quads]
    written = n_quads(as_text)
    assert written == "".join(map(line_of, as_text)).encode("utf-8")
    assert written.count(b"\n") == len(given_quads)
    store = ox.Store()
    store.bulk_load(written, format=ox.RdfFormat.N_QUADS)
    extended = ox.Store()
    extended.extend(given_quads)
    # Not the quads themselves: loading gives blank nodes new names.
    assert len(store) == len(extended)


def test_a_quad_of_the_default_graph_has_no_graph_name() -> None:
    node = ox.NamedNode("http://example.org/x")
    quad: Quad = quad_of(ox.Quad(node, node, node))
    assert quad == (str(node), str(node), str(node), "")
    assert parsed([quad]) == [ox.Quad(node, node, node)]
