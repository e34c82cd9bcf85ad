"""Exports held against the truth: COCOeval's average precision, in several lights."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lithograph.errors import FormatError
from lithograph.formats.coco_evaluation import evaluate_coco

if TYPE_CHECKING:
    from lithograph.vocabulary import Vocabulary

Geometry = Literal["segm", "bbox"]
GEOMETRIES: tuple[Geometry, ...] = ("segm", "bbox")


@dataclass(frozen=True, slots=True)
class Score:
    """Average precision of one export, each number in [0, 1].

    ``ap`` is the mean over the IoU thresholds 0.50 to 0.95, ``ap50`` at 0.50. The first pair asks
    for the right category too, the ``any`` pair for the place alone. ``found`` counts annotations.
    """

    what: str
    level: str
    geometry: Geometry
    found: int
    ap: float
    ap50: float
    any_ap: float
    any_ap50: float


def score_export(
    truth: Mapping[str, Any],
    export: Mapping[str, Any],
    vocabulary: Vocabulary,
    *,
    what: str,
    level: str,
    names: Collection[str],
) -> list[Score]:
    """Scores of an export's annotations on the images of these names, one for each geometry.

    Images are matched by file name, concepts by IRI at the level that the export was cut at.
    """
    wanted = truth_at(truth, export["categories"], vocabulary, names)
    found = detections(export, wanted)
    scores = []
    for geometry in GEOMETRIES:
        named = evaluate_coco(wanted, found, geometry=geometry)
        placed = evaluate_coco(wanted, found, geometry=geometry, classes=False)
        scores.append(
            Score(
                what,
                level,
                geometry,
                len(found),
                named["AP"],
                named["AP50"],
                placed["AP"],
                placed["AP50"],
            )
        )
    return scores


def truth_at(
    truth: Mapping[str, Any],
    categories: Sequence[Mapping[str, Any]],
    vocabulary: Vocabulary,
    names: Collection[str],
) -> dict[str, Any]:
    """The truth on the images of these names, in an export's categories.

    Each annotation gets the nearest category at or above its own concept. Raises FormatError where
    the export has none.
    """
    iris = {record["id"]: record["concept_iri"] for record in truth["categories"]}
    numbers = {record["concept_iri"]: record["id"] for record in categories}
    cut: dict[int, int] = {}
    for number, iri in iris.items():
        path = [concept.iri for concept in vocabulary.path(iri)]
        nearest = next((above for above in reversed(path) if above in numbers), None)
        if nearest is None:
            raise FormatError(
                f"categories: expected {iri} or a concept above it, found none", subject=iri
            )
        cut[number] = numbers[nearest]
    images = [image for image in truth["images"] if image["file_name"] in names]
    kept = {image["id"] for image in images}
    used = set(cut.values())
    return {
        "images": images,
        "categories": [dict(record) for record in categories if record["id"] in used],
        "annotations": [
            {**record, "category_id": cut[record["category_id"]]}
            for record in truth["annotations"]
            if record["image_id"] in kept
        ],
    }


def detections(export: Mapping[str, Any], truth: Mapping[str, Any]) -> list[dict[str, Any]]:
    """An export's annotations as COCO results on the truth's images, others left out.

    What has no score, as a person's annotation, counts as certain.
    """
    ids = {image["file_name"]: image["id"] for image in truth["images"]}
    names = {image["id"]: image["file_name"] for image in export["images"]}
    return [
        {
            "image_id": ids[names[record["image_id"]]],
            "category_id": record["category_id"],
            "bbox": record["bbox"],
            "segmentation": record["segmentation"],
            "score": record.get("score", 1.0),
        }
        for record in export["annotations"]
        if names[record["image_id"]] in ids
    ]


def perfect(truth: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The truth's own annotations as detections: whatever measures them must say 1."""
    return [
        {name: record[name] for name in ("image_id", "category_id", "bbox", "segmentation")}
        | {"score": 1.0}
        for record in truth["annotations"]
    ]
