from __future__ import annotations

import json
import math
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from lithograph import resources
from lithograph.entities import Annotation, Image, Mask, Outline, Refusal, Status
from lithograph.errors import FormatError
from lithograph.formats.coco_reading import CocoLimits, CocoReader, coco_categories, read_coco
from lithograph.formats.imported import FindingKind, Imported
from lithograph.masks import mask_area, mask_to_rle, rle_to_mask
from lithograph.rdf.iris import Iris
from lithograph.vocabulary import Vocabulary, scheme_from_categories

CREATED = "2026-01-05T10:00:00Z"
CRACK = "https://w3id.org/lithograph/notre-dame-alterations/crack"
LACUNA = "https://w3id.org/lithograph/notre-dame-alterations/lacuna"

Read = Callable[..., Imported]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.read(resources.ontology("notre-dame-alterations"))


@pytest.fixture
def read(tmp_path: Path, vocabulary: Vocabulary, iris: Iris) -> Read:
    """Reads a COCO file given as data, or as text or bytes where JSON cannot say it."""

    def reading(data: Any, *, name: str = "site.json", **options: Any) -> Imported:
        path = tmp_path / name
        if isinstance(data, bytes):
            path.write_bytes(data)
        else:
            path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
        options.setdefault("vocabulary", vocabulary)
        return read_coco(path, iris=iris, created=CREATED, **options)

    return reading


def a_record(**changes: Any) -> dict[str, Any]:
    """An annotation: a square of 20 × 20 in an image of 100 × 80."""
    return {
        "id": 1,
        "image_id": 7,
        "category_id": 3,
        "segmentation": [[10, 10, 30, 10, 30, 30, 10, 30]],
        "bbox": [10, 10, 20, 20],
        "area": 400,
        "iscrowd": 0,
    } | changes


def without(record: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in keys}


def an_image(**changes: Any) -> dict[str, Any]:
    return {"id": 7, "file_name": "wall.jpg", "width": 100, "height": 80} | changes


def a_file(*annotations: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "images": [an_image()],
        "categories": [{"id": 3, "name": "Crack"}, {"id": 8, "name": "Lacuna"}],
        "annotations": list(annotations) or [a_record()],
    } | changes


def kinds(imported: Imported) -> list[FindingKind]:
    return [finding.kind for finding in imported.findings]


def the_refusal(imported: Imported) -> Refusal:
    (refusal,) = imported.refusals
    assert not imported.annotations
    return refusal


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


def test_vertices_keep_every_digit(read: Read) -> None:
    ring = [10.1, 10.2, 30.30000000000001, 10.1, 20.123456789012345, 30.7]
    imported = read(a_file(a_record(segmentation=[ring])))
    geometry = imported.annotations[0].geometry
    assert isinstance(geometry, Outline)
    assert [value for vertex in geometry.polygons[0][0] for value in vertex] == ring


