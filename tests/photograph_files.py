"""Small photographs for the tests of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

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
