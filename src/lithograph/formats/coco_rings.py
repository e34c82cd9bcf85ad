"""Rings: how far they reach, how long they are, and what is odd about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import sub
from typing import Any, Final

import numpy as np

from lithograph.entities import Ring
from lithograph.formats.imported import FindingKind, Findings

#: Vertices that are looked at together: ring by ring, what a call costs is more than the look.
_MANY: Final = 2**14
#: Rings of one outline up to which their boxes are compared one by one.
_FEW: Final = 16


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a ring reaches, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, ring: Ring) -> Extent:
        """The extent of a ring's vertices. Rings have some thirty: too few for arrays to pay."""
        xs, ys = zip(*ring, strict=True)
        return cls(min(xs), min(ys), max(xs), max(ys))

    @property
    def side(self) -> float:
        """The longer side."""
        return max(self.right - self.left, self.bottom - self.top)


class Lengths:
    """The length of an outline: of each step of its rings the longer side, in pixels.

    It takes a walk along all vertices. ``least`` (a ring goes there and back again) and ``most``
    (no step is longer than the ring reaches) are known without, and mostly enough.
    """

    def __init__(self, rings: Sequence[Ring], extents: Sequence[Extent]) -> None:
        self._rings = rings
        self.least = sum(2 * extent.side for extent in extents)
        self.most = sum(
            len(ring) * extent.side for ring, extent in zip(rings, extents, strict=True)
        )

    def exact(self) -> float:
        """The length itself."""
        return sum(map(_length, self._rings))


def _length(ring: Ring) -> float:
    xs, ys = zip(*ring, strict=True)
    across = map(abs, map(sub, xs, (*xs[1:], xs[0])))
    down = map(abs, map(sub, ys, (*ys[1:], ys[0])))
    return float(sum(map(max, across, down)))


class OddRings:
    """Tells of rings that cross themselves and of rings within rings, many outlines at a time."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._rings: list[Ring] = []
        self._places: list[tuple[str, int]] = []
        self._vertices = 0

    def add(self, rings: Sequence[Ring], path: str) -> None:
        """Look at the rings of the outline at ``path``, sooner or later."""
        self._rings += rings
        self._places.append((path, len(rings)))
        self._vertices += sum(map(len, rings))
        if self._vertices >= _MANY:
            self.tell()

    def tell(self) -> None:
        """Look at all that waits."""
        import shapely

        if not self._rings:
            return
        lengths = [len(ring) for ring in self._rings]
        numbers = chain.from_iterable(chain.from_iterable(self._rings))
        vertices = np.fromiter(numbers, np.float64, 2 * sum(lengths)).reshape(-1, 2)
        indices = np.repeat(np.arange(len(lengths)), lengths)
        polygons = shapely.polygons(shapely.linearrings(vertices, indices=indices))
        sound = shapely.is_valid(polygons).tolist()
        start = 0
        for path, count in self._places:
            places = range(start, start + count)
            start += count
            for place in places:
                if not sound[place]:
                    self._findings.add(FindingKind.CROSSING, f"{path}[{place - places[0]}]")
            whole = [place for place in places if sound[place]]
            for inner, outer in _nested(polygons[whole]) if len(whole) > 1 else ():
                within, around = whole[inner] - places[0], whole[outer] - places[0]
                self._findings.add(FindingKind.NESTED, f"{path}[{within}]", f"within [{around}]")
        self._rings, self._places, self._vertices = [], [], 0


def _nested(polygons: Any) -> Iterator[tuple[int, int]]:
    """(inner, outer) for each polygon that lies within another, by their places in the array."""
    import shapely

    if len(polygons) > _FEW:
        found = shapely.STRtree(polygons).query(polygons, predicate="within")
        yield from (pair for pair in zip(*found.tolist(), strict=True) if pair[0] != pair[1])
        return
    # An index costs more than it saves where only a few boxes are to be looked at.
    boxes = shapely.bounds(polygons).tolist()
    for inner, (left, top, right, bottom) in enumerate(boxes):
        for outer, (x, y, across, down) in enumerate(boxes):
            inside = left >= x and top >= y and right <= across and bottom <= down
            if inside and inner != outer and shapely.within(polygons[inner], polygons[outer]):
                yield inner, outer
