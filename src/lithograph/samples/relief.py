"""Alterations of form: erosion, lacuna, scaling, flake, crack.

Painters as in `lithograph.samples.stains`.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from lithograph.samples.noise import (
    Mask,
    fractal_noise,
    largest_part,
    shifted,
    smoothstep,
    swept,
    value_noise,
)
from lithograph.samples.stains import grow_blob
from lithograph.samples.surface import Surface


def paint_erosion(
    surface: Surface, rng: np.random.Generator, centre: tuple[float, float], radius: float
) -> Mask:
    """A worn, lowered, rough face: rounded hollows and grains, joints smoothed away."""
    height, width = surface.height.shape
    field = grow_blob(rng, surface, centre, radius, raggedness=0.45, cell=0.7)
    mask = largest_part(field > 0)
    worn = smoothstep(-0.06, rng.uniform(0.06, 0.2), field) * mask
    smooth = ndimage.uniform_filter(surface.albedo, size=(15, 15, 1))
    cell = rng.uniform(5.0, 9.0)
    hollows = value_noise(rng, height, width, cell) + 0.6 * value_noise(
        rng, height, width, cell * 0.45
    )
    grains = rng.standard_normal((height, width), dtype=np.float32)
    tone = rng.uniform(0.82, 1.04) * (1.0 + 0.1 * hollows + 0.035 * grains)
    warm = np.array([1.04, 1.0, 0.92], np.float32)
    target = smooth * warm * tone[..., None].astype(np.float32)
    surface.albedo += worn[..., None] * (target - surface.albedo)
    np.clip(surface.albedo, 0.02, 1.0, out=surface.albedo)
    depth = rng.uniform(2.0, 4.0)
    roughness = rng.uniform(1.3, 2.4) * hollows + 0.18 * grains
    rough = np.asarray(roughness - depth, dtype=np.float32)
    surface.height += worn * (rough - surface.height)
    surface.occlusion += worn * (
        np.clip(0.97 + 0.12 * hollows, 0.72, 1.0).astype(np.float32) - surface.occlusion
    )
    return mask


def paint_lacuna(
    surface: Surface, rng: np.random.Generator, centre: tuple[float, float], radius: float
) -> Mask:
    """A missing piece: a sharp-edged deep void with a hard shadow cast from the lit side's edge."""
    height, width = surface.height.shape
    if rng.random() < 0.5:
        mask = _polygon(rng, height, width, centre, radius, int(rng.integers(5, 9)))
        edge = value_noise(rng, height, width, max(radius * 0.2, 3.0)) * np.float32(2.0)
        inside = ndimage.distance_transform_edt(mask) - ndimage.distance_transform_edt(~mask)
        mask = np.asarray(inside + edge > 0, dtype=np.bool_)
    else:
        mask = grow_blob(rng, surface, centre, radius, raggedness=0.35, cell=0.7) > 0
    mask = largest_part(np.asarray(mask, dtype=np.bool_))
    reach = round(radius * rng.uniform(0.45, 0.9)) + 2
    shadow = swept(~mask, surface.light.away, reach) & mask
    rough = fractal_noise(rng, height, width, max(radius * 0.35, 5.0), 3)
    core = surface.albedo[mask].mean(axis=0) if mask.any() else surface.albedo.mean(axis=(0, 1))
    floor = core * np.array([0.95, 0.86, 0.74], np.float32) * np.float32(rng.uniform(0.5, 0.72))
    floor = floor * (1.0 + 0.16 * rough[..., None])
    surface.albedo[mask] = np.clip(floor, 0.02, 1.0)[mask]
    surface.height[mask] = (rough * np.float32(rng.uniform(2.0, 4.5)) - 5.0)[mask]
    light_kept = np.where(shadow, np.float32(rng.uniform(0.16, 0.42)), np.float32(0.88))
    softened = ndimage.uniform_filter(light_kept.astype(np.float32), 2)
    surface.occlusion[mask] = softened[mask]
    return mask


