"""A COCO file made from columns is, byte for byte, the one made annotation by annotation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coco_export_graphs import (
    ALL,
    IRIS,
    MASK,
    ND,
    PLACES,
    RUN,
    both_ways,
    everything,
    graph_of,
    outcome,
    quads_of,
)
from lithograph.entities import Annotation
from lithograph.formats import coco_columns, coco_facts, coco_writing
from lithograph.graph import columns as graph_columns
from lithograph.queries import Query
from lithograph.rdf import Quad
from lithograph.rdf.quads import name, text_term, typed_term


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "coco.json"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"level": "families", "every_image": True},
        {"level": (f"{ND}crack",), "language": "fr"},
    ],
    ids=str,
)
def test_everything_comes_out_the_same(
    place: str,
    options: dict[str, Any],
    target: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "\\" in MASK.counts
    graph = graph_of(quads_of(*everything()), tmp_path / "store" if place != "in memory" else None)
    plain, columns = both_ways(graph, target, monkeypatch, place, **options)
    assert isinstance(plain, bytes), plain
    assert columns == plain
    records = json.loads(plain)["annotations"]
    assert len(records) >= 5


def test_columns_are_what_is_read_and_not_one_by_one(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the comparison would hold whatever the columns gave."""
    graph = graph_of(quads_of(*everything()))
    monkeypatch.setattr(coco_writing, "FEW", 0)
    read: list[str] = []
    by_itself = graph.annotation

    def noted(iri: str) -> Annotation:
        read.append(iri)
        return by_itself(iri)

    monkeypatch.setattr(graph, "annotation", noted)
    assert isinstance(outcome(graph, target), bytes)
    assert read == []


