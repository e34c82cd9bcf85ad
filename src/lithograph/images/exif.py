"""What we read of a photograph's EXIF: orientation and capture date, nothing else.

Names, e-mail addresses, serial numbers and places are never looked at. Tags are those of the EXIF
standard (CIPA DC-008).
"""

from __future__ import annotations

import re
import struct
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

_ORIENTATION = 0x0112
_EXIF_IFD = 0x8769
_DATE_TIME_ORIGINAL = 0x9003
_OFFSET_TIME_ORIGINAL = 0x9011

_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"[+-](?:0\d:[0-5]\d|1[0-3]:[0-5]\d|14:00)")

#: What Pillow's reader raises on malformed EXIF blocks.
_MALFORMED = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    struct.error,
)


def read_exif(image: Image) -> tuple[int, str | None]:
    """Orientation (1 to 8) and capture date (``xsd:dateTime`` lexical form, or None).

    A block that cannot be read, or an orientation outside 1 to 8, counts as orientation 1, as in
    every viewer; a date that is no date as None.
    """
    try:
        exif = image.getexif()
        orientation = exif.get(_ORIENTATION)
    except _MALFORMED:
        return 1, None
    if type(orientation) is not int or not 1 <= orientation <= 8:
        orientation = 1
    try:
        details = exif.get_ifd(_EXIF_IFD)
    except _MALFORMED:
        return orientation, None
    return orientation, capture_date(
        details.get(_DATE_TIME_ORIGINAL), details.get(_OFFSET_TIME_ORIGINAL)
    )


def capture_date(date: object, offset: object = None) -> str | None:
    """``DateTimeOriginal`` with ``OffsetTimeOriginal`` → ``xsd:dateTime`` lexical form.

    ``YYYY:MM:DD HH:MM:SS`` and ``±HH:MM`` are expected; a malformed or impossible date gives None,
    a malformed offset a date without zone, as cameras without one write it.
    """
    match = _DATE.fullmatch(_text(date))
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        taken = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - no zone is known
    except ValueError:
        return None
    zone = _text(offset)
    return taken.isoformat() + (zone if _OFFSET.fullmatch(zone) else "")


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value.strip("\x00 ") if isinstance(value, str) else ""


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """The (width, height) of an image once its orientation is applied."""
    return (height, width) if orientation >= 5 else (width, height)


def turned_upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """H×W×C pixels as stored → upright, as a view.

    Orientations name where the stored first row and column lie in the scene: 1 top left, 2 top
    right, 3 bottom right, 4 bottom left, 5 left top, 6 right top, 7 right bottom, 8 left bottom.
    """
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    return np.asarray(pixels)
