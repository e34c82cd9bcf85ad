"""A photograph's upright pixels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lithograph.config import ImageSettings
from lithograph.errors import ImageError
from lithograph.images.exif import read_exif, turned_upright, upright_size
from lithograph.images.opening import (
    DEFAULT_LIMITS,
    check_pixels,
    decoding,
    digest_of,
    open_image,
    opened,
)
from lithograph.images.reading import check_mode, stored_size

if TYPE_CHECKING:
    from PIL.Image import Image

#: Rows that are converted at a time.
_BAND = 256


def load_upright(
    path: Path | str,
    expected_sha256: str | None = None,
    limits: ImageSettings = DEFAULT_LIMITS,
) -> NDArray[np.uint8]:
    """The photograph as H×W×3 uint8 RGB, upright: its EXIF orientation applied, once.

    16-bit samples keep their high byte, transparent pixels stand on white as viewers show them, a
    palette is resolved, of several frames the first is taken. Colour profiles are not applied.

    Raises ImageError where the file cannot be decoded (see :func:`lithograph.images.read_image`),
    or where its SHA-256 is not ``expected_sha256``: it has changed since it was added.
    """
    path = Path(path)
    with opened(path, limits) as stream:
        if expected_sha256 is not None:
            found = digest_of(stream, path)
            if found != expected_sha256.lower():
                raise ImageError(
                    f"{path}: changed since it was added: expected SHA-256 {expected_sha256}, "
                    f"found {found}",
                    subject=path,
                )
        with decoding(path), open_image(stream, path) as image:
            width, height = stored_size(image)
            check_pixels(path, width, height, limits)
            check_mode(path, image)
            orientation, _ = read_exif(image)
            image.load()
            pixels = _pixels(image)
            if image.format != "TIFF":  # Pillow's TIFF plugin has turned it while loading
                pixels = turned_upright(pixels, orientation)
    width, height = upright_size(width, height, orientation)
    if pixels.shape != (height, width, 3):
        raise ImageError(
            f"{path}: expected {width} × {height} pixels by its header, "
            f"found {pixels.shape[1]} × {pixels.shape[0]}",
            subject=path,
        )
    return np.ascontiguousarray(pixels)


def _pixels(image: Image) -> NDArray[np.uint8]:
    """A loaded image → H×W×3 uint8, band by band: converted at once, it would be held thrice."""
    width, height = image.size
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    for top in range(0, height, _BAND):
        bottom = min(top + _BAND, height)
        pixels[top:bottom] = _rgb(image.crop((0, top, width, bottom)))
    return pixels


def _rgb(image: Image) -> NDArray[np.uint8]:
    """Any supported mode → H×W×3 uint8."""
    if image.mode.startswith("I;16"):
        grey = (np.asarray(image) >> 8).astype(np.uint8)
        return np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    if image.has_transparency_data:
        from PIL import Image as Pillow

        shown = image.convert("RGBA")
        white = Pillow.new("RGBA", shown.size, (255, 255, 255, 255))
        white.alpha_composite(shown)
        return np.asarray(white.convert("RGB"))
    return np.asarray(image.convert("RGB"))
