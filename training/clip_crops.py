"""Crops of procedural facades as a labeller meets them: jittered boxes, imperfect masks.

Seeds: training from 0, validation from 500_000, test from 1_000_000; those from 2_000_000 belong to
the demo and are never used here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lithograph.samples import SLUGS, render_facade
from lithograph.vision.crops import region_crop

BACKGROUND = "sound-stone"
CONCEPTS: tuple[str, ...] = (*SLUGS, BACKGROUND)
FIRST_SEEDS = {"train": 0, "validation": 500_000, "test": 1_000_000}
CROP_SIDE = 64

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Crop:
    """A square crop, uint8 S×S×3, its concept as an index into `CONCEPTS`, and if masked."""

    pixels: NDArray[np.uint8]
    concept: int
    masked: bool


def facade_crops(seed: int, variants: int) -> Iterator[Crop]:
    """`variants` crops of each alteration of a facade, and of up to three places of sound stone."""
    facade = render_facade(seed)
    rng = np.random.default_rng([seed, 77])
    altered = np.zeros(facade.image.shape[:2], np.bool_)
    for alteration in facade.alterations:
        altered |= alteration.mask
    for alteration in facade.alterations:
        concept = CONCEPTS.index(alteration.concept)
        for _ in range(variants):
            yield _crop(facade.image, _imperfect(alteration.mask, rng), concept, rng)
    sound = CONCEPTS.index(BACKGROUND)
    # As many places as give sound stone about twice the share of one concept in training.
    places = 1 if variants == 1 else int(rng.integers(1, 4))
    for _ in range(places * variants if rng.random() < 0.5 or variants > 1 else 0):
        proposal = _sound_proposal(facade.image, altered, rng)
        if proposal is not None:
            yield _crop(facade.image, proposal, sound, rng)


def _crop(image: NDArray[np.uint8], mask: Mask, concept: int, rng: np.random.Generator) -> Crop:
    """A crop around the mask's box, each side of which is off by some percent."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x, y = float(columns[0]), float(rows[0])
    width, height = float(columns[-1] + 1 - x), float(rows[-1] + 1 - y)
    off = rng.normal(0.0, 0.05, 4).clip(-0.15, 0.15)
    box = (
        x + off[0] * width,
        y + off[1] * height,
        width * (1 + off[2]),
        height * (1 + off[3]),
    )
    masked = bool(rng.random() < 0.8)
    return Crop(region_crop(image, box, mask if masked else None), concept, masked)


