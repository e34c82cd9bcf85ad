"""FiftyOne: a COCO file into its database and out again. Runs in FiftyOne's own environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.processes import tally, timed


def convert(coco: str, folder: str) -> dict[str, Any]:
    """Import and export a COCO file; the photographs themselves are not there, nor needed."""
    import fiftyone as fo

    written = Path(folder) / "written.json"
    listed = json.loads(Path(coco).read_bytes())["images"]
    photographs = {image["file_name"]: f"{folder}/{image['file_name']}" for image in listed}
    seconds: list[float] = []
    with timed(seconds):
        dataset = fo.Dataset.from_dir(
            dataset_type=fo.types.COCODetectionDataset,
            data_path=photographs,
            labels_path=coco,
            label_types="segmentations",
            progress=False,
        )
    field = next(name for name in ("segmentations", "ground_truth") if dataset.has_field(name))
    with timed(seconds):
        dataset.export(
            dataset_type=fo.types.COCODetectionDataset,
            labels_path=str(written),
            label_field=field,
            export_media=False,
            progress=False,
        )
    return {
        "seconds": sum(seconds),
        "import_seconds": seconds[0],
        "export_seconds": seconds[1],
        **tally(written),
    }
