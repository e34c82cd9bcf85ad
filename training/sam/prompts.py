"""Batches: crops or whole frames, with boxes and points drawn from the alterations in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from training.sam.cache import Cache, Sample
from training.sam.model import GRID, IMAGE_SIZE, PATCH_SIZE, PIXEL_MEAN, PIXEL_STD, Prompts

SMALLEST = 40  # px: nothing smaller is asked for
# The thin and small ones, learnt last, are drawn more often than they occur. Order as SLUGS.
CLASS_WEIGHTS = np.array([0, 1, 1, 1, 1, 1, 1, 1.6, 1.8, 1], np.float64)
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Batch:
    """What one step sees. N boxes and M points a crop; targets in the same order.

    pixels (B, 3, s, s) normalised; offsets (B, 2) in patches; targets (B, N + M, s, s) in {0, 1};
    windows (B, N + M, 4) x0, y0, x1, y1 of the enlarged box in crop pixels; sound (B, M) marks
    points on sound stone, whose target is empty; classes (B, s, s) the dense class of each pixel.
    """

    pixels: Tensor
    offsets: Tensor
    prompts: Prompts
    targets: Tensor
    windows: Tensor
    sound: Tensor
    classes: Tensor


class Sampler:
    """Draws batches from the cache, by its own random stream."""

    def __init__(self, cache: Cache, seed: int) -> None:
        self.cache = cache
        self.random = np.random.default_rng(seed)
        self.slots = cache.slots()

    def refresh(self) -> None:
        """Take in what the renderers added meanwhile."""
        self.slots = self.cache.slots()

    def batch(self, size: int, side: int, *, boxes: int, points: int) -> Batch:
        """`size` crops of `side` px (256: whole frames), each with so many boxes and points."""
        drawn: list[Batch] = []
        while len(drawn) < size:
            sample = self.cache[int(self.random.choice(self.slots))]
            crop = self._crop(sample, side)
            one = self._prompts(*crop, boxes, points) if crop is not None else None
            if one is not None:
                drawn.append(one)
        return Batch(
            pixels=torch.stack([d.pixels for d in drawn]),
            offsets=torch.stack([d.offsets for d in drawn]),
            prompts=Prompts(
                torch.stack([d.prompts.boxes for d in drawn]),
                torch.stack([d.prompts.points for d in drawn]),
            ),
            targets=torch.stack([d.targets for d in drawn]),
            windows=torch.stack([d.windows for d in drawn]),
            sound=torch.stack([d.sound for d in drawn]),
            classes=torch.stack([d.classes for d in drawn]),
        )

    def _crop(
        self, sample: Sample, side: int
    ) -> tuple[Tensor, NDArray[np.uint8], NDArray[np.uint8]] | None:
        """A normalised crop, its instance numbers and the class of each number."""
        random = self.random
        whole = side == IMAGE_SIZE
        shortest = min(sample.height, sample.width)
        source = side
        if random.random() < (0.3 if whole else 0.5):
            source = int(side * random.uniform(0.7, 1.0 if whole else 1.5))
        source = min(source, shortest) if source != IMAGE_SIZE else source
        if source < side // 2:
            source = side
        if source == IMAGE_SIZE:
            top = left = 0
        else:
            present = np.flatnonzero(np.bincount(sample.instances.ravel())[1:] >= SMALLEST) + 1
            if not len(present):
                return None
            weights = CLASS_WEIGHTS[sample.classes[present]]
            chosen = random.choice(present, p=weights / weights.sum())
            pixels = np.flatnonzero(sample.instances.ravel() == chosen)
            row, column = divmod(int(random.choice(pixels)), IMAGE_SIZE)
            top = _around(random, row, source, sample.height)
            left = _around(random, column, source, sample.width)
        image = np.ascontiguousarray(sample.image[top : top + source, left : left + source])
        numbers = sample.instances[top : top + source, left : left + source]
        pixels_of = torch.from_numpy(image).permute(2, 0, 1).float() / 255
        valid = (min(sample.height - top, source), min(sample.width - left, source))
        if source != side:
            pixels_of = torch.nn.functional.interpolate(
                pixels_of[None], (side, side), mode="bilinear", antialias=source > side
            )[0]
            index = ((np.arange(side) + 0.5) * source / side).astype(np.int64)
            numbers = numbers[index[:, None], index]
            valid = (side, side)
        pixels_of = _normalise(_jitter(pixels_of, random))
        pixels_of[:, valid[0] :] = 0
        pixels_of[:, :, valid[1] :] = 0
        # Gravity and light have a direction, left and right have none. Padding stays on the right.
        if valid[1] == side and random.random() < 0.5:
            pixels_of, numbers = pixels_of.flip(2), numbers[:, ::-1]
        return pixels_of, np.ascontiguousarray(numbers), sample.classes

    def _prompts(
        self,
        pixels: Tensor,
        numbers: NDArray[np.uint8],
        classes: NDArray[np.uint8],
        boxes: int,
        points: int,
    ) -> Batch | None:
        random = self.random
        side = numbers.shape[0]
        present = np.flatnonzero(np.bincount(numbers.ravel())[1:] >= SMALLEST) + 1
        if not len(present):
            return None
        weights = CLASS_WEIGHTS[classes[present]]
        weights = weights / weights.sum()
        masks = {int(n): numbers == n for n in present}
        bounds = {n: _bounds(m) for n, m in masks.items()}
        # Every alteration once before any comes again.
        order = random.choice(present, len(present), replace=False, p=weights)
        more = random.choice(present, boxes + points, p=weights)
        asked = [int(n) for n in np.concatenate([order, more])]

        targets, windows, corners, spots, sound = [], [], [], [], []
        for number in asked[:boxes]:
            targets.append(masks[number])
            corners.append(_jitter_box(bounds[number], side, random))
            windows.append(_enlarged(bounds[number], side))
        bare = np.flatnonzero(numbers.ravel() == 0)
        for turn, number in enumerate(asked[:points]):
            if turn == points - 1 and len(bare) > SMALLEST:
                row, column = divmod(int(random.choice(bare)), side)
                targets.append(np.zeros_like(masks[number]))
                spots.append((column, row))
                windows.append(np.array([0, 0, side, side]))
                sound.append(True)
                continue
            targets.append(masks[number])
            spots.append(_point(masks[number], bounds[number], random))
            windows.append(_enlarged(bounds[number], side))
            sound.append(False)

        steps = (GRID - side // PATCH_SIZE) // 8 + 1  # attention windows stay where they are
        offsets = torch.from_numpy(random.integers(0, steps, 2) * 8)
        shift = offsets.flip(0).float() * PATCH_SIZE
        return Batch(
            pixels=pixels,
            offsets=offsets,
            prompts=Prompts(
                torch.from_numpy(np.stack(corners)).float() + shift.repeat(2),
                torch.tensor(spots, dtype=torch.float32) + shift,
            ),
            targets=torch.from_numpy(np.stack(targets)),
            windows=torch.from_numpy(np.stack(windows)).float(),
            sound=torch.tensor(sound),
            classes=torch.from_numpy(classes[numbers].astype(np.int64)),
        )


def deepest_point(mask: Mask) -> tuple[int, int]:
    """x, y of the pixel farthest from the mask's edge: where SAM's authors prompt to evaluate."""
    x0, y0, x1, y1 = (int(v) for v in _bounds(mask))
    depth = distance_transform_edt(np.pad(mask[y0:y1, x0:x1], 1))[1:-1, 1:-1]
    row, column = divmod(int(depth.argmax()), x1 - x0)
    return x0 + column, y0 + row


def normalise(image: NDArray[np.uint8]) -> Tensor:
    """(h, w, 3) RGB → (3, h, w) as the processor gives it."""
    return _normalise(torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255)


def _normalise(pixels: Tensor) -> Tensor:
    mean = torch.tensor(PIXEL_MEAN)[:, None, None]
    return (pixels - mean) / torch.tensor(PIXEL_STD)[:, None, None]


def _around(random: np.random.Generator, middle: int, length: int, limit: int) -> int:
    low = max(0, min(middle - length + 1, limit - length))
    high = max(low, min(middle, limit - length))
    return int(random.integers(low, high + 1))


def _jitter(pixels: Tensor, random: np.random.Generator) -> Tensor:
    gain = torch.from_numpy(random.normal(1, 0.04, (3, 1, 1)) * random.uniform(0.85, 1.15)).float()
    contrast = float(random.uniform(0.85, 1.15))
    mean = pixels.mean()
    return (((pixels - mean) * contrast + mean) * gain).clamp(0, 1)


def _bounds(mask: Mask) -> NDArray[np.int64]:
    rows = np.flatnonzero(mask.any(1))
    columns = np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def box_of(mask: Mask) -> NDArray[np.int64]:
    """x0, y0, x1, y1 of a mask that is not empty; x1 and y1 are one past the last pixel."""
    return _bounds(mask)


def _jitter_box(
    box: NDArray[np.int64], side: int, random: np.random.Generator
) -> NDArray[np.float64]:
    if random.random() < 0.4:
        return box.astype(np.float64)
    size = np.array([box[2] - box[0], box[3] - box[1]] * 2)
    moved = box + random.normal(0, 0.04, 4) * size + random.uniform(-1.5, 1.5, 4)
    moved = moved.clip(0, side)
    return moved if (moved[2:] - moved[:2] > 2).all() else box.astype(np.float64)


def _enlarged(box: NDArray[np.int64], side: int) -> NDArray[np.int64]:
    margin = 0.15 * np.array([box[2] - box[0], box[3] - box[1]]) + 6
    low = np.floor(box[:2] - margin).clip(0, side)
    high = np.ceil(box[2:] + margin).clip(0, side)
    return np.concatenate([low, high]).astype(np.int64)


def _point(mask: Mask, box: NDArray[np.int64], random: np.random.Generator) -> tuple[int, int]:
    if random.random() < 0.4:
        return deepest_point(mask)
    x0, y0, x1, y1 = (int(v) for v in box)
    inside = np.flatnonzero(mask[y0:y1, x0:x1].ravel())
    row, column = divmod(int(random.choice(inside)), x1 - x0)
    return x0 + column, y0 + row
