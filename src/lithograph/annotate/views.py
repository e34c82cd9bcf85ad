"""Parts of a large photograph, seen at its own resolution.

A model shrinks what it is given to its input size; of a photograph of 6336×9504 pixels no crack
survives that. So prompts and detections on a large photograph are worked on in parts.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lithograph.entities import Box
from lithograph.masks import paste_mask
from lithograph.vision.proposals import Proposal
from lithograph.vision.tiles import Tile, tiles

#: An image up to so many times a model's input size is looked at as a whole: what is shrunk by less
#: than two keeps a line of two pixels.
WHOLE_UP_TO = 2.0
#: What a prompt's surroundings measure, as a multiple of the prompt itself.
SURROUNDINGS = 1.5


def is_small(height: int, width: int, size: int) -> bool:
    """Whether an image can be looked at as a whole by a model of this input size, in pixels."""
    return max(height, width) <= WHOLE_UP_TO * size


def view_around(box: Box, height: int, width: int, size: int) -> Tile:
    """The part of an image to look at for a prompt within ``box``: the whole of a small image.

    A square of ``size`` pixels around the box, or 1.5 times the box where that is more, moved
    inside the image.
    """
    if is_small(height, width, size):
        return Tile(0, 0, width, height)
    side = max(size, math.ceil(SURROUNDINGS * max(box.width, box.height)))
    wide, high = min(side, width), min(side, height)
    x = min(max(round(box.x + box.width / 2 - wide / 2), 0), width - wide)
    y = min(max(round(box.y + box.height / 2 - high / 2), 0), height - high)
    return Tile(x, y, wide, high)


def views(height: int, width: int, size: int, overlap: float) -> tuple[Tile, ...]:
    """The whole image and, where it is large, tiles of ``size`` pixels that share ``overlap``."""
    whole = Tile(0, 0, width, height)
    if is_small(height, width, size):
        return (whole,)
    return (whole, *tiles(height, width, size, int(size * overlap)))


def cut_out(pixels: NDArray[np.uint8], view: Tile) -> NDArray[np.uint8]:
    """The pixels of a view: H×W×3 uint8."""
    return np.ascontiguousarray(pixels[view.y : view.bottom, view.x : view.right])


def moved(proposal: Proposal, view: Tile, height: int, width: int) -> Proposal:
    """A proposal on a view → the same on the whole height×width image."""
    if (view.width, view.height) == (width, height):
        return proposal
    x, y = int(proposal.box.x) + view.x, int(proposal.box.y) + view.y
    return replace(
        proposal,
        geometry=paste_mask(proposal.part, x=x, y=y, height=height, width=width),
        box=Box(x, y, proposal.box.width, proposal.box.height),
    )