@given(
    st.lists(
        st.tuples(
            st.floats(0, 100, allow_subnormal=False), st.floats(0, 80, allow_subnormal=False)
        ),
        min_size=3,
        max_size=12,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_outline_comes_in_exactly_or_is_refused(
    read: Read, vertices: list[tuple[float, float]]
) -> None:
    flat = [value for vertex in vertices for value in vertex]
    imported = read(a_file(without(a_record(segmentation=[flat]), "bbox", "area")))
    if vertices[-1] == vertices[0]:
        vertices = vertices[:-1]
    if imported.refusals:
        too_few = len(set(vertices)) < 3
        assert ("vertices" in imported.refusals[0].reason) == too_few
        assert too_few or "cover a pixel" in imported.refusals[0].reason
    else:
        (annotation,) = imported.annotations
        assert annotation.geometry == Outline(((tuple(vertices),),))
        assert annotation.area >= 1


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_mask_comes_in_exactly(read: Read, data: st.DataObject) -> None:
    bits = data.draw(st.lists(st.booleans(), min_size=35, max_size=35).filter(any))
    pixels = np.array(bits).reshape(5, 7)
    rle = mask_to_rle(pixels)
    plain, start = [], 0
    flat = pixels.ravel(order="F")
    value = False
    while start < flat.size:
        run = 0
        while start + run < flat.size and bool(flat[start + run]) == value:
            run += 1
        plain.append(run)
        start, value = start + run, not value
    records = [
        without(a_record(id=n, segmentation={"size": [5, 7], "counts": counts}), "bbox", "area")
        for n, counts in enumerate([rle.counts, plain], start=1)
    ]
    imported = read(a_file(*records, images=[an_image(width=7, height=5)]))
    for annotation in imported.annotations:
        assert isinstance(annotation.geometry, Mask)
        np.testing.assert_array_equal(rle_to_mask(annotation.geometry), pixels)
        assert annotation.area == pixels.sum()
        ys, xs = np.nonzero(pixels)
        assert tuple(annotation.box) == (
            xs.min(),
            ys.min(),
            xs.max() - xs.min() + 1,
            ys.max() - ys.min() + 1,
        )
    assert len(imported.annotations) == 2


# -- rings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "segmentation",
    [
        [[10, 10, 30, 10, 30, 30, 10, 30]],
        [[[10, 10], [30, 10], [30, 30], [10, 30]]],
        [[10, 10], [30, 10], [30, 30], [10, 30]],
        [10, 10, 30, 10, 30, 30, 10, 30],
        [[10, 10, 30, 10, 30, 30, 10, 30, 10, 10]],
        [[[10, 10], [30, 10], [30, 30], [10, 30], [10.0, 10.0]]],
    ],
)
def test_rings_flat_in_pairs_bare_or_closed(read: Read, segmentation: Any) -> None:
    imported = read(a_file(a_record(segmentation=segmentation)))
    assert imported.annotations == read(a_file()).annotations


@pytest.mark.parametrize(
    ("segmentation", "path", "reason"),
    [
        ([[1, 2, 3, 4, 5]], "[0]", "an even count of at least 6 numbers, found 5"),
        ([[10, 10, 30, 30]], "[0]", "an even count of at least 6 numbers, found 4"),
        ([[10, 10, 30, 10, 30, 30], []], "[1]", "found 0"),
        ([[10, 10, 30, 10, 10, 10]], "[0]", "at least 3 different vertices, found 2"),
        ([[10, 10, 10, 10, 10, 10]], "[0]", "at least 3 different vertices, found 1"),
        ([[10, 10, 30, None, 30, 30]], "[0][3]", "a finite number, found None"),
        ([[10, 10, 30, "10", 30, 30]], "[0][3]", "a finite number, found '10'"),
        ([[10, 10, 30, True, 30, 30]], "[0][3]", "a finite number, found True"),
        ([[10, 10, 30, 10**400, 30, 30]], "[0][3]", "a finite number, found 1000"),
        ([[[10, 10], [30, 10, 5], [30, 30]]], "[0][0]", "a finite number, found [10, 10]"),
        (["abc"], "[0]", "a list of numbers, found 'abc'"),
        ([{"size": [80, 100]}], "[0]", "a list of numbers, found {'size'"),
        ("abc", "", "rings or run lengths, found 'abc'"),
        (5, "", "rings or run lengths, found 5"),
        ([[200, 10, 230, 10, 230, 30]], "[0]", "on the image, but it spans 200 to 230"),
        ([[10, 10, 30, 10, 30, 1e12]], "[0]", "on the image, but it spans 10 to 30, 10 to 1e+12"),
        ([[-101, 10, 30, 10, 30, 30]], "[0]", "on the image, but it spans -101 to 30"),
        ([[101, 10, 130, 10, 130, 30]], "", "expected to cover a pixel of the 100×80 image"),
        ([[10.1, 10.1, 10.2, 10.1, 10.2, 10.2]], "", "expected to cover a pixel"),
        ([[10, 10, 30, 30, 20, 20]], "", "expected to cover a pixel"),
    ],
)
def test_rings_that_are_refused(read: Read, segmentation: Any, path: str, reason: str) -> None:
    refusal = the_refusal(read(a_file(a_record(segmentation=segmentation))))
    assert refusal.path == f"annotations[0].segmentation{path}"
    assert reason in refusal.reason
    assert json.loads(refusal.source) == a_record(segmentation=segmentation)


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_not_finite_is_refused_and_the_next_is_read(read: Read, token: str) -> None:
    text = json.dumps(a_file(a_record(segmentation=[[10, 10, 30, 10, 30, 1234]]), a_record(id=2)))
    imported = read(text.replace("1234", token))
    assert [annotation.source_id for annotation in imported.annotations] == ["2"]
    (refusal,) = imported.refusals
    assert refusal.path == "annotations[0].segmentation[0][5]"
    assert "expected a finite number" in refusal.reason
    kept = json.loads(refusal.source)["segmentation"][0][5]
    assert kept == (token if token != "1e999" else math.inf)


def test_an_outline_too_long_to_be_one_is_refused(read: Read) -> None:
    """pycocotools would walk each of its pixels."""
    ring = [value for n in range(9000) for value in (n % 2 * 1000, n % 7)]
    image = an_image(width=1000, height=1000)
    refusal = the_refusal(read(a_file(a_record(segmentation=[ring]), images=[image])))
    assert "expected outlines of at most 8388608 pixels, found" in refusal.reason


def test_rings_over_the_edge_are_kept_and_told(read: Read) -> None:
    ring = [-1.5, 10, 30, 10, 30, 81.5]
    imported = read(a_file(without(a_record(segmentation=[ring]), "bbox", "area")))
    assert kinds(imported) == []
    ring = [-1.6, 10, 30, 10, 30, 30]
    imported = read(a_file(without(a_record(segmentation=[ring]), "bbox", "area")))
    assert kinds(imported) == [FindingKind.OUTSIDE]
    assert imported.findings[0].examples == (
        "annotations[0].segmentation[0]: spans -1.6 to 30, 10 to 30 of 100 × 80",
    )
    geometry = imported.annotations[0].geometry
    assert isinstance(geometry, Outline)
    assert geometry.polygons[0][0][0] == (-1.6, 10.0)


def test_rings_that_cross_or_touch_themselves_are_kept_and_told(read: Read) -> None:
    bow_tie = [10, 10, 30, 30, 30, 10, 10, 30]
    touching = [10, 10, 20, 20, 30, 10, 30, 30, 20, 20, 10, 30]
    for ring in (bow_tie, touching):
        imported = read(a_file(without(a_record(segmentation=[ring]), "area")))
        assert kinds(imported) == [FindingKind.CROSSING]
        assert len(imported.annotations) == 1


def test_a_second_ring_is_no_hole(read: Read) -> None:
    hole = [15, 15, 25, 15, 25, 25, 15, 25]
    record = a_record(segmentation=[a_record()["segmentation"][0], hole])
    imported = read(a_file(record))
    assert kinds(imported) == [FindingKind.NESTED]
    assert imported.findings[0].examples == ("annotations[0].segmentation[1]: within [0]",)
    (annotation,) = imported.annotations
    assert isinstance(annotation.geometry, Outline)
    assert [len(polygon) for polygon in annotation.geometry.polygons] == [1, 1]
    assert annotation.area == 400.0


# -- masks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("segmentation", "reason"),
    [
        ({"size": [80, 100], "counts": [10, 20]}, "found 30"),
        ({"size": [80, 100], "counts": "!!"}, "expected characters from '0' to 'o'"),
        ({"size": [80, 100], "counts": [-1, 8001]}, "of 0 or more, found a negative one"),
        ({"size": [80, 100], "counts": [8000]}, "at least one pixel, found none"),
        ({"size": [80, 100]}, "a string or a list of whole numbers, found None"),
        ({"size": [80, 100], "counts": [0.5, 7999.5]}, "a string or a list of whole numbers"),
        ({"size": [10**6, 10**6], "counts": [0, 10**12]}, "expected 1 to 1073741824 pixels"),
        ({"size": [10**40, 1], "counts": "0"}, "expected 1 to 1073741824 pixels"),
        ({"size": ["80", 100], "counts": "0"}, "expected a positive whole number, found '80'"),
        ({"size": [80], "counts": "0"}, "expected [height, width], found [80]"),
        ({"counts": "0"}, "expected [height, width], found None"),
        ({"size": [100, 80], "counts": [0, 8000]}, "the image's [80, 100], found [100, 80]"),
    ],
)
def test_run_lengths_that_are_refused(read: Read, segmentation: Any, reason: str) -> None:
    tracemalloc.start()
    refusal = the_refusal(read(a_file(a_record(segmentation=segmentation))))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refusal.path.startswith("annotations[0].segmentation")
    assert reason in refusal.reason
    assert peak < 20 * 2**20


