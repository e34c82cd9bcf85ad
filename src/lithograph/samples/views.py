"""The same wall photographed from several places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lithograph.samples.facade import Alteration, Facade

Homography = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class View:
    """One image of a facade.

    `image` is H×W×3 uint8 RGB. `alterations` are those still in it, warped; `source[i]` is
    the index of `alterations[i]` in the facade, so that one alteration is found again in each view.
    `homography` is the 3×3 matrix that takes homogeneous facade pixels (x, y, 1), pixel centres at
    whole numbers, to this view's pixels.
    """

    image: NDArray[np.uint8]
    alterations: tuple[Alteration, ...]
    source: tuple[int, ...]
    homography: Homography


def render_views(facade: Facade, count: int, *, seed: int) -> tuple[View, ...]:
    """Photograph `facade` from `count` places: perspective, crop and exposure differ.

    Each view has a height and width of 0.75 to 1 times the facade's. Masks are warped exactly (each
    view pixel takes the facade pixel that its centre falls on), so slivers stay, and an alteration
    of which no pixel is left is not in the view's list. The same arguments give the same views.

    Raises ValueError for a count below 1 or a negative seed.
    """
    if count < 1:
        raise ValueError(f"count: expected 1 or more, found {count}")
    if seed < 0:
        raise ValueError(f"seed: expected an integer of 0 or more, found {seed}")
    return tuple(
        _photograph(facade, np.random.default_rng([facade.seed, seed, index]))
        for index in range(count)
    )


def _photograph(facade: Facade, rng: np.random.Generator) -> View:
    height, width = facade.image.shape[:2]
    size = (round(height * rng.uniform(0.75, 1.0)), round(width * rng.uniform(0.75, 1.0)))
    corners = _quadrilateral(rng, height, width)
    homography = _homography_from_corners(corners, size[0], size[1])
    rows, columns, inside = _facade_pixels(homography, size, (height, width))

    gain = rng.uniform(0.82, 1.15)
    cast = rng.uniform(0.97, 1.03, 3)
    # Pillow samples with pixel centres at .5; the homography has them at whole numbers.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    back = half @ np.linalg.inv(homography) @ np.linalg.inv(half)
    back /= back[2, 2]
    warped = Image.fromarray(facade.image).transform(
        (size[1], size[0]),
        Image.Transform.PERSPECTIVE,
        tuple(float(value) for value in back.ravel()[:8]),
        Image.Resampling.BICUBIC,
    )
    lit = np.asarray(warped, dtype=np.float32) * (gain * cast).astype(np.float32)
    lit += rng.standard_normal((size[0], size[1], 1), dtype=np.float32) * np.float32(1.2)
    image = np.clip(lit + 0.5, 0, 255).astype(np.uint8)

    alterations: list[Alteration] = []
    source: list[int] = []
    for index, alteration in enumerate(facade.alterations):
        mask = alteration.mask[rows, columns] & inside
        if mask.any():
            alterations.append(Alteration(alteration.concept, mask))
            source.append(index)
    return View(image, tuple(alterations), tuple(source), homography)


def _quadrilateral(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float64]:
    """The part of the facade that fills the view: four corners (x, y), clockwise from top left,
    all inside the facade, so that no view looks past its border."""
    share = rng.uniform(0.62, 0.9)
    top = rng.uniform(0, (1 - share)) * (height - 1)
    left = rng.uniform(0, (1 - share)) * (width - 1)
    tall, wide = share * (height - 1), share * (width - 1)
    corners = np.array(
        [(left, top), (left + wide, top), (left + wide, top + tall), (left, top + tall)]
    )
    pull = rng.uniform(0.0, 0.14, (4, 2)) * np.array([wide, tall])
    inward = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])
    return np.asarray(corners + pull * inward, dtype=np.float64)


def _homography_from_corners(corners: NDArray[np.float64], height: int, width: int) -> Homography:
    """The matrix that takes `corners` to the corner pixels of a view of this size.

    The direct linear transform of four point pairs (Hartley and Zisserman, Multiple View Geometry,
    section 4.1), with the last entry set to 1.
    """
    targets = [(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)]
    equations, values = [], []
    for (x, y), (u, v) in zip(corners, targets, strict=True):
        equations.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        equations.append([0, 0, 0, x, y, 1, -v * x, -v * y])
        values += [u, v]
    solved = np.linalg.solve(np.array(equations, dtype=np.float64), np.array(values, np.float64))
    return np.append(solved, 1.0).reshape(3, 3)


def _facade_pixels(
    homography: Homography, size: tuple[int, int], facade_size: tuple[int, int]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """The facade's row and column under each view pixel's centre, and whether there is one."""
    back = np.linalg.inv(homography)
    ys, xs = np.mgrid[0 : size[0], 0 : size[1]]
    x, y, w = np.tensordot(back, np.stack([xs, ys, np.ones_like(xs)]).astype(np.float64), axes=1)
    columns = np.rint(x / w).astype(np.intp)
    rows = np.rint(y / w).astype(np.intp)
    inside = (rows >= 0) & (rows < facade_size[0]) & (columns >= 0) & (columns < facade_size[1])
    return (
        np.clip(rows, 0, facade_size[0] - 1),
        np.clip(columns, 0, facade_size[1] - 1),
        np.asarray(inside, dtype=np.bool_),
    )
