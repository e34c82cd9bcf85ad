"""Seeded value noise and small image operations: arrays in, arrays out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]


def value_noise(
    rng: np.random.Generator, height: int, width: int, cell: float, stretch: float = 1.0
) -> Field:
    """Smooth random field (height, width), about uniform in [-1, 1].

    Random values on a grid of `cell` pixels, interpolated bicubically: the lattice ("value") noise
    of Ebert et al., Texturing and Modeling, ch. 2. `stretch` > 1 makes features taller than wide.
    """
    rows = max(int(np.ceil(height / (cell * stretch))) + 2, 3)
    columns = max(int(np.ceil(width / cell)) + 2, 3)
    lattice = rng.uniform(-1.0, 1.0, (rows, columns)).astype(np.float32)
    top, left = rng.uniform(0.0, 1.0, 2)
    box = (
        float(left),
        float(top),
        float(min(left + width / cell, columns)),
        float(min(top + height / (cell * stretch), rows)),
    )
    resized = Image.fromarray(lattice).resize((width, height), Image.Resampling.BICUBIC, box=box)
    return np.array(resized, dtype=np.float32)


def fractal_noise(
    rng: np.random.Generator,
    height: int,
    width: int,
    cell: float,
    octaves: int = 3,
    stretch: float = 1.0,
) -> Field:
    """Sum of `octaves` value noises, each half as large and half as strong; about [-1, 1]."""
    total = np.zeros((height, width), np.float32)
    weight, sum_of_weights = 1.0, 0.0
    for _ in range(octaves):
        total += np.float32(weight) * value_noise(rng, height, width, max(cell, 1.0), stretch)
        sum_of_weights += weight
        weight *= 0.5
        cell *= 0.5
    return total / np.float32(sum_of_weights)


def smoothstep(low: float, high: float, values: Field) -> Field:
    """Hermite ramp from 0 at `low` to 1 at `high` (Ebert et al., ch. 2)."""
    ramp = np.clip((values - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    return np.asarray(ramp * ramp * (3.0 - 2.0 * ramp), dtype=np.float32)


def largest_part(mask: Mask) -> Mask:
    """The largest 8-connected part of `mask`; an empty mask stays empty."""
    parts, count = ndimage.label(mask, structure=np.ones((3, 3), np.int8))
    if count <= 1:
        return mask
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(parts == int(sizes.argmax()), dtype=np.bool_)


def shifted(mask: Mask, dy: int, dx: int) -> Mask:
    """`mask` moved by (dy, dx) pixels; what moves in from outside is False."""
    height, width = mask.shape
    moved = np.zeros_like(mask)
    if abs(dy) >= height or abs(dx) >= width:
        return moved
    moved[max(dy, 0) : height + min(dy, 0), max(dx, 0) : width + min(dx, 0)] = mask[
        max(-dy, 0) : height + min(-dy, 0), max(-dx, 0) : width + min(-dx, 0)
    ]
    return moved


def swept(mask: Mask, direction: tuple[float, float], length: int) -> Mask:
    """`mask` and what lies within `length` pixels of it along `direction` (dy, dx; unit vector)."""
    result = mask.copy()
    for step in range(1, length + 1):
        result |= shifted(mask, round(direction[0] * step), round(direction[1] * step))
    return result