def test_run_lengths_keep_holes_and_crowds(read: Read) -> None:
    pixels = np.zeros((80, 100), dtype=np.uint8, order="F")
    pixels[10:50, 10:50] = 1
    pixels[20:30, 20:30] = 0
    rle = coco_mask.encode(pixels)
    segmentation = {"size": [80, 100], "counts": rle["counts"].decode()}
    record = a_record(segmentation=segmentation, bbox=[10, 10, 40, 40], area=1500, iscrowd=1)
    (annotation,) = read(a_file(record)).annotations
    assert isinstance(annotation.geometry, Mask)
    assert mask_area(annotation.geometry) == annotation.area == 1500
    assert annotation.crowd


@pytest.mark.parametrize("value", [2, "1", "yes", -1, [1]])
def test_a_strange_iscrowd_is_refused(read: Read, value: Any) -> None:
    refusal = the_refusal(read(a_file(a_record(iscrowd=value))))
    assert refusal.path == "annotations[0].iscrowd"


def test_a_missing_iscrowd_and_area(read: Read) -> None:
    (annotation,) = read(a_file(without(a_record(), "iscrowd", "area", "bbox"))).annotations
    assert not annotation.crowd
    assert annotation.area == mask_area_of_square()
    assert tuple(annotation.box) == (10, 10, 20, 20)


