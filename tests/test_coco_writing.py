"""A COCO file made from the graph is held against pycocotools itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pycocotools.coco import COCO

from lithograph import resources
from lithograph.entities import (
    Agent,
    Annotation,
    Batch,
    Geometry,
    Image,
    Outline,
    Refusal,
    Run,
    RunKind,
    Status,
)
from lithograph.errors import ExportError, QueryError
from lithograph.formats.coco_evaluation import evaluate_coco
from lithograph.formats.coco_writing import Export, export_coco
from lithograph.gate import Shapes
from lithograph.graph import Graph
from lithograph.masks import (
    geometry_to_rle,
    mask_area,
    mask_box,
    outline_to_rle,
)
from lithograph.queries import Query
from lithograph.rdf import Iris
from lithograph.vocabulary import Vocabulary

IRIS = Iris("https://data.example.org/ca19/")
ND = "https://w3id.org/lithograph/notre-dame-alterations/"
TIME = "2026-01-05T10:00:00Z"
HEIGHT, WIDTH = 120, 160
ALL = Query.parse(
    "SELECT ?annotation WHERE { GRAPH ?run { ?annotation a <http://www.w3.org/ns/oa#Annotation> } }"
)


def rectangle(x: float, y: float, width: float, height: float) -> tuple[tuple[float, float], ...]:
    return ((x, y), (x + width, y), (x + width, y + height), (x, y + height))


SIMPLE = Outline(((rectangle(5, 5, 30, 20),),))
HOLED = Outline(((rectangle(50, 10, 40, 40), rectangle(60, 20, 15, 15)),))
PARTS = Outline(((rectangle(5, 60, 20, 20),), (rectangle(40, 60, 25, 30),)))
MASK = outline_to_rle(
    Outline(((rectangle(100, 60, 40, 50), rectangle(110, 70, 10, 10)),)), 120, 160
)


def annotation(image: Image, concept: str, geometry: Geometry, **more: Any) -> Annotation:
    rle = geometry_to_rle(geometry, image.height, image.width)
    made = Annotation(
        iri=IRIS.annotation("test", image.iri, geometry, ND + concept),
        image=image.iri,
        concept=ND + concept,
        geometry=geometry,
        box=mask_box(rle),
        area=float(mask_area(rle)),
        created=TIME,
        status=Status.ACCEPTED,
    )
    return replace(made, **more)


def image(number: int, **more: Any) -> Image:
    return Image(
        iri=IRIS.image(f"photo-{number}"),
        name=f"photo-{number}.jpg",
        width=WIDTH,
        height=HEIGHT,
        project="test",
        **more,
    )


@pytest.fixture
def graph(shapes: Shapes) -> Graph:
    made = Graph.in_memory(IRIS, shapes=lambda: shapes)
    vocabulary = Vocabulary.read(resources.ontology("notre-dame-alterations"))
    version = made.load_vocabulary(vocabulary)
    first, second = (
        image(
            1,
            licence="https://creativecommons.org/licenses/by/4.0/",
            captured="2020-06-11T13:00:50",
        ),
        image(2),
    )
    batch = Batch(
        Run(
            iri=IRIS.run(RunKind.IMPORT, "test"),
            kind=RunKind.IMPORT,
            agent=Agent("test.json", "file"),
            started=TIME,
            vocabulary_versions=(version,),
            software=("lithograph 0.1.0",),
        ),
        annotations=(
            annotation(first, "crack", SIMPLE, confidence=0.75, mask_quality=0.9),
            annotation(first, "lacuna", HOLED),
            annotation(first, "flake", PARTS),
            annotation(second, "scaling", MASK),
            annotation(second, "humidity", SIMPLE),
            annotation(second, "erosion", PARTS, crowd=True),
        ),
        images=(first, second, image(3)),
        refusals=(Refusal("annotations[9]", "a ring cut short", '{"id": 9}'),),
    )
    admission = made.admit(batch)
    assert len(admission.admitted) == 6, [r.reason for r in admission.refusals]
    return made


Write = Callable[..., tuple[Export, dict[str, Any]]]


@pytest.fixture
def write(graph: Graph, tmp_path: Path) -> Write:
    def written(query: Query = ALL, **options: Any) -> tuple[Export, dict[str, Any]]:
        path = tmp_path / "out.json"
        export = export_coco(graph, path, query, **options)
        return export, json.loads(path.read_bytes())

    return written


def perfect(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The truth's own annotations as detections."""
    return [{**record, "score": 1.0} for record in data["annotations"]]


