"""A COCO file as Aïoli writes it: ids that are names in base 38, sizes as strings, no area.

Its one fault is there on purpose: a ring is cut short, as happens in real exports, so that an
import shows what it does with a record that it cannot read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from lithograph.demo.photographs import Photograph
from lithograph.formats.aioli import encode
from lithograph.masks import BoolMask

PROJECT = "6668a1f0c2d4e"
"""A project's identifier: 13 hex digits."""

_SMALLEST = 12.0
"""Fragments of fewer square pixels are left out, as Aïoli does when it carries a region over."""

_SMOOTHING = 0.7
"""Pixels by which the drawn outline may leave the pixels' borders."""

#: Names and numbers of the data set's categories, as its files have them.
_CATEGORIES = (
    (2, "Bleaching", "ChromaticAlteration&Deposit"),
    (5, "SaltEfflorescence", "ChromaticAlteration&Deposit"),
    (6, "LeadDeposit", "ChromaticAlteration&Deposit"),
    (1, "Erosion", "MaterialLoss"),
    (8, "Lacuna", "MaterialLoss"),
    (7, "Scaling", "Detachment"),
    (9, "Flake", "Detachment"),
    (3, "Crack", "Discontinuities"),
    (4, "Humidity", "BiologicalColonization"),
)


def aioli_coco(photographs: Sequence[Photograph]) -> dict[str, Any]:
    """The photographs' alterations as an Aïoli COCO export, the last ring of it cut short."""
    numbers = {name.lower(): number for number, name, _ in _CATEGORIES}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for photograph in photographs:
        stem = photograph.path.stem.lower()
        image_id = encode(f"{PROJECT}-{stem}")
        height, width = photograph.pixels.shape[:2]
        images.append(
            {
                "id": image_id,
                "file_name": photograph.path.name,
                "date_captured": photograph.captured.strftime("%Y-%m-%d %H:%M:%S"),
                "width": str(width),
                "height": str(height),
            }
        )
        for shown in photograph.shown:
            rings = rings_of(shown.mask)
            if not rings:
                continue
            flat = np.concatenate(rings)
            left, top = flat.min(axis=0)
            right, bottom = flat.max(axis=0)
            annotations.append(
                {
                    "id": encode(f"{stem}-{shown.region}"),
                    "image_id": image_id,
                    "category_id": numbers[shown.concept.replace("-", "")],
                    "bbox": [float(left), float(top), float(right - left), float(bottom - top)],
                    "segmentation": [ring.ravel().tolist() for ring in rings],
                }
            )
    if annotations:
        ring = annotations[-1]["segmentation"][0]
        del ring[len(ring) // 2 | 1 :]
    return {
        "info": {
            "year": 2024,
            "date_created": "2024/06/12",
            "description": "Two procedural walls, each seen from several places",
            "version": "1.0",
        },
        "images": images,
        "categories": [
            {"id": number, "name": name, "supercategory": above}
            for number, name, above in _CATEGORIES
        ],
        "annotations": annotations,
    }


def rings_of(mask: BoolMask) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    """The outer borders of a mask's parts, each an N×2 array of (x, y), largest part first.

    Traced along the pixels' edges, smoothed by less than a pixel, without the first vertex
    repeated. Holes are lost: COCO's polygons have none.
    """
    rows, starts = np.nonzero(np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1) == 1)
    _, ends = np.nonzero(np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1) == -1)
    merged = shapely.union_all(shapely.box(starts, rows, ends, rows + 1))
    parts = [part for part in shapely.get_parts(merged) if part.area >= _SMALLEST]
    parts.sort(key=lambda part: -part.area)
    smooth = [shapely.simplify(shapely.Polygon(part.exterior), _SMOOTHING) for part in parts]
    return [np.asarray(part.exterior.coords, dtype=np.float64)[:-1] for part in smooth]