def mask_area_of_square() -> float:
    rles = coco_mask.frPyObjects([[10.0, 10, 30, 10, 30, 30, 10, 30]], 80, 100)
    return float(coco_mask.area(rles)[0])


# -- boxes and areas -------------------------------------------------------------------------------


@pytest.mark.parametrize("segmentation", [[], None, [[]]])
def test_a_detection_without_segmentation_is_its_box(read: Read, segmentation: Any) -> None:
    imported = read(a_file(a_record(segmentation=segmentation, bbox=[10.5, 10, 20, 15], area=250)))
    (annotation,) = imported.annotations
    corners = ((10.5, 10.0), (30.5, 10.0), (30.5, 25.0), (10.5, 25.0))
    assert annotation.geometry == Outline(((corners,),))
    assert tuple(annotation.box) == (10.5, 10, 20, 15)
    assert annotation.area == 250  # of a segmentation that was left out
    assert kinds(imported) == [FindingKind.BOX_AS_OUTLINE]
    imported = read(a_file(a_record(segmentation=segmentation, bbox=[10.5, 10, 20, 15], area=999)))
    assert imported.annotations[0].area == 300


@pytest.mark.parametrize(
    ("bbox", "path", "reason"),
    [
        (None, ".segmentation", "expected a segmentation or a bbox, found neither"),
        ([], ".segmentation", "found neither"),
        ([10, 10, 20], ".bbox", "expected [x, y, width, height], found [10, 10, 20]"),
        ([10, 10, 0, 20], ".bbox", "expected a positive width and height"),
        ([10, 10, -5, 20], ".bbox", "expected a positive width and height"),
        ([10, "a", 5, 20], ".bbox[1]", "expected a finite number, found 'a'"),
        ([300, 10, 5, 20], ".bbox", "on the image, but it spans 300 to 305"),
        ([100, 10, 5, 20], ".bbox", "expected to cover a pixel"),
    ],
)
def test_a_box_alone_must_be_sound(read: Read, bbox: Any, path: str, reason: str) -> None:
    refusal = the_refusal(read(a_file(a_record(segmentation=[], bbox=bbox))))
    assert refusal.path == f"annotations[0]{path}"
    assert reason in refusal.reason


@pytest.mark.parametrize(
    "bbox", [[12, 10, 20, 20], [10, 10, 22, 20], [10, 10, 0, 0], ["a"], [None] * 4, "abc"]
)
def test_a_box_that_is_not_the_segmentations_is_told(read: Read, bbox: Any) -> None:
    imported = read(a_file(a_record(bbox=bbox)))
    assert tuple(imported.annotations[0].box) == (10, 10, 20, 20)
    assert kinds(imported) == [FindingKind.BOX_DIFFERS]


def test_a_nan_box_is_told(read: Read) -> None:
    imported = read(json.dumps(a_file(a_record(bbox=[10, 10, 20, 1234]))).replace("1234", "NaN"))
    assert tuple(imported.annotations[0].box) == (10, 10, 20, 20)
    assert kinds(imported) == [FindingKind.BOX_DIFFERS]


def test_a_box_and_area_within_tolerance_are_the_files(read: Read) -> None:
    imported = read(a_file(a_record(bbox=[9, 11, 21.4, 19.5], area=433.5)))
    assert tuple(imported.annotations[0].box) == (9, 11, 21.4, 19.5)
    assert imported.annotations[0].area == 433.5
    assert imported.findings == ()


@pytest.mark.parametrize("area", [4000, 0, -400, "400", [400], True, 10**400])
def test_an_area_that_is_not_the_segmentations_is_told(read: Read, area: Any) -> None:
    imported = read(a_file(a_record(area=area)))
    assert imported.annotations[0].area == mask_area_of_square()
    assert kinds(imported) == [FindingKind.AREA_DIFFERS]


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


# -- categories ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Crack", "crack", "FISSURE", "Fissure ", "fissure"])
def test_categories_are_known_by_a_label_of_any_language(read: Read, name: str) -> None:
    imported = read(a_file(categories=[{"id": 3, "name": name, "supercategory": "x"}]))
    assert imported.annotations[0].concept == CRACK


