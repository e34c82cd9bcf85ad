"""A proposal: a mask on an image, with what the segmenter thought of it, not yet labelled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lithograph.entities import Box, Mask
from lithograph.masks import mask_to_rle, paste_mask, rle_to_mask


@dataclass(frozen=True, eq=False)
class Proposal:
    """A mask on an image, kept as run lengths: a photograph of 60 megapixels may bear hundreds.

    ``geometry`` covers the whole upright image; ``box`` is its tight box (x, y, width, height, in
    whole pixels). ``quality`` is the segmenter's own estimate in [0, 1]; ``stability``, in [0, 1],
    is the IoU of the masks cut above and below the threshold. ``prompt`` is the number of the
    prompt, ``candidate`` that of the model's answer to it. Proposals of one ``group`` are
    alternatives, different readings of one prompt, of which one is ``preferred``.
    """

    geometry: Mask
    box: Box
    quality: float
    stability: float
    prompt: int
    candidate: int
    group: int
    preferred: bool
    _part: Mask = field(repr=False)

    @property
    def part(self) -> NDArray[np.bool_]:
        """The mask inside the box only: bool, box height × box width."""
        return rle_to_mask(self._part)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The mask over the whole image: bool H×W."""
        return rle_to_mask(self.geometry)

    @property
    def area(self) -> int:
        """Pixels inside."""
        return int(self.part.sum())


def make_proposal(
    mask: NDArray[np.bool_],
    *,
    at: tuple[int, int] = (0, 0),
    height: int,
    width: int,
    quality: float,
    stability: float,
    prompt: int,
    candidate: int = 0,
    group: int,
    preferred: bool = False,
) -> Proposal | None:
    """Make a proposal of a mask whose top left pixel lies at ``at`` (x, y) of a height×width image.

    None where the mask is empty: nothing is proposed then. ``quality`` is cut to [0, 1] (a
    predicted IoU can exceed 1).
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    x, y = at[0] + int(columns[0]), at[1] + int(rows[0])
    return Proposal(
        geometry=paste_mask(part, x=x, y=y, height=height, width=width),
        box=Box(x, y, part.shape[1], part.shape[0]),
        quality=float(min(max(quality, 0.0), 1.0)),
        stability=float(stability),
        prompt=prompt,
        candidate=candidate,
        group=group,
        preferred=preferred,
        _part=mask_to_rle(part),
    )


def unite(parts: Sequence[Proposal]) -> Proposal:
    """One proposal that covers what several do, such as a crack seen in two tiles.

    Quality and stability are the means by area; prompt, candidate and group are the largest's.
    """
    if len(parts) == 1:
        return parts[0]
    x = int(min(each.box.x for each in parts))
    y = int(min(each.box.y for each in parts))
    right = int(max(each.box.x + each.box.width for each in parts))
    bottom = int(max(each.box.y + each.box.height for each in parts))
    canvas = np.zeros((bottom - y, right - x), np.bool_)
    areas = []
    for each in parts:
        part = each.part
        left, top = int(each.box.x) - x, int(each.box.y) - y
        canvas[top : top + part.shape[0], left : left + part.shape[1]] |= part
        areas.append(float(part.sum()))
    largest = parts[int(np.argmax(areas))]
    image = largest.geometry
    return replace(
        largest,
        geometry=paste_mask(canvas, x=x, y=y, height=image.height, width=image.width),
        box=Box(x, y, right - x, bottom - y),
        quality=float(np.average([each.quality for each in parts], weights=areas)),
        stability=float(np.average([each.stability for each in parts], weights=areas)),
        _part=mask_to_rle(canvas),
    )


def prefer(proposals: Iterable[Proposal], *, single: bool = False) -> list[Proposal]:
    """Mark one proposal of each group as preferred, in the order given.

    The best quality; or, where the prompts were unambiguous (``single``), candidate 0, the model's
    one answer, if it is there.
    """
    listed = list(proposals)
    best: dict[int, Proposal] = {}
    for each in listed:
        rival = best.get(each.group)
        if rival is None or _rank(each, single) > _rank(rival, single):
            best[each.group] = each
    return [replace(each, preferred=best[each.group] is each) for each in listed]


def _rank(proposal: Proposal, single: bool) -> tuple[bool, float]:
    return single and proposal.candidate == 0, proposal.quality
