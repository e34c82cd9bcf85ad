"""Tiles cover an image; what crosses a seam is made whole, and nothing else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lithograph.vision.proposals import Proposal, make_proposal, prefer, unite
from lithograph.vision.tiles import Tile, join_across_seams, tiles

Bool = NDArray[np.bool_]


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(12, 120), st.data())
def test_tiles_cover_every_pixel_and_overlap(
    height: int, width: int, size: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, size // 2))
    covered = np.zeros((height, width), np.int64)
    made = tiles(height, width, size, overlap)
    for tile in made:
        assert tile.x >= 0
        assert tile.y >= 0
        assert tile.right <= width
        assert tile.bottom <= height
        assert tile.width == min(size, width)
        assert tile.height == min(size, height)
        covered[tile.y : tile.bottom, tile.x : tile.right] += 1
    assert covered.min() >= 1
    for one, other in pairwise(sorted({tile.x for tile in made})):
        assert one + size - other >= overlap
    for one, other in pairwise(sorted({tile.y for tile in made})):
        assert one + size - other >= overlap


def test_an_image_no_larger_than_a_tile_is_one() -> None:
    assert tiles(100, 200, 200, 20) == (Tile(0, 0, 200, 100),)


def test_a_large_photograph_takes_as_many_tiles_as_it_must() -> None:
    assert len(tiles(6336, 9504, 1024, 128)) == 7 * 11


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((0, 5, 5, 0), "must have pixels"),
        ((5, 5, 0, 0), "size must be"),
        ((5, 5, 4, 4), "overlap must be"),
        ((5, 5, 4, -1), "overlap must be"),
    ],
)
def test_wrong_tiles_are_refused(arguments: tuple[int, int, int, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        tiles(*arguments)


def proposal(mask: Bool, tile: Tile, **figures: float) -> Proposal:
    """What a segmenter sees of a mask of the whole image through one tile."""
    made = make_proposal(
        mask[tile.y : tile.bottom, tile.x : tile.right],
        at=(tile.x, tile.y),
        height=mask.shape[0],
        width=mask.shape[1],
        quality=figures.get("quality", 0.9),
        stability=figures.get("stability", 0.95),
        prompt=int(figures.get("prompt", 0)),
        group=int(figures.get("group", 0)),
    )
    assert made is not None
    return made


LEFT, RIGHT = Tile(0, 0, 120, 100), Tile(80, 0, 120, 100)


def drawn(*boxes: tuple[int, int, int, int]) -> Bool:
    mask = np.zeros((100, 200), np.bool_)
    for x, y, width, height in boxes:
        mask[y : y + height, x : x + width] = True
    return mask


def test_a_thing_cut_at_a_seam_is_made_whole() -> None:
    crack = drawn((20, 40, 160, 5))
    left = proposal(crack, LEFT, quality=1.0, group=3)
    right = proposal(crack, RIGHT, quality=0.5, group=9)
    (whole,) = join_across_seams([(LEFT, [left]), (RIGHT, [right])], 100, 200)
    assert np.array_equal(whole.mask, crack)
    assert np.array_equal(whole.part, np.ones((5, 160), np.bool_))
    # The right tile sees 100 of its columns, the left one as many.
    assert whole.quality == pytest.approx(0.75)
    assert whole.group in {3, 9}


def test_neighbours_that_do_not_agree_stay_apart() -> None:
    one, other = drawn((20, 10, 100, 5)), drawn((90, 60, 100, 5))
    pair = [(LEFT, [proposal(one, LEFT)]), (RIGHT, [proposal(other, RIGHT)])]
    found = join_across_seams(pair, 100, 200)
    assert [each.area for each in found] == [500, 500]


def test_a_crack_is_not_joined_to_the_wall_around_it() -> None:
    crack, wall = drawn((20, 40, 160, 5)), drawn((0, 0, 200, 100))
    pair = [(LEFT, [proposal(crack, LEFT)]), (RIGHT, [proposal(wall, RIGHT)])]
    assert len(join_across_seams(pair, 100, 200)) == 2


def test_a_thing_whole_in_both_tiles_is_left_to_deduplication() -> None:
    blot = drawn((90, 40, 20, 20))
    pair = [(LEFT, [proposal(blot, LEFT)]), (RIGHT, [proposal(blot, RIGHT)])]
    assert len(join_across_seams(pair, 100, 200)) == 2


def test_a_thing_whole_in_one_tile_and_cut_in_the_other_is_one() -> None:
    blot = drawn((100, 40, 60, 20))
    pair = [(LEFT, [proposal(blot, LEFT)]), (RIGHT, [proposal(blot, RIGHT)])]
    (whole,) = join_across_seams(pair, 100, 200)
    assert np.array_equal(whole.mask, blot)


def test_the_border_of_the_image_cuts_nothing() -> None:
    one = drawn((0, 0, 30, 100))
    found = join_across_seams([(LEFT, [proposal(one, LEFT)]), (RIGHT, [])], 100, 200)
    assert [each.area for each in found] == [3000]


def test_a_chain_of_tiles_is_one_thing() -> None:
    crack = np.zeros((100, 900), np.bool_)
    crack[30:36, 10:890] = True
    row = tiles(100, 900, 200, 40)
    tiled = [(tile, [proposal(crack, tile)]) for tile in row]
    (whole,) = join_across_seams(tiled, 100, 900)
    assert np.array_equal(whole.mask, crack)


@pytest.mark.parametrize("agreement", [0.0, 1.5])
def test_agreement_out_of_range_is_refused(agreement: float) -> None:
    with pytest.raises(ValueError, match="agreement"):
        join_across_seams([], 10, 10, agreement=agreement)


def test_an_empty_mask_proposes_nothing() -> None:
    empty = np.zeros((4, 4), np.bool_)
    made = make_proposal(empty, height=9, width=9, quality=1, stability=1, prompt=0, group=0)
    assert made is None


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 5), st.integers(0, 5), st.data())
def test_a_proposal_keeps_its_pixels_where_they_are(
    rows: int, columns: int, x: int, y: int, data: st.DataObject
) -> None:
    bits = data.draw(
        st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns).filter(any)
    )
    mask = np.array(bits).reshape(rows, columns)
    made = make_proposal(
        mask, at=(x, y), height=20, width=22, quality=1.3, stability=0.5, prompt=2, group=7
    )
    assert made is not None
    whole = np.zeros((20, 22), np.bool_)
    whole[y : y + rows, x : x + columns] = mask
    assert np.array_equal(made.mask, whole)
    left, top, width, height = (int(value) for value in made.box)
    assert np.array_equal(whole[top : top + height, left : left + width], made.part)
    assert made.part[:, 0].any()
    assert made.part[:, -1].any()
    assert made.part[0].any()
    assert made.part[-1].any()
    assert made.area == mask.sum()
    assert made.quality == 1


def test_one_of_each_group_is_preferred() -> None:
    mask = drawn((10, 10, 5, 5))
    listed = [
        proposal(mask, LEFT, group=group, quality=quality)
        for group, quality in ((0, 0.2), (1, 0.9), (0, 0.7), (1, 0.3))
    ]
    assert [each.preferred for each in prefer(listed)] == [False, True, True, False]
    # Candidate 0 is the model's one answer, whatever it thinks of the others.
    assert [each.preferred for each in prefer(listed[:1], single=True)] == [True]


def test_uniting_one_is_that_one() -> None:
    only = proposal(drawn((10, 10, 5, 5)), LEFT)
    assert unite([only]) is only
