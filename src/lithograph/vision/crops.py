"""The square crop around a region that a labeller is shown, in training and in use."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SMALLEST_SIDE = 16
"""A crop is at least this many pixels wide: a smaller region is shown with more around it."""


def region_crop(
    image: NDArray[np.uint8],
    box: Sequence[float],
    mask: NDArray[np.bool_] | None = None,
    *,
    context: float = 0.2,
    dim: float = 0.5,
) -> NDArray[np.uint8]:
    """Cut the square around a region: S×S×3 uint8, at the image's own resolution.

    Its side S is ``max(width, height) · (1 + 2·context)``, rounded, and at least 16 pixels; it is
    centred on the box, shifted to stay inside the image where it fits, and filled with the image's
    border pixels where it is larger than the image.

    With a mask, pixels outside it are moved by the share `dim` towards the crop's mean colour, so
    that an encoder attends to the region and still sees what surrounds it. The idea is that of
    Yang, Wang, Li, Wang and Yang, "Fine-Grained Visual Prompting" (NeurIPS 2023), which blurs the
    surroundings; a pull towards the mean costs no convolution and keeps thin regions sharp.

    Args:
        image: H×W×3 uint8 RGB, upright.
        box: x, y, width, height in pixels of the image, origin top left, y down; may reach beyond
            the image, and must meet it.
        mask: the region's pixels: either H×W, the whole image's, or the box's alone, of the shape
            that `box_window` gives, so that no whole-image mask need exist for a small region.
        context: what is shown on each side of the box, as a share of its longer side; 0 or more.
        dim: 0 leaves the surroundings as they are, 1 makes them flat.

    Raises:
        ValueError: an image that is not H×W×3 uint8, a box that is not four finite numbers of
            positive size meeting the image, a mask of another shape or type, or `context` or `dim`
            out of range.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"image: expected H×W×3 uint8, found {image.shape} {image.dtype}")
    if not (math.isfinite(context) and context >= 0):
        raise ValueError(f"context: expected a finite number of 0 or more, found {context}")
    if not 0 <= dim <= 1:
        raise ValueError(f"dim: expected a number from 0 to 1, found {dim}")
    height, width = image.shape[:2]
    rows, columns = box_window(box, height, width)
    x, y, box_width, box_height = (float(value) for value in box)

    side = max(round(max(box_width, box_height) * (1 + 2 * context)), SMALLEST_SIDE)
    top = _origin(y + box_height / 2, side, height)
    left = _origin(x + box_width / 2, side, width)
    seen_rows = slice(max(top, 0), min(top + side, height))
    seen_columns = slice(max(left, 0), min(left + side, width))
    seen = image[seen_rows, seen_columns]
    if mask is not None and dim > 0:
        inside = _mask_under(mask, rows, columns, seen_rows, seen_columns, (height, width))
        mean = seen.reshape(-1, 3).mean(axis=0, dtype=np.float64)
        # One entry for each of the 256 values: a table is looked up faster than floats are blended.
        values = np.arange(256, dtype=np.float64)[:, None]
        dimmed = np.rint(values + dim * (mean - values)).astype(np.uint8)
        flat = np.stack([dimmed[seen[..., channel], channel] for channel in range(3)], axis=-1)
        seen = np.where(inside[..., None], seen, flat)
    padding = (
        (seen_rows.start - top, top + side - seen_rows.stop),
        (seen_columns.start - left, left + side - seen_columns.stop),
        (0, 0),
    )
    if any(before or after for before, after in padding):
        return np.pad(seen, padding, mode="edge")
    return np.array(seen)


def box_window(box: Sequence[float], height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of the whole pixels that a box touches, cut to the image.

    The box is x, y, width, height in pixels of an image of `height` × `width`.

    Raises:
        ValueError: a box that is not four finite numbers of positive size, or that lies outside.
    """
    numbers = [float(value) for value in box]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)) or min(numbers[2:]) <= 0:
        raise ValueError(
            f"box: expected finite x, y, width > 0 and height > 0, found {tuple(numbers)}"
        )
    x, y, box_width, box_height = numbers
    rows = slice(max(math.floor(y), 0), min(math.ceil(y + box_height), height))
    columns = slice(max(math.floor(x), 0), min(math.ceil(x + box_width), width))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise ValueError(
            f"box: expected one that meets the image of {width}×{height} pixels, "
            f"found {tuple(numbers)}"
        )
    return rows, columns


def _origin(middle: float, side: int, length: int) -> int:
    """Where a window of `side` starts: around `middle`, inside [0, length) where it fits."""
    if side > length:
        return -((side - length) // 2)
    return min(max(round(middle - side / 2), 0), length - side)


def _mask_under(
    mask: NDArray[np.bool_],
    rows: slice,
    columns: slice,
    seen_rows: slice,
    seen_columns: slice,
    size: tuple[int, int],
) -> NDArray[np.bool_]:
    """The part of the mask under the crop, False where a mask of the box alone says nothing."""
    window = (rows.stop - rows.start, columns.stop - columns.start)
    if mask.dtype != np.bool_ or mask.shape not in (size, window):
        raise ValueError(
            f"mask: expected bool of the image's shape {size} or the box's {window}, "
            f"found {mask.dtype} {mask.shape}"
        )
    if mask.shape == size:
        return mask[seen_rows, seen_columns]
    inside = np.zeros(
        (seen_rows.stop - seen_rows.start, seen_columns.stop - seen_columns.start), np.bool_
    )
    # The crop holds the box's window but where a large box is cut short by rounding.
    top, left = max(rows.start, seen_rows.start), max(columns.start, seen_columns.start)
    bottom, right = min(rows.stop, seen_rows.stop), min(columns.stop, seen_columns.stop)
    inside[
        top - seen_rows.start : bottom - seen_rows.start,
        left - seen_columns.start : right - seen_columns.start,
    ] = mask[top - rows.start : bottom - rows.start, left - columns.start : right - columns.start]
    return inside
