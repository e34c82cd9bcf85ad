"""Alterations of colour and deposits: bleaching, salt, lead, damp.

A painter takes the surface under a window, the random generator, the alteration's centre (y, x) in
that window and its radius in pixels; it writes on the surface, and returns the mask (of the
window's shape) of what it changed.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from lithograph.samples.noise import (
    Field,
    Mask,
    fractal_noise,
    largest_part,
    smoothstep,
    value_noise,
)
from lithograph.samples.surface import Surface

REACH = 2.2
"""Half the side of a painter's window, in radii: no alteration reaches further from its centre."""


def grow_blob(
    rng: np.random.Generator,
    surface: Surface,
    centre: tuple[float, float],
    radius: float,
    *,
    ripple: Field | None = None,
    aspect: float = 1.0,
    raggedness: float = 0.45,
    cell: float = 0.8,
    octaves: int = 3,
) -> Field:
    """A field, positive inside a ragged blob of about `radius` pixels around `centre`.

    1 at the middle, 0 on the outline. `aspect` > 1 is taller than wide; `raggedness` is the noise's
    weight; `cell` is its coarsest feature, in radii; `ripple` is added: streaks and fingers.
    """
    height, width = surface.height.shape
    ys = (np.arange(height, dtype=np.float32)[:, None] - np.float32(centre[0])) / radius
    xs = (np.arange(width, dtype=np.float32)[None, :] - np.float32(centre[1])) / radius
    turn = rng.uniform(-0.4, 0.4) if aspect != 1.0 else rng.uniform(0, np.pi)
    squeeze = rng.uniform(0.75, 1.3) if aspect == 1.0 else aspect**0.5
    across = (xs * np.cos(turn) + ys * np.sin(turn)) * squeeze
    along = (ys * np.cos(turn) - xs * np.sin(turn)) / squeeze
    noise = fractal_noise(rng, height, width, max(radius * cell, 3.0), octaves)
    field = 1.0 - np.sqrt(across * across + along * along) + raggedness * noise
    if ripple is not None:
        field = field + ripple
    border = np.maximum(np.abs(ys), np.abs(xs))
    field = field - 4.0 * smoothstep(0.75 * REACH, 0.97 * REACH, border)
    return np.asarray(field, dtype=np.float32)


def _below(height: int, centre: tuple[float, float], radius: float) -> Field:
    """A column (height, 1): 0 above the centre, rising to 1 at two radii below it."""
    ys = np.arange(height, dtype=np.float32)[:, None]
    depth = (ys - np.float32(centre[0])) / np.float32(2.0 * radius)
    return np.asarray(np.clip(depth, 0.0, 1.0), dtype=np.float32)


def _blend(surface: Surface, target: Field, amount: Field) -> None:
    surface.albedo += amount[..., None] * (target - surface.albedo)


def paint_bleaching(
    surface: Surface, rng: np.random.Generator, centre: tuple[float, float], radius: float
) -> Mask:
    """A paler, greyer zone; the stone's grain stays visible and its relief untouched."""
    field = grow_blob(rng, surface, centre, radius, raggedness=0.5, cell=1.0, octaves=2)
    ramp = smoothstep(-0.05, rng.uniform(0.06, 0.22), field)
    mask = largest_part(ramp > 0.22)
    amount = ramp * mask
    grey = surface.albedo.mean(axis=2, keepdims=True)
    faded = surface.albedo * 0.4 + grey * 0.6
    gain = rng.uniform(1.17, 1.45)
    headroom = min(gain, 0.97 / float(np.percentile(faded, 95)))
    _blend(surface, faded * np.float32(max(headroom, 1.12)), amount)
    np.clip(surface.albedo, 0.0, 1.0, out=surface.albedo)
    return mask


