"""Proposals over a grid, at points, in boxes, from a phrase: against images painted exactly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from colour_segmenter import ColourSegmenter
from lithograph.vision import ConceptSegmenter, PhraseMasks, Segmenter, load_segmenter
from lithograph.vision.automatic import (
    GridSettings,
    from_boxes,
    from_grid,
    from_phrase,
    from_points,
    stability_of,
)
from lithograph.vision.deduplicate import Sameness
from lithograph.vision.proposals import Proposal
from lithograph.vision.protocols import ImageEmbedding, MaskCandidates, ModelCard

pytest_plugins = ["tiny_models"]

Image = NDArray[np.uint8]
Bool = NDArray[np.bool_]


def painted(height: int, width: int, parts: dict[int, Bool]) -> Image:
    """Paint each part in the band of its number (0 to 63) on a ground of band 0."""
    bands = np.zeros((height, width), np.int64)
    for band, mask in parts.items():
        bands[mask] = band
    channels = [(bands // 4**power % 4 * 64 + 32) for power in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def rectangle(height: int, width: int, rows: slice, columns: slice) -> Bool:
    mask = np.zeros((height, width), np.bool_)
    mask[rows, columns] = True
    return mask


def found_exactly(proposals: list[Proposal], mask: Bool) -> list[Proposal]:
    return [each for each in proposals if np.array_equal(each.mask, mask)]


FEW = GridSettings(points_per_side=16, points_per_batch=50)


def test_every_patch_of_an_image_is_found_once_and_exactly() -> None:
    parts = {
        1: rectangle(60, 80, slice(5, 20), slice(6, 30)),
        2: rectangle(60, 80, slice(30, 55), slice(10, 22)),
        3: rectangle(60, 80, slice(12, 50), slice(50, 76)),
    }
    segmenter = ColourSegmenter(image_size=80)
    found = from_grid(segmenter, painted(60, 80, parts), FEW)
    ground = ~np.any(list(parts.values()), axis=0)
    assert len(found) == 4
    for mask in (*parts.values(), ground):
        (only,) = found_exactly(found, mask)
        rows, columns = np.nonzero(mask)
        corner = (columns.min(), rows.min())
        np.testing.assert_array_equal(
            list(only.box), [*corner, *(np.array([columns.max(), rows.max()]) - corner + 1)]
        )
        assert only.area == mask.sum()
        assert only.quality == 1
        assert only.stability == 1
        assert only.preferred


def test_only_what_is_kept_is_brought_to_full_size() -> None:
    image = painted(64, 64, {1: rectangle(64, 64, slice(8, 40), slice(8, 40))})
    segmenter = ColourSegmenter(image_size=64)
    found = from_grid(segmenter, image, FEW)
    assert segmenter.asked == 16 * 16
    assert segmenter.upscaled == len(found) == 2


def test_a_crack_longer_than_a_tile_comes_out_in_one_piece() -> None:
    """A thin diagonal across nine tiles, and a blot inside one of them."""
    height = width = 300
    rows, columns = np.indices((height, width))
    crack = (np.abs(rows - columns) <= 4) & (rows > 20) & (rows < 280)
    blot = (rows - 60) ** 2 + (columns - 220) ** 2 < 15**2
    image = painted(height, width, {1: crack, 2: blot})
    segmenter = ColourSegmenter(image_size=128)
    settings = GridSettings(points_per_side=32, whole_view=False)
    found = from_grid(segmenter, image, settings)
    (whole,) = found_exactly(found, crack)
    assert whole.area == crack.sum()
    assert len(found_exactly(found, blot)) == 1
    # The ground is made whole too, and dropped: it is nearly all of the image.
    assert len(found) == 2


def test_a_whole_view_adds_nothing_that_the_tiles_have() -> None:
    height, width = 200, 260
    parts = {
        1: rectangle(height, width, slice(20, 180), slice(30, 60)),
        2: rectangle(height, width, slice(40, 60), slice(100, 250)),
    }
    image = painted(height, width, parts)
    segmenter = ColourSegmenter(image_size=96)
    tiled = from_grid(segmenter, image, GridSettings(points_per_side=24, whole_view=False))
    asked = segmenter.asked
    both = from_grid(segmenter, image, GridSettings(points_per_side=24))
    assert segmenter.asked == 2 * asked + 24 * 24
    for mask in parts.values():
        assert len(found_exactly(both, mask)) == 1
    assert {each.geometry for each in both} == {each.geometry for each in tiled}


def test_a_whole_view_adds_what_no_tile_could_see() -> None:
    """A segmenter that sees nothing in a tile, and something in the whole image."""
    segmenter = LargeOnly()
    image = np.zeros((100, 200, 3), np.uint8)
    settings = GridSettings(points_per_side=4, tile_size=100, tile_overlap=0.0)
    (only,) = from_grid(segmenter, image, settings)
    assert only.mask[:, 20:180].all()
    assert only.area == 100 * 160


def test_tiles_may_be_set() -> None:
    image = painted(100, 100, {1: rectangle(100, 100, slice(10, 90), slice(40, 60))})
    small = ColourSegmenter(image_size=1000)
    found = from_grid(small, image, GridSettings(points_per_side=16, tile_size=48))
    assert small.asked > 16 * 16
    assert len(found_exactly(found, image[..., 0] == 96)) == 1


def test_size_limits_drop_specks_and_the_whole_image() -> None:
    speck = rectangle(64, 64, slice(30, 33), slice(30, 33))
    image = painted(64, 64, {1: speck})
    segmenter = ColourSegmenter(image_size=64)
    every = GridSettings(points_per_side=32, smallest=1, largest=1.0)
    assert len(from_grid(segmenter, image, every)) == 2
    assert from_grid(segmenter, image, GridSettings(points_per_side=32)) == []


def test_coarse_cells_give_masks_of_the_image() -> None:
    mask = rectangle(50, 66, slice(8, 40), slice(12, 48))
    image = painted(50, 66, {1: mask})
    found = from_grid(ColourSegmenter(image_size=66, cell=4), image, FEW)
    assert all(each.mask.shape == (50, 66) for each in found)
    assert len(found_exactly(found, mask)) == 1


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_patches_across_random_tiles_are_never_lost(data: st.DataObject) -> None:
    """Whatever the tiles, rectangles come out whole, once, and where they were painted."""
    height, width = data.draw(st.integers(70, 160)), data.draw(st.integers(70, 160))
    top, left = data.draw(st.integers(3, height - 50)), data.draw(st.integers(3, width - 50))
    bottom = data.draw(st.integers(top + 24, height - 3))
    right = data.draw(st.integers(left + 24, width - 3))
    mask = rectangle(height, width, slice(top, bottom), slice(left, right))
    chosen = GridSettings(
        points_per_side=16,
        tile_size=data.draw(st.integers(48, 80)),
        tile_overlap=0.25,
        whole_view=data.draw(st.booleans()),
    )
    found = from_grid(ColourSegmenter(), painted(height, width, {1: mask}), chosen)
    assert len(found_exactly(found, mask)) == 1


def test_memory_stays_with_what_is_kept() -> None:
    """Many patches on an image in tiles: nothing of the image's size is held for each."""
    import tracemalloc

    image = np.full((1600, 2400, 3), 32, np.uint8)
    for number in range(100):
        y, x = 150 * (number // 10) + 20, 230 * (number % 10) + 20
        image[y : y + 60, x : x + 70] = 96
    settings = GridSettings(
        points_per_side=12, points_per_batch=16, tile_size=600, whole_view=False
    )
    segmenter = ColourSegmenter(cell=4)
    tracemalloc.start()
    try:
        found = from_grid(segmenter, image, settings)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found) >= 100
    # The masks of these alone, at the image's size, would take 384 MB.
    assert peak < 80e6


