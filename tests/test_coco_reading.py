from __future__ import annotations

import json
import math
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coco_records import (
    CRACK,
    CREATED,
    LACUNA,
    Read,
    a_file,
    a_record,
    an_image,
    kinds,
    notre_dame,
    reader_in,
    the_refusal,
    without,
)
from lithograph.entities import Annotation, Image, Outline, Status
from lithograph.errors import FormatError
from lithograph.formats.coco_reading import CocoLimits, CocoReader, coco_categories, read_coco
from lithograph.formats.imported import FindingKind
from lithograph.rdf.iris import Iris
from lithograph.vocabulary import scheme_from_categories


@pytest.fixture
def read(tmp_path: Path, iris: Iris) -> Read:
    """Reads a COCO file given as data."""
    return reader_in(tmp_path, iris)


# -- what comes in ---------------------------------------------------------------------------------


def test_a_plain_file(read: Read, iris: Iris) -> None:
    imported = read(a_file())
    assert (imported.kind, imported.project, imported.source) == ("coco", "site", "site.json")
    (image,), (annotation,) = imported.images, imported.annotations
    assert image == Image(
        iri=iris.image_of_source("site", "wall.jpg", "7"),
        name="wall.jpg",
        width=100,
        height=80,
        source_id="7",
        project="site",
    )
    geometry = Outline(((((10.0, 10.0), (30.0, 10.0), (30.0, 30.0), (10.0, 30.0)),),))
    assert annotation == Annotation(
        iri=iris.annotation("site", image.iri, geometry, CRACK, source_id="1"),
        image=image.iri,
        concept=CRACK,
        geometry=geometry,
        box=annotation.box,
        area=400.0,
        created=CREATED,
        status=Status.ACCEPTED,
        source_id="1",
    )
    assert tuple(annotation.box) == (10, 10, 20, 20)
    assert not imported.refusals
    assert not imported.findings
    assert not imported.regions


def test_reading_twice_gives_the_same(read: Read) -> None:
    data = a_file(a_record(), a_record(id=2, category_id=8))
    first = read(data)
    assert read(data) == first
    assert read(data, known_images=first.images) == first
    # The file's name is its project unless one is named.
    assert read(data, name="other.json", project="site").annotations == first.annotations
    assert read(data, name="other.json").annotations[0].iri != first.annotations[0].iri


def test_ids_count_from_where_they_like(read: Read) -> None:
    assert len(read(a_file(a_record(id=0))).annotations) == 1
    assert len(read(a_file(a_record(id=-5), a_record(id=2**70))).annotations) == 2


# -- ids -------------------------------------------------------------------------------------------


def test_an_id_twice(read: Read) -> None:
    second = a_record(segmentation=[[40, 40, 60, 40, 60, 60]], bbox=[40, 40, 20, 20], area=200)
    imported = read(a_file(a_record(), second, a_record(id=2)))
    assert [annotation.source_id for annotation in imported.annotations] == ["1", "2"]
    (refusal,) = imported.refusals
    assert refusal.path == "annotations[1].id"
    assert refusal.reason == "expected an id of its own, found 1, which is annotations[0]'s"


def test_an_id_in_two_images(read: Read) -> None:
    images = [an_image(), an_image(id=8, file_name="b.jpg")]
    imported = read(a_file(a_record(), a_record(image_id=8), images=images))
    assert len(imported.annotations) == 1
    assert imported.refusals[0].path == "annotations[1].id"


def test_a_refused_record_takes_no_id(read: Read) -> None:
    imported = read(a_file(a_record(category_id=99), a_record()))
    assert len(imported.annotations) == len(imported.refusals) == 1


def test_an_image_and_a_category_twice(read: Read) -> None:
    data = a_file(
        images=[an_image(), an_image(file_name="b.jpg")],
        categories=[{"id": 3, "name": "Crack"}, {"id": 3, "name": "Lacuna"}],
    )
    imported = read(data)
    assert [refusal.path for refusal in imported.refusals] == ["categories[1].id", "images[1].id"]
    assert [image.name for image in imported.images] == ["wall.jpg"]
    assert imported.annotations[0].concept == CRACK


