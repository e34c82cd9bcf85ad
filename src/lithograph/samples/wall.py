"""A sound wall: ashlar blocks, mortar joints, two scales of texture, now and then a moulding."""

from __future__ import annotations

import colorsys

import numpy as np

from lithograph.samples.noise import Field, fractal_noise, smoothstep, value_noise
from lithograph.samples.surface import Light, Surface


def _stone_colour(rng: np.random.Generator) -> Field:
    """An RGB colour of building stone: limestone, sandstone, grey and pinkish stones."""
    kind = rng.random()
    if kind < 0.55:
        hue, saturation, value = (
            rng.uniform(0.08, 0.125),
            rng.uniform(0.12, 0.34),
            rng.uniform(0.56, 0.76),
        )
    elif kind < 0.75:
        hue, saturation, value = (
            rng.uniform(0.06, 0.1),
            rng.uniform(0.3, 0.45),
            rng.uniform(0.5, 0.68),
        )
    elif kind < 0.92:
        hue, saturation, value = (
            rng.uniform(0.07, 0.16),
            rng.uniform(0.03, 0.11),
            rng.uniform(0.5, 0.7),
        )
    else:
        hue, saturation, value = (
            rng.uniform(0.0, 0.05),
            rng.uniform(0.12, 0.25),
            rng.uniform(0.5, 0.68),
        )
    return np.array(colorsys.hsv_to_rgb(hue, saturation, value), dtype=np.float32)


def _courses(rng: np.random.Generator, length: int, low: float, high: float) -> Field:
    """Positions of joints that cover [-high, length + high]."""
    steps = rng.uniform(low, high, int(np.ceil((length + 2 * high) / low)) + 2)
    lines = np.cumsum(steps) - high - rng.uniform(0, high)
    return lines.astype(np.float32)


def _ashlar(rng: np.random.Generator, height: int, width: int) -> tuple[Field, Field]:
    """Distance in pixels to the nearest joint, and a random number in [-1, 1] for each block."""
    course = rng.uniform(34.0, 92.0)
    lines = _courses(rng, height, course * 0.8, course * 1.2)
    wobble = value_noise(rng, height, width, 42) * np.float32(rng.uniform(0.4, 1.6))
    ys = np.arange(height, dtype=np.float32)[:, None] + wobble
    xs = np.arange(width, dtype=np.float32)[None, :] + value_noise(rng, height, width, 42)
    row = np.searchsorted(lines, ys.ravel(), side="right").reshape(height, width)
    above, below = lines[np.maximum(row - 1, 0)], lines[np.minimum(row, len(lines) - 1)]
    distance = np.minimum(np.abs(ys - above), np.abs(below - ys))
    block = np.zeros((height, width), np.float32)
    slenderness = rng.uniform(1.1, 2.4)
    for index in range(int(row.min()), int(row.max()) + 1):
        here = row == index
        perpends = _courses(rng, width, course * slenderness * 0.75, course * slenderness * 1.3)
        x = xs[here]
        column = np.searchsorted(perpends, x, side="right")
        left = perpends[np.maximum(column - 1, 0)]
        right = perpends[np.minimum(column, len(perpends) - 1)]
        distance[here] = np.minimum(distance[here], np.minimum(np.abs(x - left), np.abs(right - x)))
        block[here] = rng.uniform(-1, 1, len(perpends) + 1).astype(np.float32)[column]
    return np.asarray(distance, dtype=np.float32), block


def _moulding(rng: np.random.Generator, height: int) -> Field:
    """A profile (height,) in pixels of relief: zero but for one band of rolls and fillets."""
    thickness = rng.uniform(18.0, 46.0)
    top = rng.uniform(0.0, height - thickness)
    across = (np.arange(height, dtype=np.float32) - np.float32(top)) / np.float32(thickness)
    inside = (across > 0) & (across < 1)
    rolls = int(rng.integers(1, 4))
    profile = np.abs(np.sin(across * np.pi * rolls)) * np.float32(thickness / (5.0 * rolls)) + 2.0
    return np.where(inside, profile, 0.0).astype(np.float32)


def draw_wall(rng: np.random.Generator, light: Light, height: int, width: int) -> Surface:
    """A sound wall of the given size in pixels."""
    colour = _stone_colour(rng)
    distance, block = _ashlar(rng, height, width)
    joint_width = rng.uniform(1.1, 2.8)
    joint = 1.0 - smoothstep(joint_width * 0.6, joint_width * 1.5, distance)

    coarse = fractal_noise(rng, height, width, rng.uniform(40, 90), 3)
    fine = value_noise(rng, height, width, rng.uniform(2.2, 4.0))
    grain = rng.standard_normal((height, width), dtype=np.float32)
    tone = (
        1.0
        + np.float32(rng.uniform(0.02, 0.07)) * block
        + np.float32(rng.uniform(0.03, 0.09)) * coarse
        + np.float32(rng.uniform(0.015, 0.04)) * fine
        + np.float32(rng.uniform(0.008, 0.022)) * grain
    )
    warmth = np.float32(rng.uniform(0.01, 0.04)) * (coarse * 0.5 + block * 0.5)
    albedo = colour * tone[..., None]
    albedo[..., 0] *= 1.0 + warmth
    albedo[..., 2] *= 1.0 - warmth

    mortar = colour.mean() * np.float32(rng.uniform(0.6, 1.15)) * np.array([1.0, 0.97, 0.92])
    mortar_tone = 1.0 + 0.06 * fine + 0.04 * grain
    albedo += joint[..., None] * (mortar.astype(np.float32) * mortar_tone[..., None] - albedo)

    relief = np.float32(rng.uniform(0.1, 0.3)) * fine + np.float32(rng.uniform(0.2, 0.8)) * coarse
    relief -= np.float32(rng.uniform(0.4, 1.6)) * joint
    relief += np.float32(rng.uniform(0.0, 1.0)) * smoothstep(0.0, 6.0, distance)
    if rng.random() < 0.25:
        relief += _moulding(rng, height)[:, None]
    if rng.random() < 0.3:
        relief += _tool_marks(rng, height, width)
    occlusion = 1.0 - np.float32(rng.uniform(0.05, 0.3)) * joint
    return Surface(
        np.clip(albedo, 0.02, 1.0).astype(np.float32),
        relief.astype(np.float32),
        occlusion.astype(np.float32),
        light,
    )


def _tool_marks(rng: np.random.Generator, height: int, width: int) -> Field:
    """Fine slanting grooves left by a mason's chisel."""
    angle = rng.uniform(0, np.pi)
    ys = np.arange(height, dtype=np.float32)[:, None]
    xs = np.arange(width, dtype=np.float32)[None, :]
    along = ys * np.float32(np.sin(angle)) + xs * np.float32(np.cos(angle))
    phase = along / np.float32(rng.uniform(0.7, 1.3)) + 2.0 * value_noise(rng, height, width, 24)
    return np.asarray(np.float32(rng.uniform(0.08, 0.22)) * np.sin(phase), dtype=np.float32)
