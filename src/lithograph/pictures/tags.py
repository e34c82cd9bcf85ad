"""Names beside what they name: each placed where it hides least."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from lithograph.masks import BoolMask
from lithograph.pictures.lettering import draw_text, line_height, text_width
from lithograph.pictures.palette import Colour

_INK: Colour = (24, 26, 30)
_PAPER = 0.86
"""How much of the stone a tag's paper hides, in [0, 1]."""

_PADDING = 3
_DISTANCES = (2, 10, 22, 40, 64)
"""Gaps in pixels between a tag and the box of what it names, tried in this order."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A name for a mask; ``colour`` is the mask's."""

    text: str
    colour: Colour


def draw_tags(
    canvas: NDArray[np.uint8], masks: Sequence[BoolMask], tags: Sequence[Tag], *, size: int
) -> None:
    """Write each mask's name beside it into an H×W×3 canvas, in place; ``size`` is the letters'.

    A tag never lies over another, nor over the border; among the places left it takes the one that
    hides the fewest painted pixels, and then the nearest. A thin line leads from a tag to what it
    names. A name that fits nowhere is left out: the legend has it.
    """
    painted = np.zeros(canvas.shape[:2], np.bool_)
    for mask in masks:
        painted |= mask
    # Cumulated, so that the painted pixels under any rectangle are four look-ups.
    sums = np.pad(painted.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    placed: list[_Place] = []
    # Small things first: they have the fewest places that make clear which is meant.
    for index in sorted(range(len(masks)), key=lambda index: (int(masks[index].sum()), index)):
        if not masks[index].any():
            continue
        place = _best_place(canvas.shape[:2], masks[index], tags[index], sums, placed, size)
        if place is not None:
            placed.append(place)
            _draw(canvas, place, tags[index], size)


@dataclass(frozen=True, slots=True)
class _Place:
    """A tag's rectangle, and the pixel (x, y) that its line leads to."""

    left: int
    top: int
    right: int
    bottom: int
    target: tuple[int, int]


def _best_place(
    shape: tuple[int, int],
    mask: BoolMask,
    tag: Tag,
    sums: NDArray[np.int64],
    placed: Sequence[_Place],
    size: int,
) -> _Place | None:
    width = text_width(tag.text, size) + 2 * _PADDING + 3
    height = line_height(size) + 2
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    best: tuple[float, int] | None = None
    found: _Place | None = None
    nearest = _NearestPixel(mask)
    for number, (left, top) in enumerate(_corners(box, width, height)):
        right, bottom = left + width, top + height
        if left < 1 or top < 1 or right > shape[1] - 1 or bottom > shape[0] - 1:
            continue
        if any(
            left <= other.right + 2
            and other.left <= right + 2
            and top <= other.bottom + 2
            and other.top <= bottom + 2
            for other in placed
        ):
            continue
        hidden = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        target, distance = nearest.of((left + right) / 2, (top + bottom) / 2)
        cost = (float(hidden) / (width * height) * 160.0 + distance, number)
        if best is None or cost < best:
            best, found = cost, _Place(left, top, right, bottom, target)
    return found


def _corners(box: tuple[int, int, int, int], width: int, height: int) -> Iterator[tuple[int, int]]:
    """Top left corners to try: around the box at growing distances, then over it."""
    left, top, right, bottom = box
    for gap in _DISTANCES:
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            x = round(left + share * (right - left - width))
            y = round(top + share * (bottom - top - height))
            yield x, top - height - gap
            yield x, bottom + gap
            yield left - width - gap, y
            yield right + gap, y
    for across in (0.5, 0.25, 0.75, 0.0, 1.0):
        for down in (0.5, 0.25, 0.75, 0.0, 1.0):
            yield (
                round(left + across * (right - left - width)),
                round(top + down * (bottom - top - height)),
            )


class _NearestPixel:
    """Looks up the pixel of a mask's edge that is nearest to a point."""

    def __init__(self, mask: BoolMask) -> None:
        edge = mask & ~ndimage.binary_erosion(mask)
        self._ys, self._xs = np.nonzero(edge)

    def of(self, x: float, y: float) -> tuple[tuple[int, int], float]:
        """The pixel (x, y), and its distance in pixels."""
        squares = (self._xs - x) ** 2 + (self._ys - y) ** 2
        index = int(squares.argmin())
        return (int(self._xs[index]), int(self._ys[index])), float(squares[index]) ** 0.5


def _draw(canvas: NDArray[np.uint8], place: _Place, tag: Tag, size: int) -> None:
    x, y = place.target
    # From the tag's border, at the point nearest to the target.
    start = (min(max(x, place.left), place.right - 1), min(max(y, place.top), place.bottom - 1))
    if max(abs(start[0] - x), abs(start[1] - y)) > 3:
        picture = Image.fromarray(canvas)
        pen = ImageDraw.Draw(picture)
        pen.line((start, (x, y)), fill=_INK, width=3)
        pen.line((start, (x, y)), fill=tag.colour, width=1)
        canvas[:] = np.asarray(picture)
    rows, columns = slice(place.top, place.bottom), slice(place.left, place.right)
    under = canvas[rows, columns].astype(np.float32)
    canvas[rows, columns] = np.rint(under + _PAPER * (255.0 - under)).astype(np.uint8)
    canvas[rows, place.left : place.left + 3] = tag.colour
    draw_text(canvas, place.left + 3 + _PADDING, place.top + 1, tag.text, size=size, colour=_INK)
