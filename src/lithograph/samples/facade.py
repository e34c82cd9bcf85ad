"""Facades: a sound wall, and alterations painted on it with exact masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lithograph.samples.noise import Mask
from lithograph.samples.relief import (
    paint_crack,
    paint_erosion,
    paint_flake,
    paint_lacuna,
    paint_scaling,
)
from lithograph.samples.stains import (
    REACH,
    paint_bleaching,
    paint_humidity,
    paint_lead,
    paint_salt,
)
from lithograph.samples.surface import Exposure, Surface, draw_exposure, draw_light, render_surface
from lithograph.samples.wall import draw_wall

SLUGS: tuple[str, ...] = (
    "erosion",
    "bleaching",
    "crack",
    "humidity",
    "salt-efflorescence",
    "lead-deposit",
    "scaling",
    "lacuna",
    "flake",
)
"""The nine concepts' slugs in the order of their category numbers, 1 to 9."""

SMALLEST_SIDE = 96
"""Facades narrower than this have no room for two alterations and sound stone between them."""

SMALLEST_MASK = 40
"""An alteration with fewer visible pixels is dropped."""

_LARGEST_ALTERED_SHARE = 0.65

Painter = Callable[[Surface, np.random.Generator, tuple[float, float], float], Mask]

# Painter, and the range of radii in pixels, drawn evenly on a logarithmic scale.
_PAINTERS: dict[str, tuple[Painter, float, float]] = {
    "erosion": (paint_erosion, 20.0, 62.0),
    "bleaching": (paint_bleaching, 20.0, 66.0),
    "crack": (paint_crack, 26.0, 90.0),
    "humidity": (paint_humidity, 20.0, 66.0),
    "salt-efflorescence": (paint_salt, 20.0, 60.0),
    "lead-deposit": (paint_lead, 20.0, 62.0),
    "scaling": (paint_scaling, 22.0, 62.0),
    "lacuna": (paint_lacuna, 13.0, 46.0),
    "flake": (paint_flake, 18.0, 44.0),
}


@dataclass(frozen=True, eq=False)
class Alteration:
    """One altered place: the concept's slug, and its visible pixels as a boolean mask H×W."""

    concept: str
    mask: Mask


@dataclass(frozen=True, eq=False)
class Facade:
    """An image H×W×3 uint8 RGB, its alterations in the order they were painted, and its seed.

    The masks do not overlap: what a later alteration hides is no longer in an earlier one's mask.
    """

    image: NDArray[np.uint8]
    alterations: tuple[Alteration, ...]
    seed: int


def render_facade(
    seed: int,
    *,
    height: int | None = None,
    width: int | None = None,
    concepts: Sequence[str] | None = None,
) -> Facade:
    """Draw the facade of `seed`: the same arguments give the same pixels and masks.

    `height` and `width` are in pixels (at least 96); each is drawn from 256 to 512 when None.
    `concepts` are slugs out of `SLUGS`, painted in that order; two to six are drawn when None, of
    which those that end up with fewer than 40 visible pixels are left out. At least a third of the
    facade stays sound. Further than one pixel (the lens's blur) from every mask the image equals,
    pixel for pixel, the same facade with nothing painted on it.

    Raises ValueError for a negative seed, a side under 96 pixels or an unknown slug.
    """
    wall, exposure = _sound_facade(seed, height, width)
    rng = _stream(seed, 3)
    chosen = _choose_concepts(rng) if concepts is None else tuple(concepts)
    for slug in chosen:
        if slug not in _PAINTERS:
            raise ValueError(f"concepts: expected slugs out of {', '.join(SLUGS)}, found {slug!r}")
    surface = wall.copy()
    masks: list[tuple[str, Mask]] = []
    for slug in chosen:
        painted = _paint(surface, rng, slug, masks, strict=concepts is not None)
        if painted is not None:
            masks = [(other, mask & ~painted) for other, mask in masks]
            masks.append((slug, painted))
    alterations = tuple(
        Alteration(slug, mask) for slug, mask in masks if np.count_nonzero(mask) >= SMALLEST_MASK
    )
    altered = np.zeros(surface.height.shape, np.bool_)
    for alteration in alterations:
        altered |= alteration.mask
    changed = ndimage.binary_dilation(altered, np.ones((3, 3), np.bool_))
    image = render_surface(wall, exposure)
    image[changed] = render_surface(surface, exposure)[changed]
    return Facade(image, alterations, seed)


def _stream(seed: int, part: int) -> np.random.Generator:
    """A generator of its own for each part of a facade: painting never changes the wall."""
    return np.random.default_rng([seed, part])