def _imperfect(mask: Mask, rng: np.random.Generator) -> Mask:
    """The mask as a segmenter might give it: grown, shrunk, rounded, cut, or its box filled."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    margin = 12
    window = (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + margin),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + margin),
    )
    spoilt = np.zeros_like(mask)
    spoilt[window] = _spoil(mask[window], rng)
    return spoilt


def _spoil(mask: Mask, rng: np.random.Generator) -> Mask:
    kind = rng.random()
    spoilt = mask
    if kind < 0.2:
        spoilt = ndimage.binary_dilation(mask, iterations=int(rng.integers(1, 5)))
    elif kind < 0.35:
        spoilt = ndimage.binary_erosion(mask, iterations=int(rng.integers(1, 3)))
    elif kind < 0.6:
        softness = rng.uniform(1.5, 4.0)
        noise = ndimage.gaussian_filter(rng.standard_normal(mask.shape), softness)
        blurred = ndimage.gaussian_filter(mask.astype(np.float64), softness)
        spoilt = blurred + 0.15 * noise / max(float(noise.std()), 1e-9) > rng.uniform(0.25, 0.5)
        spoilt = _part_nearest(spoilt, mask)
    elif kind < 0.72:
        rows, columns = np.nonzero(mask)
        angle = rng.uniform(0, 2 * np.pi)
        along = columns * np.cos(angle) + rows * np.sin(angle)
        kept = along <= np.quantile(along, rng.uniform(0.45, 0.85))
        spoilt = np.zeros_like(mask)
        spoilt[rows[kept], columns[kept]] = True
    elif kind < 0.78:
        rows_seen, columns_seen = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        spoilt = np.zeros_like(mask)
        spoilt[rows_seen[0] : rows_seen[-1] + 1, columns_seen[0] : columns_seen[-1] + 1] = True
    return spoilt if np.count_nonzero(spoilt & mask) >= 0.3 * np.count_nonzero(mask) else mask


def _part_nearest(spoilt: Mask, mask: Mask) -> Mask:
    """Of the connected parts of `spoilt`, the one that covers most of `mask`."""
    parts, count = ndimage.label(spoilt)
    if count <= 1:
        return spoilt
    covered = np.bincount(parts[mask], minlength=count + 1)
    covered[0] = 0
    return np.asarray(parts == covered.argmax(), dtype=np.bool_)


def _sound_proposal(
    image: NDArray[np.uint8], altered: Mask, rng: np.random.Generator
) -> Mask | None:
    """A place of sound stone of the kinds that a segmenter proposes; None after ten failures.

    A patch, a block, a joint or the like, the lit or shaded side of an edge, or the whole wall.
    """
    height, width = altered.shape
    if rng.random() < 0.04:
        return ~altered
    grey = ndimage.uniform_filter(image[..., 1].astype(np.float32), 3)
    for _ in range(10):
        radius = float(np.exp(rng.uniform(np.log(9), np.log(75))))
        y, x = rng.uniform(0, height), rng.uniform(0, width)
        ys, xs = np.ogrid[0:height, 0:width]
        near = np.asarray((np.abs(ys - y) < radius) & (np.abs(xs - x) < radius), dtype=np.bool_)
        kind = rng.random()
        if kind < 0.25:
            lattice = Image.fromarray(rng.standard_normal((7, 7)).astype(np.float32))
            noise = np.asarray(lattice.resize((width, height), Image.Resampling.BICUBIC))
            grown = np.hypot(ys - y, xs - x) / radius + 0.3 * noise < 1
            proposal = np.asarray(grown, dtype=np.bool_)
        elif kind < 0.45:
            half = radius * rng.uniform(0.25, 1.0, 2)
            proposal = np.asarray(
                (np.abs(ys - y) < half[0]) & (np.abs(xs - x) < half[1]), dtype=np.bool_
            )
        elif kind < 0.6:
            angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)])
            across = np.abs((ys - y) * np.cos(angle) - (xs - x) * np.sin(angle))
            proposal = near & (across < rng.uniform(1.5, 4.0))
        else:
            level = np.quantile(grey[near], rng.uniform(0.1, 0.9)) if near.any() else 128.0
            side = grey < level if rng.random() < 0.5 else grey >= level
            proposal = _part_at_most(np.asarray(side, dtype=np.bool_) & near)
        size = np.count_nonzero(proposal)
        if size >= 60 and np.count_nonzero(proposal & altered) <= 0.02 * size:
            return proposal
    return None


def _part_at_most(mask: Mask) -> Mask:
    """The largest connected part."""
    parts, count = ndimage.label(mask)
    if count <= 1:
        return mask
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(parts == sizes.argmax(), dtype=np.bool_)


def shrink(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A crop at the model's size, as its image processor resizes it (bicubic)."""
    small = Image.fromarray(pixels).resize((CROP_SIDE, CROP_SIDE), Image.Resampling.BICUBIC)
    return np.asarray(small, dtype=np.uint8)


def write_crops(part: str, facades: int, variants: int, path: Path) -> None:
    """Draw a part's crops at the model's size into a NumPy archive, whole or not at all."""
    first = FIRST_SEEDS[part]
    crops = [
        (shrink(crop.pixels), crop.concept, crop.masked)
        for seed in range(first, first + facades)
        for crop in facade_crops(seed, variants)
    ]
    pixels, truth, masked = zip(*crops, strict=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished.npz")
    np.savez(unfinished, pixels=np.stack(pixels), truth=np.array(truth), masked=np.array(masked))
    unfinished.replace(path)
