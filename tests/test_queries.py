"""Queries: headers, parameters as terms, and answers that the example alone would not prove."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lithograph.errors import QueryError
from lithograph.graph import Graph
from lithograph.queries import Query, bind_terms
from lithograph.rdf import PREFIXES, Iris

BASE = "https://data.example.org/ca19/"
ND = "https://w3id.org/lithograph/notre-dame-alterations/"
VERSION = ox.NamedNode(f"{BASE}vocabulary/notre-dame-alterations/5d1c0f3b9a27")
IMPORT = f"{BASE}run/import-1f0e9d8c7b6a5948"
MODEL = f"{BASE}run/model-77aa55cc33ee1100"
IMPORTED = f"{BASE}annotation/2b7d1f60c4e8a935b1c2d3e4"
PREFERRED = f"{BASE}annotation/aa00bb11cc22dd33ee44ff55"
REVISED = f"{BASE}annotation/cc00bb11cc22dd33ee44ff55"


@pytest.fixture
def graph() -> Graph:
    made = Graph.in_memory(Iris(BASE))
    example = Path(__file__).parent / "data" / "example.trig"
    made.store.load(path=example, format=ox.RdfFormat.TRIG)
    return made


def node(name: str) -> ox.NamedNode:
    """``nd:crack``, ``lg:x``, or a whole IRI."""
    prefix, _, local = name.partition(":")
    return ox.NamedNode({**PREFIXES, "nd": ND}[prefix] + local if "://" not in name else name)


def say(graph: Graph, where: ox.NamedNode, *triples: tuple[str, str, str | ox.Literal]) -> None:
    graph.store.extend(
        ox.Quad(node(s), node(p), o if isinstance(o, ox.Literal) else node(o), where)
        for s, p, o in triples
    )


def unsay(graph: Graph, subject: str, predicate: str) -> None:
    found = list(graph.store.quads_for_pattern(node(subject), node(predicate), None, None))
    assert found
    for quad in found:
        graph.store.remove(quad)


# --- headers -------------------------------------------------------------------------------------


def test_a_header_is_read() -> None:
    query = Query.parse(
        "\n#  title: What is seen\n# description: On every image,\n"
        "# description: and on each.\n# A remark.\n"
        "# parameter: least decimal = 0.5 – least confidence – of the label\n"
        "# parameter: word string - a word\n# column: a – the first\n"
        "SELECT ?a { ?a ?p ?word FILTER (?a > ?least) }\n# title: too late\n",
        "own",
    )
    assert (query.name, query.title) == ("own", "What is seen")
    assert query.description == "On every image, and on each."
    assert [(p.name, p.type, p.default, p.text) for p in query.parameters] == [
        ("least", "decimal", "0.5", "least confidence – of the label"),
        ("word", "string", None, "a word"),
    ]
    assert [(c.name, c.text) for c in query.columns] == [("a", "the first")]
    assert query.variables == ("a",)
    assert query.form == "SELECT"


def test_a_query_needs_no_header() -> None:
    query = Query.parse("ASK { ?s ?p ?o }")
    assert (query.form, query.variables, query.parameters) == ("ASK", (), ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ASK { ?s ?p ?o }", "parameter what: expected ?what in the query, but it is nowhere used"),
        ("ASK { ?s ?p '?what' } # ?what", "it is nowhere used"),
        ("ASK { ?s ?p ?whatever }", "it is nowhere used"),
        ("SELECT ?s { ?s ?p ?o FILTER(?o<?what&&?o>1) }", "as a part of <?what&&?o>"),
        ("SELECT ?what { ?s ?p ?what }", "a term must be able to stand for ?what"),
        ("SELECT ?s { ?s ?p ?o BIND (1 AS ?what) }", "a term must be able to stand for ?what"),
        ("SELECT ?s { ?s ?p ?what", "not a SPARQL query"),
    ],
)
def test_a_parameter_that_could_not_be_bound_is_refused_before_anything_runs(
    text: str, message: str
) -> None:
    with pytest.raises(QueryError) as caught:
        Query.parse(f"# parameter: what string – x\n{text}", "own")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?s { ?s ?p ?what }",
        "SELECT ?s { ?s ?p $what }",
        "SELECT ?s { ?s ?p ?o FILTER (?o = ?what || NOT EXISTS { ?s ?q ?what }) }",
        "SELECT ?n { { SELECT (COUNT(*) AS ?n) { ?s ?p ?o FILTER (?o != ?what) } GROUP BY ?s } }",
        "SELECT (IF(?s = ?what, 1, 2) AS ?n) { ?s ?p ?o BIND (?what AS ?x) }",
        "SELECT ?s { ?s ?p ?o } GROUP BY ?s HAVING (MAX(?o) != ?what)",
        "CONSTRUCT { ?s ?p ?what } WHERE { ?s ?p ?o MINUS { ?s ?q ?what } }",
        "DESCRIBE ?s { OPTIONAL { ?s ?p ?o FILTER (?o = ?what) } }",
        "SELECT ?s { VALUES ?s { ?what } }",
    ],
)
def test_a_parameter_may_stand_wherever_a_term_may(text: str) -> None:
    query = Query.parse(f"# parameter: what string – x\n{text}")
    bound = query.bind({"what": "v"}).partition("\n")[2]
    assert "?what" not in bound
    assert '"v"' in bound


# --- values as terms -----------------------------------------------------------------------------


def answer(graph: Graph, kind: str, value: str) -> ox.Literal | ox.NamedNode:
    query = Query.parse(f"# parameter: what {kind} – x\nSELECT ?found {{ BIND (?what AS ?found) }}")
    ((found,),) = graph.query(query, {"what": value}).rows
    assert isinstance(found, ox.Literal | ox.NamedNode)
    return found


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_string_arrives_as_it_is(value: str) -> None:
    assert answer(Graph.in_memory(Iris(BASE)), "string", value) == ox.Literal(value)


@given(st.integers())
def test_whole_numbers_are_numbers(value: int) -> None:
    text = bind_terms("?n", {"n": ox.Literal(value)})
    assert f'"{value}"' in text
    if abs(value) < 2**63:
        assert answer(Graph.in_memory(Iris(BASE)), "integer", str(value)).value == str(value)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("decimal", ["0.5", "-1", "+.25", "3."], ["1e3", "0,5", "NaN", "", "."]),
        ("integer", ["0", "-12", "+7"], ["1.0", "x", ""]),
        ("boolean", ["true", "False"], ["yes", "1", ""]),
        ("language", ["en", "fr-CA"], ["", "e n", "en_GB", "toolonglanguage"]),
        ("iri", ["urn:x", f"{ND}crack"], ["crack", "http://x/ y", "http://x/%zz", "<urn:x>"]),
        ("concept", [f"{ND}crack"], ["crack", "nd crack"]),
        ("dateTime", ["2026-01-06", "2026-01-06T10:00:00Z"], ["6.1.2026", "2026", "yesterday"]),
    ],
)
def test_values_are_checked_against_their_type(kind: str, good: list[str], bad: list[str]) -> None:
    query = Query.parse(f"# parameter: what {kind} – x\nSELECT ?s {{ ?s ?p ?what }}")
    for value in good:
        assert query.bind({"what": value})
    for value in bad:
        with pytest.raises(QueryError, match=r"parameter what: "):
            query.bind({"what": value})


def test_a_decimal_compares_with_the_doubles_of_the_graph(graph: Graph) -> None:
    for least, expected in (("0.80", True), ("0.81", True), ("0.82", False)):
        table = graph.query("accepted-or-confident", min_confidence=least)
        assert (PREFERRED in table.column("annotation")) is expected


# --- answers -------------------------------------------------------------------------------------


def test_one_missing_concept_among_known_ones_is_an_orphan(graph: Graph) -> None:
    unsay(graph, "nd:crack", "rdf:type")
    assert list(graph.query("orphans")) == [
        {"annotation": PREFERRED, "missing": "concept", "thing": f"{ND}crack"}
    ]


def test_a_missing_image_and_a_missing_run_are_told(graph: Graph) -> None:
    say(graph, node(MODEL), (f"{PREFERRED}#target", "oa:hasSource", "https://example.org/none"))
    unsay(graph, f"{BASE}run/review-4444333322221111", "rdf:type")
    rows = [(row["annotation"], row["missing"]) for row in graph.query("orphans")]
    assert rows == [(PREFERRED, "image"), (REVISED, "run")]


@pytest.mark.parametrize(
    "link",
    [
        ("nd:material-loss", "skos:narrower", "nd:lacuna"),
        ("nd:lacuna", "http://purl.org/iso25964/skos-thes#broaderGeneric", "nd:material-loss"),
    ],
)
def test_narrower_concepts_are_found_however_the_thesaurus_links_them(
    graph: Graph, link: tuple[str, str, str]
) -> None:
    unsay(graph, "nd:lacuna", "skos:broader")
    wanted = {"concept": f"{ND}material-loss"}
    assert graph.query("by-concept", wanted).column("annotation") == [REVISED]
    say(graph, VERSION, link)
    assert graph.query("by-concept", wanted).column("annotation") == [IMPORTED, REVISED]
    families = {row["family"]: row["annotations"] for row in graph.query("by-family")}
    assert families == {f"{ND}material-loss": 2, f"{ND}discontinuities": 1}


def test_a_superseded_vocabulary_says_nothing_of_the_hierarchy(graph: Graph) -> None:
    newer = ox.NamedNode(f"{BASE}vocabulary/notre-dame-alterations/2")
    graph.store.extend(
        ox.Quad(quad.subject, quad.predicate, quad.object, newer)
        for quad in graph.store.quads_for_pattern(None, None, None, VERSION)
        if quad.subject != VERSION and quad.predicate != node("skos:broader")
    )
    say(graph, newer, (newer.value, "prov:wasRevisionOf", VERSION.value))
    say(graph, newer, ("nd:lacuna", "skos:broader", "nd:discontinuities"))
    found = graph.query("by-concept", concept=f"{ND}discontinuities").column("annotation")
    assert found == [IMPORTED]
    assert len(graph.query("concept-usage")) == 6
    assert graph.query("area-per-concept").column("pixels") == [74448.0, 1200.0, 6.0]


@pytest.mark.parametrize("name", ["area-per-concept", "concept-usage", "by-family"])
def test_labels_are_in_the_language_asked_for_else_in_english_else_in_any(
    graph: Graph, name: str
) -> None:
    column = "family" if name == "by-family" else "concept"
    concept = "nd:material-loss" if name == "by-family" else "nd:lacuna"

    def label(language: str) -> str:
        (row,) = (
            r for r in graph.query(name, language=language) if r[column] == node(concept).value
        )
        return str(row["label"])

    before = graph.query(name).rows
    english, french = label("en"), label("fr")
    assert english != french
    assert label("de") == english
    say(graph, VERSION, (concept, "skos:prefLabel", ox.Literal("Verlust", language="de-AT")))
    assert label("de") == "Verlust"
    assert label("en") == english
    assert [row[2:] for row in graph.query(name).rows] == [row[2:] for row in before]
    unsay(graph, concept, "skos:prefLabel")
    say(graph, VERSION, (concept, "skos:prefLabel", ox.Literal("Pérdida", language="es")))
    assert label("en") == "Pérdida"


def same_place(graph: Graph, least: float) -> list[tuple[str, str, float]]:
    table = graph.query("same-place", min_overlap=str(least))
    return [(row["annotation"], row["proposed"], row["overlap"]) for row in table]


def test_a_person_and_a_model_that_differ_on_one_place_are_found(graph: Graph) -> None:
    """The imported lacuna is moved onto the model's crack, 2×3 pixels at the origin."""
    part = f"{IMPORTED}#geometry"
    for name, value in (("x", 1.0), ("y", 0.0), ("width", 2.0), ("height", 3.0)):
        unsay(graph, part, f"lg:{name}")
        say(graph, node(IMPORT), (part, f"lg:{name}", ox.Literal(value)))
    ((annotation, proposed, overlap),) = same_place(graph, 0.3)
    assert (annotation, proposed) == (IMPORTED, PREFERRED)
    assert math.isclose(overlap, 1 / 3)
    assert same_place(graph, 0.34) == []
    unsay(graph, IMPORTED, "oa:hasBody")
    say(graph, node(IMPORT), (IMPORTED, "oa:hasBody", "nd:crack"))
    assert same_place(graph, 0.0) == []