def test_strings_and_whole_floats_as_ids_are_accepted_and_told(read: Read) -> None:
    """Some ground truths have ``"2299"`` for an image and 2299 in its annotations."""
    data = a_file(
        a_record(category_id=3.0),
        a_record(id="2", image_id="7"),
        a_record(id="abc-1"),
        images=[an_image(id="7")],
    )
    imported = read(data)
    assert [annotation.source_id for annotation in imported.annotations] == ["1", "2", "abc-1"]
    assert kinds(imported) == [FindingKind.ID_TYPE]
    assert imported.findings[0].count == 5
    assert imported.annotations[0].concept == CRACK


@pytest.mark.parametrize("value", [3.5, 2.0**53, None, True, "", [3], {"a": 1}])
@pytest.mark.parametrize("key", ["id", "image_id", "category_id"])
def test_what_is_no_id_is_refused(read: Read, key: str, value: Any) -> None:
    refusal = the_refusal(read(a_file(a_record(**{key: value}))))
    assert refusal.path == f"annotations[0].{key}"
    assert "expected a whole number" in refusal.reason


def test_an_image_that_is_not_listed(read: Read) -> None:
    refusal = the_refusal(read(a_file(a_record(image_id=99))))
    assert refusal.path == "annotations[0].image_id"
    assert refusal.reason == "expected an image that the file lists, found 99"


def test_every_fault_of_a_record_is_told(read: Read) -> None:
    record = a_record(
        image_id=99, category_id=98, id=None, segmentation=[[1, 2, 3]], score="high", iscrowd=7
    )
    refusal = the_refusal(read(a_file(record)))
    assert refusal.path == "annotations[0].segmentation[0]"
    for part in ("found 3", "image_id: ", "category_id: ", "id: ", "score: "):
        assert part in refusal.reason


# -- confidence, status, and what our own exports say ----------------------------------------------


def test_scores_and_status(read: Read) -> None:
    data = a_file(
        a_record(),
        a_record(id=2, score=0.25),
        a_record(id=3, status="rejected"),
        a_record(id=4, score=1, status="accepted", mask_quality=1.02),
        a_record(id=5, status="done", score=None),
    )
    imported = read(data)
    assert [a.status.value for a in imported.annotations] == [
        "accepted",
        "proposed",
        "rejected",
        "accepted",
        "accepted",
    ]
    assert [a.confidence for a in imported.annotations] == [None, 0.25, None, 1.0, None]
    assert imported.annotations[3].mask_quality == 1.02
    assert kinds(imported) == [FindingKind.STATUS_UNKNOWN]
    imported = read(data, status=Status.PROPOSED)
    assert {a.status for a in imported.annotations} == {Status.PROPOSED}


@pytest.mark.parametrize("score", [1.5, -0.1, "0.5", True, 10**400, [0.5]])
def test_a_score_that_is_no_share_is_refused(read: Read, score: Any) -> None:
    assert the_refusal(read(a_file(a_record(score=score)))).path == "annotations[0].score"


def test_our_own_exports_are_read_back(read: Read, iris: Iris) -> None:
    ours = "https://elsewhere.example.org/g/"
    data = a_file(
        a_record(
            annotation_iri=f"{ours}annotation/aa00",
            concept_iri=LACUNA,
            region_iri=f"{ours}region/019934d94efb39fa",
            status="accepted",
            score=0.81,
        ),
        a_record(id=2, annotation_iri=f"{ours}annotation/bb00", source_id="4711"),
        images=[an_image(image_iri=f"{ours}image/x", sha256="c" * 64)],
    )
    imported = read(data)
    first, second = imported.annotations
    assert (first.concept, first.status, first.confidence) == (LACUNA, Status.ACCEPTED, 0.81)
    assert first.region == iris.region("019934d94efb39fa")
    assert first.source_id == f"{ours}annotation/aa00"
    assert second.source_id == "4711"
    (image,) = imported.images
    assert image.iri == iris.image("c" * 64)
    assert (image.sha256, image.project, image.source_id) == ("c" * 64, None, None)
    # Numbers are made anew in each export: they play no part in what an annotation is.
    data["annotations"] = [a | {"id": a["id"] + 40} for a in reversed(data["annotations"])]
    again = read(data, name="later.json")
    assert {a.iri for a in again.annotations} == {a.iri for a in imported.annotations}


