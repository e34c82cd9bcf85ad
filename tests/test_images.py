from __future__ import annotations

import hashlib
import io
import os
import random
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps

from lithograph.config import ImageSettings
from lithograph.entities import Image
from lithograph.errors import ImageError
from lithograph.images import add_images, load_upright, name_key, read_image, scan
from lithograph.images.exif import capture_date
from lithograph.images.opening import opened
from lithograph.rdf.iris import Iris

ORIENTATION, EXIF, TAKEN, OFFSET, GPS = 0x0112, 0x8769, 0x9003, 0x9011, 0x8825


def scene(width: int = 24, height: int = 16) -> NDArray[np.uint8]:
    """Four quarters of different colours: every turn and mirroring of it is another picture."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[: height // 2, : width // 2] = (200, 40, 40)
    pixels[: height // 2, width // 2 :] = (40, 200, 40)
    pixels[height // 2 :, : width // 2] = (40, 40, 200)
    pixels[height // 2 :, width // 2 :] = (220, 220, 60)
    return pixels


def save(path: Path, pixels: Any = None, **options: Any) -> Path:
    image = Pillow.fromarray(scene() if pixels is None else pixels)
    image.save(path, **options)
    return path


def with_exif(**tags: Any) -> Pillow.Exif:
    exif = Pillow.Exif()
    exif[ORIENTATION] = tags.get("orientation", 1)
    details = exif.get_ifd(EXIF)
    if "taken" in tags:
        details[TAKEN] = tags["taken"]
    if "offset" in tags:
        details[OFFSET] = tags["offset"]
    return exif


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


# -- guards ----------------------------------------------------------------------------------------


def test_size_guards_come_before_decoding(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png")
    with pytest.raises(ImageError, match=r"expected 1 to 383 pixels, found 24 × 16"):
        read_image(path, ImageSettings(max_pixels=383))
    assert read_image(path, ImageSettings(max_pixels=384)).width == 24
    with pytest.raises(ImageError, match=f"at most 10 bytes, found {path.stat().st_size}"):
        read_image(path, ImageSettings(max_bytes=10))


def png_header(width: int, height: int) -> bytes:
    import struct
    import zlib

    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + body
        + struct.pack(">I", zlib.crc32(body))
        + struct.pack(">I", 0)
        + b"IDAT"
        + struct.pack(">I", zlib.crc32(b"IDAT"))
    )


def test_a_header_that_promises_too_much_is_refused_by_our_limit(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(60_000, 60_000))
    with pytest.raises(ImageError, match="found 60000 × 60000"):
        read_image(path)


def test_pillows_own_limits_do_not_speak_before_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow's limit, lowered in place of a file of 179 megapixels, is neither used nor set."""
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", 10)
    for name in ("a.jpg", "a.png", "a.tif", "a.bmp"):
        path = save(tmp_path / name)
        if name != "a.tif":  # Pillow's plugin checks the size of a TIFF's tile itself
            assert read_image(path).width == 24
            assert load_upright(path).shape == (16, 24, 3)
    with pytest.raises(ImageError, match="decompression bomb"):
        read_image(save(tmp_path / "a.webp"))
    assert Pillow.MAX_IMAGE_PIXELS == 10


def test_a_photograph_above_pillows_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Pillow.new("1", (20_000, 10_000)).save(path)
    assert (read_image(path).width, read_image(path).height) == (20_000, 10_000)


