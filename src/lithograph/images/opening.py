"""Opening a photograph behind guards: what is checked before a single pixel is decoded."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from lithograph.config import ImageSettings
from lithograph.errors import ImageError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

#: 2 GiB of file and 512 million pixels.
DEFAULT_LIMITS = ImageSettings()

# A pipe or a device would hang or never end: without blocking, its kind can be seen first.
_READ_ONLY: int = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

#: Format → the bytes that a file of it begins with (at an offset).
_SIGNATURES: dict[str, tuple[tuple[int, bytes], ...]] = {
    "JPEG": ((0, b"\xff\xd8\xff"),),
    "PNG": ((0, b"\x89PNG\r\n\x1a\n"),),
    "WEBP": ((8, b"WEBP"),),
    "TIFF": ((0, b"II*\x00"), (0, b"MM\x00*"), (0, b"II+\x00"), (0, b"MM\x00+")),
    "BMP": ((0, b"BM"),),
}


@contextmanager
def opened(path: Path, limits: ImageSettings) -> Iterator[BufferedReader]:
    """A regular file of at most ``limits.max_bytes``, open for reading; ImageError otherwise."""
    try:
        descriptor = os.open(path, _READ_ONLY)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ImageError(f"{path}: cannot be read: {reason}", subject=path) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise ImageError(f"{path}: expected an image file, found no regular file", subject=path)
    with os.fdopen(descriptor, "rb") as stream:
        if status.st_size > limits.max_bytes:
            raise ImageError(
                f"{path}: expected at most {limits.max_bytes} bytes, found {status.st_size}",
                subject=path,
            )
        yield stream


def digest_of(stream: BufferedReader, path: Path) -> str:
    """The SHA-256 of the whole file, 64 hex digits, read in blocks."""
    try:
        stream.seek(0)
        return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror}", subject=path) from error


def open_image(stream: BufferedReader, path: Path) -> ImageFile:
    """The image's header, by the plugin that its first bytes call for; pixels stay undecoded.

    Pillow's own ``Image.open`` is passed by: it warns above 89 million pixels and refuses above
    179, by a setting that is global to the process, where our limit is the caller's. Only five
    formats are read, whatever others Pillow knows. Two of Pillow's own checks stay, since its
    plugins make them themselves: WebP, and single TIFF tiles, end at 179 million pixels.
    A multi-picture JPEG is read as its first picture.

    Raises ImageError for what is none of the five. May raise anything else where the file is
    broken: see :func:`decoding`.
    """
    stream.seek(0)
    start = stream.read(16)
    name = next(
        (
            name
            for name, signatures in _SIGNATURES.items()
            if any(start[at : at + len(magic)] == magic for at, magic in signatures)
        ),
        None,
    )
    if name is None:
        found = f"one that begins with {start[:8]!r}" if start else "an empty file"
        raise ImageError(
            f"{path}: expected a JPEG, PNG, TIFF, WebP or BMP image, found {found}", subject=path
        )
    stream.seek(0)
    return _plugin(name)(stream)


def _plugin(name: str) -> Callable[[BufferedReader], ImageFile]:
    if name == "JPEG":
        from PIL.JpegImagePlugin import JpegImageFile

        return JpegImageFile
    if name == "PNG":
        from PIL.PngImagePlugin import PngImageFile

        return PngImageFile
    if name == "WEBP":
        from PIL.WebPImagePlugin import WebPImageFile

        return WebPImageFile
    if name == "TIFF":
        from PIL.TiffImagePlugin import TiffImageFile

        return TiffImageFile
    from PIL.BmpImagePlugin import BmpImageFile

    return BmpImageFile


def check_pixels(path: Path, width: int, height: int, limits: ImageSettings) -> None:
    """Refuse by the header's size, before anything is decoded. Raises ImageError."""
    if width <= 0 or height <= 0 or width * height > limits.max_pixels:
        raise ImageError(
            f"{path}: expected 1 to {limits.max_pixels} pixels, found {width} × {height}",
            subject=path,
        )


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Turn what Pillow raises on a broken file, which may be anything, into ImageError."""
    try:
        yield
    except ImageError:
        raise
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ImageError(f"{path}: broken or cut short: {reason}", subject=path) from error
