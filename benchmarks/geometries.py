"""Many exact geometries in little time: a stock of forms, moved to where they are wanted.

A column-major run-length encoding that is moved by whole pixels changes its first and its last run
only, so that a mask costs no more than the writing of two numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import numpy as np

from lithograph.entities import Box, Mask, Outline, Ring
from lithograph.masks import decode_counts, paste_mask


@dataclass(frozen=True, slots=True)
class Drawn:
    """A geometry with its own box and area in pixels."""

    geometry: Outline | Mask
    box: Box
    area: float


class Stencil:
    """A mask form for images of one height: ``rows`` × ``columns`` pixels, moved at will."""

    def __init__(self, random: Random, *, height: int, width: int) -> None:
        self.height, self.width = height, width
        part = _blob(random)
        rows, columns = np.nonzero(part)
        part = part[: rows.max() + 1, : columns.max() + 1][rows.min() :, columns.min() :]
        self.rows, self.columns = part.shape
        self.area = float(part.sum())
        runs = decode_counts(paste_mask(part, x=0, y=0, height=height, width=width).counts)
        self._first, self._last, self._before_last = runs[0], runs[-1], runs[-3]
        inner = [run - (runs[i - 2] if i > 2 else 0) for i, run in enumerate(runs)][1:-1]
        self._inner = "".join(map(_coded, inner))

    def at(self, x: int, y: int) -> Drawn:
        """The form with its top left corner at (x, y). ValueError where it would not fit."""
        if not (0 <= x < self.width - self.columns and 0 <= y < self.height - self.rows):
            raise ValueError(f"({x}, {y}): expected a place inside {self.width} × {self.height}")
        move = x * self.height + y
        last = _coded(self._last - move - self._before_last)
        counts = _coded(self._first + move) + self._inner + last
        box = Box(float(x), float(y), float(self.columns), float(self.rows))
        return Drawn(Mask(self.height, self.width, counts), box, self.area)


class Pattern:
    """An outline form: one ring around an origin, moved at will."""

    def __init__(self, random: Random, *, vertices: int = 24) -> None:
        radius = random.uniform(30, 300)
        self._ring: Ring = tuple(
            (round(r * math.cos(angle)), round(r * math.sin(angle)))
            for angle in (2 * math.pi * i / vertices for i in range(vertices))
            for r in [radius * random.uniform(0.7, 1.0)]
        )
        following = (*self._ring[1:], self._ring[0])
        pairs = zip(self._ring, following, strict=True)
        self.area = abs(sum(x * v - u * y for (x, y), (u, v) in pairs)) / 2
        across, down = zip(*self._ring, strict=True)
        self._left, self._top = min(across), min(down)
        self.columns, self.rows = max(across) - self._left, max(down) - self._top

    def at(self, x: int, y: int) -> Drawn:
        """The form with the top left corner of its box at (x + ½, y + ½)."""
        right, down = x - self._left + 0.5, y - self._top + 0.5
        ring = tuple((u + right, v + down) for u, v in self._ring)
        box = Box(x + 0.5, y + 0.5, float(self.columns), float(self.rows))
        return Drawn(Outline(((ring,),)), box, self.area)


def _blob(random: Random) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """An ellipse with a wavy edge."""
    rows, columns = random.randint(30, 300), random.randint(30, 300)
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    waves = random.randint(3, 9)
    edge = 0.85 + 0.15 * np.sin(waves * np.arctan2(y, x) + random.uniform(0, 2 * math.pi))
    return np.asarray(np.hypot(x, y) <= edge, dtype=np.bool_)


def _coded(number: int) -> str:
    """A whole number as COCO writes it: five bits a character, two's complement (``maskApi.c``)."""
    text, more = "", True
    while more:
        bits = number & 0x1F
        number >>= 5
        more = number != (-1 if bits & 0x10 else 0)
        text += chr(48 + bits + (0x20 if more else 0))
    return text
