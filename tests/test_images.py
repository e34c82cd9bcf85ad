"""Photographs as pixels and facts: orientation, colour modes, dates."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageOps

from lithograph.errors import ImageError
from lithograph.images import load_upright, read_image
from lithograph.images.exif import capture_date
from photograph_files import save, scene, with_exif

# -- orientation -----------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "lzw.tif"])
def test_orientation_is_applied_once(tmp_path: Path, suffix: str, orientation: int) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "jpg": {"quality": 100, "subsampling": 0},
        "webp": {"lossless": True},
        "lzw.tif": {"compression": "tiff_lzw"},
    }
    path = save(
        tmp_path / f"a.{suffix}", exif=with_exif(orientation=orientation), **kinds.get(suffix, {})
    )
    with Pillow.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    pixels, facts = load_upright(path), read_image(path)
    np.testing.assert_array_equal(pixels, expected)
    assert pixels.dtype == np.uint8
    assert pixels.flags["C_CONTIGUOUS"]
    assert pixels.flags["WRITEABLE"]
    assert (facts.width, facts.height) == (pixels.shape[1], pixels.shape[0])
    assert (facts.width, facts.height) == ((16, 24) if orientation >= 5 else (24, 16))
    assert facts.orientation == orientation


def test_orientation_against_the_standard(tmp_path: Path) -> None:
    """Where the stored first row and column lie, as the EXIF standard words it (not Pillow)."""
    corner = {
        1: (0, 0),
        2: (0, 1),
        3: (1, 1),
        4: (1, 0),
        5: (0, 0),
        6: (0, 1),
        7: (1, 1),
        8: (1, 0),
    }
    for orientation, (bottom, right) in corner.items():
        path = save(tmp_path / f"{orientation}.png", exif=with_exif(orientation=orientation))
        upright = load_upright(path)
        assert tuple(upright[-1 if bottom else 0, -1 if right else 0]) == (200, 40, 40)
        first_row_is_a_column = upright.shape[0] == 24
        assert first_row_is_a_column == (orientation >= 5)


@pytest.mark.parametrize("orientation", [0, 9, 255])
def test_a_strange_orientation_counts_as_upright(tmp_path: Path, orientation: int) -> None:
    path = save(tmp_path / "a.png", exif=with_exif(orientation=orientation))
    assert read_image(path).orientation == 1
    np.testing.assert_array_equal(load_upright(path), scene())


@given(data=st.binary(max_size=80))
def test_any_exif_block_is_survived(data: bytes) -> None:
    from lithograph.images.exif import read_exif

    image = Pillow.new("RGB", (2, 2))
    image.info["exif"] = b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        orientation, captured = read_exif(image)
    assert 1 <= orientation <= 8
    assert captured is None


# -- modes -----------------------------------------------------------------------------------------


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 24 * 16, dtype=np.uint16).reshape(16, 24)
    for suffix in ("png", "tif"):
        path = save(tmp_path / f"grey.{suffix}", ramp)
        pixels = load_upright(path)
        np.testing.assert_array_equal(pixels, np.repeat((ramp >> 8)[..., None], 3, axis=2))


def test_big_endian_sixteen_bits(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 6, dtype=">u2").reshape(2, 3)
    Pillow.frombytes("I;16B", (3, 2), ramp.tobytes()).save(tmp_path / "be.tif")
    np.testing.assert_array_equal(load_upright(tmp_path / "be.tif")[..., 0], ramp >> 8)


def test_palette_grey_and_bilevel(tmp_path: Path) -> None:
    reference = Pillow.fromarray(scene())
    for mode in ("P", "L", "1", "LA"):
        path = tmp_path / f"{mode}.png"
        reference.convert(mode).save(path)
        np.testing.assert_array_equal(
            load_upright(path), np.asarray(reference.convert(mode).convert("RGB"))
        )


def test_transparent_pixels_stand_on_white(tmp_path: Path) -> None:
    rgba = np.zeros((2, 2, 4), dtype=np.uint8)
    rgba[0, 0] = (10, 20, 30, 255)
    rgba[0, 1] = (0, 0, 0, 128)
    pixels = load_upright(save(tmp_path / "a.png", rgba))
    assert pixels[0, 0].tolist() == [10, 20, 30]
    assert pixels[0, 1].tolist() == [127, 127, 127]
    assert pixels[1, 1].tolist() == [255, 255, 255]


def test_a_transparent_colour_of_a_palette(tmp_path: Path) -> None:
    image = Pillow.fromarray(np.array([[0, 1]], dtype=np.uint8)).convert("P")
    image.putpalette([9, 8, 7, 1, 2, 3])
    image.save(tmp_path / "a.png", transparency=1)
    assert load_upright(tmp_path / "a.png").tolist() == [[[9, 8, 7], [255, 255, 255]]]


def test_cmyk(tmp_path: Path) -> None:
    reference = Pillow.fromarray(scene()).convert("CMYK")
    reference.save(tmp_path / "a.tif")
    np.testing.assert_array_equal(
        load_upright(tmp_path / "a.tif"), np.asarray(reference.convert("RGB"))
    )
    reference.save(tmp_path / "a.jpg", quality=100)
    difference = np.abs(load_upright(tmp_path / "a.jpg").astype(int) - scene())
    assert difference.max() < 12


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_that_are_no_colours_are_refused(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.tif"
    Pillow.new(mode, (3, 3)).save(path)
    for read in (read_image, load_upright):
        with pytest.raises(ImageError, match=f"found Pillow's mode '{mode}'"):
            read(path)


def test_of_several_pages_the_first(tmp_path: Path) -> None:
    first, second = Pillow.new("RGB", (4, 3), "red"), Pillow.new("RGB", (9, 9), "blue")
    for name in ("a.tif", "a.png", "a.webp"):
        extra: dict[str, Any] = {"lossless": True} if name.endswith("webp") else {}
        second = second.resize((9, 9) if name == "a.tif" else (4, 3))
        first.save(tmp_path / name, save_all=True, append_images=[second], **extra)
        assert read_image(tmp_path / name).frames == 2
        assert load_upright(tmp_path / name).shape == (3, 4, 3)
        assert load_upright(tmp_path / name)[0, 0].tolist() == [255, 0, 0]


def test_a_tall_image_is_whole(tmp_path: Path) -> None:
    """Pixels are converted in bands of rows."""
    noise = np.random.default_rng(1).integers(0, 256, (700, 5, 3), dtype=np.uint8)
    np.testing.assert_array_equal(load_upright(save(tmp_path / "a.png", noise)), noise)


# -- facts -----------------------------------------------------------------------------------------


def test_the_digest_is_of_the_files_bytes(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg")
    assert read_image(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_capture_date_with_and_without_zone(tmp_path: Path) -> None:
    taken = with_exif(taken="2020:06:11 13:00:50", offset="+02:00")
    assert read_image(save(tmp_path / "a.jpg", exif=taken)).captured == "2020-06-11T13:00:50+02:00"
    taken = with_exif(taken="2020:06:11 13:00:50")
    assert read_image(save(tmp_path / "b.jpg", exif=taken)).captured == "2020-06-11T13:00:50"
    assert read_image(save(tmp_path / "c.jpg")).captured is None
    taken = with_exif(taken="2020:06:11 13:00:50")
    path = save(tmp_path / "d.tif", exif=taken.tobytes())
    assert read_image(path).captured == "2020-06-11T13:00:50"


@pytest.mark.parametrize(
    "date",
    [
        "0000:00:00 00:00:00",
        "2020:13:01 00:00:00",
        "2020:06:11",
        "",
        "    :  :     :  :  ",
        None,
        7,
        "2020:06:11 24:00:00",
        "2020:02:30 10:00:00",
        "2020:06:11 13:00:50 and more",
    ],
)
def test_a_malformed_date_is_no_date(date: object) -> None:
    assert capture_date(date) is None


def test_a_malformed_offset_leaves_the_date() -> None:
    for offset in ("+2", "   :  ", "+15:00", "+14:30", None, b"\xff"):
        assert capture_date("2020:06:11 13:00:50", offset) == "2020-06-11T13:00:50"
    assert capture_date("2020:06:11 13:00:50\x00", b"-11:30\x00") == "2020-06-11T13:00:50-11:30"


@given(st.datetimes())
def test_every_capture_date_survives(moment: Any) -> None:
    moment = moment.replace(microsecond=0)
    written = f"{moment.year:04}:{moment.month:02}:{moment.day:02} {moment.time().isoformat()}"
    assert capture_date(written) == moment.isoformat()