# -- whole files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}],
            "found detection",
        ),
        ([1, 2], "found an array"),
        ({"info": {}, "shapes": []}, "found 'info', 'shapes'"),
        ({}, "found no key at all"),
        ({"images": [], "annotations": [{"id": 1, "caption": "hello"}]}, "found captions"),
        ({"images": [], "annotations": [{"segments_info": []}]}, "found a panoptic segmentation"),
        ({"images": [], "annotations": [a_record(keypoints=[1, 2, 2])]}, "found keypoints"),
        ({"images": {}}, "images: expected an array"),
        (
            '{"images": [], "annotations": [{"id": 1}, {"id": 2',
            "the file ends inside annotations[1]",
        ),
        ("", "expected a JSON object"),
    ],
)
def test_files_of_another_kind(read: Read, data: Any, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(data)
    assert message in str(caught.value)
    assert caught.value.subject.endswith("site.json")


def test_a_file_that_cannot_be_read(read: Read, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.json", tmp_path):
        with pytest.raises(FormatError, match="expected a COCO file, found none"):
            coco_categories(path)
    with pytest.raises(FormatError, match="expected at most 10 bytes"):
        read(a_file(), limits=CocoLimits(file_bytes=10))


def test_a_file_that_changes_meanwhile(tmp_path: Path, iris: Iris) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(a_file()), encoding="utf-8")
    reader = CocoReader(path, vocabulary=notre_dame(), iris=iris, created=CREATED)
    path.write_text(json.dumps(a_file(a_record(), a_record(id=2))), encoding="utf-8")
    with pytest.raises(FormatError, match="changed while it was read"):
        list(reader.annotations())


def test_images_alone(read: Read) -> None:
    for data in (a_file() | {"annotations": []}, without(a_file(), "annotations")):
        imported = read(data)
        assert len(imported.images) == 1
        assert kinds(imported) == [FindingKind.NO_ANNOTATIONS]


def test_a_byte_order_mark_and_any_order_of_keys(read: Read) -> None:
    data = a_file()
    turned = {key: data[key] for key in ("annotations", "categories", "images")}
    marked = b"\xef\xbb\xbf" + json.dumps(turned).encode()
    assert replace(read(marked), sha256="") == replace(read(data), sha256="")


def test_bad_records_stop_no_others(read: Read) -> None:
    good = json.dumps(a_record(id=5))
    text = (
        b'{"categories": [null, {"id": 3, "name": "Crack"}, {"id": 8, "name": "Lac'
        b'\xff"}], "images": [7, {"id": 7, "file_name": "wall.jpg", "width": 100, "height": 80}],'
        b'"annotations": [{"id": 01}, {"id": 1, "id": 2, "user": "marie@example.org"}, [], '
        + good.encode()
        + b"]}"
    )
    imported = read(text)
    assert [annotation.source_id for annotation in imported.annotations] == ["5"]
    assert [(refusal.path, refusal.reason.partition(":")[0]) for refusal in imported.refusals] == [
        ("categories[0]", "expected an object, found None"),
        ("categories[2]", "not UTF-8 at its byte 22"),
        ("images[0]", "expected an object, found 7"),
        ("annotations[0]", "not JSON at its character 8"),
        ("annotations[1]", "ambiguous"),
        ("annotations[2]", "expected an object, found []"),
    ]
    for refusal in imported.refusals:
        json.loads(refusal.source)
        assert "marie" not in refusal.source


def test_a_record_that_is_too_long_is_refused(read: Read) -> None:
    ring = [value for n in range(400) for value in (10 + n % 40, 10 + n % 30)]
    imported = read(
        a_file(a_record(segmentation=[ring]), a_record(id=2)), limits=CocoLimits(record_bytes=500)
    )
    assert [annotation.source_id for annotation in imported.annotations] == ["2"]
    (refusal,) = imported.refusals
    assert (refusal.path, refusal.reason) == (
        "annotations[0]",
        "longer than the limit of one record",
    )
    assert json.loads(refusal.source)["unparsed"].startswith('{"id": 1')


def test_people_are_not_read_in(read: Read) -> None:
    marie = "Marie Curie <marie@example.org>"
    data = a_file(a_record(user=marie), a_record(id=2, user=marie, image_id=99))
    imported = read(data | {"info": {"contributor": marie}})
    assert "marie@example.org" not in repr(imported)
    assert len(imported.annotations) == len(imported.refusals) == 1


def test_progress_is_told(read: Read) -> None:
    steps: list[tuple[int, int]] = []
    records = [a_record(id=number) for number in range(1, 301)]
    read(a_file(*records), progress=lambda done, total: steps.append((done, total)))
    assert steps == [(256, 300), (300, 300)]


def test_findings_are_counted_and_a_few_named(read: Read) -> None:
    records = [a_record(id=number, segmentation=[]) for number in range(1, 31)]
    (finding,) = read(a_file(*records)).findings
    assert finding.count == 30
    assert len(finding.examples) == 10
    assert str(finding).endswith("(annotations[0]; 29 more)")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=8,
    ),
    st.sampled_from(sorted(a_record() | {"score": 0, "status": 0, "concept_iri": 0}))
    | st.sampled_from(["region_iri", "annotation_iri", "source_id", "mask_quality"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_anywhere_gives_an_annotation_or_a_refusal(
    read: Read, value: Any, key: str
) -> None:
    imported = read(a_file(a_record(**{key: value}), a_record(id=-99)))
    assert len(imported.annotations) + len(imported.refusals) == 2
    assert imported.annotations
    for refusal in imported.refusals:
        assert refusal.path.startswith("annotations[0]")
        json.loads(refusal.source, parse_constant=pytest.fail)


# -- files of others -------------------------------------------------------------------------------


def coco_files(shared_data: Path) -> list[Path]:
    return sorted((shared_data / "coco").rglob("*.json"))


def test_every_coco_file_of_others_is_read_or_refused(shared_data: Path, iris: Iris) -> None:
    outcomes: dict[str, int] = {"read": 0, "refused": 0}
    for path in coco_files(shared_data):
        try:
            categories = coco_categories(path)
            used = (
                scheme_from_categories("theirs", iris.base, categories)
                if categories
                else notre_dame()
            )
            imported = read_coco(path, vocabulary=used, iris=iris, created=CREATED)
        except FormatError:
            outcomes["refused"] += 1
            continue
        outcomes["read"] += 1
        said = json.loads(path.read_bytes())
        assert len(imported.images) == len(said["images"])
        assert len(imported.annotations) + len(imported.refusals) == len(said["annotations"])
        assert bool(imported.refusals) == path.name.startswith("labels_")
        for annotation, record in zip(imported.annotations, said["annotations"], strict=False):
            if FindingKind.BOX_DIFFERS not in kinds(imported):
                assert list(annotation.box) == record["bbox"]
            if "area" in record and FindingKind.AREA_DIFFERS not in kinds(imported):
                assert annotation.area == record["area"]
    assert outcomes == {"read": 26, "refused": 14}


@pytest.mark.slow
def test_a_large_file_is_read_in_bounded_memory(tmp_path: Path, iris: Iris) -> None:
    path = tmp_path / "large.json"
    turns = [n * math.tau / 1000 for n in range(1000)]
    ring = [v for turn in turns for v in (50 + 40 * math.cos(turn), 40 + 30 * math.sin(turn))]
    with path.open("w", encoding="utf-8") as stream:
        stream.write(json.dumps(a_file() | {"annotations": []})[:-2])
        for number in range(1, 1501):
            record = without(a_record(id=number, segmentation=[ring]), "bbox", "area")
            stream.write((",\n" if number > 1 else "") + json.dumps(record))
        stream.write("]}")
    assert path.stat().st_size > 45 * 2**20
    tracemalloc.start()
    reader = CocoReader(path, vocabulary=notre_dame(), iris=iris, created=CREATED)
    count = sum(isinstance(item, Annotation) for item in reader.annotations())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 1500
    # Ids are remembered; outlines are not.
    assert peak < 10 * 2**20
