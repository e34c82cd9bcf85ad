"""Text in Pillow's built-in face, with the accents that it lacks.

``ImageFont.load_default(size)`` gives Aileron Regular cut down to ASCII and some quotation marks:
é, ç or œ come out as empty boxes. A letter with marks is drawn here as its base letter with the
marks stroked over it, from Unicode's canonical decomposition; what has no decomposition is spelt
out. Text in other scripts stays as the face has it, as boxes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lithograph.pictures.palette import Colour

#: Smallest size in pixels at which the letters can be read.
SMALLEST = 8

_SPELT: Mapping[str, str] = {
    "œ": "oe",
    "Œ": "OE",
    "æ": "ae",
    "Æ": "AE",
    "ß": "ss",
    "ø": "o",
    "Ø": "O",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ı": "i",
    "×": "x",
    "–": "-",
    "—": "-",
    "−": "-",
    "‑": "-",
    "→": ">",
    "≥": ">=",
    "≤": "<=",
    "€": "EUR",
    "\u00a0": " ",
    "\u202f": " ",
}

# A mark as strokes on a square whose side is the height of an x: x from −½ to ½ about the middle of
# the letter, y downwards from the line on which marks stand, for those above; from the foot of the
# letter for those below.
_Stroke = tuple[tuple[float, float], ...]
_ABOVE: Mapping[str, tuple[_Stroke, ...]] = {
    "\u0300": (((-0.2, -0.36), (0.08, -0.08)),),
    "\u0301": (((0.2, -0.36), (-0.08, -0.08)),),
    "\u0302": (((-0.24, -0.07), (0.0, -0.36), (0.24, -0.07)),),
    "\u0303": (((-0.28, -0.12), (-0.13, -0.28), (0.13, -0.14), (0.28, -0.3)),),
    "\u0304": (((-0.25, -0.2), (0.25, -0.2)),),
    "\u0306": (((-0.23, -0.36), (-0.11, -0.13), (0.11, -0.13), (0.23, -0.36)),),
    "\u0307": (((-0.01, -0.2), (0.01, -0.2)),),
    "\u0308": (((-0.23, -0.2), (-0.21, -0.2)), ((0.21, -0.2), (0.23, -0.2))),
    "\u030a": (
        (
            (0.0, -0.38),
            (0.13, -0.32),
            (0.13, -0.14),
            (0.0, -0.07),
            (-0.13, -0.14),
            (-0.13, -0.32),
            (0.0, -0.38),
        ),
    ),
    "\u030b": (((0.02, -0.36), (-0.16, -0.08)), ((0.3, -0.36), (0.12, -0.08))),
    "\u030c": (((-0.24, -0.36), (0.0, -0.08), (0.24, -0.36)),),
}
_BELOW: Mapping[str, tuple[_Stroke, ...]] = {
    "\u0327": (((0.02, 0.0), (-0.03, 0.12), (0.12, 0.2), (0.06, 0.36), (-0.16, 0.36)),),
    "\u0328": (((0.12, 0.0), (-0.06, 0.2), (0.04, 0.36), (0.16, 0.34)),),
    "\u0323": (((-0.01, 0.2), (0.01, 0.2)),),
}
_FINER = 4
"""Marks are drawn this many times larger, and reduced: a slanting stroke is smooth then."""


def text_width(text: str, size: int) -> int:
    """The width of a line of text in pixels."""
    return int(np.ceil(_font(size).getlength(_parted(text)[0])))


def line_height(size: int) -> int:
    """The height of a line of text in pixels, marks above and letters' tails below included."""
    ascent, descent = _font(size).getmetrics()
    return int(ascent + descent)


def draw_text(
    canvas: NDArray[np.uint8], x: int, y: int, text: str, *, size: int, colour: Colour
) -> None:
    """Write a line of text into an H×W×3 canvas, in place; (x, y) is the line's top left corner.

    What reaches over the border of the canvas is cut off.
    """
    ink = _ink(text, size)
    height, width = canvas.shape[:2]
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + ink.shape[1], width), min(y + ink.shape[0], height)
    if left >= right or top >= bottom:
        return
    share = ink[top - y : bottom - y, left - x : right - x, None].astype(np.float32) / 255
    under = canvas[top:bottom, left:right]
    mixed = under + share * (np.array(colour, np.float32) - under)
    canvas[top:bottom, left:right] = np.rint(mixed).astype(np.uint8)


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    if size < SMALLEST:
        raise ValueError(f"text size: expected {SMALLEST} pixels or more, found {size}")
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise ValueError("text size: expected a Pillow built with FreeType, found one without")
    return font


def _parted(text: str) -> tuple[str, list[tuple[int, str]]]:
    """The letters that the face has, and the marks: (index of the letter, mark)."""
    spelt = "".join(_SPELT.get(character, character) for character in text)
    letters: list[str] = []
    marks: list[tuple[int, str]] = []
    for character in unicodedata.normalize("NFD", spelt):
        if letters and character in (_ABOVE.keys() | _BELOW.keys()):
            marks.append((len(letters) - 1, character))
        elif not unicodedata.combining(character):
            letters.append(character)
    return "".join(letters), marks


def _ink(text: str, size: int) -> NDArray[np.uint8]:
    """How much of each pixel the text covers, 0 to 255."""
    font = _font(size)
    letters, marks = _parted(text)
    width, height = int(np.ceil(font.getlength(letters))) + 2, line_height(size)
    plain = Image.new("L", (width, height))
    ImageDraw.Draw(plain).text((0, 0), letters, fill=255, font=font)
    if not marks:
        return np.asarray(plain, dtype=np.uint8)
    unit = font.getbbox("x")[3] - font.getbbox("x")[1]
    strokes = Image.new("L", (width * _FINER, height * _FINER))
    pen = ImageDraw.Draw(strokes)
    raised: dict[int, float] = {}
    for index, mark in marks:
        letter = letters[index]
        begin, end = (font.getlength(letters[:stop]) for stop in (index, index + 1))
        box = font.getbbox(letter)
        middle = begin + (box[0] + box[2]) / 2
        top, foot = float(box[1]), float(box[3])
        if mark in _ABOVE and letter in "ij":
            # The mark takes the place of the dot.
            top = float(font.getbbox("x")[1])
            plain.paste(0, (int(begin), 0, int(np.ceil(end)), int(top) - 1))
        lines, line = (_ABOVE, top - raised.get(index, 0.0)) if mark in _ABOVE else (_BELOW, foot)
        # Under a capital's line there is little room: the mark is flattened to fit above it.
        squeeze = min(1.0, max(line, 1.0) / (0.44 * unit)) if mark in _ABOVE else 1.0
        narrow = min(1.0, (end - begin) / (0.6 * unit))
        raised[index] = raised.get(index, 0.0) + 0.4 * unit
        for stroke in lines[mark]:
            points = [
                ((middle + dx * unit * narrow) * _FINER, (line + dy * unit * squeeze) * _FINER)
                for dx, dy in stroke
            ]
            _stroke(pen, points, max(size * _FINER * 0.085, _FINER * 0.9))
    fine = strokes.resize((width, height), Image.Resampling.BOX)
    return np.maximum(np.asarray(plain, dtype=np.uint8), np.asarray(fine, dtype=np.uint8))


def _stroke(pen: ImageDraw.ImageDraw, points: list[tuple[float, float]], width: float) -> None:
    """A line with round ends and joints."""
    pen.line(points, fill=255, width=round(width))
    for x, y in points:
        pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