def paint_salt(
    surface: Surface, rng: np.random.Generator, centre: tuple[float, float], radius: float
) -> Mask:
    """Loose whitish crystals: a ragged crust of specks, dense in the middle, stone between them."""
    height, width = surface.height.shape
    field = grow_blob(rng, surface, centre, radius, raggedness=0.75, cell=0.5, octaves=4)
    speckle = value_noise(rng, height, width, rng.uniform(1.8, 2.8))
    speckle += 0.6 * value_noise(rng, height, width, rng.uniform(3.5, 6.0))
    density = smoothstep(-0.1, 0.7, field)
    crystals = smoothstep(0.0, 0.25, speckle + np.float32(1.5) * density - np.float32(0.65))
    body = ndimage.binary_closing(np.pad(crystals > 0.4, 3), iterations=3)[3:-3, 3:-3]
    body = ndimage.binary_fill_holes(body & (field > -0.12))
    mask = largest_part(ndimage.binary_opening(body))
    amount = crystals * mask
    white = np.array([0.95, 0.945, 0.925], np.float32) * np.float32(rng.uniform(0.93, 1.04))
    haze = np.float32(rng.uniform(0.1, 0.28)) * mask
    _blend(surface, white, np.maximum(amount * np.float32(rng.uniform(0.75, 0.97)), haze))
    np.clip(surface.albedo, 0.0, 1.0, out=surface.albedo)
    surface.height += amount * (0.5 + 0.5 * speckle) * np.float32(rng.uniform(0.9, 1.8))
    return mask


def paint_lead(
    surface: Surface, rng: np.random.Generator, centre: tuple[float, float], radius: float
) -> Mask:
    """A dark blue-grey metallic veil: dust settled above, streaks below, a dull sheen of specks."""
    height, width = surface.height.shape
    streaks = value_noise(rng, height, width, rng.uniform(3.0, 6.0), rng.uniform(10.0, 18.0))
    field = grow_blob(
        rng,
        surface,
        centre,
        radius,
        ripple=streaks * (0.12 + 0.6 * _below(height, centre, radius)),
        aspect=rng.uniform(1.05, 1.9),
        raggedness=0.4,
    )
    mask = largest_part(ndimage.binary_opening(field > 0))
    veil = smoothstep(-0.05, 0.22, field) * (0.82 + 0.18 * streaks) * mask
    lead = np.array([0.245, 0.265, 0.3], np.float32) * np.float32(rng.uniform(0.75, 1.2))
    dust = 1.0 + 0.1 * rng.standard_normal((height, width), dtype=np.float32) + 0.12 * streaks
    _blend(surface, lead * dust[..., None], veil * np.float32(rng.uniform(0.7, 0.92)))
    sheen = value_noise(rng, height, width, 2.0) > rng.uniform(0.72, 0.85)
    sparkle = np.array([0.56, 0.6, 0.66], np.float32)
    _blend(surface, sparkle, (sheen & mask) * veil * np.float32(rng.uniform(0.3, 0.6)))
    np.clip(surface.albedo, 0.02, 1.0, out=surface.albedo)
    return mask


def paint_humidity(
    surface: Surface, rng: np.random.Generator, centre: tuple[float, float], radius: float
) -> Mask:
    """Stone darkened by water: its own hue, deeper and smoother, with a soft edge, running down."""
    height, width = surface.height.shape
    fingers = value_noise(rng, height, width, max(radius * 0.3, 4.0), 8.0)
    field = grow_blob(
        rng,
        surface,
        centre,
        radius,
        ripple=0.5 * fingers * _below(height, centre, radius),
        aspect=rng.uniform(1.1, 2.2),
        raggedness=0.35,
        cell=1.2,
        octaves=2,
    )
    ramp = smoothstep(-0.08, rng.uniform(0.1, 0.34), field)
    mask = largest_part(ramp > 0.2)
    wet = ramp * mask
    grey = surface.albedo.mean(axis=2, keepdims=True)
    rich = grey + (surface.albedo - grey) * np.float32(rng.uniform(1.25, 1.6))
    tint = np.array([1.0, rng.uniform(0.98, 1.05), rng.uniform(0.9, 1.0)], np.float32)
    _blend(surface, rich * tint * np.float32(rng.uniform(0.44, 0.7)), wet)
    np.clip(surface.albedo, 0.02, 1.0, out=surface.albedo)
    surface.height *= 1.0 - np.float32(0.4) * wet
    return mask