@pytest.mark.parametrize("level", ["leaves", "families", 0, 1])
@pytest.mark.parametrize("geometry", ["bbox", "segm"])
def test_perfect_detections_score_one(write: Write, level: Any, geometry: Any) -> None:
    _, data = write(level=level)
    scores = evaluate_coco(data, perfect(data), geometry=geometry)
    assert scores["AP"] == pytest.approx(1.0)
    assert scores["AR_100"] == pytest.approx(1.0)


def test_a_wrong_label_costs_at_the_leaf_and_not_at_the_family(write: Write) -> None:
    """Flake and Scaling are siblings: confusing them is right about the family."""
    for level, expected in (("leaves", False), ("families", True)):
        _, data = write(level=level)
        ids = {c["concept_iri"]: c["id"] for c in data["categories"]}
        found = perfect(data)
        for record in found:
            if record["concept_iri"] == f"{ND}flake" and level == "leaves":
                record["category_id"] = ids[f"{ND}scaling"]
        assert (evaluate_coco(data, found)["AP"] > 0.999) is expected


def test_ids_are_dense_from_one_and_every_iri_stands_beside(write: Write) -> None:
    _, data = write(every_image=True)
    for part in ("images", "annotations", "licenses"):
        assert [record["id"] for record in data[part]] == list(range(1, len(data[part]) + 1))
    iris = [record["annotation_iri"] for record in data["annotations"]]
    assert iris == sorted(iris)
    assert len(data["images"]) == 3
    assert [i["image_iri"] for i in data["images"]] == sorted(
        i["image_iri"] for i in data["images"]
    )


def test_parts_are_polygons_holes_are_run_lengths_and_no_crowd(write: Write) -> None:
    _, data = write()
    by_concept = {r["concept_iri"].removeprefix(ND): r for r in data["annotations"]}
    assert isinstance(by_concept["crack"]["segmentation"], list)
    assert by_concept["humidity"]["segmentation"] == [[5, 5, 35, 5, 35, 25, 5, 25]]
    assert len(by_concept["flake"]["segmentation"]) == len(PARTS.polygons) > 1
    for name in ("lacuna", "scaling"):
        assert set(by_concept[name]["segmentation"]) == {"size", "counts"}
    assert {by_concept[name]["iscrowd"] for name in ("lacuna", "flake", "scaling")} == {0}
    assert by_concept["erosion"]["iscrowd"] == 1
    coco = COCO()
    coco.dataset = data
    coco.createIndex()
    for record in data["annotations"]:
        mask = coco.annToMask(record)
        assert mask.sum() == record["area"]
    hole = coco.annToMask(by_concept["lacuna"])
    assert hole[12, 52]
    assert not hole[25, 65]


def test_categories_tell_their_ancestry(write: Write) -> None:
    _, data = write()
    categories = {c["name"]: c for c in data["categories"]}
    assert [c["id"] for c in data["categories"]] == sorted(c["id"] for c in data["categories"])
    lacuna = categories["lacuna"]
    assert lacuna["id"] == 8
    assert lacuna["supercategory"] == "material loss"
    assert lacuna["ancestry"] == ["material loss", "lacuna"]
    assert lacuna["names"]["fr"].lower() == "lacune"
    assert {c["id"] for c in data["categories"]} == set(range(1, 10))
    assert "sound-stone" not in json.dumps(data["categories"])


def test_names_in_french(write: Write) -> None:
    _, data = write(language="fr")
    assert "lacune" in {c["name"].lower() for c in data["categories"]}


def test_a_cut_of_the_hierarchy(write: Write) -> None:
    export, data = write(level=(f"{ND}material-loss", f"{ND}crack"))
    assert {c["concept_iri"] for c in data["categories"]} == {f"{ND}material-loss", f"{ND}crack"}
    assert len(data["annotations"]) == 3
    assert len(export.left_out) == 3
    assert set(export.left_out.values()) == {"its concept is outside the cut, or the background"}


