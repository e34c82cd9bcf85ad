"""Small COCO files for tests, and a way to read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from lithograph import resources
from lithograph.entities import Refusal
from lithograph.formats.coco_reading import read_coco
from lithograph.formats.imported import FindingKind, Imported
from lithograph.rdf.iris import Iris
from lithograph.vocabulary import Vocabulary

CREATED = "2026-01-05T10:00:00Z"
CRACK = "https://w3id.org/lithograph/notre-dame-alterations/crack"
LACUNA = "https://w3id.org/lithograph/notre-dame-alterations/lacuna"

Read = Callable[..., Imported]


@cache
def notre_dame() -> Vocabulary:
    """The shipped vocabulary, read once."""
    return Vocabulary.read(resources.ontology("notre-dame-alterations"))


def reader_in(folder: Path, iris: Iris) -> Read:
    """Reads a COCO file given as data, or as text or bytes where JSON cannot say it."""

    def reading(data: Any, *, name: str = "site.json", **options: Any) -> Imported:
        path = folder / name
        if isinstance(data, bytes):
            path.write_bytes(data)
        else:
            path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
        options.setdefault("vocabulary", notre_dame())
        return read_coco(path, iris=iris, created=CREATED, **options)

    return reading


def a_record(**changes: Any) -> dict[str, Any]:
    """An annotation: a square of 20 × 20 in an image of 100 × 80."""
    return {
        "id": 1,
        "image_id": 7,
        "category_id": 3,
        "segmentation": [[10, 10, 30, 10, 30, 30, 10, 30]],
        "bbox": [10, 10, 20, 20],
        "area": 400,
        "iscrowd": 0,
    } | changes


def without(record: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in keys}


def an_image(**changes: Any) -> dict[str, Any]:
    return {"id": 7, "file_name": "wall.jpg", "width": 100, "height": 80} | changes


def a_file(*annotations: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "images": [an_image()],
        "categories": [{"id": 3, "name": "Crack"}, {"id": 8, "name": "Lacuna"}],
        "annotations": list(annotations) or [a_record()],
    } | changes


def kinds(imported: Imported) -> list[FindingKind]:
    return [finding.kind for finding in imported.findings]


def the_refusal(imported: Imported) -> Refusal:
    (refusal,) = imported.refusals
    assert not imported.annotations
    return refusal
