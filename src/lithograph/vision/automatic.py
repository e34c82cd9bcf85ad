"""Proposals from any segmenter: over a grid of points, at points, in boxes, from a phrase.

The grid follows segment-anything's ``automatic_mask_generator.py`` (Kirillov et al., 2023): ask for
masks at a grid of points, keep those of good quality and stability, drop duplicates. The order of
work differs: everything is decided on the low-resolution logits, and only what is kept is brought
to the image's size; duplicates are found by masks, not by boxes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lithograph.vision.deduplicate import Sameness, distinct_masks, distinct_runs
from lithograph.vision.inputs import check_image
from lithograph.vision.proposals import Proposal, make_proposal, prefer
from lithograph.vision.protocols import (
    ConceptSegmenter,
    ImageEmbedding,
    MaskCandidates,
    Segmenter,
)
from lithograph.vision.tiles import Tile, join_across_seams, tiles

_Float = TypeVar("_Float", bound=np.floating[Any])

# Pixels of masks held at once at the image's size, a byte each.
_PIXELS_AT_ONCE = 16_000_000


@dataclass(frozen=True)
class GridSettings:
    """How an image is searched; the defaults are segment-anything's.

    ``points_per_side``: points along a side of each view. ``points_per_batch``: prompts at once.
    ``quality``: least predicted IoU. ``stability``: least IoU of the masks cut at logits of
    ``+stability_offset`` and ``-stability_offset``. ``largest``: largest mask, as a share of the
    whole image (a mask of all of it says nothing). ``smallest``: smallest mask, in pixels of the
    image. ``tile_size``: side of a tile in pixels, the segmenter's own image size where None; an
    image no larger than a tile is one view. ``tile_overlap``: share of a tile that neighbours both
    see. ``whole_view``: look at a tiled image as a whole too, for what is larger than a tile.
    """

    points_per_side: int = 32
    points_per_batch: int = 64
    quality: float = 0.88
    stability: float = 0.95
    stability_offset: float = 1.0
    sameness: Sameness = field(default_factory=Sameness)
    largest: float = 0.95
    smallest: int = 16
    tile_size: int | None = None
    tile_overlap: float = 0.125
    whole_view: bool = True

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.points_per_side < 1 or self.points_per_batch < 1:
            raise ValueError(
                "points_per_side and points_per_batch must be at least 1, not "
                f"{self.points_per_side} and {self.points_per_batch}"
            )
        for name in ("quality", "stability"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1], not {getattr(self, name)}")
        if not self.stability_offset > 0:
            raise ValueError(f"stability_offset must be above 0, not {self.stability_offset}")
        if not 0 < self.largest <= 1:
            raise ValueError(f"largest must lie in (0, 1], not {self.largest}")
        if self.smallest < 1:
            raise ValueError(f"smallest must be at least 1 pixel, not {self.smallest}")
        if self.tile_size is not None and self.tile_size < 8:
            raise ValueError(f"tile_size must be at least 8 pixels, not {self.tile_size}")
        if not 0 <= self.tile_overlap < 1:
            raise ValueError(f"tile_overlap must lie in [0, 1), not {self.tile_overlap}")


def from_grid(
    segmenter: Segmenter, image: NDArray[np.uint8], settings: GridSettings | None = None
) -> list[Proposal]:
    """Proposals for everything on an image (uint8 H×W×3), best quality first.

    A large image is searched in tiles, one after the other, and what crosses a seam is made whole.
    Memory: one tile's work, and run lengths of what was kept. Proposals of one group come from one
    point and differ by more than ``sameness``.
    """
    chosen = settings or GridSettings()
    check_image(image)
    height, width = image.shape[:2]
    size = chosen.tile_size or segmenter.image_size
    views = tiles(height, width, size, int(size * chosen.tile_overlap))
    groups = chosen.points_per_side**2
    tiled = [
        (tile, _search(segmenter, image, tile, chosen, number * groups))
        for number, tile in enumerate(views)
    ]
    if len(views) == 1:
        return _sort(tiled[0][1])
    found = _sort(join_across_seams(tiled, height, width))
    if chosen.whole_view:
        # Tiles see more, so their masks come first and the coarser duplicates fall.
        whole = Tile(0, 0, width, height)
        found += _sort(_search(segmenter, image, whole, chosen, len(views) * groups))
    found = [each for each in found if each.area <= chosen.largest * height * width]
    kept = distinct_runs([each.geometry for each in found], chosen.sameness)
    return _sort([found[index] for index in kept])


def from_points(
    segmenter: Segmenter,
    embedding: ImageEmbedding,
    points: NDArray[np.floating],
    point_labels: NDArray[np.integer] | None = None,
) -> list[Proposal]:
    """Every candidate mask of N prompts of points, those of one prompt as one group.

    ``points``: (N, P, 2), ``point_labels``: (N, P), as for ``Segmenter.masks``. Nothing is
    filtered but empty masks; prompts keep their order, and candidates theirs.
    """
    candidates = segmenter.masks(embedding, points=points, point_labels=point_labels)
    return _all_candidates(segmenter, embedding, candidates)


def from_boxes(
    segmenter: Segmenter, embedding: ImageEmbedding, boxes: NDArray[np.floating]
) -> list[Proposal]:
    """Every candidate mask of N boxes, those of one box as one group.

    ``boxes``: (N, 4), **x, y, width, height** in pixels of the image, as detectors give them.
    Candidate 0 is the model's one answer and preferred. Nothing is filtered but empty masks.
    """
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes must be (N, 4): x, y, width, height, not of shape {boxes.shape}")
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    candidates = segmenter.masks(embedding, boxes=corners)
    return _all_candidates(segmenter, embedding, candidates)


def from_phrase(
    segmenter: ConceptSegmenter, embedding: ImageEmbedding, phrase: str
) -> list[Proposal]:
    """Every instance of a phrase, best first; each is a group of its own.

    A concept segmenter gives no logits to judge by: stability is 1 throughout.
    """
    found = segmenter.masks_of_phrase(embedding, phrase)
    made = (
        make_proposal(
            mask,
            height=embedding.height,
            width=embedding.width,
            quality=float(quality),
            stability=1.0,
            prompt=0,
            candidate=number,
            group=number,
            preferred=True,
        )
        for number, (mask, quality) in enumerate(zip(found.masks, found.quality, strict=True))
    )
    return [each for each in made if each is not None]


def stability_of(logits: NDArray[np.floating], offset: float) -> NDArray[np.float64]:
    """IoU of each (…, h, w) mask cut at ``+offset`` with the same cut at ``-offset``.

    0 where even the wider mask is empty. Source: ``calculate_stability_score`` of
    segment-anything's ``utils/amg.py``.
    """
    narrow = (logits > offset).sum(axis=(-2, -1))
    wide = (logits > -offset).sum(axis=(-2, -1))
    return np.asarray(narrow / np.maximum(wide, 1), np.float64)


def _search(
    segmenter: Segmenter,
    image: NDArray[np.uint8],
    tile: Tile,
    settings: GridSettings,
    first_group: int,
) -> list[Proposal]:
    """Search one view of the image; the proposals lie on the whole image."""
    view = np.ascontiguousarray(image[tile.y : tile.bottom, tile.x : tile.right])
    embedding = segmenter.encode(view)
    side = settings.points_per_side
    steps = (np.arange(side) + 0.5) / side
    grid = np.stack(np.meshgrid(steps * tile.width, steps * tile.height), axis=-1).reshape(-1, 1, 2)
    kept = _filtered(segmenter, embedding, grid, settings)
    whole = image.shape[0] * image.shape[1]
    least = settings.smallest
    proposals = []
    at_once = max(1, _PIXELS_AT_ONCE // (tile.width * tile.height))
    for start in range(0, len(kept.logits), at_once):
        logits = kept.logits[start : start + at_once].astype(np.float32)
        masks = segmenter.upscale(embedding, logits)
        for mask, number in zip(masks, range(start, start + len(masks)), strict=True):
            if not least <= mask.sum() <= settings.largest * whole:
                continue
            made = make_proposal(
                mask,
                at=(tile.x, tile.y),
                height=image.shape[0],
                width=image.shape[1],
                quality=float(kept.quality[number]),
                stability=float(kept.stability[number]),
                prompt=first_group + int(kept.prompt[number]),
                candidate=int(kept.candidate[number]),
                group=first_group + int(kept.prompt[number]),
            )
            if made is not None:
                proposals.append(made)
    return proposals


@dataclass(frozen=True, eq=False)
class _Kept:
    """Masks that passed: logits float16 (K, h, w), and (K,) of each figure."""

    logits: NDArray[np.float16]
    quality: NDArray[np.float32]
    stability: NDArray[np.float64]
    prompt: NDArray[np.intp]
    candidate: NDArray[np.intp]


def _filtered(
    segmenter: Segmenter,
    embedding: ImageEmbedding,
    grid: NDArray[np.float64],
    settings: GridSettings,
) -> _Kept:
    batches: list[_Kept] = []
    for start in range(0, len(grid), settings.points_per_batch):
        batch = segmenter.masks(embedding, points=grid[start : start + settings.points_per_batch])
        content = _content(embedding, batch.logits)
        stability = stability_of(content, settings.stability_offset)
        prompt, candidate = np.nonzero(
            (batch.quality > settings.quality) & (stability >= settings.stability)
        )
        batches.append(
            _Kept(
                # Half precision keeps the sign, which is all that a mask is, within its range.
                logits=batch.logits[prompt, candidate].clip(-1e4, 1e4).astype(np.float16),
                quality=batch.quality[prompt, candidate],
                stability=stability[prompt, candidate],
                prompt=prompt + start,
                candidate=candidate,
            )
        )
    joined = _Kept(
        logits=np.concatenate([each.logits for each in batches]),
        quality=np.concatenate([each.quality for each in batches]),
        stability=np.concatenate([each.stability for each in batches]),
        prompt=np.concatenate([each.prompt for each in batches]),
        candidate=np.concatenate([each.candidate for each in batches]),
    )
    masks = _content(embedding, joined.logits) > 0
    chosen = distinct_masks(masks, joined.quality, settings.sameness)
    return _Kept(
        logits=joined.logits[chosen],
        quality=joined.quality[chosen],
        stability=joined.stability[chosen],
        prompt=joined.prompt[chosen],
        candidate=joined.candidate[chosen],
    )


def _content(embedding: ImageEmbedding, logits: NDArray[_Float]) -> NDArray[_Float]:
    """Cut padding off (…, h, w) logits: what a model sees there is no part of the image."""
    rows = max(1, round(embedding.content_height * logits.shape[-2]))
    columns = max(1, round(embedding.content_width * logits.shape[-1]))
    return logits[..., :rows, :columns]


def _all_candidates(
    segmenter: Segmenter, embedding: ImageEmbedding, candidates: MaskCandidates
) -> list[Proposal]:
    stability = stability_of(_content(embedding, candidates.logits), 1.0)
    found: list[Proposal] = []
    for prompt, logits in enumerate(candidates.logits):
        for candidate, mask in enumerate(segmenter.upscale(embedding, logits)):
            made = make_proposal(
                mask,
                height=embedding.height,
                width=embedding.width,
                quality=float(candidates.quality[prompt, candidate]),
                stability=float(stability[prompt, candidate]),
                prompt=prompt,
                candidate=candidate,
                group=prompt,
            )
            if made is not None:
                found.append(made)
    return prefer(found, single=candidates.single)


def _sort(proposals: list[Proposal]) -> list[Proposal]:
    """Best quality first, the preferred of each group marked."""
    return prefer(sorted(proposals, key=lambda each: -each.quality))
