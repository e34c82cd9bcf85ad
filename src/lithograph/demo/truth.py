"""What is on the photographs, exactly: a COCO file, and prompts made of its boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lithograph.demo.photographs import Photograph
from lithograph.masks import mask_area, mask_box, mask_to_rle

if TYPE_CHECKING:
    from lithograph.vocabulary import Vocabulary


def truth_coco(photographs: Sequence[Photograph], vocabulary: Vocabulary) -> dict[str, Any]:
    """The exact masks of all photographs as COCO, in the vocabulary's leaf concepts."""
    numbers = {
        concept.slug: concept.category_id
        for concept in vocabulary.leaves
        if concept.category_id is not None
    }
    annotations: list[dict[str, Any]] = []
    for image_id, photograph in enumerate(photographs, start=1):
        for shown in photograph.shown:
            rle = mask_to_rle(shown.mask)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": numbers[shown.concept],
                    "bbox": [int(value) for value in mask_box(rle)],
                    "area": mask_area(rle),
                    "segmentation": {"size": [rle.height, rle.width], "counts": rle.counts},
                    "iscrowd": 0,
                }
            )
    return {
        "info": {
            "description": "Exact masks of procedural facades, drawn by rule; no real stone",
        },
        "images": [
            {
                "id": image_id,
                "file_name": photograph.path.name,
                "height": photograph.pixels.shape[0],
                "width": photograph.pixels.shape[1],
            }
            for image_id, photograph in enumerate(photographs, start=1)
        ],
        "categories": [
            {
                "id": numbers[concept.slug],
                "name": concept.label("en"),
                "supercategory": vocabulary.top_ancestor(concept).label("en"),
                "concept_iri": concept.iri,
            }
            for concept in vocabulary.leaves
            if concept.slug in numbers and not concept.is_background
        ],
        "annotations": annotations,
    }


def prompts_of(truth: Mapping[str, Any], names: Sequence[str]) -> list[dict[str, Any]]:
    """A box prompt for each annotation on the images of these names, as ``annotate`` reads them."""
    name_of = {image["id"]: image["file_name"] for image in truth["images"]}
    return [
        {"image": name_of[record["image_id"]], "box": record["bbox"]}
        for record in truth["annotations"]
        if name_of[record["image_id"]] in names
    ]
