"""What is no usable photograph is refused by name; what is walked."""

from __future__ import annotations

import io
import os
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from lithograph.config import ImageSettings
from lithograph.errors import ImageError
from lithograph.images import load_upright, read_image, scan
from photograph_files import save, scene

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