def test_what_the_graph_knows_is_there_and_nothing_else(write: Write) -> None:
    _, data = write()
    first, second = data["images"]
    assert first["license"] == 1
    assert first["date_captured"] == "2020-06-11T13:00:50"
    assert "license" not in second
    assert "date_captured" not in second
    assert data["licenses"][0]["url"] == "https://creativecommons.org/licenses/by/4.0/"
    crack = next(r for r in data["annotations"] if r["concept_iri"] == f"{ND}crack")
    assert crack["score"] == 0.75
    assert crack["mask_quality"] == 0.9
    assert crack["status"] == "accepted"
    assert not [r for r in data["annotations"] if r is not crack and "score" in r]


def test_the_same_graph_gives_the_same_bytes_and_one_record(graph: Graph, tmp_path: Path) -> None:
    first = export_coco(graph, tmp_path / "a.json", ALL)
    size = len(graph)
    second = export_coco(graph, tmp_path / "b.json", ALL)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert first.dataset == second.dataset
    assert len(graph) == size
    exports = graph.select(
        "SELECT ?text ?mark { GRAPH ?g { ?d lg:queryText ?text ; lg:fingerprint ?mark }}"
    )
    assert [row["text"] for row in exports] == [ALL.text]
    assert exports.column("mark") == [first.dataset.fingerprint]


def test_a_query_must_bind_annotation_before_anything_runs(graph: Graph, tmp_path: Path) -> None:
    query = Query.parse("SELECT ?thing WHERE { ?thing ?p ?o }")
    with pytest.raises(QueryError, match=r"\?annotation"):
        export_coco(graph, tmp_path / "x.json", query)
    assert not (tmp_path / "x.json").exists()


def test_what_is_no_annotation_is_named(graph: Graph, tmp_path: Path) -> None:
    query = Query.parse(
        "SELECT ?annotation WHERE { GRAPH ?g { ?annotation a <https://schema.org/ImageObject> } }"
    )
    with pytest.raises(ExportError, match="photo-1"):
        export_coco(graph, tmp_path / "x.json", query)
    assert not (tmp_path / "x.json").exists()


def test_nothing_found_writes_nothing(graph: Graph, tmp_path: Path) -> None:
    query = Query.parse("SELECT ?annotation WHERE { ?annotation a <https://example.org/None> }")
    with pytest.raises(ExportError, match="found none"):
        export_coco(graph, tmp_path / "x.json", query)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_one_clear_error(graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="cannot be written"):
        export_coco(graph, tmp_path / "no" / "x.json", ALL)


def test_file_names_are_safe_to_join_and_unique(graph: Graph, tmp_path: Path) -> None:
    odd = [
        replace(image(4), name="../../etc/passwd"),
        replace(image(5), name="/abs\\photo-1.jpg"),
        replace(image(6), name="photo-1.jpg", project="other"),
    ]
    run = Run(
        iri=IRIS.run(RunKind.IMPORT, "odd"),
        kind=RunKind.IMPORT,
        agent=Agent("odd.json", "file"),
        started=TIME,
        software=("lithograph 0.1.0",),
    )
    made = tuple(annotation(each, "crack", SIMPLE) for each in odd)
    assert not graph.admit(Batch(run, made, tuple(odd))).refusals
    path = tmp_path / "out.json"
    export_coco(graph, path, ALL)
    names = [record["file_name"] for record in json.loads(path.read_bytes())["images"]]
    assert len(names) == len(set(names))
    assert not [name for name in names if name.startswith("/") or ".." in name.split("/")]


def test_evaluation_refuses_what_it_cannot_compare(write: Write) -> None:
    from lithograph.errors import FormatError

    _, data = write()
    found = perfect(data)
    with pytest.raises(FormatError, match=r"detections\[0\].score"):
        evaluate_coco(data, [{k: v for k, v in found[0].items() if k != "score"}])
    with pytest.raises(FormatError, match=r"detections\[0\].image_id"):
        evaluate_coco(data, [{**found[0], "image_id": 99}])
    assert evaluate_coco(data, [])["AP"] == 0.0
