"""Large images in tiles: where the tiles lie, and what crosses their seams made whole again.

A photograph of 6336×9504 pixels shrunk to a segmenter's 1024 loses every crack, so it is looked at
tile by tile. A crack longer than a tile is cut at its borders; where two neighbours agree on what
they see in the strip they share, their masks are united.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lithograph.vision.deduplicate import overlap_counts, pack
from lithograph.vision.proposals import Proposal, unite


@dataclass(frozen=True)
class Tile:
    """A rectangle of the image in whole pixels; (x, y) is its top left pixel."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column beyond the tile."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """First row below the tile."""
        return self.y + self.height

    def shared(self, other: Tile) -> Tile | None:
        """The rectangle that two tiles have in common, None where they have none."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        width = min(self.right, other.right) - x
        height = min(self.bottom, other.bottom) - y
        return Tile(x, y, width, height) if width > 0 and height > 0 else None


def tiles(height: int, width: int, size: int, overlap: int) -> tuple[Tile, ...]:
    """Cover an image with tiles of at most ``size`` × ``size`` pixels, row by row.

    Neighbours share at least ``overlap`` pixels (less only where the image is smaller than a
    tile); they are spread evenly, so that none is a sliver.
    """
    if height < 1 or width < 1:
        raise ValueError(f"an image must have pixels, not {width}×{height}")
    if size < 1:
        raise ValueError(f"size must be at least 1 pixel, not {size}")
    if not 0 <= overlap < size:
        raise ValueError(f"overlap must be at least 0 and below size ({size}), not {overlap}")
    return tuple(
        Tile(x, y, min(size, width), min(size, height))
        for y in _starts(height, size, overlap)
        for x in _starts(width, size, overlap)
    )


def _starts(length: int, size: int, overlap: int) -> list[int]:
    if length <= size:
        return [0]
    count = -(-(length - overlap) // (size - overlap))
    return [(length - size) * index // (count - 1) for index in range(count)]


def join_across_seams(
    tiled: Sequence[tuple[Tile, Sequence[Proposal]]],
    height: int,
    width: int,
    *,
    agreement: float = 0.5,
) -> list[Proposal]:
    """Unite proposals of neighbouring tiles that are one thing cut at a seam.

    Two are, where at least one is cut by its tile's border inside the image and their IoU within
    the strip that both tiles see reaches ``agreement``; a chain of such pairs is one thing. What is
    cut and finds no counterpart stays as it is.
    """
    if not 0 < agreement <= 1:
        raise ValueError(f"agreement must lie in (0, 1], not {agreement}")
    numbered: list[Proposal] = []
    views: list[tuple[Tile, range]] = []
    for tile, proposals in tiled:
        views.append((tile, range(len(numbered), len(numbered) + len(proposals))))
        numbered += proposals
    cut = [
        _is_cut(numbered[index], tile, height, width)
        for tile, indices in views
        for index in indices
    ]
    parents = list(range(len(numbered)))
    for position, (tile, indices) in enumerate(views):
        for other, others in views[position + 1 :]:
            strip = tile.shared(other)
            if strip is not None:
                _join_pairs(numbered, parents, cut, strip, indices, others, agreement)
    families: dict[int, list[Proposal]] = {}
    for index, proposal in enumerate(numbered):
        families.setdefault(_root(parents, index), []).append(proposal)
    return [unite(family) for family in families.values()]


def _join_pairs(
    numbered: Sequence[Proposal],
    parents: list[int],
    cut: Sequence[bool],
    strip: Tile,
    indices: range,
    others: range,
    agreement: float,
) -> None:
    first, seen_first = _seen_in(numbered, indices, strip)
    second, seen_second = _seen_in(numbered, others, strip)
    if not first or not second:
        return
    shared = overlap_counts(seen_first, seen_second)
    areas = np.bitwise_count(seen_first).sum(axis=1, dtype=np.int64)
    other_areas = np.bitwise_count(seen_second).sum(axis=1, dtype=np.int64)
    unions = areas[:, None] + other_areas[None, :] - shared
    for row, column in np.argwhere(shared >= agreement * unions):
        one, two = first[row], second[column]
        if cut[one] or cut[two]:
            parents[_root(parents, one)] = _root(parents, two)


def _seen_in(
    numbered: Sequence[Proposal], indices: range, strip: Tile
) -> tuple[list[int], NDArray[np.uint64]]:
    """Proposals with pixels in a strip, and those pixels, packed."""
    found: list[int] = []
    pixels: list[NDArray[np.uint64]] = []
    for index in indices:
        box = numbered[index].box
        area = Tile(int(box.x), int(box.y), int(box.width), int(box.height)).shared(strip)
        if area is None:
            continue
        part = numbered[index].part
        top, left = area.y - int(box.y), area.x - int(box.x)
        window = np.zeros((1, strip.height, strip.width), np.bool_)
        window[
            0,
            area.y - strip.y : area.bottom - strip.y,
            area.x - strip.x : area.right - strip.x,
        ] = part[top : top + area.height, left : left + area.width]
        if window.any():
            found.append(index)
            pixels.append(pack(window))
    return found, np.concatenate(pixels) if pixels else np.zeros((0, 1), np.uint64)


def _is_cut(proposal: Proposal, tile: Tile, height: int, width: int) -> bool:
    """Whether a proposal reaches a border of its tile that is no border of the image."""
    # A mask is drawn on cells of several pixels, and may stop short of the border by one.
    margin = max(2, max(tile.width, tile.height) // 128)
    box = proposal.box
    return (
        (tile.x > 0 and box.x < tile.x + margin)
        or (tile.y > 0 and box.y < tile.y + margin)
        or (tile.right < width and box.x + box.width > tile.right - margin)
        or (tile.bottom < height and box.y + box.height > tile.bottom - margin)
    )


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index
