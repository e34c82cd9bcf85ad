"""Overlays with their legend: one picture, or several of the same place side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lithograph.pictures.lettering import draw_text, line_height, text_width
from lithograph.pictures.painting import (
    FILL,
    Drawn,
    check_image,
    paint,
    scaled_image,
    scaled_mask,
    scaled_size,
)
from lithograph.pictures.palette import Colour, on_white
from lithograph.pictures.tags import Tag, draw_tags

_PAPER: Colour = (250, 249, 247)
_INK: Colour = (32, 34, 38)
_FAINT: Colour = (110, 112, 118)
_MARGIN = 14
_SWATCH = 14
_TEXT = 14
_TITLE = 16
_NAME = 11


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture among several: its title, the image H×W×3 uint8, and what is drawn on it."""

    title: str
    image: NDArray[np.uint8]
    items: Sequence[Drawn] = ()


def draw_overlay(
    image: NDArray[np.uint8],
    items: Sequence[Drawn],
    *,
    legend: bool = True,
    names: bool = True,
    scale: float = 1.0,
) -> NDArray[np.uint8]:
    """Draw geometries on an image H×W×3 uint8: translucent fills, crisp edges, names beside them.

    Only pixels of the geometries are painted, so that holes stay open; a crack of one pixel is
    opaque. With ``names`` each geometry's label and note stand beside it, where they hide least.
    With ``legend`` a column to the right lists each label once, with its colour and count.

    The answer is H·scale × W' × 3 uint8; W' is W·scale without a legend, and H grows where the
    legend is higher. The same arguments give the same pixels. Raises ValueError where the image is
    no such array, or a geometry is not of its size.
    """
    picture = _picture(image, items, scale=scale, names=names)
    if not legend:
        return picture
    return _beside([picture, _legend([items], rows_from=_MARGIN)], gap=0)


def draw_panels(
    panels: Sequence[Panel], *, legend: bool = True, names: bool = True, scale: float = 1.0
) -> NDArray[np.uint8]:
    """Draw several overlays side by side, each under its title, with one legend for all.

    The legend gives a count for each panel, in the panels' order. Otherwise as
    :func:`draw_overlay`. Raises ValueError for no panel at all.
    """
    if not panels:
        raise ValueError("panels: expected at least one, found none")
    head = line_height(_TITLE) + _MARGIN
    columns = []
    for panel in panels:
        picture = _picture(panel.image, panel.items, scale=scale, names=names)
        column = _paper(picture.shape[0] + head, picture.shape[1])
        column[head:] = picture
        draw_text(column, 0, _MARGIN // 2, panel.title, size=_TITLE, colour=_INK)
        columns.append(column)
    if legend:
        columns.append(_legend([panel.items for panel in panels], rows_from=head))
    body = _beside(columns, gap=_MARGIN)
    framed = _paper(body.shape[0] + _MARGIN, body.shape[1] + _MARGIN)
    framed[: body.shape[0], _MARGIN:] = body
    return framed


def _picture(
    image: NDArray[np.uint8], items: Sequence[Drawn], *, scale: float, names: bool
) -> NDArray[np.uint8]:
    check_image(image)
    size = scaled_size(image, scale)
    canvas = scaled_image(image, size)
    height, width = image.shape[:2]
    masks = [scaled_mask(item.geometry, height, width, size) for item in items]
    paint(canvas, masks, [item.colour for item in items], thickness=2 if scale >= 1.5 else 1)
    if names:
        tags = [Tag(f"{item.label} {item.note}".rstrip(), item.colour) for item in items]
        draw_tags(canvas, masks, tags, size=_NAME)
    return canvas


def _legend(groups: Sequence[Sequence[Drawn]], *, rows_from: int) -> NDArray[np.uint8]:
    """A column of paper: each label once, in the order met, its colour and counts."""
    colours: dict[str, Colour] = {}
    lines: dict[str, str] = {}
    for items in groups:
        for item in items:
            colours.setdefault(item.label, item.colour)
            lines.setdefault(
                item.label, f"{item.label} · {item.gloss}" if item.gloss else item.label
            )
    counts = {
        label: " · ".join(str(sum(item.label == label for item in items)) for items in groups)
        for label in colours
    }
    row = max(line_height(_TEXT), _SWATCH) + 7
    widest = max((text_width(line, _TEXT) for line in lines.values()), default=0)
    count_width = max((text_width(text, _TEXT) for text in counts.values()), default=0)
    indent = _MARGIN + _SWATCH + 9
    paper = _paper(
        rows_from + row * max(len(colours), 1) + _MARGIN,
        indent + max(widest, text_width("nothing", _TEXT)) + 14 + count_width + _MARGIN,
    )
    if not colours:
        draw_text(paper, _MARGIN, rows_from, "nothing", size=_TEXT, colour=_FAINT)
    for number, (label, colour) in enumerate(colours.items()):
        y = rows_from + number * row
        drop = (line_height(_TEXT) - _SWATCH) // 2 + 1
        _swatch(paper[y + drop : y + drop + _SWATCH, _MARGIN : _MARGIN + _SWATCH], colour)
        draw_text(paper, indent, y, lines[label], size=_TEXT, colour=_INK)
        right = paper.shape[1] - _MARGIN - text_width(counts[label], _TEXT)
        draw_text(paper, right, y, counts[label], size=_TEXT, colour=_FAINT)
    return paper


def _swatch(square: NDArray[np.uint8], colour: Colour) -> None:
    """A little of what it looks like on the picture: a translucent fill and its edge."""
    fill = np.array(_PAPER, np.float32) * (1 - FILL) + np.array(colour, np.float32) * FILL
    square[:] = on_white(colour)
    square[2:-2, 2:-2] = colour
    square[3:-3, 3:-3] = np.rint(fill).astype(np.uint8)


def _beside(parts: Sequence[NDArray[np.uint8]], *, gap: int) -> NDArray[np.uint8]:
    """Pictures in a row, aligned at the top, on paper."""
    height = max(part.shape[0] for part in parts)
    canvas = _paper(height, sum(part.shape[1] for part in parts) + gap * (len(parts) - 1))
    x = 0
    for part in parts:
        canvas[: part.shape[0], x : x + part.shape[1]] = part
        x += part.shape[1] + gap
    return canvas


def _paper(height: int, width: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), _PAPER, np.uint8)
