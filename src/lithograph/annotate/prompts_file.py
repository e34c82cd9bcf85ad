"""A file of points and boxes that a person gave: JSON in, prompts by image out."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lithograph.entities import Box
from lithograph.errors import FormatError


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a person pointed at: a box, or points ``(x, y)`` with labels 1 (inside) or 0 (outside).

    Upright pixels.
    """

    box: Box | None = None
    points: tuple[tuple[float, float], ...] = ()
    labels: tuple[int, ...] = ()

    @property
    def extent(self) -> Box:
        """The box, or the smallest one around the points, one pixel at least."""
        if self.box is not None:
            return self.box
        left, top = (min(values) for values in zip(*self.points, strict=True))
        right, bottom = (max(values) for values in zip(*self.points, strict=True))
        return Box(left, top, max(right - left, 1.0), max(bottom - top, 1.0))


def read_prompts(path: Path) -> Mapping[str, tuple[Prompt, ...]]:
    """Image name, key or IRI → the prompts on it.

    The file is a list of objects ``{"image": NAME, "box": [x, y, width, height]}`` or
    ``{"image": NAME, "points": [[x, y], …], "labels": [1, 0, …]}``; labels left out are all 1.
    Raises FormatError with the path of the fault in the file.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise FormatError(
            f"{path}: expected a JSON list of prompts: {error}", subject=path
        ) from error
    if not isinstance(data, list):
        raise FormatError(
            f"{path}: expected a list of prompts, found {type(data).__name__}", subject=path
        )
    found: dict[str, list[Prompt]] = defaultdict(list)
    for index, record in enumerate(data):
        where = f"{path.name}[{index}]"
        if not isinstance(record, dict) or not isinstance(record.get("image"), str):
            raise FormatError(f"{where}: expected an object with an image", subject=where)
        if ("box" in record) == ("points" in record):
            raise FormatError(f"{where}: expected either a box or points", subject=where)
        found[record["image"]].append(_prompt(record, where))
    return {image: tuple(prompts) for image, prompts in found.items()}


def _prompt(record: dict[str, Any], where: str) -> Prompt:
    if "box" in record:
        numbers = _numbers(record["box"], 4, f"{where}.box")
        try:
            return Prompt(box=Box(*numbers))
        except ValueError as error:
            raise FormatError(f"{where}.box: {error}", subject=where) from error
    points = record["points"]
    if not isinstance(points, list) or not points:
        raise FormatError(
            f"{where}.points: expected a list of [x, y], found {points!r:.60}", subject=where
        )
    pairs = [_numbers(pair, 2, f"{where}.points[{i}]") for i, pair in enumerate(points)]
    labels = record.get("labels", [1] * len(pairs))
    if not isinstance(labels, list) or len(labels) != len(pairs) or set(labels) - {0, 1}:
        raise FormatError(
            f"{where}.labels: expected {len(pairs)} times 1 (inside) or 0 (outside), "
            f"found {labels!r:.60}",
            subject=where,
        )
    return Prompt(points=tuple((x, y) for x, y in pairs), labels=tuple(map(int, labels)))


def _numbers(value: object, count: int, where: str) -> list[float]:
    if (
        not isinstance(value, list)
        or len(value) != count
        or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
        or not all(math.isfinite(v) for v in value)
    ):
        raise FormatError(f"{where}: expected {count} numbers, found {value!r:.60}", subject=where)
    return [float(v) for v in value]