def test_what_is_no_image_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("not an image")
    (tmp_path / "empty.png").touch()
    (tmp_path / "page.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    Pillow.fromarray(scene()).save(tmp_path / "a.gif")
    for name, found in [
        ("notes.jpg", "begins with b'not an i'"),
        ("empty.png", "found an empty file"),
        ("page.jpg", "begins with b'%!PS-Ado'"),
        ("a.gif", "begins with b'GIF"),
    ]:
        path = tmp_path / name
        with pytest.raises(ImageError, match=re.escape(f"{path}: ") + ".*" + re.escape(found)) as e:
            read_image(path)
        assert e.value.subject == str(path)


def test_missing_files_folders_and_pipes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    for name, reason in [
        ("no.jpg", "No such file"),
        (".", "no regular file"),
        ("pipe.jpg", "no regular file"),
    ]:
        with pytest.raises(ImageError, match=reason):
            read_image(tmp_path / name)
    with pytest.raises(ImageError, match="cannot be read"):
        read_image("a\x00b.jpg")


def test_a_file_that_changed_is_not_used(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png")
    sha256 = read_image(path).sha256
    assert load_upright(path, sha256).shape == (16, 24, 3)
    assert load_upright(path, sha256.upper()).shape == (16, 24, 3)
    save(path, scene()[::-1])
    with pytest.raises(ImageError, match="changed since it was added"):
        load_upright(path, sha256)


def encoded(name: str) -> bytes:
    noise = np.random.default_rng(7).integers(0, 256, (33, 48, 3), dtype=np.uint8)
    kinds: dict[str, dict[str, Any]] = {
        "progressive": {"format": "JPEG", "progressive": True},
        "lzw": {"format": "TIFF", "compression": "tiff_lzw"},
    }
    buffer = io.BytesIO()
    Pillow.fromarray(noise).save(buffer, **kinds.get(name, {"format": name}))
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["JPEG", "progressive", "PNG", "TIFF", "lzw", "WEBP", "BMP"])
@pytest.mark.filterwarnings("ignore")  # Pillow's, which are no errors where people use it
def test_every_truncation_is_refused(tmp_path: Path, name: str) -> None:
    whole, path = encoded(name), tmp_path / "a.img"
    path.write_bytes(whole)
    assert read_image(path).width == 48
    generator = random.Random(3)
    near_the_end = range(len(whole) - 30, len(whole))
    for length in [*generator.sample(range(len(whole)), 60), *range(24), *near_the_end]:
        path.write_bytes(whole[:length])
        with pytest.raises(ImageError) as caught:
            read_image(path)
        assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("name", ["JPEG", "progressive", "PNG", "TIFF", "lzw", "WEBP", "BMP"])
@pytest.mark.filterwarnings("ignore")
def test_damaged_files_raise_nothing_but_image_error(tmp_path: Path, name: str) -> None:
    whole, path = encoded(name), tmp_path / "a.img"
    generator = random.Random(5)
    refused = 0
    for _ in range(120):
        damaged = bytearray(whole)
        for _ in range(generator.randint(1, 6)):
            # Headers are short: half of the damage goes there.
            end = len(damaged) if generator.random() < 0.5 else 200
            damaged[generator.randrange(end)] = generator.randrange(256)
        path.write_bytes(damaged)
        for read in (read_image, load_upright):
            try:
                read(path, limits=ImageSettings(max_pixels=1_000_000))
            except ImageError:
                refused += 1
    assert refused > 0


# -- scanning --------------------------------------------------------------------------------------


def test_scan_walks_in_order_and_leaves_out_the_rest(tmp_path: Path) -> None:
    for name in [
        "b/2.JPG",
        "b/1.tiff",
        "a.png",
        "notes.txt",
        ".hidden.png",
        ".git/x.png",
        "c/.d.jpg",
    ]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "b" / "3.webp").symlink_to(tmp_path / "a.png")
    (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere.png")
    found = [path.relative_to(tmp_path).as_posix() for path in scan([tmp_path])]
    assert found == ["a.png", "b/1.tiff", "b/2.JPG", "b/3.webp"]


def test_scan_keeps_what_was_named_and_repeats_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "b.dat").touch()
    missing = tmp_path / "missing.png"
    given: list[Path | str] = [
        tmp_path / "b.dat",
        missing,
        tmp_path,
        tmp_path / "a.png",
        str(tmp_path / "." / "a.png"),
    ]
    assert list(scan(given)) == [tmp_path / "b.dat", missing, tmp_path / "a.png"]


def test_scan_gives_a_folder_that_it_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "open.png").touch()
    real = os.scandir

    def guarded(folder: Path) -> Any:
        if folder.name == "closed":
            raise PermissionError(13, "Permission denied", str(folder))
        return real(folder)

    # chmod would not do: root reads every folder.
    monkeypatch.setattr(os, "scandir", guarded)
    assert list(scan([tmp_path])) == [tmp_path / "closed", tmp_path / "open.png"]


# -- adding ----------------------------------------------------------------------------------------

