"""Every shipped query: its header is true, and its answer on the example is the right one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from rdflib.plugins.sparql import prepareQuery

from lithograph.errors import QueryError
from lithograph.graph import Graph
from lithograph.queries import Query, bind_terms, find, shipped
from lithograph.rdf import Iris

BASE = "https://data.example.org/ca19/"
ND = "https://w3id.org/lithograph/notre-dame-alterations/"
IMPORTED, PREFERRED, OTHER_MASK, REVISED = (
    f"{BASE}annotation/{key}"
    for key in (
        "2b7d1f60c4e8a935b1c2d3e4",
        "aa00bb11cc22dd33ee44ff55",
        "bb00bb11cc22dd33ee44ff55",
        "cc00bb11cc22dd33ee44ff55",
    )
)
IMAGE = f"{BASE}image/624c06c2bc7ad-iter_ca_19_04624"
MODEL_RUN = f"{BASE}run/model-77aa55cc33ee1100"

#: Query → its parameters, the column that is looked at, and what it holds on the example.
#: The imported lacuna is accepted; the model's crack is proposed; its other mask was corrected by a
#: person to an erosion, which is accepted.
ANSWERS: dict[str, tuple[dict[str, str], str, list[Any]]] = {
    "accepted": ({}, "annotation", [IMPORTED, REVISED]),
    "accepted-or-confident": ({}, "annotation", [IMPORTED, PREFERRED, REVISED]),
    "all-current": ({}, "annotation", [IMPORTED, PREFERRED, REVISED]),
    "alternatives": ({"preferred": PREFERRED}, "annotation", [OTHER_MASK]),
    "area-per-concept": ({}, "pixels", [74448.0, 1200.0, 6.0]),
    "by-concept": ({"concept": f"{ND}material-loss"}, "annotation", [IMPORTED, REVISED]),
    "by-family": ({"language": "fr"}, "label", ["Perte de matière", "Discontinuités"]),
    "by-image": ({"image": IMAGE}, "annotation", [IMPORTED, REVISED, PREFERRED]),
    "by-model": ({}, "accepted", [1, 1]),
    "by-region": ({"region": "019934d94efb39fa"}, "annotation", [IMPORTED]),
    "by-run": ({"run": MODEL_RUN}, "annotation", [PREFERRED, OTHER_MASK]),
    "changed-since": ({"since": "2026-01-06"}, "annotation", [PREFERRED, OTHER_MASK, REVISED]),
    "co-occurrence": ({}, "images", [1, 1, 1]),
    "concept-usage": ({}, "annotations", [1, 1, 1, 0, 0, 0]),
    "disagreement": ({}, "person", ["Marie"]),
    "exports": ({}, "query", ["accepted-or-confident"]),
    "images-without-annotation": ({}, "image", []),
    "low-confidence": ({"max_confidence": "0.9"}, "annotation", [PREFERRED]),
    "orphans": ({}, "annotation", []),
    "provenance": ({"annotation": REVISED}, "subject", []),
    "refused": ({}, "path", ["annotations[3].segmentation[0]"]),
    "regions": ({"min_images": "1"}, "region", ["019934d94efb39fa"]),
    "retired": ({}, "annotation", []),
    "runs": ({}, "annotations", [1, 0, 2, 1, 0]),
    "same-place": ({"min_overlap": "0"}, "annotation", []),
    "stale-labels": ({}, "prompt", []),
    "unreviewed": ({}, "annotation", [PREFERRED]),
}


@pytest.fixture
def graph() -> Graph:
    made = Graph.in_memory(Iris(BASE))
    example = Path(__file__).parent / "data" / "example.trig"
    made.store.load(path=example, format=ox.RdfFormat.TRIG)
    return made


@pytest.mark.parametrize("name", shipped())
def test_the_header_is_true(name: str) -> None:
    query = shipped()[name]
    assert query.title
    assert query.description
    assert tuple(column.name for column in query.columns) == query.variables
    body = "\n".join(row for row in query.text.splitlines() if not row.startswith("#"))
    for parameter in query.parameters:
        assert re.search(rf"\?{parameter.name}\b", body), parameter.name
        # What is replaced by a term cannot be projected.
        assert parameter.name not in query.variables
    if query.form == "SELECT":
        assert "ORDER BY" in query.text
    # Standard SPARQL 1.1 with its own prefixes: another engine reads it too.
    prepareQuery(query.text)


def test_there_are_answers_for_all() -> None:
    assert set(ANSWERS) | {"cidoc-crm"} == set(shipped())


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answer_on_the_example(graph: Graph, name: str) -> None:
    parameters, column, expected = ANSWERS[name]
    table = graph.query(name, parameters)
    if name == "provenance":
        assert {row["subject"] for row in table} == {
            REVISED,
            f"{BASE}run/review-4444333322221111",
            f"{BASE}agent/marie",
        }
    else:
        assert table.column(column) == expected


def test_a_threshold_decides(graph: Graph) -> None:
    sure = graph.query("accepted-or-confident", min_confidence="0.9")
    assert sure.column("annotation") == [IMPORTED, REVISED]


def test_cidoc_crm_is_made_of_what_is_accepted(graph: Graph) -> None:
    turtle = graph.construct("cidoc-crm")
    made = list(ox.parse(turtle, format=ox.RdfFormat.TURTLE))
    observations = {quad.subject for quad in made if str(quad.object).endswith("S4_Observation>")}
    assert observations == {ox.NamedNode(IMPORTED), ox.NamedNode(REVISED)}


def test_words_that_changed_are_found(graph: Graph) -> None:
    version = ox.NamedNode(f"{BASE}vocabulary/notre-dame-alterations/5d1c0f3b9a27")
    label = ox.NamedNode("http://www.w3.org/2004/02/skos/core#prefLabel")
    crack = ox.NamedNode(f"{ND}crack")
    graph.store.remove(ox.Quad(crack, label, ox.Literal("Crack", language="en"), version))
    graph.store.add(ox.Quad(crack, label, ox.Literal("Split", language="en"), version))
    (row,) = graph.query("stale-labels")
    assert row["concept"] == f"{ND}crack"
    assert row["label"] == "Split"
    assert row["annotations"] == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-01-06", "2026-01-06T00:00:00Z"),
        ("2026-01-06+01:00", "2026-01-06T00:00:00+01:00"),
        ("2026-01-06T10:00:00", "2026-01-06T10:00:00Z"),
        ("2026-01-06T10:00:00.5-02:00", "2026-01-06T10:00:00.5-02:00"),
    ],
)
def test_a_time_without_zone_is_utc(given: str, expected: str) -> None:
    query = shipped()["changed-since"]
    assert f'"{expected}"^^' in query.bind({"since": given})


def test_orphans_and_retired_concepts_are_found(graph: Graph) -> None:
    version = f"{BASE}vocabulary/notre-dame-alterations/5d1c0f3b9a27"
    graph.store.remove_graph(ox.NamedNode(version))
    assert set(graph.query("orphans").column("missing")) == {"concept"}
    assert len(graph.query("retired")) == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "missing parameter 'concept'; it takes concept (concept)"),
        ({"concept": "crack"}, "expected a concept (its IRI), found 'crack'"),
        ({"concept": "http://x/ y"}, "expected a concept"),
        ({"concept": f"{ND}crack", "limit": "3"}, "no parameter 'limit'; it takes concept"),
    ],
)
def test_parameters_are_checked_before_anything_runs(
    graph: Graph, given: dict[str, str], message: str
) -> None:
    with pytest.raises(QueryError) as caught:
        graph.query("by-concept", given)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "value",
    ['" } SERVICE <http://x/> { } #', "\\", "'''", "a\nb", "é »", "{{label}}", "?annotation"],
)
def test_a_value_never_becomes_part_of_the_text(graph: Graph, value: str) -> None:
    text = "# parameter: what string – x\nSELECT ?found WHERE { BIND (?what AS ?found) }"
    table = graph.query(Query.parse(text), what=value)
    assert table.column("found") == [value]


def test_only_whole_variables_are_replaced() -> None:
    text = "SELECT ?whatever { ?s ?p ?what, '?what', <http://x/?what> } # ?what"
    bound = bind_terms(text, {"what": ox.Literal("x")})
    assert bound.split() == [
        "SELECT",
        "?whatever",
        "{",
        "?s",
        "?p",
        '"x"',
        ",",
        "'?what',",
        "<http://x/?what>",
        "}",
        "#",
        "?what",
    ]


def test_a_query_is_found_by_name_in_folders_first(tmp_path: Path) -> None:
    own = tmp_path / "by-concept.rq"
    own.write_text("SELECT ?annotation WHERE { ?annotation ?p ?o }", encoding="utf-8")
    assert find("by-concept", [tmp_path]).title == ""
    assert find("by-concept").title
    assert find(str(own)).name == "by-concept"
    with pytest.raises(QueryError, match=r"the nearest: .*by-concept"):
        find("by-concpt")
    with pytest.raises(QueryError, match="cannot be read"):
        find(str(tmp_path / "none.rq"))


@pytest.mark.parametrize(
    "header", ["parameter: x", "parameter: x colour – y", "column: x", "column: – y"]
)
def test_an_ill_formed_header_is_refused(header: str) -> None:
    with pytest.raises(QueryError, match="expected '# "):
        Query.parse(f"# {header}\nSELECT * {{ ?s ?p ?o }}")