def paint_scaling(
    surface: Surface, rng: np.random.Generator, centre: tuple[float, float], radius: float
) -> Mask:
    """Plates parted in steps: terraces of fresh, paler stone, a dark rim under each edge."""
    height, width = surface.height.shape
    field = grow_blob(rng, surface, centre, radius, raggedness=0.4, cell=0.9, octaves=3)
    mask = largest_part(field > 0)
    levels = int(rng.integers(2, 5))
    terrain = field * np.float32(1.3) + 0.45 * fractal_noise(
        rng, height, width, max(radius * 0.6, 6.0), 3
    )
    steps = np.clip(np.floor(terrain * levels / 0.9), 0, levels - 1)
    step = np.float32(rng.uniform(1.6, 2.8))
    terrace = ndimage.uniform_filter(np.where(mask, -(steps + 1.0) * step, 0.0), 2)
    fresh = np.array([1.1, 1.03, 0.9], np.float32) * np.float32(rng.uniform(0.98, 1.12))
    share = (steps + 1.0) / levels
    tone = 1.0 + 0.05 * value_noise(rng, height, width, 3.0)
    target = surface.albedo * (1.0 + share[..., None] * (fresh - 1.0)) * tone[..., None]
    surface.albedo[mask] = np.clip(target, 0.02, 1.0)[mask]
    surface.height[mask] = (surface.height * 0.5 + terrace)[mask]
    outer = np.where(mask, steps + 1.0, 0.0)
    rim = np.zeros_like(mask)
    for reach in range(1, int(rng.integers(3, 5))):
        dy = round(surface.light.away[0] * reach)
        dx = round(surface.light.away[1] * reach)
        for level in range(levels + 1):
            rim |= shifted(outer <= level, dy, dx) & (outer > level)
    rim &= mask
    surface.occlusion[rim] *= np.float32(rng.uniform(0.38, 0.58))
    return mask


def paint_flake(
    surface: Surface, rng: np.random.Generator, centre: tuple[float, float], radius: float
) -> Mask:
    """A few thin angular plates, lifted: a bright rim towards the light, a shadow cast behind.

    The plates overlap like tiles, so that the alteration is one connected piece.
    """
    height, width = surface.height.shape
    count = int(rng.integers(2, 6))
    plate = radius * rng.uniform(0.5, 0.68) if count > 2 else radius * rng.uniform(0.65, 0.85)
    away, towards = surface.light.away, surface.light.towards
    total = np.zeros((height, width), np.bool_)
    middle = centre
    for index in range(count):
        if index:
            angle = rng.uniform(0, 2 * np.pi)
            reach = plate * rng.uniform(0.9, 1.25)
            middle = (
                float(np.clip(middle[0] + reach * np.sin(angle), *_span(centre[0], radius))),
                float(np.clip(middle[1] + reach * np.cos(angle), *_span(centre[1], radius))),
            )
        piece = _polygon(rng, height, width, middle, plate, int(rng.integers(4, 6)))
        length = int(rng.integers(3, 7))
        cast = swept(piece, away, length) & ~piece
        surface.occlusion[cast] *= np.float32(rng.uniform(0.3, 0.45))
        tone = np.float32(rng.uniform(1.04, 1.2))
        base = surface.albedo[piece].mean(axis=0) if piece.any() else np.float32(0.5)
        mixed = surface.albedo * 0.45 + base * 0.55
        surface.albedo[piece] = np.clip(mixed * tone, 0.02, 1.0)[piece]
        tilt_y, tilt_x = rng.uniform(-0.16, 0.16, 2)
        ys = np.arange(height, dtype=np.float32)[:, None] - np.float32(middle[0])
        xs = np.arange(width, dtype=np.float32)[None, :] - np.float32(middle[1])
        plane = (ys * np.float32(tilt_y) + xs * np.float32(tilt_x)) + 2.0
        surface.height[piece] = plane[piece] + 0.2 * surface.height[piece]
        surface.occlusion[piece] = 1.0
        rim = piece & swept(~piece, away, 2)
        surface.albedo[rim] = np.clip(surface.albedo[rim] * 1.25 + 0.08, 0.0, 1.0)
        underside = piece & swept(~piece, towards, 1) & ~rim
        surface.albedo[underside] *= 0.72
        total |= piece | cast
    return largest_part(total)