@pytest.mark.parametrize(
    ("number", "name", "slug"),
    [
        (2, "Bleaching", "bleaching"),
        (5, "SaltEfflorescence", "salt-efflorescence"),
        (6, "LeadDeposit", "lead-deposit"),
        (1, "Erosion", "erosion"),
        (8, "Lacuna", "lacuna"),
        (7, "Scaling", "scaling"),
        (9, "Flake", "flake"),
        (3, "Crack", "crack"),
        (4, "Humidity", "humidity"),
    ],
)
def test_the_data_sets_nine_categories(read: Read, number: int, name: str, slug: str) -> None:
    imported = read(a_file(a_record(category_id=number), categories=[{"id": number, "name": name}]))
    assert imported.annotations[0].concept.rpartition("/")[2] == slug
    assert not imported.findings


def test_a_number_alone_never_decides_against_a_name(read: Read) -> None:
    """MS COCO's 1 to 9 are a person, a bicycle, a car …"""
    names = ["person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"]
    categories = [{"id": number, "name": name} for number, name in enumerate(names, start=1)]
    records = [a_record(id=number, category_id=number) for number in range(1, 10)]
    imported = read(a_file(*records, categories=categories))
    assert not imported.annotations
    paths = [refusal.path for refusal in imported.refusals]
    assert paths[:9] == [f"categories[{index}].name" for index in range(9)]
    assert paths[9:] == [f"annotations[{index}].category_id" for index in range(9)]


def test_an_unknown_category_names_the_nearest(read: Read) -> None:
    imported = read(a_file(a_record(), a_record(id=2), categories=[{"id": 3, "name": "Crackk"}]))
    category, first, second = imported.refusals
    assert category.path == "categories[0].name"
    assert "found 'Crackk'; the nearest: " in category.reason
    assert CRACK in category.reason
    assert (first.path, second.path) == (
        "annotations[0].category_id",
        "annotations[1].category_id",
    )
    assert first.reason == f"its category was refused: {category.reason}"


def test_name_and_number_disagree(read: Read) -> None:
    imported = read(a_file(a_record(category_id=8), categories=[{"id": 8, "name": "Crack"}]))
    assert imported.annotations[0].concept == CRACK
    assert kinds(imported) == [FindingKind.NUMBER_DIFFERS]
    assert imported.findings[0].examples == ("categories[0]: Crack is 8 here, and 3 there",)


def test_a_category_without_a_name(read: Read) -> None:
    imported = read(a_file(categories=[{"id": 3}]))
    assert imported.annotations[0].concept == CRACK
    assert kinds(imported) == [FindingKind.NUMBER_ALONE]
    refusals = read(a_file(a_record(category_id=77), categories=[{"id": 77}])).refusals
    assert "found number 77" in refusals[0].reason
    refusals = read(a_file(categories=[{"id": 3, "name": 5}])).refusals
    assert refusals[0].path == "categories[0].name"


def test_a_label_of_several_concepts_names_them(read: Read, tmp_path: Path) -> None:
    text = """
    @prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix : <https://x.example/v/> .
    :s a skos:ConceptScheme .
    :a a skos:Concept ; skos:inScheme :s ; skos:prefLabel "écaillage"@fr .
    :b a skos:Concept ; skos:inScheme :s ; skos:prefLabel "écaillage"@fr .
    """
    (tmp_path / "v.ttl").write_text(text, encoding="utf-8")
    ambiguous = Vocabulary.read(tmp_path / "v.ttl")
    imported = read(a_file(categories=[{"id": 3, "name": "Écaillage"}]), vocabulary=ambiguous)
    assert "which several have" in imported.refusals[0].reason
    assert "https://x.example/v/a" in imported.refusals[0].reason
    assert "https://x.example/v/b" in imported.refusals[0].reason


def test_a_category_that_is_not_listed(read: Read) -> None:
    refusal = the_refusal(read(a_file(a_record(category_id=99))))
    assert refusal.path == "annotations[0].category_id"
    assert refusal.reason == "expected a category that the file lists, found 99"


def test_a_concept_named_by_iri_decides(read: Read) -> None:
    categories = [{"id": 3, "name": "Fente", "concept_iri": CRACK}]
    assert read(a_file(categories=categories)).annotations[0].concept == CRACK
    imported = read(a_file(a_record(concept_iri=LACUNA)))
    assert imported.annotations[0].concept == LACUNA
    for strange in ("https://other.example/crack", 5, "Crack", "lacuna"):
        imported = read(a_file(a_record(concept_iri=strange)))
        assert imported.refusals[0].path == "annotations[0].concept_iri"
        categories = [{"id": 3, "name": "Crack", "concept_iri": strange}]
        assert read(a_file(categories=categories)).refusals[0].path == "categories[0].concept_iri"


