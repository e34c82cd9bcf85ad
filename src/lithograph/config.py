"""``lithograph.toml`` → frozen settings. Nothing is read at import time.

Every setting has a default but ``base_iri``, the one thing that nobody can choose for an
institution. An unknown setting is an error that names the nearest known one.
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lithograph.errors import SettingsError

FILE_NAME = "lithograph.toml"


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """Guards before an image is decoded."""

    max_pixels: int = 512_000_000
    max_bytes: int = 2_147_483_648


@dataclass(frozen=True, slots=True)
class AnnotateSettings:
    """How images are annotated. Confidences and overlaps are shares in [0, 1], sizes are pixels.

    ``tile`` 0 lets the segmenter's own input size decide; ``tile_overlap`` is the share of a tile
    that it has in common with the next. ``context`` and ``dim`` say how much of its surroundings
    the labeller sees of a region, and how far they are faded.
    """

    segmenter: str | None = None
    labeller: str | None = None
    detector: str | None = None
    device: str = "auto"
    languages: tuple[str, ...] = ("en",)
    points_per_side: int = 32
    min_quality: float = 0.88
    min_stability: float = 0.9
    max_overlap: float = 0.7
    min_area: int = 64
    tile: int = 0
    tile_overlap: float = 0.25
    detector_threshold: float | None = None
    leaf_threshold: float = 0.5
    family_threshold: float = 0.6
    candidates: int = 3
    context: float = 0.2
    dim: float = 0.5
    batch_size: int = 16


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a workspace. Paths are relative to the workspace's folder."""

    base_iri: str
    vocabulary: str = "vocabulary.ttl"
    graph: str = "graph"
    shapes: str | None = None
    queries: str = "queries"
    agent: str = "lithograph"
    images: ImageSettings = field(default_factory=ImageSettings)
    annotate: AnnotateSettings = field(default_factory=AnnotateSettings)

    @classmethod
    def read(cls, folder: Path) -> Settings:
        """Read ``lithograph.toml`` of a workspace folder. Raises SettingsError."""
        path = folder / FILE_NAME
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise SettingsError(
                f"{folder}: expected a workspace with a {FILE_NAME}, found none; "
                "make one with `lithograph init`",
                subject=folder,
            ) from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{path}: cannot be read: {error}", subject=path) from error
        settings: Settings = _build(cls, data, path.name)
        return settings


def _build(kind: Any, data: dict[str, Any], where: str) -> Any:
    """A settings class from a TOML table, each value checked against the field's type."""
    fields = {entry.name: entry for entry in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name not in fields:
            from rapidfuzz import process

            nearest = process.extractOne(name, list(fields))
            hint = f"; did you mean {nearest[0]}?" if nearest and nearest[1] > 60 else ""
            raise SettingsError(f"{where}: unknown setting {name!r}{hint}", subject=name)
        values[name] = _value(fields[name], value, f"{where}: {name}")
    missing = [
        name
        for name, entry in fields.items()
        if name not in values
        and entry.default is dataclasses.MISSING
        and entry.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise SettingsError(f"{where}: expected {', '.join(missing)}, found none", subject=where)
    return kind(**values)


def _value(entry: Any, value: Any, where: str) -> Any:
    expected = str(entry.type)
    if expected in {"ImageSettings", "AnnotateSettings"}:
        if not isinstance(value, dict):
            raise SettingsError(f"{where}: expected a table, found {value!r}", subject=where)
        return _build(
            {"ImageSettings": ImageSettings, "AnnotateSettings": AnnotateSettings}[expected],
            value,
            where,
        )
    if expected.startswith("tuple"):
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise SettingsError(f"{where}: expected a list of strings, found {value!r}", subject=where)
    if expected.startswith("float") and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    types = {"str": str, "int": int, "float": float}
    if not isinstance(value, types[expected.removesuffix(" | None")]) or isinstance(value, bool):
        raise SettingsError(
            f"{where}: expected {expected.removesuffix(' | None')}, found {value!r}", subject=where
        )
    return value


def write_new(folder: Path, base_iri: str) -> Path:
    """Write the ``lithograph.toml`` of a new workspace: what people change first."""
    import tomli_w

    path = folder / FILE_NAME
    defaults = AnnotateSettings()
    text = tomli_w.dumps(
        {
            "base_iri": base_iri,
            "vocabulary": "vocabulary.ttl",
            "annotate": {
                "languages": list(defaults.languages),
                "leaf_threshold": defaults.leaf_threshold,
                "family_threshold": defaults.family_threshold,
            },
        }
    )
    path.write_text(text, encoding="utf-8")
    return path
