"""A photograph's facts, read once, when it is added."""

from __future__ import annotations

from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from lithograph.config import ImageSettings
from lithograph.errors import ImageError
from lithograph.images.exif import read_exif, upright_size
from lithograph.images.opening import (
    DEFAULT_LIMITS,
    check_pixels,
    decoding,
    digest_of,
    open_image,
    opened,
)

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

#: Pillow's modes that have a plain meaning as 8-bit colours. The others (32-bit integers, floats,
#: LAB) are measurements or need a colour profile.
MODES = frozenset(
    {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "I;16", "I;16B", "I;16L"}
)

_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257


@dataclass(frozen=True, slots=True)
class PhotographFacts:
    """What a photograph says of itself.

    ``width`` and ``height`` are upright pixels, once ``orientation`` (EXIF, 1 to 8) is applied.
    ``captured`` is an ``xsd:dateTime`` lexical form, with a zone where the camera gave one.
    ``sha256`` is of the file's bytes. Of ``frames`` (pages, an animation) only the first is used.
    """

    width: int
    height: int
    sha256: str
    format: str
    orientation: int = 1
    captured: str | None = None
    frames: int = 1


def read_image(path: Path | str, limits: ImageSettings = DEFAULT_LIMITS) -> PhotographFacts:
    """Read the facts of a photograph, and make sure that it decodes to its last row.

    The file is refused before anything is decoded where it is too large in bytes or, by its header,
    in pixels. A JPEG is then decoded at an eighth of its size (every byte of it is still read); the
    other formats in full, so that memory stays under some 8 bytes a pixel of the limit.

    Raises ImageError, with the path as given, where the file cannot be read, is no image of a known
    format, is too large, of a kind that has no plain colours, broken or cut short.
    """
    path = Path(path)
    with opened(path, limits) as stream:
        sha256 = digest_of(stream, path)
        with decoding(path), open_image(stream, path) as image:
            width, height = stored_size(image)
            check_pixels(path, width, height, limits)
            check_mode(path, image)
            frames = int(getattr(image, "n_frames", 1))
            orientation, captured = read_exif(image)
            kind = str(image.format)
            _decode(stream, path, image)
    width, height = upright_size(width, height, orientation)
    return PhotographFacts(
        width=width,
        height=height,
        sha256=sha256,
        format=kind,
        orientation=orientation,
        captured=captured,
        frames=frames,
    )


def stored_size(image: ImageFile) -> tuple[int, int]:
    """(width, height) as stored. Pillow's TIFF plugin already turns its ``size`` upright."""
    if image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]  # of TiffImageFile
        return int(tags[_TIFF_WIDTH]), int(tags[_TIFF_HEIGHT])
    return image.size


def check_mode(path: Path, image: ImageFile) -> None:
    """Refuse pixels that are no colours of 8 or 16 bits. Raises ImageError."""
    if image.mode not in MODES:
        raise ImageError(
            f"{path}: expected grey or colour pixels of 8 or 16 bits, found Pillow's mode "
            f"{image.mode!r}",
            subject=path,
        )


def _decode(stream: BufferedReader, path: Path, image: ImageFile) -> None:
    if image.format == "PNG":
        # Pillow decodes a PNG without looking at what follows the pixels: a file cut there passes.
        with open_image(stream, path) as checked:
            checked.verify()
        if len(stream.read(4)) < 4:
            raise ImageError(f"{path}: broken or cut short: no end", subject=path)
        with open_image(stream, path) as again:
            again.load()
        return
    if image.format == "JPEG":
        width, height = image.size
        image.draft(image.mode, (max(1, width // 8), max(1, height // 8)))
    image.load()
