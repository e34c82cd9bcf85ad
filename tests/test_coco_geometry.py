from __future__ import annotations

import json
import math
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from coco_records import (
    Read,
    a_file,
    a_record,
    an_image,
    kinds,
    reader_in,
    the_refusal,
    without,
)
from lithograph.entities import Mask, Outline
from lithograph.formats.imported import FindingKind
from lithograph.masks import mask_area, mask_to_rle, rle_to_mask
from lithograph.rdf.iris import Iris


@pytest.fixture
def read(tmp_path: Path, iris: Iris) -> Read:
    """Reads a COCO file given as data."""
    return reader_in(tmp_path, iris)


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