def paint_crack(
    surface: Surface, rng: np.random.Generator, centre: tuple[float, float], radius: float
) -> Mask:
    """A thin dark branching line, mostly 2 to 5 pixels wide, one side of it lit."""
    height, width = surface.height.shape
    scale = 4
    canvas = Image.new("L", (width * scale, height * scale), 0)
    draw = ImageDraw.Draw(canvas)
    breadth = rng.uniform(2.6, 4.6)
    heading = rng.uniform(0, 2 * np.pi)
    start = (centre[0] - np.sin(heading) * radius, centre[1] - np.cos(heading) * radius)
    pending = [(start, heading, 2.0 * radius, breadth, 0)]
    while pending:
        (y, x), angle, length, thick, depth = pending.pop()
        travelled, drift = 0.0, 0.0
        while travelled < length:
            stride = rng.uniform(3.0, 9.0)
            drift = 0.6 * drift + rng.normal(0, 0.28)
            turn = angle + drift + rng.normal(0, 0.22)
            taper = 1.0 - 0.55 * travelled / length
            now = max(thick * taper * rng.uniform(0.8, 1.2), 2.0)
            ahead = (y + stride * np.sin(turn), x + stride * np.cos(turn))
            draw.line(
                [(x * scale, y * scale), (ahead[1] * scale, ahead[0] * scale)],
                fill=255,
                width=round(now * scale),
            )
            r = now * scale / 2
            cx, cy = ahead[1] * scale, ahead[0] * scale
            draw.ellipse([cx - r, cy - r, cx + r, cy + r], fill=255)
            (y, x), travelled = ahead, travelled + stride
            if depth < 2 and rng.random() < (0.09 if depth == 0 else 0.05):
                fork = angle + rng.choice([-1.0, 1.0]) * rng.uniform(0.4, 1.1)
                pending.append(
                    (
                        (y, x),
                        fork,
                        (length - travelled) * rng.uniform(0.3, 0.7),
                        now * 0.8,
                        depth + 1,
                    )
                )
    cover = np.asarray(canvas.reduce(scale), dtype=np.float32) / np.float32(255.0)
    mask = largest_part(cover >= 0.3)
    dark = cover * mask
    gloom = rng.uniform(0.12, 0.4) + 0.14 * value_noise(rng, height, width, 14.0)
    void = surface.albedo * np.clip(gloom, 0.06, 0.55)[..., None]
    surface.albedo += dark[..., None] * (void - surface.albedo)
    np.clip(surface.albedo, 0.01, 1.0, out=surface.albedo)
    surface.height -= dark * np.float32(rng.uniform(0.2, 0.7))
    return mask


def _span(middle: float, radius: float) -> tuple[float, float]:
    return middle - 1.2 * radius, middle + 1.2 * radius


def _polygon(
    rng: np.random.Generator,
    height: int,
    width: int,
    centre: tuple[float, float],
    radius: float,
    corners: int,
) -> Mask:
    """A filled angular polygon around `centre` (y, x), its corners 0.7 to 1.15 radii away."""
    spread = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    angles = spread + rng.uniform(0, 2 * np.pi) + rng.uniform(-0.32, 0.32, corners)
    lengths = radius * rng.uniform(0.7, 1.15, corners)
    points = [
        (float(centre[1] + r * np.cos(a)), float(centre[0] + r * np.sin(a)))
        for a, r in zip(angles, lengths, strict=True)
    ]
    canvas = Image.new("1", (width, height), 0)
    ImageDraw.Draw(canvas).polygon(points, fill=1)
    return np.asarray(canvas, dtype=np.bool_)