def test_a_description_that_was_cut_to_length_is_not_stale(graph: Graph) -> None:
    prompt = f"{MODEL}#prompt-1"
    unsay(graph, prompt, "rdf:value")
    say(graph, node(MODEL), (prompt, "rdf:value", ox.Literal("a thin dark line", language="en")))
    assert graph.query("stale-labels").column("concept") == [f"{ND}crack"]
    whole = ox.Literal("A thin dark line, often branching", language="en")
    say(graph, VERSION, ("nd:crack", "lg:visualDescription", whole))
    assert len(graph.query("stale-labels")) == 0


def pairs(rows: Iterable[dict[str, object]]) -> list[tuple[str, str, object]]:
    return [
        (str(r["first"]).removeprefix(ND), str(r["second"]).removeprefix(ND), r["images"])
        for r in rows
    ]


def test_co_occurrence_counts_images_not_annotations(graph: Graph) -> None:
    expected = [("crack", "erosion", 1), ("crack", "lacuna", 1), ("erosion", "lacuna", 1)]
    assert pairs(graph.query("co-occurrence")) == expected
    copies = []
    for number in range(3):
        for quad in graph.store.quads_for_pattern(None, None, None, node(IMPORT)):
            renamed = [
                ox.NamedNode(f"{BASE}annotation/{number}{term.value.removeprefix(IMPORTED)}")
                if isinstance(term, ox.NamedNode) and term.value.startswith(IMPORTED)
                else term
                for term in (quad.subject, quad.object)
            ]
            copies.append(ox.Quad(renamed[0], quad.predicate, renamed[1], quad.graph_name))  # type: ignore[arg-type]
    graph.store.extend(copies)
    assert pairs(graph.query("co-occurrence")) == expected


@pytest.mark.parametrize("name", ["accepted", "accepted-or-confident", "all-current", "by-concept"])
def test_rejected_annotations_stay_out_of_exports(graph: Graph, name: str) -> None:
    """What exports read: no query for them gives a rejected or a revised annotation."""
    unsay(graph, REVISED, "lg:status")
    say(graph, node(f"{BASE}run/review-4444333322221111"), (REVISED, "lg:status", "lg:rejected"))
    given = {"concept": f"{ND}material-loss"} if name == "by-concept" else {}
    found = graph.query(name, given).column("annotation")
    assert IMPORTED in found
    assert not {REVISED, f"{BASE}annotation/bb00bb11cc22dd33ee44ff55"} & set(found)
