"""Datumaro: a COCO file into its items and out again. Runs in Datumaro's own environment."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from benchmarks.processes import tally, timed


def convert(coco: str, folder: str) -> dict[str, Any]:
    """Import and export a COCO file; the photographs themselves are not there, nor needed."""
    import datumaro as dm

    place, out = Path(folder) / "in", Path(folder) / "out"
    labels = place / "annotations" / "instances_default.json"
    labels.parent.mkdir(parents=True, exist_ok=True)
    (place / "images").mkdir(exist_ok=True)
    shutil.copyfile(coco, labels)
    seconds: list[float] = []
    with timed(seconds):
        dataset = dm.Dataset.import_from(str(place), "coco_instances")
        dataset.init_cache()
    with timed(seconds):
        dataset.export(str(out), "coco_instances", save_media=False)
    (written,) = (out / "annotations").glob("*.json")
    return {
        "seconds": sum(seconds),
        "import_seconds": seconds[0],
        "export_seconds": seconds[1],
        **tally(written),
    }