def _sound_facade(seed: int, height: int | None, width: int | None) -> tuple[Surface, Exposure]:
    if seed < 0:
        raise ValueError(f"seed: expected an integer of 0 or more, found {seed}")
    rng = _stream(seed, 0)
    sides = rng.integers(256, 513, 2)
    height = int(sides[0]) if height is None else height
    width = int(sides[1]) if width is None else width
    for name, side in (("height", height), ("width", width)):
        if side < SMALLEST_SIDE:
            raise ValueError(f"{name}: expected {SMALLEST_SIDE} pixels or more, found {side}")
    wall = draw_wall(_stream(seed, 1), draw_light(rng), height, width)
    return wall, draw_exposure(_stream(seed, 2), height, width)


def _sound_image(
    seed: int, *, height: int | None = None, width: int | None = None
) -> NDArray[np.uint8]:
    """The facade of `seed` with nothing painted on it."""
    return render_surface(*_sound_facade(seed, height, width))


def _choose_concepts(rng: np.random.Generator) -> tuple[str, ...]:
    """Two to six concepts, each at most twice, in the order in which they are painted."""
    count = int(rng.integers(2, 7))
    pool = np.repeat(np.arange(len(SLUGS)), 2)
    weights = np.tile([1.0, 0.15], len(SLUGS))
    picks = rng.choice(pool, count, replace=False, p=weights / weights.sum())
    return tuple(SLUGS[int(pick)] for pick in picks)


def _paint(
    surface: Surface,
    rng: np.random.Generator,
    slug: str,
    masks: Sequence[tuple[str, Mask]],
    *,
    strict: bool,
) -> Mask | None:
    """Paint one alteration where the wall is freest; None, and no change, where it does not fit."""
    painter, low, high = _PAINTERS[slug]
    height, width = surface.height.shape
    taken = np.zeros((height, width), np.bool_)
    for _, mask in masks:
        taken |= mask
    # Larger facades are seen from nearer as often as they hold more wall.
    zoom = (min(height, width) / 256.0) ** 0.5
    smaller = 1.0
    for _ in range(8 if strict else 3):
        radius = float(np.exp(rng.uniform(np.log(low), np.log(high)))) * zoom * smaller
        radius = min(radius, 0.36 * min(height, width))
        rows, columns, centre = _freest_window(rng, taken, radius)
        saved = surface.window(rows, columns).copy()
        here = surface.window(rows, columns)
        painted = np.zeros((height, width), np.bool_)
        painted[rows, columns] = painter(here, rng, centre, radius)
        _keep_inside(here, saved, painted[rows, columns])
        overlap = np.count_nonzero(painted & taken)
        size = np.count_nonzero(painted)
        share = (np.count_nonzero(taken) + size - overlap) / painted.size
        leaves_others = all(
            np.count_nonzero(mask & ~painted) >= max(SMALLEST_MASK, 0.6 * np.count_nonzero(mask))
            for _, mask in masks
        )
        if size >= SMALLEST_MASK and leaves_others and share <= _LARGEST_ALTERED_SHARE:
            return painted
        here.albedo[:], here.height[:] = saved.albedo, saved.height
        here.occlusion[:] = saved.occlusion
        smaller *= 0.75
    return None


def _freest_window(
    rng: np.random.Generator, taken: Mask, radius: float
) -> tuple[slice, slice, tuple[float, float]]:
    """A painter's window, and the centre in it: out of six places, the one that hides the least."""
    height, width = taken.shape
    reach, margin = int(REACH * radius) + 1, 0.5 * radius
    candidates = []
    for _ in range(6):
        y = int(rng.uniform(margin, height - margin))
        x = int(rng.uniform(margin, width - margin))
        inner = taken[
            max(y - reach // 2, 0) : y + reach // 2, max(x - reach // 2, 0) : x + reach // 2
        ]
        candidates.append((np.count_nonzero(inner) / max(inner.size, 1), y, x))
    _, y, x = min(candidates)
    rows = slice(max(y - reach, 0), min(y + reach, height))
    columns = slice(max(x - reach, 0), min(x + reach, width))
    return rows, columns, (float(y - rows.start), float(x - columns.start))


def _keep_inside(here: Surface, saved: Surface, mask: Mask) -> None:
    """Undo what a painter wrote outside its own mask."""
    outside = ~mask
    here.albedo[outside] = saved.albedo[outside]
    here.height[outside] = saved.height[outside]
    here.occlusion[outside] = saved.occlusion[outside]
