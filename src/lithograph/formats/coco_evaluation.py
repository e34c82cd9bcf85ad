"""COCOeval's twelve numbers for two COCO files, by pycocotools."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from lithograph.errors import FormatError

#: The twelve numbers in the order of pycocotools' ``COCOeval.summarize``.
MEASURES = (
    "AP",
    "AP50",
    "AP75",
    "AP_small",
    "AP_medium",
    "AP_large",
    "AR_1",
    "AR_10",
    "AR_100",
    "AR_small",
    "AR_medium",
    "AR_large",
)


def evaluate_coco(
    truth: Path | dict[str, Any],
    detections: Path | Sequence[dict[str, Any]],
    *,
    geometry: Literal["bbox", "segm"] = "segm",
    classes: bool = True,
) -> dict[str, float]:
    """COCOeval's twelve numbers, each in [0, 1], or −1 where the truth has nothing of that kind.

    ``truth`` is a COCO file; ``detections`` a list of COCO results (``image_id``, ``category_id``,
    ``score``, and ``bbox`` or ``segmentation``), or a COCO file whose annotations carry scores.
    ``classes`` False compares the geometries alone, whatever their categories.
    Raises FormatError where a detection lacks its score or names an image that the truth lacks.
    """
    data = truth if isinstance(truth, dict) else json.loads(truth.read_bytes())
    found = detections if not isinstance(detections, Path) else json.loads(detections.read_bytes())
    if isinstance(found, dict):
        found = found["annotations"]
    images = {image["id"] for image in data["images"]}
    for index, record in enumerate(found):
        if "score" not in record:
            raise FormatError(
                f"detections[{index}].score: expected a number, found none", subject=index
            )
        if record["image_id"] not in images:
            raise FormatError(
                f"detections[{index}].image_id: expected an image of the truth, "
                f"found {record['image_id']}",
                subject=index,
            )
    if not found:
        return dict.fromkeys(MEASURES, 0.0)
    # pycocotools reports on standard output; a library does not.
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = data
        coco.createIndex()
        results = [_result(coco, record, geometry) for record in found]
        evaluation = COCOeval(coco, coco.loadRes(results), geometry)
        evaluation.params.useCats = int(classes)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    values = np.asarray(evaluation.stats, dtype=np.float64)
    return {name: float(value) for name, value in zip(MEASURES, values, strict=True)}


def _result(coco: COCO, record: dict[str, Any], geometry: str) -> dict[str, Any]:
    """A detection with only what is compared: COCO.loadRes decides by the keys that it finds.

    Polygons become run lengths, since loadRes takes no other segmentation.
    """
    kept = {name: record[name] for name in ("image_id", "category_id", "score")}
    if geometry == "bbox":
        return {**kept, "bbox": record["bbox"]}
    return {**kept, "segmentation": coco.annToRLE(record)}