def test_the_categories_themselves(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    categories: list[Any] = [
        {"id": 2, "name": "b", "supercategory": "x"},
        {"id": 1, "name": "a", "supercategory": ""},
        {"id": 2, "name": "again"},
        {"id": None, "name": "c"},
        {"id": 5},
        "nonsense",
    ]
    path.write_text(json.dumps(a_file(categories=categories)), encoding="utf-8")
    assert coco_categories(path) == ((2, "b", "x"), (1, "a", None))
    others: list[Any] = [[1], {"info": {}}, a_file({"caption": "hello"})]
    for other in others:
        path.write_text(json.dumps(other), encoding="utf-8")
        with pytest.raises(FormatError, match="expected"):
            coco_categories(path)


# -- images ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [("100", "80"), (100.0, 80.0), (" 100", "80 ")])
def test_sizes_as_strings_and_floats(read: Read, width: Any, height: Any) -> None:
    (image,) = read(a_file(images=[an_image(width=width, height=height)])).images
    assert (image.width, image.height) == (100, 80)


@pytest.mark.parametrize("width", [0, -100, "wide", 10.5, True, None, "1" * 5000, 10**30, "٣"])
def test_sizes_that_are_none(read: Read, width: Any) -> None:
    imported = read(a_file(images=[an_image(width=width)]))
    image, annotation = imported.refusals
    assert image.path == "images[0]"
    assert annotation.path == "annotations[0].image_id"
    assert "its image was refused (images[0]: " in annotation.reason


def test_a_size_beyond_every_mask(read: Read) -> None:
    imported = read(a_file(images=[an_image(width=2**20, height=2**11)]))
    assert "expected at most 1073741824 pixels" in imported.refusals[0].reason


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a b/é.jpg", "c:\\x.jpg", "<script>.jpg", "%2e"]
)
def test_a_file_name_is_data(read: Read, name: str) -> None:
    (image,) = read(a_file(images=[an_image(file_name=name)])).images
    assert image.name == name
    key = image.iri.removeprefix("https://data.example.org/ca19/image/")
    assert key.isascii()
    assert not set(key) & set(" <>\"'/\\%")


@pytest.mark.parametrize("name", [5, "\ud800.jpg", ["a.jpg"], "  "])
def test_what_is_no_file_name_is_refused(read: Read, name: Any) -> None:
    imported = read(a_file(images=[an_image(file_name=name)]))
    assert imported.refusals[0].path == "images[0].file_name"
    assert json.loads(imported.refusals[0].source)["file_name"] == name


def test_an_image_without_a_name_is_named_after_its_address(read: Read) -> None:
    image = without(an_image(coco_url="http://images.example.org/val/0001.jpg"), "file_name")
    imported = read(a_file(images=[image]))
    assert imported.images[0].name == "0001.jpg"
    assert kinds(imported) == [FindingKind.NAME_MISSING]
    imported = read(a_file(images=[without(an_image(), "file_name")]))
    assert imported.refusals[0].reason == "expected a name, found none"


def test_one_name_for_two_images_is_told(read: Read) -> None:
    imported = read(a_file(images=[an_image(), an_image(id=8)]))
    assert len({image.iri for image in imported.images}) == 2
    assert kinds(imported) == [FindingKind.NAME_TWICE]


