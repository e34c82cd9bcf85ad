from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco_mask

from lithograph import masks
from lithograph.entities import Box, Mask, Outline

bool_masks = hnp.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))).filter(np.any)
pixels = st.floats(-50, 50, allow_nan=False).map(lambda value: round(value, 3))
rings = st.lists(st.tuples(pixels, pixels), min_size=3, max_size=8).map(tuple)
outlines = st.lists(st.lists(rings, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(
    lambda polygons: Outline(tuple(polygons))
)
SQUARE = ((0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0))
HOLE = ((10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 20.0))


@given(bool_masks)
def test_a_mask_comes_back_from_its_run_lengths(mask: np.ndarray) -> None:
    rle = masks.mask_to_rle(mask)
    assert np.array_equal(masks.rle_to_mask(rle), mask)
    assert masks.mask_area(rle) == mask.sum()
    assert masks.rle_from_text(masks.rle_to_text(rle)) == rle


@given(bool_masks)
def test_counts_decode_as_pycocotools_does(mask: np.ndarray) -> None:
    rle = masks.mask_to_rle(mask)
    runs = masks.decode_counts(rle.counts)
    colours = np.repeat(np.arange(len(runs)) % 2, runs).astype(bool)
    assert np.array_equal(colours.reshape(mask.shape, order="F"), mask)


@given(bool_masks, st.data())
def test_pasting_a_part_equals_encoding_the_whole(mask: np.ndarray, data: st.DataObject) -> None:
    rows, columns = mask.shape
    y, x = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 5))
    height = rows + y + data.draw(st.integers(0, 5))
    width = columns + x + data.draw(st.integers(0, 5))
    whole = np.zeros((height, width), dtype=bool)
    whole[y : y + rows, x : x + columns] = mask
    pasted = masks.paste_mask(mask, x=x, y=y, height=height, width=width)
    assert pasted == masks.mask_to_rle(whole)


@given(bool_masks, st.data())
def test_uncompressed_counts_with_empty_runs_are_the_same_mask(
    mask: np.ndarray, data: st.DataObject
) -> None:
    rle = masks.mask_to_rle(mask)
    runs = masks.decode_counts(rle.counts)
    at = data.draw(st.integers(1, len(runs)))
    split = data.draw(st.integers(0, runs[at - 1]))
    # One run cut in two, with an empty run of the other colour between.
    longer = [*runs[: at - 1], split, 0, runs[at - 1] - split, *runs[at:]]
    assert masks.checked_rle(rle.height, rle.width, longer) == rle
    assert masks.checked_rle(rle.height, rle.width, rle.counts) == rle


@given(outlines)
def test_an_outline_comes_back_from_its_text_to_the_last_digit(outline: Outline) -> None:
    assert masks.outline_from_wkt(masks.wkt_from_outline(outline)) == outline


@given(hnp.arrays(np.float64, (3, 4), elements=st.floats(-1e4, 1e4)))
def test_boxes_convert_both_ways(boxes: np.ndarray) -> None:
    back = masks.box_xyxy_to_xywh(masks.box_xywh_to_xyxy(boxes))
    assert np.allclose(back, boxes, atol=1e-9)


def test_a_hole_stays_a_hole() -> None:
    whole = masks.outline_to_rle(Outline(((SQUARE,),)), 50, 50)
    holed = masks.outline_to_rle(Outline(((SQUARE, HOLE),)), 50, 50)
    assert masks.mask_area(whole) == 1600
    assert masks.mask_area(holed) == 1500
    assert not masks.rle_to_mask(holed)[15, 15]


def test_several_polygons_are_united() -> None:
    shifted = tuple((x + 20.0, y) for x, y in SQUARE)
    both = masks.outline_to_rle(Outline(((SQUARE,), (shifted,))), 50, 100)
    assert masks.mask_area(both) == 60 * 40


def test_rasterising_is_pycocotools_own() -> None:
    ring = ((1.5, 2.25), (30.75, 4.0), (22.0, 31.5))
    ours = masks.outline_to_rle(Outline(((ring,),)), 40, 40)
    theirs = coco_mask.frPyObjects([[v for xy in ring for v in xy]], 40, 40)[0]
    assert ours.counts == theirs["counts"].decode()


