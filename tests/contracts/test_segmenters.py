"""What every segmenter owes, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from colour_segmenter import ColourSegmenter
from lithograph.vision import ConceptSegmenter, Segmenter, load_segmenter

pytest_plugins = ["tiny_models"]

Image = NDArray[np.uint8]
Tiny = Callable[[str], Path]

POINTED = ["colour", "segment-anything", "sam", "sam-hq", "sam2", "sam2-video", "sam3-tracker"]
PHRASED = ["sam3", "sam3-video"]
SIZES = [(72, 96), (96, 72), (40, 40), (150, 31), (1, 200)]


@pytest.fixture(scope="module", params=POINTED)
def segmenter(request: pytest.FixtureRequest, tiny: Tiny) -> Segmenter:
    if request.param == "colour":
        return ColourSegmenter()
    loaded = load_segmenter(str(tiny(request.param)), "cpu")
    assert isinstance(loaded, Segmenter)
    assert not isinstance(loaded, ConceptSegmenter)
    return loaded


@pytest.fixture(scope="module", params=PHRASED)
def concept_segmenter(request: pytest.FixtureRequest, tiny: Tiny) -> ConceptSegmenter:
    loaded = load_segmenter(str(tiny(request.param)), "cpu", threshold=0.0)
    assert isinstance(loaded, ConceptSegmenter)
    assert not isinstance(loaded, Segmenter)
    return loaded


def image_of(size: tuple[int, int]) -> Image:
    return np.random.default_rng(5).integers(0, 255, (*size, 3), dtype=np.uint8)


def test_the_card_says_which_model_it_is(segmenter: Segmenter) -> None:
    card = segmenter.card
    assert card.name
    assert "/" not in card.name
    assert card.family
    assert len(card.sha256) == 64
    assert card.device == "cpu"
    assert card.package_version
    assert segmenter.image_size > 0


@pytest.mark.parametrize("size", SIZES)
def test_masks_cover_the_image_at_any_size(segmenter: Segmenter, size: tuple[int, int]) -> None:
    image = image_of(size)
    before = image.copy()
    embedding = segmenter.encode(image)
    assert (embedding.height, embedding.width) == size
    assert 0 < embedding.content_height <= 1
    assert 0 < embedding.content_width <= 1
    found = segmenter.masks(embedding, points=np.array([[[size[1] / 2, size[0] / 2]]]))
    count, candidates, rows, columns = found.logits.shape
    assert count == 1
    assert found.quality.shape == (1, candidates)
    assert found.logits.dtype == found.quality.dtype == np.float32
    assert np.isfinite(found.logits).all()
    assert rows > 0
    assert columns > 0
    masks = segmenter.upscale(embedding, found.logits[0])
    assert masks.shape == (candidates, *size)
    assert masks.dtype == np.bool_
    assert (image == before).all()


def test_a_single_point_is_ambiguous_and_a_box_is_not(segmenter: Segmenter, stone: Image) -> None:
    embedding = segmenter.encode(stone)
    point = np.array([[[20.0, 30.0]]])
    box = np.array([[5.0, 5.0, 60.0, 40.0]])
    of_point = segmenter.masks(embedding, points=point)
    of_box = segmenter.masks(embedding, boxes=box)
    of_points = segmenter.masks(embedding, points=np.array([[[20.0, 30.0], [25.0, 30.0]]]))
    assert not of_point.single
    assert of_box.single
    assert of_points.single
    assert of_box.logits.shape[1] >= of_point.logits.shape[1]
    both = segmenter.masks(embedding, points=point, boxes=box)
    assert both.single
    assert both.logits.shape == of_box.logits.shape


def test_prompts_do_not_touch_each_other(segmenter: Segmenter, stone: Image) -> None:
    embedding = segmenter.encode(stone)
    points = np.array([[[10.0, 10.0]], [[42.0, 30.0]], [[80.0, 40.0]]])
    together = segmenter.masks(embedding, points=points)
    for number in range(3):
        alone = segmenter.masks(embedding, points=points[number : number + 1])
        np.testing.assert_allclose(together.logits[number], alone.logits[0], atol=1e-4)
        np.testing.assert_allclose(together.quality[number], alone.quality[0], atol=1e-4)


def test_padding_says_nothing(segmenter: Segmenter, stone: Image) -> None:
    embedding = segmenter.encode(stone)
    labels = np.array([[1, 0, -1]])
    first = np.array([[[10.0, 10.0], [60.0, 50.0], [np.nan, 1e9]]])
    second = np.array([[[10.0, 10.0], [60.0, 50.0], [3.0, 4.0]]])
    one = segmenter.masks(embedding, points=first, point_labels=labels)
    other = segmenter.masks(embedding, points=second, point_labels=labels)
    np.testing.assert_array_equal(one.logits, other.logits)
    assert np.isfinite(one.logits).all()


def test_the_same_image_gives_the_same_masks(segmenter: Segmenter, stone: Image) -> None:
    boxes = np.array([[2.0, 3.0, 50.0, 60.0]])
    first = segmenter.masks(segmenter.encode(stone), boxes=boxes)
    second = segmenter.masks(segmenter.encode(stone.copy()), boxes=boxes)
    np.testing.assert_array_equal(first.logits, second.logits)


def test_a_box_may_touch_the_edge_and_stick_out_by_rounding(
    segmenter: Segmenter, stone: Image
) -> None:
    embedding = segmenter.encode(stone)
    exact = segmenter.masks(embedding, boxes=np.array([[0.0, 0.0, 96.0, 72.0]]))
    rounded = segmenter.masks(embedding, boxes=np.array([[-0.4, -0.4, 96.5, 72.5]]))
    np.testing.assert_array_equal(exact.logits, rounded.logits)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (np.zeros((8, 8, 3), np.float32), "uint8"),
        (np.zeros((8, 8), np.uint8), "H×W×3"),
        (np.zeros((8, 8, 4), np.uint8), "H×W×3"),
        (np.zeros((0, 8, 3), np.uint8), "H×W×3"),
        (np.zeros((8, 8, 3), np.int64), "uint8"),
        ([[1]], "numpy"),
    ],
)
def test_wrong_images_are_refused(segmenter: Segmenter, image: Image, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        segmenter.encode(image)


@pytest.mark.parametrize(
    ("prompts", "says"),
    [
        ({}, "points, boxes or both"),
        ({"point_labels": np.array([[1]])}, "without points"),
        ({"points": np.zeros((1, 2))}, "N, P, 2"),
        ({"points": np.zeros((0, 1, 2))}, "no prompt"),
        ({"points": np.array([[[1.0, 73.0]]])}, "outside the image of 96×72"),
        ({"points": np.array([[[np.nan, 3.0]]])}, "finite"),
        ({"points": np.zeros((1, 1, 2)), "point_labels": np.array([[2]])}, "point_labels must be"),
        ({"points": np.zeros((1, 1, 2)), "point_labels": np.array([[-1]])}, "not padding"),
        ({"points": np.zeros((1, 2, 2)), "point_labels": np.array([[1]])}, "as the points are"),
        ({"boxes": np.array([[0.0, 0.0, 5.0]])}, "N, 4"),
        ({"boxes": np.array([[5.0, 5.0, 5.0, 9.0]])}, "is empty"),
        ({"boxes": np.array([[0.0, 0.0, 5.0, np.inf]])}, "finite"),
        ({"boxes": np.array([[0.0, 0.0, 500.0, 9.0]])}, "outside the image of 96×72"),
        (
            {"points": np.zeros((2, 1, 2)), "boxes": np.array([[0.0, 0.0, 5.0, 5.0]])},
            "must be as many",
        ),
    ],
)
def test_wrong_prompts_are_refused(
    segmenter: Segmenter, stone: Image, prompts: dict[str, NDArray[np.float64]], says: str
) -> None:
    embedding = segmenter.encode(stone)
    with pytest.raises(ValueError, match=says):
        segmenter.masks(embedding, **prompts)  # type: ignore[arg-type]


def test_an_embedding_of_another_model_is_refused(
    segmenter: Segmenter, tiny: Tiny, stone: Image
) -> None:
    other = load_segmenter(str(tiny("sam3")), "cpu").encode(stone)
    with pytest.raises(ValueError, match="encode the image with the segmenter"):
        segmenter.masks(other, points=np.array([[[1.0, 1.0]]]))
    with pytest.raises(ValueError, match="encode the image with the segmenter"):
        segmenter.upscale(other, np.zeros((1, 4, 4), np.float32))


def test_upscaling_takes_logits_only(segmenter: Segmenter, stone: Image) -> None:
    embedding = segmenter.encode(stone)
    with pytest.raises(ValueError, match="M, h, w"):
        segmenter.upscale(embedding, np.zeros((4, 4), np.float32))
    some = segmenter.masks(embedding, points=np.array([[[1.0, 1.0]]])).logits[0]
    assert segmenter.upscale(embedding, some[:0]).shape == (0, 72, 96)


def test_phrases_give_masks_boxes_and_confidence(
    concept_segmenter: ConceptSegmenter, stone: Image
) -> None:
    embedding = concept_segmenter.encode(stone)
    found = concept_segmenter.masks_of_phrase(embedding, "a crack in limestone")
    count = len(found.masks)
    assert count > 0
    assert found.masks.shape == (count, 72, 96)
    assert found.masks.dtype == np.bool_
    assert found.boxes.shape == (count, 4)
    assert found.quality.shape == (count,)
    assert (np.diff(found.quality) <= 0).all()
    assert ((found.quality >= 0) & (found.quality <= 1)).all()
    assert (found.boxes >= 0).all()
    assert (found.boxes[:, 0] + found.boxes[:, 2] <= 96 + 1e-3).all()
    assert (found.boxes[:, 1] + found.boxes[:, 3] <= 72 + 1e-3).all()


def test_the_threshold_leaves_instances_out(tiny: Tiny, stone: Image) -> None:
    strict = load_segmenter(str(tiny("sam3")), "cpu", threshold=1.0)
    assert isinstance(strict, ConceptSegmenter)
    found = strict.masks_of_phrase(strict.encode(stone), "sound stone")
    assert found.masks.shape == (0, 72, 96)
    assert found.boxes.shape == (0, 4)
    assert found.quality.shape == (0,)


def test_another_phrase_finds_something_else(
    concept_segmenter: ConceptSegmenter, stone: Image
) -> None:
    embedding = concept_segmenter.encode(stone)
    one = concept_segmenter.masks_of_phrase(embedding, "a crack in limestone")
    other = concept_segmenter.masks_of_phrase(embedding, "sound stone")
    assert not np.allclose(one.quality, other.quality, atol=1e-5)


def test_a_phrase_too_long_is_cut_with_a_warning(
    concept_segmenter: ConceptSegmenter, stone: Image
) -> None:
    embedding = concept_segmenter.encode(stone)
    short = concept_segmenter.masks_of_phrase(embedding, "A crack.")
    with pytest.warns(UserWarning, match="was cut to the 32"):
        cut = concept_segmenter.masks_of_phrase(embedding, "A crack. " + "Limestone wall " * 30)
    np.testing.assert_allclose(cut.quality, short.quality, atol=1e-5)


def test_an_empty_phrase_is_refused(concept_segmenter: ConceptSegmenter, stone: Image) -> None:
    embedding = concept_segmenter.encode(stone)
    with pytest.raises(ValueError, match="something in it"):
        concept_segmenter.masks_of_phrase(embedding, " ")
