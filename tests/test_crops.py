"""The square crop that a labeller is shown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithograph.vision.crops import box_window, region_crop

RNG_IMAGE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def test_a_crop_holds_the_box_and_its_context() -> None:
    crop = region_crop(RNG_IMAGE, (30, 20, 20, 10), context=0.2)
    assert crop.shape == (28, 28, 3)
    # Centred on (40, 25): columns 26 to 53, rows 11 to 38.
    np.testing.assert_array_equal(crop, RNG_IMAGE[11:39, 26:54])


def test_a_crop_at_the_border_is_shifted_inside() -> None:
    crop = region_crop(RNG_IMAGE, (0, 0, 20, 20), context=0.5)
    np.testing.assert_array_equal(crop, RNG_IMAGE[:40, :40])
    crop = region_crop(RNG_IMAGE, (60, 40, 20, 20), context=0.5)
    np.testing.assert_array_equal(crop, RNG_IMAGE[20:60, 40:80])


def test_a_crop_larger_than_the_image_repeats_its_border() -> None:
    crop = region_crop(RNG_IMAGE, (0, 0, 80, 60), context=0.0)
    assert crop.shape == (80, 80, 3)
    np.testing.assert_array_equal(crop[10:70], RNG_IMAGE)
    np.testing.assert_array_equal(crop[0], RNG_IMAGE[0])
    np.testing.assert_array_equal(crop[-1], RNG_IMAGE[-1])


def test_a_small_region_is_shown_with_more_around_it() -> None:
    assert region_crop(RNG_IMAGE, (30.2, 30.4, 0.5, 0.5)).shape == (16, 16, 3)


def test_surroundings_are_pulled_towards_the_mean() -> None:
    mask = np.zeros((60, 80), np.bool_)
    mask[22:28, 33:47] = True
    plain = region_crop(RNG_IMAGE, (30, 20, 20, 10))
    dimmed = region_crop(RNG_IMAGE, (30, 20, 20, 10), mask, dim=0.5)
    inside = mask[11:39, 26:54]
    np.testing.assert_array_equal(dimmed[inside], plain[inside])
    mean = plain.reshape(-1, 3).mean(axis=0)
    expected = plain[~inside] + 0.5 * (mean - plain[~inside])
    assert np.abs(dimmed[~inside] - expected).max() <= 0.5
    flat = region_crop(RNG_IMAGE, (30, 20, 20, 10), mask, dim=1.0)
    assert len(np.unique(flat[~inside], axis=0)) == 1
    np.testing.assert_array_equal(region_crop(RNG_IMAGE, (30, 20, 20, 10), mask, dim=0.0), plain)


boxes = st.tuples(
    st.floats(-20, 79), st.floats(-20, 59), st.floats(1.5, 90), st.floats(1.5, 90)
).filter(lambda box: box[0] + box[2] > 1 and box[1] + box[3] > 1)


@settings(max_examples=150)
@given(boxes, st.integers(0, 1_000), st.floats(0, 1), st.floats(0, 1))
def test_the_mask_of_the_box_alone_gives_the_same_crop(
    box: tuple[float, float, float, float], seed: int, context: float, dim: float
) -> None:
    rows, columns = box_window(box, 60, 80)
    mask = np.zeros((60, 80), np.bool_)
    window = mask[rows, columns]
    window[:] = np.random.default_rng(seed).random(window.shape) < 0.5
    whole = region_crop(RNG_IMAGE, box, mask, context=context, dim=dim)
    alone = region_crop(RNG_IMAGE, box, window.copy(), context=context, dim=dim)
    np.testing.assert_array_equal(whole, alone)
    assert whole.shape[0] == whole.shape[1]
    assert whole.dtype == np.uint8
    assert abs(whole.shape[0] - max(max(box[2:]) * (1 + 2 * context), 16)) <= 0.5


def test_the_image_is_left_alone() -> None:
    image = RNG_IMAGE.copy()
    crop = region_crop(image, (10, 10, 30, 30))
    crop[:] = 0
    np.testing.assert_array_equal(image, RNG_IMAGE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": RNG_IMAGE.astype(np.float32)}, "image: expected H×W×3 uint8"),
        ({"image": RNG_IMAGE[..., 0]}, "image: expected H×W×3 uint8"),
        ({"box": (0, 0, 0, 5)}, "box: expected finite"),
        ({"box": (0, 0, float("nan"), 5)}, "box: expected finite"),
        ({"box": (0, 0, 5)}, "box: expected finite"),
        ({"box": (90, 0, 5, 5)}, "meets the image"),
        ({"mask": np.zeros((3, 3), np.bool_)}, "mask: expected bool"),
        ({"mask": np.zeros((60, 80), np.uint8)}, "mask: expected bool"),
        ({"context": -0.1}, "context: expected"),
        ({"dim": 1.5}, "dim: expected"),
    ],
)
def test_bad_arguments_are_named(changes: dict[str, object], message: str) -> None:
    arguments = {"image": RNG_IMAGE, "box": (10, 10, 20, 20), "mask": None} | changes
    with pytest.raises(ValueError, match=message):
        region_crop(**arguments)  # type: ignore[arg-type]
