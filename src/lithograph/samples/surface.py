"""A stone surface as height and colour, and how light makes an image of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lithograph.samples.noise import Field, smoothstep, value_noise


@dataclass(frozen=True, eq=False)
class Light:
    """Where the light comes from, in the image's plane, and how raking it is.

    `towards` is the unit vector (dy, dx) from a point towards the light; y points down, so a light
    from above has dy < 0. `relief` multiplies height gradients (pixel per pixel) in the shading.
    """

    towards: tuple[float, float]
    relief: float

    @property
    def away(self) -> tuple[float, float]:
        """The unit vector (dy, dx) along which shadows fall."""
        return (-self.towards[0], -self.towards[1])


@dataclass(eq=False)
class Surface:
    """What painters change: `albedo` H×W×3 in [0, 1], `height` H×W in pixels towards the eye,
    `occlusion` H×W in (0, 1], the share of light which arrives in cast shadows and hollows."""

    albedo: Field
    height: Field
    occlusion: Field
    light: Light

    def copy(self) -> Surface:
        """A surface with arrays of its own."""
        return Surface(self.albedo.copy(), self.height.copy(), self.occlusion.copy(), self.light)

    def window(self, rows: slice, columns: slice) -> Surface:
        """The part under a window, as views: what is written there is written here."""
        return Surface(
            self.albedo[rows, columns],
            self.height[rows, columns],
            self.occlusion[rows, columns],
            self.light,
        )


@dataclass(frozen=True, eq=False)
class Exposure:
    """What does not belong to the stone: light falling on it, and the camera's grain and tint."""

    illumination: Field
    grain: Field
    tint: Field


def draw_light(rng: np.random.Generator) -> Light:
    """A light from above, left or right, more or less raking."""
    angle = rng.uniform(np.deg2rad(25), np.deg2rad(155))
    return Light((-float(np.sin(angle)), float(np.cos(angle))), float(rng.uniform(0.35, 0.6)))


def draw_exposure(rng: np.random.Generator, height: int, width: int) -> Exposure:
    """A lighting gradient, now and then the edge of a neighbour's shadow, and grain."""
    rows = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
    columns = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None, :]
    tilt_y, tilt_x = rng.uniform(-0.22, 0.22, 2)
    illumination = np.asarray(
        rng.uniform(0.86, 1.16) + tilt_y * rows + tilt_x * columns, dtype=np.float32
    )
    if rng.random() < 0.3:
        angle = rng.uniform(0, 2 * np.pi)
        distance = (
            (rows * np.sin(angle) + columns * np.cos(angle)) * max(height, width)
            - rng.uniform(-0.15, 0.3) * max(height, width)
            + 2.0 * value_noise(rng, height, width, 60)
        )
        softness = rng.uniform(1.0, 10.0)
        shade = smoothstep(-softness, softness, np.asarray(distance, dtype=np.float32))
        illumination *= 1.0 - np.float32(rng.uniform(0.2, 0.42)) * shade
    grain = rng.standard_normal((height, width), dtype=np.float32)
    grain *= np.float32(rng.uniform(0.004, 0.014))
    tint = rng.uniform(0.96, 1.04, 3).astype(np.float32)
    return Exposure(illumination, grain, tint)


def _through_lens(lit: Field) -> Field:
    """Blurred by 1-2-1-like weights over the direct neighbours, as no lens draws a hard step."""
    blurred = lit.copy()
    for axis in (0, 1):
        source = np.moveaxis(blurred.copy(), axis, 0)
        target = np.moveaxis(blurred, axis, 0)
        target[1:-1] *= np.float32(0.68)
        target[1:-1] += np.float32(0.16) * source[:-2]
        target[1:-1] += np.float32(0.16) * source[2:]
    return blurred


def render_surface(surface: Surface, exposure: Exposure) -> NDArray[np.uint8]:
    """The image H×W×3 uint8 RGB: Lambertian shading of small slopes, shadows, exposure, grain."""
    light = surface.light
    slope = np.zeros_like(surface.height)
    slope[1:-1] -= np.float32(0.5 * light.towards[0]) * (surface.height[2:] - surface.height[:-2])
    slope[:, 1:-1] -= np.float32(0.5 * light.towards[1]) * (
        surface.height[:, 2:] - surface.height[:, :-2]
    )
    shading = np.clip(1.0 + np.float32(light.relief) * slope, 0.3, 1.6)
    shading *= surface.occlusion
    shading *= exposure.illumination
    lit = _through_lens(surface.albedo * shading[..., None])
    lit *= exposure.tint
    lit += exposure.grain[..., None]
    np.clip(lit, 0.0, 1.0, out=lit)
    return np.asarray(lit * 255.0 + 0.5, dtype=np.uint8)
