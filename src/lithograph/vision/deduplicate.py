"""Masks that say the same thing twice: found by the masks themselves, not by their boxes.

Non-maximum suppression over boxes leaves duplicates (two outlines of one stain whose boxes differ)
and drops neighbours (two diagonal cracks share a box). Masks are packed eight pixels a byte, so
that thousands at low resolution take megabytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lithograph.entities import Mask
from lithograph.masks import mask_area, mask_iou

# Run-length masks compared at once: the table of overlaps has this many rows.
_BLOCK = 256


@dataclass(frozen=True)
class Sameness:
    """When two masks are the same.

    ``overlap``: least IoU. ``inside`` and ``nested``: or the smaller lies inside the larger by at
    least ``inside`` of its area and is at least ``nested`` times as large. A crack inside a stone
    is thus another thing; a stain and the same stain with a frayed border are one.
    """

    overlap: float = 0.7
    inside: float = 0.9
    nested: float = 0.5

    def __post_init__(self) -> None:
        """Refuse values outside (0, 1]."""
        for name in ("overlap", "inside", "nested"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in (0, 1], not {getattr(self, name)}")

    def same(
        self,
        intersections: NDArray[np.floating],
        areas: NDArray[np.floating],
        others: NDArray[np.floating],
    ) -> NDArray[np.bool_]:
        """Whether each pair is the same, by broadcasting intersections and both areas."""
        smaller = np.maximum(np.minimum(areas, others), 1e-9)
        larger = np.maximum(np.maximum(areas, others), 1e-9)
        overlaps = intersections / np.maximum(areas + others - intersections, 1e-9)
        is_nested = (intersections >= self.inside * smaller) & (smaller >= self.nested * larger)
        return np.asarray((overlaps >= self.overlap) | is_nested)


def pack(masks: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Pack (M, …) bool masks into (M, words), 64 pixels a word, padded with zeros."""
    flat = masks.reshape(len(masks), math.prod(masks.shape[1:]))
    packed = np.packbits(flat, axis=1)
    padding = -packed.shape[1] % 8
    return np.pad(packed, ((0, 0), (0, padding))).view(np.uint64)


def overlap_counts(packed: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Pixels that each of (M, words) shares with each of (N, words): (M, N)."""
    counts = np.empty((len(packed), len(others)), np.int64)
    for row, one in enumerate(packed):
        counts[row] = np.bitwise_count(others & one).sum(axis=1, dtype=np.int64)
    return counts


def distinct_masks(
    masks: NDArray[np.bool_], quality: NDArray[np.floating], sameness: Sameness
) -> NDArray[np.intp]:
    """Indices of the masks to keep, best quality first: each that is none of the better ones.

    ``masks``: (M, h, w), at low resolution. Empty masks are dropped.
    """
    packed = pack(masks)
    areas = np.bitwise_count(packed).sum(axis=1, dtype=np.int64).astype(np.float64)
    kept: list[int] = []
    for index in np.argsort(-np.asarray(quality), kind="stable"):
        if areas[index] == 0:
            continue
        shared = np.bitwise_count(packed[kept] & packed[index]).sum(axis=1, dtype=np.float64)
        if not sameness.same(shared, areas[index], areas[kept]).any():
            kept.append(int(index))
    return np.array(kept, np.intp)


def distinct_runs(masks: Sequence[Mask], sameness: Sameness) -> list[int]:
    """Indices of the run-length masks to keep, of masks given best first, in that order.

    Exact, and never decodes a mask: for masks from different tiles of a large image.
    """
    areas = np.array([mask_area(mask) for mask in masks], np.float64)
    kept: list[int] = []
    for start in range(0, len(masks), _BLOCK):
        block = list(range(start, min(start + _BLOCK, len(masks))))
        rivals = kept + block
        overlaps = mask_iou([masks[each] for each in block], [masks[each] for each in rivals])
        sums = areas[block][:, None] + areas[rivals][None, :]
        # Pixels are whole: the ratio gives 8.999… for 9, which is not nine tenths of ten.
        shared = np.rint(overlaps * sums / (1 + overlaps))
        same = sameness.same(shared, areas[block][:, None], areas[rivals][None, :])
        alive = np.ones(len(rivals), np.bool_)
        for row in range(len(block)):
            column = len(kept) + row
            alive[column] = not (same[row, :column] & alive[:column]).any()
        kept = kept + [index for row, index in enumerate(block) if alive[len(kept) + row]]
    return kept
