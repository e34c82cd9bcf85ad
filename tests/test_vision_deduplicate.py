"""Duplicates among masks: properties, and agreement of the packed and the run-length ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from lithograph.masks import mask_to_rle
from lithograph.vision.deduplicate import (
    Sameness,
    distinct_masks,
    distinct_runs,
    overlap_counts,
    pack,
)

Bool = NDArray[np.bool_]

some_masks = st.tuples(st.integers(1, 8), st.integers(1, 11), st.integers(1, 13)).flatmap(
    lambda shape: arrays(np.bool_, shape)
)


def same(sameness: Sameness, one: Bool, other: Bool) -> bool:
    """The definition, pixel by pixel."""
    shared, union = (one & other).sum(), (one | other).sum()
    smaller, larger = sorted((one.sum(), other.sum()))
    nested = shared >= sameness.inside * smaller and smaller >= sameness.nested * larger
    return bool(shared >= sameness.overlap * union or nested)


@given(some_masks)
def test_shared_pixels_are_counted_exactly(masks: Bool) -> None:
    packed = pack(masks)
    counts = overlap_counts(packed, packed)
    expected = [[(one & other).sum() for other in masks] for one in masks]
    np.testing.assert_array_equal(counts, expected)


@settings(deadline=None)
@given(some_masks, st.data())
def test_what_is_kept_is_distinct_and_covers_the_rest(masks: Bool, data: st.DataObject) -> None:
    quality = np.array(
        data.draw(st.lists(st.floats(0, 1, width=32), min_size=len(masks), max_size=len(masks)))
    )
    sameness = Sameness()
    kept = distinct_masks(masks, quality, sameness).tolist()
    assert quality[kept].tolist() == sorted(quality[kept].tolist(), reverse=True)
    for first in kept:
        assert masks[first].any()
        assert not any(
            same(sameness, masks[first], masks[other]) for other in kept if other != first
        )
    for dropped in set(range(len(masks))) - set(kept):
        better = [index for index in kept if quality[index] >= quality[dropped]]
        assert not masks[dropped].any() or any(
            same(sameness, masks[dropped], masks[index]) for index in better
        )


@settings(deadline=None)
@given(some_masks)
def test_run_lengths_give_what_pixels_give(masks: Bool) -> None:
    masks = masks[masks.any(axis=(1, 2))]
    quality = np.linspace(1, 0, len(masks))
    by_pixels = distinct_masks(masks, quality, Sameness())
    by_runs = distinct_runs([mask_to_rle(mask) for mask in masks], Sameness())
    assert by_runs == by_pixels.tolist()


def test_blocks_of_run_lengths_change_nothing() -> None:
    """More masks than are compared at once, each there twice."""
    masks = np.zeros((600, 20, 30), np.bool_)
    for number in range(300):
        masks[number, number // 15, 2 * (number % 15) : 2 * (number % 15) + 2] = True
    masks[300:] = masks[:300][::-1]
    kept = distinct_runs([mask_to_rle(mask) for mask in masks], Sameness())
    assert kept == list(range(300))


def test_no_mask_is_no_trouble() -> None:
    none = np.zeros((0, 5, 5), np.bool_)
    assert distinct_masks(none, np.zeros(0), Sameness()).tolist() == []
    assert distinct_runs([], Sameness()) == []


def test_neighbours_with_one_box_are_both_kept() -> None:
    """Two crossed diagonals share their box, and box suppression would drop one."""
    rows, columns = np.indices((40, 40))
    masks = np.stack([abs(rows - columns) < 3, abs(rows + columns - 39) < 3])
    assert len(distinct_masks(masks, np.array([0.9, 0.8]), Sameness())) == 2


def test_a_crack_in_a_stone_is_kept_and_a_frayed_stain_is_not() -> None:
    masks = np.zeros((3, 40, 40), np.bool_)
    masks[0, 5:35, 5:35] = True
    masks[1, 10:30, 19:21] = True
    masks[2, 7:33, 7:33] = True
    assert distinct_masks(masks, np.array([0.9, 0.8, 0.7]), Sameness()).tolist() == [0, 1]


@pytest.mark.parametrize("name", ["overlap", "inside", "nested"])
@pytest.mark.parametrize("value", [0.0, 1.1, float("nan")])
def test_sameness_out_of_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        Sameness(**{name: value})


def test_exactly_as_much_within_as_is_asked_for_is_enough() -> None:
    """Nine of ten pixels lie within the other, and ``inside`` is 0.9."""
    masks = np.ones((2, 3, 5), np.bool_)
    masks[0, 0], masks[1, 1, 0] = False, False
    assert (masks[0] & masks[1]).sum() == 9
    assert distinct_runs([mask_to_rle(mask) for mask in masks], Sameness()) == [0]