@pytest.mark.parametrize(
    ("urls", "expected", "told"),
    [
        ({"coco_url": "http://x.org/a.jpg"}, "http://x.org/a.jpg", 0),
        ({"flickr_url": "http://f.org/b", "coco_url": "https://c.org/a"}, "https://c.org/a", 0),
        (
            {"aioli_url": "https://a.org/x y.J", "coco_url": "https://c.org"},
            "https://a.org/x%20y.J",
            0,
        ),
        ({"coco_url": "javascript:alert(1)"}, None, 1),
        ({"coco_url": "file:///etc/passwd", "flickr_url": "http://f.org/b"}, "http://f.org/b", 1),
        ({"coco_url": "https://marie:secret@x.org/a.jpg"}, None, 1),
        ({"coco_url": "https://x.org/marie@example.org/a.jpg"}, None, 1),
        ({"coco_url": "http://[::1/a"}, None, 1),
        ({"coco_url": 'https://x.org/"><a'}, "https://x.org/%22%3E%3Ca", 0),
        ({"coco_url": "https://x.org/100%/é"}, "https://x.org/100%25/é", 0),
        ({"coco_url": ""}, None, 0),
        ({"coco_url": 5}, None, 1),
    ],
)
def test_addresses(read: Read, urls: dict[str, Any], expected: str | None, told: int) -> None:
    import pyoxigraph

    imported = read(a_file(images=[an_image(**urls)]))
    assert imported.images[0].content_url == expected
    assert kinds(imported) == [FindingKind.ADDRESS_DROPPED] * told
    assert "secret" not in str(imported.findings)
    if expected is not None:
        assert pyoxigraph.NamedNode(expected).value == expected


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2013-11-14 17:02:52", "2013-11-14T17:02:52"),
        ("2013/11/14 17:02:52", "2013-11-14T17:02:52"),
        ("2020:06:11 13:00:50", "2020-06-11T13:00:50"),
        ("2020-06-11T13:00:50.25Z", "2020-06-11T13:00:50.25Z"),
        ("2020-06-11T13:00:50+0200", "2020-06-11T13:00:50+02:00"),
        ("2020-06-11 13:00:50 -03:30", "2020-06-11T13:00:50-03:30"),
    ],
)
def test_dates(read: Read, date: str, expected: str) -> None:
    imported = read(a_file(images=[an_image(date_captured=date)]))
    assert imported.images[0].captured == expected
    assert not imported.findings


@pytest.mark.parametrize(
    "date",
    [
        "2024-05-29",
        "2013-13-14 17:02:52",
        "yesterday",
        "0000-01-01 00:00:00",
        1591880450,
        [1],
        "2020-06-11T13:00:50+15:00",
        "2020-06-11T25:00:50",
    ],
)
def test_a_date_is_never_made_up(read: Read, date: Any) -> None:
    imported = read(a_file(images=[an_image(date_captured=date)]))
    assert imported.images[0].captured is None
    assert kinds(imported) == [FindingKind.DATE_DROPPED]


@pytest.mark.parametrize("date", [0, "", None])
def test_a_placeholder_for_a_date_is_not_told(read: Read, date: Any) -> None:
    imported = read(a_file(images=[an_image(date_captured=date)]))
    assert imported.images[0].captured is None
    assert not imported.findings


def test_licences_come_from_the_file_alone(read: Read) -> None:
    data = a_file(
        images=[
            an_image(license=1),
            an_image(id=8, file_name="b.jpg", license=2),
            an_image(id=9, file_name="c.jpg", license=3),
            an_image(id=10, file_name="d.jpg"),
            an_image(id=11, file_name="e.jpg", license=0),
        ],
        licenses=[  # after the images that name them
            {"id": 1, "url": "http://creativecommons.org/licenses/by/2.0/", "name": "CC BY"},
            {"id": 2, "name": "All rights reserved", "url": ""},
            {"id": 0, "name": "", "url": ""},
        ],
    )
    imported = read(data)
    assert [image.licence for image in imported.images] == [
        "http://creativecommons.org/licenses/by/2.0/",
        None,
        None,
        None,
        None,
    ]
    (finding,) = imported.findings
    assert finding.kind is FindingKind.LICENCE_UNKNOWN
    assert finding.examples == (
        "licenses[1]: 'All rights reserved'",
        "images[2].license: 3 is not in the file's licenses",
    )


# -- images that the graph knows -------------------------------------------------------------------

PHOTOGRAPH = Image(
    iri="https://data.example.org/ca19/image/" + "a" * 64,
    name="Wall.JPEG",
    width=100,
    height=80,
    sha256="a" * 64,
    captured="2020-06-11T13:00:50+02:00",
)


def test_photographs_may_be_added_before_the_import(read: Read) -> None:
    image = an_image(date_captured="2020-06-11 13:00:50", coco_url="http://x.org/wall.jpg")
    imported = read(a_file(images=[image]), known_images=[PHOTOGRAPH])
    completed = replace(
        PHOTOGRAPH, project="site", source_id="7", content_url="http://x.org/wall.jpg"
    )
    assert imported.images == (completed,)
    assert imported.annotations[0].image == PHOTOGRAPH.iri
    assert kinds(imported) == [FindingKind.DIFFERS_FROM_GRAPH]  # the date, without its zone
    again = read(a_file(images=[image]), known_images=[completed])
    assert again.images == (completed,)
    assert again.annotations == imported.annotations


