"""The demo's photographs: facades, and walls seen from several places, as a camera leaves them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lithograph.masks import BoolMask
from lithograph.samples import render_facade, render_views

FIRST_SEED = 2_000_000
"""Seeds from here on are the demo's: neither training nor testing of the models ever saw them."""

_FIRST_WALL_SEED = FIRST_SEED + 1_000
_WALL_SIZE = (448, 512)
#: What the walls show, in the order of painting: enough for regions that several views share.
_WALLS = (
    ("humidity", "lacuna", "bleaching", "salt-efflorescence", "crack"),
    ("lead-deposit", "erosion", "scaling", "flake", "crack"),
)
_QUALITY = 95
_ORIENTATION, _EXIF_IFD, _TAKEN, _OFFSET = 0x0112, 0x8769, 0x9003, 0x9011
#: EXIF orientation → quarter turns, counter-clockwise, from upright to how the camera stored it.
_TURNS = {1: 0, 3: 2, 6: 1, 8: 3}
#: Some photographs were taken with the camera held sideways or upside down.
_ORIENTATIONS = (1, 6, 1, 1, 8, 1, 1, 3, 1)


@dataclass(frozen=True, eq=False)
class Shown:
    """One alteration on a photograph: its concept's slug, its exact mask H×W, and its region."""

    concept: str
    mask: BoolMask
    region: str


@dataclass(frozen=True, eq=False)
class Photograph:
    """A photograph on disk. ``pixels`` H×W×3 uint8 and the masks are upright.

    ``wall`` is what it shows: the name that photographs of one wall share. ``captured`` is the date
    in its EXIF, without zone.
    """

    path: Path
    wall: str
    pixels: NDArray[np.uint8]
    shown: tuple[Shown, ...]
    orientation: int
    captured: datetime


def take_facades(folder: Path, count: int) -> tuple[Photograph, ...]:
    """Draw ``count`` facades of 320 to 512 pixels a side, and write them as JPEG files."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    for number in range(count):
        seed = FIRST_SEED + number
        height, width = np.random.default_rng([seed, 9]).integers(320, 513, 2)
        facade = render_facade(seed, height=int(height), width=int(width))
        wall = f"facade_{number + 1:02d}"
        shown = tuple(
            Shown(alteration.concept, alteration.mask, _region(wall, index))
            for index, alteration in enumerate(facade.alterations)
        )
        taken.append(_take(folder / f"{wall}.jpg", wall, facade.image, shown, number))
    return tuple(taken)


def take_walls(folder: Path, count: int, *, views: int) -> tuple[Photograph, ...]:
    """Draw ``count`` walls, photograph each from several places, and write the JPEG files.

    An alteration is one region in every view that shows it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(_views(folder, count, views))


def _views(folder: Path, count: int, views: int) -> Iterator[Photograph]:
    taken = 0
    for number in range(count):
        seed = _FIRST_WALL_SEED + number
        facade = render_facade(
            seed,
            height=_WALL_SIZE[0],
            width=_WALL_SIZE[1],
            concepts=_WALLS[number % len(_WALLS)],
        )
        wall = f"wall_{number + 1}"
        for place, view in enumerate(render_views(facade, views, seed=seed), start=1):
            shown = tuple(
                Shown(alteration.concept, alteration.mask, _region(wall, index))
                for alteration, index in zip(view.alterations, view.source, strict=True)
            )
            name = f"ITER_{wall}_{place:05d}.jpg"
            # In another order than the facades': a sideways view among the first three.
            yield _take(folder / name, wall, view.image, shown, taken + 3)
            taken += 1


def _take(
    path: Path,
    wall: str,
    pixels: NDArray[np.uint8],
    shown: tuple[Shown, ...],
    number: int,
) -> Photograph:
    orientation = _ORIENTATIONS[number % len(_ORIENTATIONS)]
    captured = datetime(2024, 6, 11, 13, 0, 13) + timedelta(seconds=37 * number)  # noqa: DTZ001
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    details = exif.get_ifd(_EXIF_IFD)
    details[_TAKEN] = captured.strftime("%Y:%m:%d %H:%M:%S")
    if number % 2 == 0:
        # Every other camera knows its zone.
        details[_OFFSET] = "+02:00"
    stored = np.ascontiguousarray(np.rot90(pixels, _TURNS[orientation]))
    Image.fromarray(stored).save(path, quality=_QUALITY, subsampling=0, exif=exif)
    return Photograph(path, wall, pixels, shown, orientation, captured)


def _region(wall: str, index: int) -> str:
    """An identifier as Aïoli gives regions: 16 hex digits, the first of them 0."""
    return "0" + hashlib.sha256(f"{wall} {index}".encode()).hexdigest()[:15]
