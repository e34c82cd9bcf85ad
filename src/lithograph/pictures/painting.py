"""Geometries painted on a picture: translucent inside, a crisp edge, nothing outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from lithograph.entities import Geometry, Outline
from lithograph.masks import BoolMask, outline_to_rle, rle_to_mask
from lithograph.pictures.palette import Colour

FILL = 0.34
"""How much of the stone a fill hides, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A geometry to be drawn: what its concept is called, in which colour, and a short note.

    Items of one label are one line of the legend. ``note``, such as a confidence, stands behind the
    label on the picture alone; ``gloss``, such as the label in another language, in the legend.
    """

    geometry: Geometry
    label: str
    colour: Colour
    note: str = ""
    gloss: str = ""


def check_image(image: NDArray[np.uint8]) -> None:
    """Raise ValueError where an array is no H×W×3 uint8 picture."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(
            f"image: expected an array of shape (H, W, 3), uint8, "
            f"found {image.shape}, {image.dtype}"
        )


def scaled_size(image: NDArray[np.uint8], scale: float) -> tuple[int, int]:
    """Height and width in pixels of an image drawn at a scale."""
    if not 0 < scale <= 16:
        raise ValueError(f"scale: expected a number above 0 and up to 16, found {scale}")
    return max(round(image.shape[0] * scale), 1), max(round(image.shape[1] * scale), 1)


def scaled_image(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A copy of the image at a (height, width)."""
    if image.shape[:2] == size:
        return image.copy()
    resized = Image.fromarray(image).resize((size[1], size[0]), Image.Resampling.LANCZOS)
    return np.array(resized, dtype=np.uint8)


def scaled_mask(geometry: Geometry, height: int, width: int, size: tuple[int, int]) -> BoolMask:
    """The pixels of a geometry of a height×width image, at the (height, width) that it is drawn.

    At its own size a mask is exact. Made larger, each pixel becomes a block; made smaller, a pixel
    is in the mask when any of those that fell together in it was: a crack never gets lost. An
    outline is scaled first and rasterised then; one too thin to cover a pixel is drawn as a line.
    Raises ValueError where the geometry does not belong to an image of this size.
    """
    if isinstance(geometry, Outline):
        return _scaled_outline(geometry, height, width, size)
    if (geometry.height, geometry.width) != (height, width):
        raise ValueError(
            f"mask: expected the image's size {height} × {width}, "
            f"found {geometry.height} × {geometry.width}"
        )
    return resized_mask(rle_to_mask(geometry), size)


def resized_mask(pixels: BoolMask, size: tuple[int, int]) -> BoolMask:
    """A mask at another (height, width): blocks when larger, any of what falls together if not."""
    for axis, (length, wanted) in enumerate(zip(pixels.shape, size, strict=True)):
        if wanted > length:
            pixels = np.take(pixels, np.arange(wanted) * length // wanted, axis=axis)
        elif wanted < length:
            starts = np.arange(wanted) * length // wanted
            pixels = np.logical_or.reduceat(pixels, starts, axis=axis)
    return np.asarray(pixels, dtype=np.bool_)


def _scaled_outline(outline: Outline, height: int, width: int, size: tuple[int, int]) -> BoolMask:
    down, across = size[0] / height, size[1] / width
    scaled = Outline(
        tuple(
            tuple(tuple((x * across, y * down) for x, y in ring) for ring in polygon)
            for polygon in outline.polygons
        )
    )
    try:
        return rle_to_mask(outline_to_rle(scaled, *size))
    except ValueError:
        canvas = Image.new("1", (size[1], size[0]))
        pen = ImageDraw.Draw(canvas)
        for exterior, *_ in scaled.polygons:
            pen.line([*exterior, exterior[0]], fill=1, width=1)
        return np.array(canvas, dtype=np.bool_)


def edge_of(mask: BoolMask, thickness: int) -> BoolMask:
    """The pixels of a mask within ``thickness`` pixels of its border; holes have borders too.

    The border of the picture is none.
    """
    inside = ndimage.binary_erosion(mask, iterations=thickness, border_value=1)
    return np.asarray(mask & ~inside, dtype=np.bool_)


def paint(
    canvas: NDArray[np.uint8],
    masks: Sequence[BoolMask],
    colours: Sequence[Colour],
    *,
    thickness: int = 1,
) -> None:
    """Paint masks of an H×W×3 canvas's size into it, in place, the large ones under the small.

    Only pixels of the masks change: a hole stays as it was. What is no thicker than twice
    ``thickness`` is all edge, and painted opaque.
    """
    order = sorted(range(len(masks)), key=lambda index: (-int(masks[index].sum()), index))
    for index in order:
        colour = np.array(colours[index], np.float32)
        rows, columns = _window(masks[index])
        part, under = masks[index][rows, columns], canvas[rows, columns]
        under[part] = np.rint(under[part] * (1 - FILL) + colour * FILL).astype(np.uint8)
    # Edges last: no fill of a neighbour lies over them.
    for index in order:
        rows, columns = _window(masks[index], margin=1)
        edge = edge_of(masks[index][rows, columns], thickness)
        canvas[rows, columns][edge] = colours[index]


def _window(mask: BoolMask, margin: int = 0) -> tuple[slice, slice]:
    """The rows and columns that hold the mask; empty ones where it has no pixel."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + 1 + margin),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + 1 + margin),
    )
