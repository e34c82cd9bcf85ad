"""Figures of an exported checkpoint on facades of seeds that no training has seen.

The checkpoint is read as a user would read it: Auto classes, processor, boxes and points in image
pixels, masks back at the image's own size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.sam.cache import SLUGS, TEST_SEEDS, VALIDATION_SEEDS
from training.sam.model import IMAGE_SIZE
from training.sam.prompts import SMALLEST, Mask, box_of, deepest_point

ROWS = {
    "box": "box",
    "box_best": "box, predicted best of three",
    "point": "point, best of three",
    "point_predicted": "point, predicted best",
    "filled": "filling the box",
}


@dataclass
class Figures:
    """Intersection over union by row and class: one number a mask."""

    values: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: {row: {slug: [] for slug in SLUGS} for row in ROWS}
    )
    sound_quality: list[float] = field(default_factory=list)
    point_quality: list[float] = field(default_factory=list)

    def add(self, row: str, slug: str, value: float) -> None:
        """Record the overlap of one mask."""
        self.values[row][slug].append(value)

    def mean(self, row: str, slug: str | None = None) -> float:
        """Mean over the masks of a class, or over all masks."""
        lists = self.values[row].values() if slug is None else [self.values[row][slug]]
        return float(np.mean([v for values in lists for v in values]))

    @property
    def counts(self) -> dict[str, Any]:
        """How many masks stand behind each class, and the mean predicted quality of points."""
        counts: dict[str, Any] = {slug: len(v) for slug, v in self.values["box"].items()}
        counts["quality on alterations"] = round(float(np.mean(self.point_quality)), 3)
        counts["quality on sound stone"] = round(float(np.mean(self.sound_quality)), 3)
        return counts

    def table(self) -> str:
        """The rows as a Markdown table."""
        lines = ["| | all | " + " | ".join(SLUGS) + " |", "|---" * (len(SLUGS) + 2) + "|"]
        for row, name in ROWS.items():
            cells = [f"{self.mean(row):.3f}"] + [f"{self.mean(row, slug):.2f}" for slug in SLUGS]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


def evaluate_checkpoint(
    checkpoint: Path,
    *,
    seeds: str,
    images: int,
    own_size: bool = False,
    pictures: Path | None = None,
) -> Figures:
    """Prompt every alteration of `images` facades by its box and by its deepest point."""
    from transformers import AutoModelForMaskGeneration, AutoProcessor

    model = AutoModelForMaskGeneration.from_pretrained(checkpoint, local_files_only=True)
    processor = AutoProcessor.from_pretrained(checkpoint, local_files_only=True)
    model = model.float().eval()
    figures = Figures()
    shown: list[NDArray[np.uint8]] = []
    first = (TEST_SEEDS if seeds == "test" else VALIDATION_SEEDS)[0]
    random = np.random.default_rng(first)
    for image, slugs, truth in facades(range(first, first + images), own_size=own_size):
        boxes = np.stack([box_of(m) for m in truth]).astype(float)
        points = [deepest_point(m) for m in truth]
        bare = np.flatnonzero(~np.logical_or.reduce(truth).ravel())
        row, column = divmod(int(random.choice(bare)), image.shape[1])
        single, three, quality = _masks(model, processor, image, boxes=boxes)
        _, spots, spot_quality = _masks(model, processor, image, points=[*points, (column, row)])
        figures.sound_quality.append(float(spot_quality[-1].max()))
        for i, (slug, mask) in enumerate(zip(slugs, truth, strict=True)):
            x0, y0, x1, y1 = boxes[i]
            figures.add("filled", slug, float(mask.sum() / ((x1 - x0) * (y1 - y0))))
            figures.add("box", slug, overlap(single[i], mask))
            figures.add("box_best", slug, overlap(three[i, quality[i].argmax()], mask))
            alternatives = [overlap(m, mask) for m in spots[i]]
            figures.add("point", slug, max(alternatives))
            figures.add("point_predicted", slug, alternatives[int(spot_quality[i].argmax())])
            figures.point_quality.append(float(spot_quality[i].max()))
        if pictures is not None and len(shown) < 12:
            shown.append(_picture(image, truth, single))
    if pictures is not None:
        _write_sheet(shown, pictures)
    return figures


def facades(
    seeds: range, *, own_size: bool
) -> Iterator[tuple[NDArray[np.uint8], list[str], list[Mask]]]:
    """Image, concepts and visible masks of each seed; masks under 40 px are not asked for."""
    from lithograph.samples import render_facade

    for seed in seeds:
        facade = (
            render_facade(seed)
            if own_size
            else render_facade(seed, height=IMAGE_SIZE, width=IMAGE_SIZE)
        )
        kept = [a for a in facade.alterations if a.mask.sum() >= SMALLEST]
        if kept:
            yield facade.image, [a.concept for a in kept], [a.mask for a in kept]


def overlap(mask: Mask, truth: Mask) -> float:
    """Intersection over union of two masks, 0 when both are empty."""
    union = int((mask | truth).sum())
    return int((mask & truth).sum()) / union if union else 0.0


@torch.inference_mode()
def _masks(
    model: Any,
    processor: Any,
    image: NDArray[np.uint8],
    *,
    boxes: NDArray[np.float64] | None = None,
    points: list[tuple[int, int]] | None = None,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float32]]:
    """The single mask (N, H, W), three alternatives (N, 3, H, W), their predicted IoU (N, 3)."""
    inputs = processor(
        images=image,
        input_boxes=[boxes.tolist()] if boxes is not None else None,
        input_points=[[[list(map(float, p))] for p in points]] if points is not None else None,
        return_tensors="pt",
    )
    prompts = {k: v.float() for k, v in inputs.items() if k in ("input_boxes", "input_points")}
    embedding = model.get_image_embeddings(inputs["pixel_values"])
    found = []
    for multimask in (False, True):
        output = model(image_embeddings=embedding, multimask_output=multimask, **prompts)
        masks = processor.image_processor.post_process_masks(
            output.pred_masks, inputs["original_sizes"], inputs["reshaped_input_sizes"]
        )[0]
        found.append((masks.numpy(), output.iou_scores[0].numpy()))
    return found[0][0][:, 0], found[1][0], found[1][1]


def _picture(
    image: NDArray[np.uint8], truth: list[Mask], found: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """The image, and under it what is right (green), missed (blue) and too much (red)."""
    wanted, got = np.logical_or.reduce(truth), found.any(0)
    painted = image // 3
    for colour, where in (
        ((60, 220, 60), wanted & got),
        ((70, 90, 255), wanted & ~got),
        ((255, 60, 60), got & ~wanted),
    ):
        painted[where] = colour
    return np.concatenate([image, painted])


def _write_sheet(shown: list[NDArray[np.uint8]], path: Path) -> None:
    from PIL import Image

    height = max(p.shape[0] for p in shown)
    width = max(p.shape[1] for p in shown)
    padded = [np.pad(p, ((0, height - p.shape[0]), (0, width - p.shape[1]), (0, 0))) for p in shown]
    while len(padded) % 4:
        padded.append(np.zeros_like(padded[0]))
    rows = [np.concatenate(padded[i : i + 4], axis=1) for i in range(0, len(padded), 4)]
    Image.fromarray(np.concatenate(rows)).save(path)