IMPORTED = Image(
    iri="https://data.example.org/ca19/image/624c06c2bc7ad-iter_ca_19_04624",
    name="ITER_ca_19_04624.jpg",
    width=24,
    height=16,
    content_url="https://media.example.org/ITER_ca_19_04624.JPG",
    source_id="39435100101575257789575821898628447731927250984",
    project="624c06c2bc7ad",
)


def test_a_new_photograph(tmp_path: Path, iris: Iris) -> None:
    path = save(tmp_path / "wall.jpg", exif=with_exif(orientation=6, taken="2020:06:11 13:00:50"))
    added = add_images([path], [], iris, project="ca19")
    (image,) = added.images
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert image == Image(
        iri=f"https://data.example.org/ca19/image/{sha256}",
        name="wall.jpg",
        width=16,
        height=24,
        sha256=sha256,
        captured="2020-06-11T13:00:50",
        project="ca19",
    )
    assert added.paths == {image.iri: path}
    assert not added.completed
    assert not added.refusals


def test_the_same_bytes_are_one_image(tmp_path: Path, iris: Iris) -> None:
    path = save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(path.read_bytes())
    first = add_images([path, tmp_path / "b.png"], [], iris)
    assert [image.name for image in first.images] == ["a.png"]
    assert first.duplicates == ((tmp_path / "b.png", first.images[0].iri),)
    assert first.paths == {first.images[0].iri: path}
    again = add_images([tmp_path / "b.png"], first.images, iris)
    assert again.images == ()
    assert again.duplicates == ((tmp_path / "b.png", first.images[0].iri),)
    assert again.paths == {first.images[0].iri: tmp_path / "b.png"}


@pytest.mark.parametrize(
    "name", ["ITER_ca_19_04624.jpg", "ITER_ca_19_04624.JPG", "iter_CA_19_04624.jpeg"]
)
def test_a_file_completes_the_image_that_bears_its_name(
    tmp_path: Path, iris: Iris, name: str
) -> None:
    path = save(tmp_path / name, exif=with_exif(taken="2020:06:11 13:00:50"))
    added = add_images([path], [IMPORTED], iris)
    (image,) = added.images
    assert added.completed == (IMPORTED.iri,)
    assert (image.iri, image.name) == (IMPORTED.iri, IMPORTED.name)
    assert image.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert image.captured == "2020-06-11T13:00:50"
    assert image.content_url == IMPORTED.content_url
    assert image.source_id == IMPORTED.source_id
    assert image.project == IMPORTED.project


def test_an_imported_capture_date_stays(tmp_path: Path, iris: Iris) -> None:
    path = save(tmp_path / IMPORTED.name, exif=with_exif(taken="2020:06:11 13:00:50"))
    known = replace(IMPORTED, captured="2020-06-11T13:00:50+02:00")
    assert add_images([path], [known], iris).images[0].captured == "2020-06-11T13:00:50+02:00"


def test_the_upright_size_must_be_the_imported_one(tmp_path: Path, iris: Iris) -> None:
    path = save(tmp_path / IMPORTED.name, exif=with_exif(orientation=6))
    added = add_images([path], [IMPORTED], iris)
    (refusal,) = added.refusals
    assert refusal.path == str(path)
    assert "expected 24 × 16" in refusal.reason
    assert "found 16 × 24" in refusal.reason
    assert "not upright in the source" in refusal.reason
    (tmp_path / "b").mkdir()
    other = save(tmp_path / "b" / IMPORTED.name, scene(30, 20))
    (refusal,) = add_images([other], [IMPORTED], iris).refusals
    assert "found 30 × 20" in refusal.reason
    assert "upright in" not in refusal.reason


def test_a_name_in_two_projects_needs_a_project(tmp_path: Path, iris: Iris) -> None:
    path = save(tmp_path / IMPORTED.name)
    other = replace(IMPORTED, iri=IMPORTED.iri + "-b", project="b")
    (refusal,) = add_images([path], [IMPORTED, other], iris).refusals
    assert "624c06c2bc7ad" in refusal.reason
    assert "say which project" in refusal.reason
    added = add_images([path], [IMPORTED, other], iris, project="b")
    assert added.completed == (other.iri,)
    added = add_images([path], [IMPORTED, other], iris, project="c")
    assert added.completed == ()
    assert added.images[0].project == "c"