def test_a_photograph_of_another_size_is_another(read: Read) -> None:
    known = replace(PHOTOGRAPH, width=80, height=100)
    imported = read(a_file(), known_images=[known])
    assert imported.images[0].iri != known.iri
    assert kinds(imported) == [FindingKind.SIZE_OF_NAMESAKE]
    assert "not upright in the source" in str(imported.findings[0])
    # Within one project a name is one image: there it cannot be another.
    imported = read(a_file(), known_images=[replace(known, project="site")])
    assert imported.refusals[0].path == "images[0]"
    assert "expected 80 × 100 upright pixels" in imported.refusals[0].reason
    imported = read(a_file(), known_images=[replace(PHOTOGRAPH, project="elsewhere")])
    assert imported.images[0].iri != PHOTOGRAPH.iri
    assert not imported.findings


def test_two_photographs_of_one_name_and_size(read: Read) -> None:
    twins = [PHOTOGRAPH, replace(PHOTOGRAPH, iri=PHOTOGRAPH.iri + "b", sha256="b" * 64)]
    imported = read(a_file(), known_images=twins)
    assert imported.refusals[0].path == "images[0].file_name"


def test_a_size_may_come_from_the_photograph(read: Read) -> None:
    imported = read(a_file(images=[an_image(width=None, height=0)]), known_images=[PHOTOGRAPH])
    assert (imported.images[0].width, imported.images[0].height) == (100, 80)
    assert kinds(imported) == [FindingKind.SIZE_FROM_GRAPH]
    assert len(imported.annotations) == 1


def test_an_image_that_another_file_of_the_project_listed(read: Read) -> None:
    first = read(a_file(), project="p")
    renumbered = a_file(a_record(image_id=1), images=[an_image(id=1, license=None)])
    again = read(renumbered, project="p", known_images=first.images)
    assert again.images == first.images
    assert again.annotations[0].iri == first.annotations[0].iri


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


def test_our_own_image_is_known_again(read: Read, iris: Iris) -> None:
    record = an_image(image_iri=PHOTOGRAPH.iri, file_name="3f/renamed.jpg", sha256="a" * 64)
    imported = read(a_file(images=[record]), known_images=[PHOTOGRAPH])
    assert imported.images == (PHOTOGRAPH,)
    by_digest = record | {"image_iri": "https://elsewhere.example.org/image/1"}
    assert read(a_file(images=[by_digest]), known_images=[PHOTOGRAPH]).images == (PHOTOGRAPH,)
    record = an_image(image_iri="https://x.example/i", project="p", source_id="99")
    (image,) = read(a_file(images=[record])).images
    assert image.iri == iris.image_of_source("p", "wall.jpg", "99")
    assert (image.project, image.source_id) == ("p", "99")
    record = an_image(image_iri="https://x.example/i", sha256="../../x")
    assert read(a_file(images=[record])).refusals[0].path == "images[0].sha256"


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


def test_a_file_that_changes_meanwhile(tmp_path: Path, vocabulary: Vocabulary, iris: Iris) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(a_file()), encoding="utf-8")
    reader = CocoReader(path, vocabulary=vocabulary, iris=iris, created=CREATED)
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


@given(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()),
    st.sampled_from(["id", "file_name", "width", "license", "date_captured", "coco_url"])
    | st.sampled_from(["image_iri", "sha256", "project", "source_id"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_in_an_image_gives_an_image_or_a_refusal(
    read: Read, value: Any, key: str
) -> None:
    changed = an_image(id=8, image_iri="https://x.example/image/1") | {key: value}
    imported = read(a_file(images=[an_image(), changed]))
    assert len(imported.annotations) == 1
    assert len(imported.images) + len(imported.refusals) == 2
    for image in imported.images:
        import pyoxigraph

        for iri in (image.iri, image.content_url, image.licence):
            if iri is not None:
                assert pyoxigraph.NamedNode(iri).value == iri


# -- files of others -------------------------------------------------------------------------------


def coco_files(shared_data: Path) -> list[Path]:
    return sorted((shared_data / "coco").rglob("*.json"))


def test_every_coco_file_of_others_is_read_or_refused(
    shared_data: Path, iris: Iris, vocabulary: Vocabulary
) -> None:
    outcomes: dict[str, int] = {"read": 0, "refused": 0}
    for path in coco_files(shared_data):
        try:
            categories = coco_categories(path)
            used = (
                scheme_from_categories("theirs", iris.base, categories)
                if categories
                else vocabulary
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
def test_a_large_file_is_read_in_bounded_memory(
    tmp_path: Path, vocabulary: Vocabulary, iris: Iris
) -> None:
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
    reader = CocoReader(path, vocabulary=vocabulary, iris=iris, created=CREATED)
    count = sum(isinstance(item, Annotation) for item in reader.annotations())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 1500
    # Ids are remembered; outlines are not.
    assert peak < 10 * 2**20