@pytest.mark.parametrize(
    "wrong",
    [
        {"points_per_side": 0},
        {"points_per_batch": 0},
        {"quality": 1.5},
        {"stability": -0.1},
        {"stability_offset": 0},
        {"largest": 0},
        {"smallest": 0},
        {"tile_size": 4},
        {"tile_overlap": 1.0},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        GridSettings(**wrong)  # type: ignore[arg-type]


def test_a_wrong_image_is_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        from_grid(ColourSegmenter(), np.zeros((8, 8, 3), np.float32))


class LargeOnly(ColourSegmenter):
    """Sees the middle of an image that is 150 pixels wide or more, and nothing in others."""

    def masks(
        self,
        embedding: ImageEmbedding,
        *,
        points: NDArray[np.floating] | None = None,
        point_labels: NDArray[np.integer] | None = None,
        boxes: NDArray[np.floating] | None = None,
    ) -> MaskCandidates:
        assert points is not None
        logits = np.full((len(points), 1, embedding.height, embedding.width), -8.0, np.float32)
        if embedding.width >= 150:
            logits[..., 20:-20] = 8.0
        quality = np.ones((len(points), 1), np.float32)
        return MaskCandidates(logits=logits, quality=quality, single=False)


class Nested(ColourSegmenter):
    """Answers a point with three nested squares around it, of falling quality and sharpness."""

    def masks(
        self,
        embedding: ImageEmbedding,
        *,
        points: NDArray[np.floating] | None = None,
        point_labels: NDArray[np.integer] | None = None,
        boxes: NDArray[np.floating] | None = None,
    ) -> MaskCandidates:
        assert points is not None
        rows, columns = np.indices((embedding.height, embedding.width))
        logits = np.empty((len(points), 3, embedding.height, embedding.width), np.float32)
        for number, (x, y) in enumerate(points[:, 0]):
            away = np.maximum(np.abs(rows - y), np.abs(columns - x))
            for candidate, (radius, sharp) in enumerate(((20, 4.0), (10, 4.0), (4, 0.5))):
                logits[number, candidate] = np.where(away < radius, sharp, -sharp)
        quality = np.tile(np.array([1.02, 0.9, 0.95], np.float32), (len(points), 1))
        return MaskCandidates(logits=logits, quality=quality, single=False)


def test_alternatives_of_one_point_are_one_group_and_one_is_preferred() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    found = from_grid(Nested(), image, GridSettings(points_per_side=1))
    # The third is unstable: between logits of +1 and -1 it is either nothing or everything.
    assert [each.candidate for each in found] == [0, 1]
    assert {each.group for each in found} == {0}
    assert [each.preferred for each in found] == [True, False]
    assert [each.quality for each in found] == [1.0, pytest.approx(0.9)]


def test_quality_and_stability_thresholds_are_those_asked_for() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    loose = GridSettings(points_per_side=1, stability=0.0)
    assert len(from_grid(Nested(), image, loose)) == 3
    strict = GridSettings(points_per_side=1, quality=0.92)
    assert len(from_grid(Nested(), image, strict)) == 1


def test_what_is_the_same_is_a_setting() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    loose = GridSettings(points_per_side=1, sameness=Sameness(inside=0.9, nested=0.1))
    assert len(from_grid(Nested(), image, loose)) == 1


def test_points_keep_every_candidate_in_order() -> None:
    segmenter = Nested()
    embedding = segmenter.encode(np.zeros((64, 64, 3), np.uint8))
    found = from_points(segmenter, embedding, np.array([[[20.0, 20.0]], [[40.0, 40.0]]]))
    assert [(each.prompt, each.candidate) for each in found] == [
        (prompt, candidate) for prompt in range(2) for candidate in range(3)
    ]
    assert [each.group for each in found] == [0, 0, 0, 1, 1, 1]
    assert [each.preferred for each in found] == [True, False, False] * 2
    assert found[5].stability == 0


def test_boxes_are_x_y_width_height() -> None:
    mask = rectangle(60, 80, slice(5, 20), slice(40, 70))
    image = painted(60, 80, {1: mask})
    segmenter = ColourSegmenter()
    embedding = segmenter.encode(image)
    (only,) = from_boxes(segmenter, embedding, np.array([[40.0, 5.0, 30.0, 15.0]]))
    assert np.array_equal(only.mask, mask)
    assert np.array_equal(only.part, np.ones((15, 30), np.bool_))
    with pytest.raises(ValueError, match="x, y, width, height"):
        from_boxes(segmenter, embedding, np.zeros((4,)))


@pytest.mark.parametrize("family", ["segment-anything", "sam", "sam-hq", "sam2"])
def test_real_models_answer_a_box_with_one_answer_and_three_more(
    tiny: Callable[[str], Path], stone: Image, family: str
) -> None:
    segmenter = load_segmenter(str(tiny(family)), "cpu")
    assert isinstance(segmenter, Segmenter)
    embedding = segmenter.encode(stone)
    found = from_boxes(segmenter, embedding, np.array([[5.0, 5.0, 60.0, 40.0]]))
    assert 1 <= len(found) <= 4
    assert all(each.mask.shape == (72, 96) for each in found)
    preferred = [each for each in found if each.preferred]
    assert len(preferred) == 1
    if any(each.candidate == 0 for each in found):
        assert preferred[0].candidate == 0


def test_a_real_model_searches_an_image_larger_than_a_tile(
    tiny: Callable[[str], Path],
) -> None:
    segmenter = load_segmenter(str(tiny("sam")), "cpu")
    assert isinstance(segmenter, Segmenter)
    image = np.random.default_rng(0).integers(0, 255, (100, 150, 3), dtype=np.uint8)
    loose = GridSettings(
        points_per_side=4, quality=0.0, stability=0.0, tile_size=64, tile_overlap=0.2
    )
    found = from_grid(segmenter, image, loose)
    assert found
    for each in found:
        x, y, width, height = (int(value) for value in each.box)
        mask = each.mask
        assert mask.shape == (100, 150)
        assert np.array_equal(mask[y : y + height, x : x + width], each.part)
        assert mask.sum() == each.area
        assert 0 <= each.quality <= 1


class Phrases:
    """Answers any phrase with one full mask, one empty one and one square."""

    image_size = 32
    card = ModelCard("phrases", "phrases", "0" * 64, None, "cpu", "none", "1")

    def encode(self, image: Image) -> ImageEmbedding:
        return ImageEmbedding(
            height=image.shape[0],
            width=image.shape[1],
            content_height=1.0,
            content_width=1.0,
            model=self.card.sha256,
            features=None,
        )

    def masks_of_phrase(self, embedding: ImageEmbedding, phrase: str) -> PhraseMasks:
        masks = np.zeros((3, embedding.height, embedding.width), np.bool_)
        masks[0] = True
        masks[2, 4:8, 6:9] = True
        return PhraseMasks(
            masks=masks,
            boxes=np.zeros((3, 4), np.float32),
            quality=np.array([0.9, 0.8, 0.7], np.float32),
        )


def test_every_instance_of_a_phrase_is_a_group_of_its_own() -> None:
    segmenter = Phrases()
    assert isinstance(segmenter, ConceptSegmenter)
    embedding = segmenter.encode(np.zeros((20, 30, 3), np.uint8))
    found = from_phrase(segmenter, embedding, "a crack")
    assert [each.group for each in found] == [0, 2]
    assert all(each.preferred for each in found)
    assert tuple(found[1].box) == (6, 4, 3, 4)
    assert found[1].quality == pytest.approx(0.7)


def test_stability_is_that_of_segment_anything() -> None:
    import torch
    from segment_anything.utils.amg import calculate_stability_score

    logits = np.random.default_rng(0).normal(0.5, 2, (6, 32, 32)).astype(np.float32)
    theirs = calculate_stability_score(torch.as_tensor(logits), 0.0, 1.0).numpy()
    np.testing.assert_allclose(stability_of(logits, 1.0), theirs, atol=1e-6)
    assert stability_of(np.full((1, 4, 4), -9.0), 1.0)[0] == 0
