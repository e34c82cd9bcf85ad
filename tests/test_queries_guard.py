"""What the guard lets through: no call to a server, no update, nothing that kills the engine."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithograph.errors import QueryError
from lithograph.queries import examine, guard, variables
from lithograph.queries.guard import MAX_CLAUSES, MAX_DEPTH, MAX_LENGTH, MAX_NAME
from lithograph.queries.tokens import calls_service, tokenize

PREFIXES = (
    "PREFIX ex: <http://192.0.2.1/> PREFIX : <http://192.0.2.1/> "
    "PREFIX service: <http://192.0.2.1/> "
)
CLAUSE = "SERVICE ex:x { ?a ?b ?c }"


def refusal(text: str, **options: Any) -> str:
    """What the guard says of a query, nothing where it may run."""
    try:
        guard(text, **options)
    except QueryError as error:
        return str(error)
    return ""


# --- SERVICE -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "SERVICE <http://192.0.2.1/> { ?s ?p ?o }",
        "SeRvIcE SILENT <http://192.0.2.1/> { ?s ?p ?o }",
        "service<http://192.0.2.1/>{?s ?p ?o}",
        "SERVICE ?server { ?s ?p ?o }",
        "OPTIONAL { SERVICE # here\n ?s\n { ?a ?b ?c } }",
        f"?s ?p ?o FILTER EXISTS {{ {CLAUSE} }}",
        f"{{ SELECT ?a {{ {CLAUSE} }} }}",
        f"?s ?p ?o LATERAL {{ {CLAUSE} }}",
        f"?s ?p ?o . {CLAUSE}",
        f"?s ?p ?o {CLAUSE}",
        f'?s ?p "x"{CLAUSE}',
        f'?s ?p "SERVICE"@en . {CLAUSE}',
        f"?s ?p _:b . {CLAUSE}",
        # Words that the engine's parser tells apart without a space between them.
        "SERVICEex:x { ?a ?b ?c }",
        "SERVICE:x { ?a ?b ?c }",
        "SERVICESILENTex:x { ?a ?b ?c }",
        f"?s ?p true{CLAUSE}",
        f"?s ?p 1{CLAUSE}",
        f"?s ?p 1.5e3{CLAUSE}",
        "?s ?p trueSERVICE:x { ?a ?b ?c }",
        # An IRI to one reader, a comparison with a string or a comment behind it to another.
        f"FILTER(?s<'x>' ) {CLAUSE} FILTER('y'='y')",
        f"FILTER(?s<?o#>'''\n) {CLAUSE} #'''\n",
        f"FILTER(?s<ex:b#>'''\n) {CLAUSE} #'''\n",
    ],
)
def test_a_call_to_another_server_is_refused(body: str) -> None:
    assert "SERVICE would call" in refusal(f"{PREFIXES} SELECT * {{ {body} }}")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { # SERVICE <http://192.0.2.1/> { }\n ?s ?p ?o }",
        'SELECT * { ?s ?p "SERVICE <http://192.0.2.1/> { }" }',
        "SELECT * { ?s ?p '''SERVICE ?x {\n''' }",
        "SELECT ?service { ?service ?p ?o . { GRAPH ?service { ?a ?b $service } } }",
        "SELECT * { ?s <http://example.org/service> ?o . ?s <http://example.org/#service> ?x }",
        f"{PREFIXES} SELECT * {{ GRAPH service:x {{ ?s service:SERVICE ex:service }} }}",
        f"{PREFIXES} SELECT * {{ GRAPH ex:service {{ ?s ?p service:y . {{ ?a ?b ?c }} }} }}",
        'SELECT * { ?s ?p "a"@service }',
        "SELECT * { ?s ?p _:service . _:service ?q ?r }",
        "SELECT * { ?a ?b ?c FILTER (?c<5 && ?c >2) }",
    ],
)
def test_the_word_alone_is_no_call(text: str) -> None:
    assert refusal(text) == ""
    examine(text)


SPACE = st.sampled_from([" ", "\n", "\t", "# SERVICE <x> {'\n", " #\r\n"])
HARMLESS = st.sampled_from(
    [
        "?s ?p ?o .",
        "?s a ex:service .",
        "?s ex:p 'SERVICE <x> {' .",
        '?s ex:p """SERVICE ?x {\n"""@en .',
        "FILTER (?s < ?o)",
        "FILTER(?s<?o)",
        "OPTIONAL { ?service ex:p ?o }",
        "GRAPH service:x { ?s ?p 1.0e0 }",
        "BIND (ex:service AS ?x)",
        "VALUES ?v { <http://example.org/service> 'it''s' }",
        "MINUS { ?s <http://x/#SERVICE> true }",
    ]
)


@given(st.lists(HARMLESS, max_size=6), st.data())
def test_a_clause_is_found_wherever_it_stands(parts: list[str], data: st.DataObject) -> None:
    spaces = [data.draw(SPACE) for _ in range(len(parts) + 4)]
    body = "".join(part + space for part, space in zip(parts, spaces, strict=False))
    assert not calls_service(f"{PREFIXES}SELECT * {{ {body} }}")
    place = data.draw(st.integers(0, len(parts)))
    server = data.draw(st.sampled_from(["ex:x", "<http://192.0.2.1/>", "?x", ":x"]))
    silent = data.draw(st.sampled_from(["", f"SILENT{spaces[-1]}"]))
    clause = f"SERVICE{spaces[-2]}{silent}{server}{spaces[-3]}{{ ?a ?b ?c }} "
    body = " ".join([*parts[:place], clause, *parts[place:]])
    assert calls_service(f"{PREFIXES}SELECT * {{ {body} }}")


def test_the_queries_of_the_w3c_test_suite(shared_data: Path) -> None:
    """Of its 400 queries, those about federation are refused, and two that say FROM."""
    files = sorted((shared_data / "rdf" / "w3c-rdf-tests").rglob("*.rq"))
    assert len(files) > 400
    said = {path: refusal(path.read_text(encoding="utf-8")) for path in files}
    federated = {path for path in files if path.parent.name in {"service", "syntax-fed"}}
    assert {path for path in files if "SERVICE" in said[path]} == federated
    assert {path.name for path in files if said[path]} - {path.name for path in federated} == {
        "constructwhere04.rq",
        "syntax-construct-where-02.rq",
    }


# --- updates and data sets -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("INSERT DATA { <a:b> <a:b> <a:b> }", "INSERT"),
        ("PREFIX ex: <x:> DELETE WHERE { ?s ?p ?o }", "DELETE"),
        ("# SELECT\nLOAD <http://192.0.2.1/>", "LOAD"),
        ("clear all", "CLEAR"),
        ("DROP GRAPH <a:b>", "DROP"),
        ("WITH <a:b> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }", "WITH"),
        ("COPY <a:b> TO <a:c>", "COPY"),
    ],
)
def test_updates_are_refused(text: str, verb: str) -> None:
    assert f"{verb} is an update" in refusal(text)


@pytest.mark.parametrize(
    "clause",
    ["FROM <http://x/g>", "FROM NAMED <http://x/g>", "from named ex:g", "FROM<http://x/g>"],
)
def test_only_graphs_of_the_store_are_data_sets(clause: str) -> None:
    text = f"PREFIX ex: <http://x/> SELECT * {clause} WHERE {{ ?s ?p ?o }}"
    assert "FROM <http://x/g>: expected a graph of this store" in refusal(text)
    assert refusal(text, graphs={"http://x/g"}) == ""
    assert refusal(text, graphs={"http://x/other"}) != ""


@pytest.mark.parametrize("iri", ["file:///etc/passwd", "data.ttl", "http://192.0.2.1/"])
def test_no_file_and_no_page_is_a_data_set(iri: str) -> None:
    assert f"FROM <{iri}>" in refusal(f"SELECT * FROM <{iri}> {{ ?s ?p ?o }}")


def test_the_word_from_alone_is_no_data_set() -> None:
    assert (
        refusal("PREFIX from: <x:> SELECT ?from { ?from from:x 'FROM <x:y>' # FROM <x:y>\n }") == ""
    )


def test_an_empty_text_is_let_through_and_is_no_query() -> None:
    assert refusal("") == ""
    with pytest.raises(QueryError, match="not a SPARQL query"):
        examine("")


def test_the_refusal_names_the_query() -> None:
    with pytest.raises(QueryError) as caught:
        guard("LOAD <a:b>", name="own")
    assert caught.value.subject == "own"
    assert str(caught.value).startswith("own: ")


# --- the engine stays alive ----------------------------------------------------------------------

#: Shapes of query that grow with a number; each kills the engine's process when it is large enough.
GROWING: dict[str, Callable[[int], str]] = {
    "brackets": lambda n: f"SELECT * {{ FILTER({'(' * n}1{')' * n}) }}",
    "groups": lambda n: "SELECT * " + "{" * n + "}" * n,
    "negations": lambda n: f"SELECT * {{ FILTER({'!' * n}true) }}",
    "sums": lambda n: f"SELECT * {{ FILTER(1{'+1' * n}) }}",
    "unions": lambda n: f"SELECT * {{ {'{} UNION ' * n}{{}} }}",
    "assignments": lambda n: "SELECT * {" + " ".join(f"BIND(1 AS ?x{i})" for i in range(n)) + "}",
    "members": lambda n: f"SELECT * {{ ?s ?p ({' 1' * n}) }}",
    "described": lambda n: f"DESCRIBE {'<a:b> ' * n}",
}


@pytest.mark.parametrize("shape", GROWING)
def test_what_the_guard_lets_through_does_not_kill_the_engine(shape: str) -> None:
    make = GROWING[shape]
    allowed = max(n for n in range(1, 2 * MAX_CLAUSES) if not refusal(make(n)))
    assert allowed >= min(MAX_DEPTH, MAX_CLAUSES) // 4
    assert re.search("expected at most", refusal(make(60_000)[:MAX_LENGTH]))
    code = "import pyoxigraph, sys; pyoxigraph.Store().query(sys.stdin.read())"
    # Lists are planned in the cube of their length: half of what is let through will do.
    largest = make(allowed // 4 if shape == "members" else allowed)
    done = subprocess.run(
        [sys.executable, "-c", code], input=largest, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr[-300:]


def test_long_lists_of_values_are_let_through() -> None:
    values = " ".join(f"<http://example.org/{n}>" for n in range(2_000))
    assert refusal(f"SELECT * {{ VALUES ?x {{ {values} }} ?x ?p ?o }}") == ""
    assert refusal(f"SELECT * {{ ?x ?p ?o FILTER (?o IN ({', '.join('1' * 2_000)})) }}") == ""
    rows = " ".join(f'(<http://example.org/{n}> "{n}")' for n in range(1_000))
    assert refusal(f"SELECT * {{ VALUES (?x ?y) {{ {rows} }} ?x ?p ?y }}") == ""


def test_texts_and_names_without_end_are_refused() -> None:
    assert "characters, found" in refusal("SELECT * {}" + " " * MAX_LENGTH)
    assert "names of at most" in refusal(f"SELECT * {{ ?s ?p x:{'a' * MAX_NAME} }}")


@pytest.mark.parametrize(
    "piece",
    ["'", '"""\\"', "<'\\>", "<a", "a-", "service ", "true", "1.", "?", "<'>\"", "é", "%20", "_:"],
)
def test_no_text_keeps_the_guard_busy(piece: str) -> None:
    text = "SELECT * {" + " ".join([piece * (MAX_NAME // len(piece) // 2)] * 800)
    start = time.process_time()
    refusal(text[:MAX_LENGTH])
    assert time.process_time() - start < 10


# --- tokens --------------------------------------------------------------------------------------


@given(st.text(alphabet="?$<>'\"\\#{}()@:_.a1é -\n", max_size=60))
@settings(max_examples=400)
def test_tokens_lie_in_the_text_and_leave_nothing_but_space_and_comments(text: str) -> None:
    position = 0
    for token in tokenize(text):
        assert text[token.start : token.start + len(token.text)] == token.text
        between = text[position : token.start]
        assert re.fullmatch(r"(\s|#[^\r\n]*([\r\n]|$))*", between), between
        position = token.start + len(token.text)
    calls_service(text)


def test_tokens_are_told_apart() -> None:
    text = 'SELECT ?x{ $y a <a:b#c>, "d\\"e"@fr-CA , \'f\'^^xs:g ; :h_i.j -1.5e3 . _:k # l\n }'
    assert [(token.kind, token.text) for token in tokenize(text)] == [
        ("word", "SELECT"),
        ("variable", "?x"),
        ("mark", "{"),
        ("variable", "$y"),
        ("word", "a"),
        ("iri", "<a:b#c>"),
        ("mark", ","),
        ("string", '"d\\"e"'),
        ("language", "@fr-CA"),
        ("mark", ","),
        ("string", "'f'"),
        ("mark", "^^"),
        ("prefixed", "xs:g"),
        ("mark", ";"),
        ("prefixed", ":h_i.j"),
        ("mark", "-"),
        ("number", "1.5e3"),
        ("mark", "."),
        ("blank", "_:k"),
        ("mark", "}"),
    ]


# --- what a query gives --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "form", "names"),
    [
        ("SELECT ?b ?a { ?a ?p ?b }", "SELECT", ("b", "a")),
        ("SELECT (1 AS ?one) { ?a ?p ?b }", "SELECT", ("one",)),
        ("# ASK\nPREFIX ask: <x:> select * { ?a ask:p 'ASK' }", "SELECT", ("a",)),
        ("SELECT ?annotation { ?annotation a oa:Annotation }", "SELECT", ("annotation",)),
        ("ASK { ?a ?p ?b }", "ASK", ()),
        ("CONSTRUCT { ?a ?p ?b } WHERE { { SELECT * { ?a ?p ?b } } }", "CONSTRUCT", ()),
        ("DESCRIBE ?a { ?a ?p ?b }", "DESCRIBE", ()),
    ],
)
def test_form_and_variables(text: str, form: str, names: tuple[str, ...]) -> None:
    assert examine(text).form == form
    assert variables(text) == names


@pytest.mark.parametrize("text", ["", "SELECT", "SELECT ?a { ?a ?p }", "ASK { ?a no:such ?b }"])
def test_what_is_no_query_is_a_query_error_on_one_line(text: str) -> None:
    with pytest.raises(QueryError, match="own: not a SPARQL query: ") as caught:
        examine(text, name="own")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