def test_folders_in_a_name_tell_namesakes_apart(tmp_path: Path, iris: Iris) -> None:
    train = Image(
        iri="https://x.example/train", name="train/1.jpg", width=24, height=16, project="p"
    )
    val = Image(iri="https://x.example/val", name="val/1.jpg", width=24, height=16, project="p")
    for folder in ("train", "val", "flat"):
        (tmp_path / folder).mkdir()
    save(tmp_path / "train" / "1.jpg")
    save(tmp_path / "val" / "1.jpg", scene()[::-1])
    added = add_images([tmp_path], [train, val], iris)
    assert added.completed == (train.iri, val.iri)
    assert added.paths[val.iri] == tmp_path / "val" / "1.jpg"
    flat = save(tmp_path / "flat" / "1.jpg")
    assert (
        "fits one imported image, found 2"
        in add_images([flat], [train, val], iris).refusals[0].reason
    )
    assert add_images([flat], [val], iris).completed == (val.iri,)


def test_an_image_is_completed_once(tmp_path: Path, iris: Iris) -> None:
    (tmp_path / "a").mkdir()
    first = save(tmp_path / IMPORTED.name)
    second = save(tmp_path / "a" / IMPORTED.name, scene()[::-1])
    added = add_images([first, second], [IMPORTED], iris)
    assert added.completed == (IMPORTED.iri,)
    assert added.images[0].iri == IMPORTED.iri
    assert added.images[1].project is None
    strict = add_images([first, second], [IMPORTED], iris, project=IMPORTED.project)
    assert strict.completed == (IMPORTED.iri,)
    assert "already has for other bytes" in strict.refusals[0].reason


def test_one_bad_file_stops_no_other(tmp_path: Path, iris: Iris) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff broken")
    save(tmp_path / "b.jpg")
    save(tmp_path / "c.png", np.zeros((4, 4, 3), np.uint8))
    steps: list[tuple[int, int]] = []
    added = add_images(
        [tmp_path, tmp_path / "missing.jpg"],
        [],
        iris,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert [image.name for image in added.images] == ["b.jpg", "c.png"]
    assert [Path(refusal.path).name for refusal in added.refusals] == ["a.jpg", "missing.jpg"]
    assert added.refusals[0].source == '{"file_name": "a.jpg"}'
    assert str(tmp_path) not in added.refusals[0].reason
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_pages_are_told(tmp_path: Path, iris: Iris) -> None:
    page = Pillow.new("RGB", (4, 3))
    page.save(tmp_path / "a.tif", save_all=True, append_images=[page])
    added = add_images([tmp_path], [], iris)
    assert added.notes == ((tmp_path / "a.tif", "the first of 2 frames is used"),)


@given(st.text(alphabet="aBé.J jpegtif-/\\", min_size=1, max_size=12))
def test_name_keys_ignore_case_and_form(name: str) -> None:
    import unicodedata

    assert name_key(name) == name_key(name.upper()) == name_key(name.lower())
    assert name_key(name) == name_key(unicodedata.normalize("NFD", name))


def test_name_keys() -> None:
    assert name_key("A/B/C.JPEG") == ("a", "b", "c.jpg")
    assert name_key("C.tiff") == ("c.tif",)
    assert name_key("c.png") != name_key("c.jpg")
    assert name_key("") == ("",)


def test_places_and_names_in_exif_are_never_read(tmp_path: Path, iris: Iris) -> None:
    exif = with_exif(taken="2020:06:11 13:00:50")
    exif[0x013B] = "Marie Curie <marie@example.org>"
    exif.get_ifd(GPS)[29] = "2020:06:11"
    path = save(tmp_path / "a.jpg", exif=exif)
    assert b"marie@example.org" in path.read_bytes()
    added = add_images([path], [], iris)
    assert "marie" not in repr(added).lower().replace(str(tmp_path).lower(), "")


def test_masonry_photographs(shared_data: Path, iris: Iris) -> None:
    added = add_images([shared_data / "photographs" / "masonry" / "images"], [], iris)
    assert len(added.images) == 30
    assert {(image.width, image.height) for image in added.images} == {(224, 224)}
    for image in added.images[:5]:
        assert load_upright(added.paths[image.iri], image.sha256).shape == (224, 224, 3)


def test_a_guarded_file_is_closed(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png")
    with opened(path, ImageSettings()) as stream:
        assert not stream.closed
    assert stream.closed
