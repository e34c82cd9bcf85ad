"""Regions cut out of planted features: found where they are, and not where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lithograph.vision.mask_cut import cut_regions

Floats = NDArray[np.float64]


def planted(grid: tuple[int, int], boxes: list[tuple[int, int, int, int]], noise: float) -> Floats:
    """Features of a ground, and in each box (row, column, rows, columns) of a thing of its own."""
    rng = np.random.default_rng(1)
    directions = np.linalg.qr(rng.normal(size=(16, 16)))[0]
    features = np.tile(directions[0], (*grid, 1))
    for number, (row, column, rows, columns) in enumerate(boxes):
        features[row : row + rows, column : column + columns] = directions[number + 1]
    return (features + noise * rng.normal(size=features.shape)).reshape(-1, 16)


def mask_of(grid: tuple[int, int], box: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    mask = np.zeros(grid, np.bool_)
    row, column, rows, columns = box
    mask[row : row + rows, column : column + columns] = True
    return mask


@settings(deadline=None, max_examples=40)
@given(
    st.integers(8, 20),
    st.integers(8, 20),
    st.integers(2, 4),
    st.integers(2, 4),
    st.data(),
)
def test_a_planted_thing_is_found_exactly(
    rows: int, columns: int, high: int, wide: int, data: st.DataObject
) -> None:
    top = data.draw(st.integers(0, rows - high))
    left = data.draw(st.integers(0, columns - wide))
    box = (top, left, high, wide)
    (found,) = cut_regions(planted((rows, columns), [box], 0.02), (rows, columns))
    assert np.array_equal(found.patches, mask_of((rows, columns), box))
    assert found.confidence > 0.9


def test_several_things_are_found_one_after_the_other() -> None:
    grid = (20, 30)
    boxes = [(2, 2, 5, 6), (10, 15, 6, 5), (3, 22, 4, 4)]
    found = cut_regions(planted(grid, boxes, 0.05), grid)
    assert len(found) == 3
    for box in boxes:
        assert any(np.array_equal(each.patches, mask_of(grid, box)) for each in found)
    assert not any(
        (one.patches & other.patches).any()
        for number, one in enumerate(found)
        for other in found[:number]
    )


def test_at_most_as_many_as_asked_for() -> None:
    grid = (20, 30)
    boxes = [(2, 2, 5, 6), (10, 15, 6, 5), (3, 22, 4, 4)]
    assert len(cut_regions(planted(grid, boxes, 0.05), grid, max_regions=2)) == 2


def test_things_far_apart_are_not_one_region() -> None:
    """Two patches of one look: only the part that hangs together is a region."""
    grid = (16, 24)
    features = planted(grid, [(2, 2, 4, 4)], 0.01).reshape(*grid, 16)
    features[10:14, 18:22] = features[3, 3]
    found = cut_regions(features.reshape(-1, 16), grid)
    assert len(found) == 2
    assert [each.patches.sum() for each in found] == [16, 16]


def test_nothing_stands_out_where_all_is_alike() -> None:
    assert cut_regions(np.ones((36, 4)), (6, 6)) == ()
    assert cut_regions(np.ones((1, 4)), (1, 1)) == ()


def test_specks_below_the_least_share_are_dropped() -> None:
    grid = (20, 20)
    features = planted(grid, [(5, 5, 1, 1)], 0.01)
    assert cut_regions(features, grid, least_share=0.01) == ()
    assert len(cut_regions(features, grid, least_share=0.002)) == 1


def test_the_ground_is_not_taken_for_the_thing() -> None:
    """A thing of more than half of the image that leaves the corners to the ground."""
    grid = (20, 20)
    box = (2, 2, 16, 16)
    (found,) = cut_regions(planted(grid, [box], 0.01), grid)
    assert np.array_equal(found.patches, mask_of(grid, box))


def test_the_same_features_give_the_same_regions() -> None:
    grid = (20, 30)
    features = np.random.default_rng(0).normal(size=(600, 8))
    first = cut_regions(features, grid, threshold=0.0)
    second = cut_regions(features, grid, threshold=0.0)
    assert len(first) == len(second) > 0
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.patches, other.patches)
        assert one.confidence == other.confidence


def test_features_must_fit_the_grid() -> None:
    with pytest.raises(ValueError, match="grid of 4×5"):
        cut_regions(np.ones((19, 3)), (4, 5))
