"""What every detector owes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lithograph.vision import Detector, dino, load_detector

pytest_plugins = ["tiny_models"]

Image = NDArray[np.uint8]
Tiny = Callable[[str], Path]

FREE = ["dino", "dinov2", "dinov2-registers", "dinov3"]
PHRASED = ["grounding-dino", "mm-grounding-dino", "owlv2"]
PHRASES = ["a crack in limestone", "sound stone"]


@pytest.fixture(scope="module", autouse=True)
def few_patches() -> Iterator[None]:
    """A coarser grid than in use: a cut's time grows with the square of its patches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dino, "_MAX_PATCHES", 500)
        yield


@pytest.fixture(scope="module", params=FREE + PHRASED)
def detector(request: pytest.FixtureRequest, tiny: Tiny) -> Detector:
    # Random weights are sure of nothing: every box is let through.
    return load_detector(str(tiny(request.param)), "cpu", threshold=0.0)


@pytest.fixture(scope="module", params=PHRASED)
def phrased(request: pytest.FixtureRequest, tiny: Tiny) -> Detector:
    return load_detector(str(tiny(request.param)), "cpu", threshold=0.0)


def test_it_is_a_detector_with_a_card(detector: Detector) -> None:
    assert isinstance(detector, Detector)
    assert detector.card.name in {*FREE, *PHRASED}
    assert len(detector.card.sha256) == 64
    assert detector.card.device == "cpu"


@pytest.mark.parametrize("size", [(72, 96), (96, 72), (40, 40), (31, 150)])
def test_boxes_lie_on_the_image_best_first(detector: Detector, size: tuple[int, int]) -> None:
    image = np.random.default_rng(2).integers(0, 255, (*size, 3), dtype=np.uint8)
    before = image.copy()
    found = detector.boxes(image, PHRASES)
    # In plain noise nothing need stand out.
    assert found or not detector.takes_phrases
    confidences = [each.confidence for each in found]
    assert confidences == sorted(confidences, reverse=True)
    for each in found:
        x, y, width, height = each.box
        assert all(isinstance(value, float) for value in (*each.box, each.confidence))
        assert x >= 0
        assert y >= 0
        assert width > 0
        assert height > 0
        assert x + width <= size[1] + 1e-3
        assert y + height <= size[0] + 1e-3
        assert 0 <= each.confidence <= 1
        assert (each.phrase in PHRASES) == detector.takes_phrases
    assert (image == before).all()


def test_the_same_image_gives_the_same_boxes(detector: Detector, stone: Image) -> None:
    assert detector.boxes(stone, PHRASES) == detector.boxes(stone.copy(), PHRASES)


def test_without_a_phrase_only_what_stands_out_is_found(detector: Detector, stone: Image) -> None:
    assert bool(detector.boxes(stone)) == (not detector.takes_phrases)


@pytest.mark.parametrize("family", FREE)
def test_what_stands_out_is_boxed(tiny: Tiny, stone: Image, family: str) -> None:
    """The dark stroke of the image (x 40 to 44, y 10 to 60), to a patch of its true place."""
    best = load_detector(str(tiny(family)), "cpu").boxes(stone)[0]
    np.testing.assert_allclose(best.box, (40, 10, 4, 50), atol=4)
    assert best.confidence > 0.5


@pytest.mark.parametrize("family", FREE)
def test_nothing_stands_out_of_a_blank_wall(tiny: Tiny, family: str) -> None:
    wall = np.full((60, 80, 3), 140, np.uint8)
    assert load_detector(str(tiny(family)), "cpu").boxes(wall) == ()


def test_each_phrase_is_looked_for_alone(phrased: Detector, stone: Image) -> None:
    together = phrased.boxes(stone, PHRASES)
    for phrase in PHRASES:
        alone = phrased.boxes(stone, [phrase])
        mine = [each for each in together if each.phrase == phrase]
        assert [each.box for each in alone] == [each.box for each in mine]
    first, second = (
        [each.confidence for each in together if each.phrase == phrase] for phrase in PHRASES
    )
    assert first != second


def test_a_long_phrase_is_cut_with_a_warning(phrased: Detector, stone: Image) -> None:
    long = "A crack. " + "limestone wall of stone " * 20
    with pytest.warns(UserWarning, match="was cut to the"):
        found = phrased.boxes(stone, [long])
    assert {each.phrase for each in found} == {long}


def test_a_full_stop_inside_a_phrase_does_not_split_it(phrased: Detector, stone: Image) -> None:
    found = phrased.boxes(stone, ["a crack. sound stone"])
    assert {each.phrase for each in found} == {"a crack. sound stone"}


@pytest.mark.parametrize("image", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float64)])
def test_wrong_images_are_refused(detector: Detector, image: Image) -> None:
    with pytest.raises(ValueError, match="an image must be"):
        detector.boxes(image, PHRASES)


@pytest.mark.parametrize("phrases", ["a crack", [""], ["a", None]])
def test_wrong_phrases_are_refused(phrased: Detector, stone: Image, phrases: list[str]) -> None:
    with pytest.raises(ValueError, match="phrases"):
        phrased.boxes(stone, phrases)


@pytest.mark.parametrize("family", FREE + PHRASED)
def test_the_threshold_leaves_boxes_out(tiny: Tiny, stone: Image, family: str) -> None:
    folder = str(tiny(family))
    every = load_detector(folder, "cpu", threshold=0.0).boxes(stone, PHRASES)
    # Under the best of all, so that some box is left on either side of it.
    middle = every[0].confidence * 0.99
    some = load_detector(folder, "cpu", threshold=middle).boxes(stone, PHRASES)
    assert all(each.confidence >= middle for each in some)
    assert len(some) <= len(every)
    with pytest.raises(ValueError, match="between 0 and 1"):
        load_detector(folder, "cpu", threshold=1.5)


@pytest.mark.parametrize("family", PHRASED)
def test_boxes_are_those_of_the_models_own_processor(tiny: Tiny, stone: Image, family: str) -> None:
    import torch
    from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor

    processor = AutoProcessor.from_pretrained(tiny(family))
    model = AutoModelForZeroShotObjectDetection.from_pretrained(tiny(family)).eval()
    inputs = processor(images=stone, text=[["a crack in limestone"]], return_tensors="pt")
    with torch.inference_mode():
        output = model(**inputs)
    official = processor.post_process_grounded_object_detection(
        output, threshold=0.0, target_sizes=[stone.shape[:2]]
    )[0]
    found = load_detector(str(tiny(family)), "cpu", threshold=0.0).boxes(
        stone, ["a crack in limestone"]
    )
    order = official["scores"].argsort(descending=True, stable=True)
    assert found[0].confidence == pytest.approx(float(official["scores"][order[0]]), abs=1e-4)
    x, y, width, height = found[0].box
    corners = official["boxes"][order[0]].numpy().clip(0, [96, 72, 96, 72])
    np.testing.assert_allclose([x, y, x + width, y + height], corners, atol=0.05)