@pytest.mark.parametrize("place", PLACES)
def test_files_in_place_of_memory_change_nothing(
    place: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = graph_of(quads_of(*everything()))
    before, _ = both_ways(graph, target, monkeypatch, place)
    monkeypatch.setattr(coco_facts, "SPAN", 4)
    monkeypatch.setattr("lithograph.formats.coco_assembling.SPAN", 4)
    monkeypatch.setattr(coco_facts, "IN_MEMORY", 0)
    monkeypatch.setattr(graph_columns, "ROWS", 3)
    monkeypatch.setattr(graph_columns, "_BLOCK", 100)
    monkeypatch.setattr(coco_columns, "_OUTLINES", 2)
    plain, columns = both_ways(graph, target, monkeypatch, place)
    assert plain == before
    assert columns == before


def part(iri: str, predicate: str) -> str:
    """The node of an annotation that has a predicate."""
    if predicate == "oa:hasSource":
        return f"<{iri}#target>"
    numbers = {"lg:x", "lg:y", "lg:width", "lg:height", "lg:area", "lg:outline", "lg:mask"}
    return f"<{iri}#geometry>" if predicate in numbers else f"<{iri}>"


def number(text: str) -> str:
    return typed_term(text, "xsd:double")


#: Another value that a predicate could have.
OTHERS = {
    "oa:hasBody": f"<{ND}lacuna>",
    "oa:hasSource": f"<{IRIS.image('photo-2')}>",
    "lg:status": name("lg:accepted"),
    "dcterms:created": typed_term("2026-01-07T00:00:00Z", "xsd:dateTime"),
    "lg:x": number("7.25"),
    "lg:y": number("7.25"),
    "lg:width": number("7.25"),
    "lg:height": number("7.25"),
    "lg:area": number("7.25"),
    "lg:outline": typed_term(
        "MULTIPOLYGON (((1.0 1.0, 9.0 1.0, 9.0 9.0, 1.0 1.0)))", "lg:pixelWkt"
    ),
    "lg:confidence": number("0.5"),
    "lg:maskQuality": number("0.5"),
    "lg:region": f"<{IRIS.region('1')}>",
    "lg:sourceId": text_term("other"),
    "lg:crowd": typed_term("true", "xsd:boolean"),
    "lg:mask": typed_term("120 160 " + MASK.counts, "lg:cocoRle"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("predicate", OTHERS)
def test_what_is_missing_or_doubled_is_told_as_ever(
    predicate: str, place: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, made = everything()
    quads = quads_of(images, made)
    first = replace(made[0], region=IRIS.region("0"), source_id="one", crowd=False)
    quads += quads_of([], [replace(first, iri=f"{first.iri}0")])
    node = part(f"{first.iri}0", predicate)
    there = [quad for quad in quads if quad[:2] == (node, name(predicate))]
    without = [quad for quad in quads if quad not in there]
    other: Quad = (node, name(predicate), OTHERS[predicate], f"<{RUN}>")
    elsewhere: Quad = (*other[:3], f"<{RUN}2>")
    for changed in (without, [*quads, other], [*without, elsewhere], [*quads, elsewhere]):
        plain, columns = both_ways(graph_of(changed), target, monkeypatch, place)
        assert columns == plain
    if predicate not in {"lg:mask", "lg:crowd"}:
        doubled = outcome(graph_of([*quads, other]), target)
        assert isinstance(doubled, str)
        assert f"{first.iri}0" in doubled


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("predicate", "value"),
    [
        ("lg:width", number("0.0")),
        ("lg:height", number("-3.5")),
        ("lg:x", number("INF")),
        ("lg:y", number("NaN")),
        ("lg:x", text_term("12.50")),
        ("lg:x", typed_term("012", "xsd:integer")),
        ("lg:y", typed_term("12.50", "xsd:decimal")),
        ("lg:area", number("1e300")),
        ("lg:area", text_term("many")),
        ("lg:area", text_term("1,2")),
        ("lg:area", text_term("true")),
        ("lg:confidence", number("1.5")),
        ("lg:confidence", number("NaN")),
        ("lg:confidence", typed_term("1", "xsd:integer")),
        ("lg:maskQuality", number("INF")),
        ("lg:status", f"<{ND}crack>"),
        ("lg:status", text_term("accepted")),
        ("lg:crowd", typed_term("false", "xsd:boolean")),
        ("lg:crowd", text_term("yes")),
        ("lg:sourceId", typed_term("12", "xsd:integer")),
        ("lg:sourceId", text_term("mur", language="fr")),
        ("lg:sourceId", f"<{ND}crack>"),
        ("oa:hasBody", text_term(f"{ND}crack")),
        ("oa:hasBody", "<https://example.org/no-concept>"),
        ("dcterms:created", text_term("long ago\\")),
        ("lg:outline", typed_term("POLYGON ((1 1, 9 1, 9 9, 1 1))", "lg:pixelWkt")),
        ("lg:outline", typed_term("MULTIPOLYGON (((1 1, 9 1, 9 9, 1 1)))", "lg:pixelWkt")),
        ("lg:outline", text_term("MULTIPOLYGON (((1.50 1.0, 9.0 1.0, 9.0 9.0, 1.50 1.0)))")),
        ("lg:outline", typed_term("MULTIPOLYGON (((1.0 1.0, 9.0 1.0)))", "lg:pixelWkt")),
        ("lg:outline", typed_term("POINT (1 1)", "lg:pixelWkt")),
        ("lg:outline", text_term('a "thing"\n\\')),
        (
            "lg:outline",
            typed_term(
                "MULTIPOLYGON (((500.0 1.0, 509.0 1.0, 509.0 9.0, 500.0 1.0)))", "lg:pixelWkt"
            ),
        ),
        (
            "lg:outline",
            typed_term(
                "MULTIPOLYGON (((500.0 1.0, 509.0 1.0, 509.0 9.0, 500.0 1.0)), "
                "((500.0 1.0, 509.0 1.0, 509.0 9.0, 500.0 1.0)))",
                "lg:pixelWkt",
            ),
        ),
    ],
)
def test_strange_values_are_read_as_ever(
    predicate: str, value: str, place: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, made = everything()
    quads = quads_of(images, made)
    quads += quads_of([], [replace(made[0], iri=f"{made[0].iri}0")])
    node = part(f"{made[0].iri}0", predicate)
    changed = [quad for quad in quads if quad[:2] != (node, name(predicate))]
    changed.append((node, name(predicate), value, f"<{RUN}>"))
    plain, columns = both_ways(graph_of(changed), target, monkeypatch, place)
    assert columns == plain


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "text",
    [
        "120 160",
        "120 160 ",
        "120 160 a b",
        "-1 160 abc",
        "0 160 abc",
        "٣ 160 abc",
        "121 160 {counts}",
    ],
)
def test_strange_masks_are_read_as_ever(
    text: str, place: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, made = everything()
    quads = quads_of(images, [made[5], replace(made[5], iri=f"{made[5].iri}0")])
    node = f"<{made[5].iri}0#geometry>"
    changed = [quad for quad in quads if quad[:2] != (node, name("lg:mask"))]
    value = typed_term(text.format(counts=MASK.counts), "lg:cocoRle")
    changed.append((node, name("lg:mask"), value, f"<{RUN}>"))
    plain, columns = both_ways(graph_of(changed), target, monkeypatch, place)
    assert isinstance(plain, str)
    assert columns == plain


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "text", ["POINT (1 1)", "MULTIPOLYGON (((500.0 1.0, 509.0 1.0, 509.0 9.0, 500.0 1.0)))"]
)
def test_what_is_left_out_is_read_all_the_same(
    text: str, place: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outline that is none is told, one that covers no pixel only where it would be written."""
    images, made = everything()
    (background,) = [each for each in made if each.concept == f"{ND}sound-stone"]
    node = f"<{background.iri}#geometry>"
    quads = [q for q in quads_of(images, made) if q[:2] != (node, name("lg:outline"))]
    quads.append((node, name("lg:outline"), typed_term(text, "lg:pixelWkt"), f"<{RUN}>"))
    plain, columns = both_ways(graph_of(quads), target, monkeypatch, place)
    assert columns == plain
    assert isinstance(plain, str) is text.startswith("POINT")


def test_of_several_faults_the_first_is_named_and_the_others_counted(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, made = everything()
    gone = {f"<{each.iri}#geometry>" for each in made[2:5]}
    quads = [quad for quad in quads_of(images, made) if quad[0] not in gone]
    for place in PLACES:
        plain, columns = both_ways(graph_of(quads), target, monkeypatch, place)
        assert columns == plain
        assert str(plain).endswith("and 2 more")


def test_what_is_no_annotation_is_named_whatever_it_is(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = graph_of(quads_of(*everything()))
    for text in (
        "SELECT ?annotation { GRAPH ?g { ?annotation a <https://schema.org/ImageObject> } }",
        'SELECT ?annotation { VALUES ?annotation { "no IRI" } }',
        "SELECT ?annotation { VALUES ?annotation { 12 } }",
        "SELECT ?annotation { GRAPH ?g { ?annotation ?p ?o } }",
    ):
        for place in PLACES:
            query = Query.parse(text)
            plain, columns = both_ways(graph, target, monkeypatch, place, query=query)
            assert columns == plain
            assert "expected ?annotation to be bound to annotations" in str(plain)


def test_a_literal_and_nothing_bound_are_no_hindrance(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, made = everything()
    graph = graph_of(quads_of(images, made))
    query = Query.parse(
        f'SELECT ?annotation {{ VALUES ?annotation {{ <{made[0].iri}> UNDEF "{made[1].iri}" }} }}'
    )
    plain, columns = both_ways(graph, target, monkeypatch, "in memory", query=query)
    assert isinstance(plain, bytes)
    assert columns == plain
    assert len(json.loads(plain)["annotations"]) == 2


def test_progress_is_told_and_ends_with_all(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = graph_of(quads_of(*everything()))
    monkeypatch.setattr("lithograph.formats.coco_assembling.SPAN", 4)
    monkeypatch.setattr(coco_facts, "SPAN", 4)
    told: list[tuple[int, int]] = []
    written = outcome(graph, target, progress=lambda done, total: told.append((done, total)))
    assert isinstance(written, bytes)
    count = len(json.loads(written)["annotations"])
    assert told[-1] == (count, count)
    assert told == sorted(told)
    assert len(told) > 2


def test_a_failure_on_the_way_leaves_nothing_behind(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = graph_of(quads_of(*everything()))
    target.write_text("what was there before")

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        coco_writing.export_coco(graph, target, ALL, progress=stop)
    assert target.read_text() == "what was there before"
    assert list(target.parent.iterdir()) == [target]
    assert not graph.query("exports").rows


def test_an_outline_keeps_its_last_digit(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither way rounds: what stands in the graph stands in the file."""
    graph = graph_of(quads_of(*everything()))
    plain, columns = both_ways(graph, target, monkeypatch, "in memory")
    assert isinstance(plain, bytes)
    assert columns == plain
    assert b"[[10.25,1.5,70.12345678901234,3,0.30000000000000004,50.75]]" in plain