@pytest.mark.parametrize(
    ("height", "width", "counts", "message"),
    [
        (10, 10, [10, 20], "sum of 10 × 10 = 100, found 30"),
        (10, 10, [50, 50, 1], "found 101"),
        (10, 10, [110, -10], "negative"),
        (10, 10, [100], "at least one pixel"),
        (10, 10, "~~~", "characters from '0' to 'o'"),
        (10, 10, "04\x7f", "characters from"),
        (10, 10, "P", "cut short"),
        (10, 10, 5, "a string or a list"),
        (10, 10, [1.5, 98.5], "a string or a list"),
        (10**6, 10**6, "0", "expected 1 to 1073741824 pixels"),
        (0, 10, [0], "1 to"),
        ("10", 10, [0], "whole number"),
        (True, 10, [0], "whole number"),
    ],
)
def test_run_lengths_from_outside_are_checked(
    height: object, width: object, counts: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        masks.checked_rle(height, width, counts)


@given(st.text(max_size=20))
def test_no_counts_string_gets_past_the_check_to_crash(counts: str) -> None:
    try:
        rle = masks.checked_rle(7, 5, counts)
    except ValueError:
        return
    assert masks.rle_to_mask(rle).shape == (7, 5)


@pytest.mark.parametrize(
    "text", ["", "POINT (1 2)", "POLYGON EMPTY", "MULTIPOLYGON (((0 0, 1 1", "hello"]
)
def test_other_text_is_no_outline(text: str) -> None:
    with pytest.raises(ValueError, match="outline"):
        masks.outline_from_wkt(text)


@pytest.mark.parametrize("text", ["", "10 10", "10 x 0", "10 10 a b", "-1 10 0"])
def test_other_text_is_no_mask(text: str) -> None:
    with pytest.raises(ValueError, match="mask"):
        masks.rle_from_text(text)


def test_nothing_is_made_of_an_empty_mask() -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        masks.mask_to_rle(np.zeros((3, 3), dtype=bool))
    with pytest.raises(ValueError, match="at least one pixel"):
        masks.paste_mask(np.zeros((2, 2), dtype=bool), x=0, y=0, height=4, width=4)
    with pytest.raises(ValueError, match="cover a pixel"):
        masks.outline_to_rle(Outline(((tuple((x + 90, y) for x, y in SQUARE),),)), 40, 40)


def test_a_part_outside_the_image_is_refused() -> None:
    with pytest.raises(ValueError, match="inside the 4×4 image"):
        masks.paste_mask(np.ones((2, 2), dtype=bool), x=3, y=0, height=4, width=4)


def test_iou_of_pairs() -> None:
    left = np.zeros((4, 4), dtype=bool)
    left[:, :2] = True
    everything = np.ones((4, 4), dtype=bool)
    found = masks.mask_iou([masks.mask_to_rle(left)], [masks.mask_to_rle(everything)])
    assert found.shape == (1, 1)
    assert found[0, 0] == 0.5
    assert masks.mask_iou([], [masks.mask_to_rle(left)]).shape == (0, 1)


def test_boxes_are_tight() -> None:
    mask = np.zeros((20, 30), dtype=bool)
    mask[3:7, 10:25] = True
    assert masks.mask_box(masks.mask_to_rle(mask)) == Box(10, 3, 15, 4)
    assert masks.outline_box(Outline(((SQUARE, HOLE),))) == Box(0, 0, 40, 40)


def test_a_mask_of_another_size_is_refused() -> None:
    rle = masks.mask_to_rle(np.ones((4, 4), dtype=bool))
    assert masks.geometry_to_rle(rle, 4, 4) is rle
    with pytest.raises(ValueError, match="image's size"):
        masks.geometry_to_rle(rle, 8, 8)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_vertices_must_be_finite(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Outline(((((0.0, 0.0), (1.0, value), (1.0, 1.0)),),))
    with pytest.raises(ValueError, match="finite"):
        Box(0, 0, value, 1)


def test_a_mask_needs_a_size_and_counts() -> None:
    with pytest.raises(ValueError, match="positive size"):
        Mask(0, 3, "0")
    with pytest.raises(ValueError, match="run lengths"):
        Mask(3, 3, "")
