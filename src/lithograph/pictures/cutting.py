"""One annotation as a picture of its own: cut out with its surroundings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lithograph.entities import Annotation
from lithograph.pictures.painting import (
    check_image,
    edge_of,
    resized_mask,
    scaled_image,
    scaled_mask,
)
from lithograph.pictures.palette import Colour, colour_of

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_SHORTEST, _LONGEST = 200, 480
"""Between these, in pixels, lies the longer side of the picture."""


def annotation_picture(
    annotation: Annotation,
    image: NDArray[np.uint8],
    *,
    colour: Colour | None = None,
    context: float = 0.35,
) -> Picture:
    """An annotation with its surroundings, outlined, as notebooks show it.

    ``image`` is the whole upright image, H×W×3 uint8. ``context`` is the share of the box's longer
    side that is added on each side, and at least 8 pixels. The stone inside the edge stays as it
    is. Without a colour it is that of the concept's IRI. Small cuts are enlarged, large ones
    reduced, so that the longer side has 200 to 480 pixels.
    Raises ValueError where the image is no such array, or the geometry is not of its size.
    """
    check_image(image)
    if context < 0:
        raise ValueError(f"context: expected a share of 0 or more, found {context}")
    height, width = image.shape[:2]
    x, y, wide, high = annotation.box.rounded_outwards()
    margin = max(round(max(wide, high) * context), 8)
    rows = slice(min(max(y - margin, 0), height - 1), min(max(y + high + margin, 1), height))
    columns = slice(min(max(x - margin, 0), width - 1), min(max(x + wide + margin, 1), width))
    longest = max(rows.stop - rows.start, columns.stop - columns.start)
    scale = min(max(longest, _SHORTEST), _LONGEST) / longest
    mask = scaled_mask(annotation.geometry, height, width, (height, width))[rows, columns]
    size = (max(round(mask.shape[0] * scale), 1), max(round(mask.shape[1] * scale), 1))
    cut = scaled_image(image[rows, columns], size)
    cut[edge_of(resized_mask(mask, size), 2)] = colour or colour_of(annotation.concept)
    return Image.fromarray(cut)
