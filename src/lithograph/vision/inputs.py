"""Guards on what goes into a model: wrong arrays give plausible garbage, so they are refused.

SAM takes floats in [0, 1] without a word and returns noise; grey and RGBA images fail far from
their cause. Each check raises ValueError with what was expected and what was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lithograph.vision.protocols import ImageEmbedding

# A box from another program may stick out by a rounding error; more than this is a mistake.
_EDGE_TOLERANCE = 1.0


@dataclass(frozen=True, eq=False)
class Prompts:
    """Checked prompts: points float32 (N, P, 2), labels int64 (N, P), boxes float32 (N, 4)."""

    points: NDArray[np.float32] | None
    labels: NDArray[np.int64] | None
    boxes: NDArray[np.float32] | None

    @property
    def ambiguous(self) -> bool:
        """Whether each prompt is one point only, which may mean a whole, a part or a sub-part."""
        if self.boxes is not None or self.labels is None:
            return False
        return bool(((self.labels >= 0).sum(axis=1) == 1).all())

    def __len__(self) -> int:
        """Count the prompts."""
        if self.points is not None:
            return len(self.points)
        return 0 if self.boxes is None else len(self.boxes)


def check_image(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the image if it is uint8 H×W×3 with at least one pixel; ValueError otherwise."""
    if not isinstance(image, np.ndarray):
        raise ValueError(f"an image must be a numpy array, not {type(image).__name__}")
    if image.dtype != np.uint8:
        raise ValueError(f"an image must be uint8 (0 to 255), not {image.dtype}")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"an image must be H×W×3 (RGB), not of shape {image.shape}")
    return image


def check_phrases(phrases: Sequence[str]) -> list[str]:
    """Return the phrases if every one is a text with something in it; ValueError otherwise."""
    if isinstance(phrases, str):
        raise ValueError("phrases must be a sequence of texts, not one text")
    for index, phrase in enumerate(phrases):
        if not isinstance(phrase, str) or not phrase.strip():
            raise ValueError(f"phrases[{index}] must be a text with something in it: {phrase!r}")
    return list(phrases)


def check_embedding(embedding: ImageEmbedding, model: str) -> None:
    """Refuse an embedding that another model made: its numbers would mean nothing here."""
    if embedding.model != model:
        raise ValueError(
            f"the embedding was made by the model {embedding.model[:12]}…, not {model[:12]}…: "
            "encode the image with the segmenter that is to outline it"
        )


def check_logits(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the logits if they are (M, h, w) floats; ValueError otherwise."""
    if logits.ndim != 3 or not np.issubdtype(logits.dtype, np.floating):
        raise ValueError(f"logits must be float (M, h, w), not {logits.dtype} {logits.shape}")
    return logits


def check_prompts(
    embedding: ImageEmbedding,
    points: NDArray[np.floating] | None,
    point_labels: NDArray[np.integer] | None,
    boxes: NDArray[np.floating] | None,
) -> Prompts:
    """Check shapes, labels, finiteness and that prompts lie on the image; ValueError otherwise."""
    if points is None and point_labels is not None:
        raise ValueError("point_labels came without points")
    if points is None and boxes is None:
        raise ValueError("give points, boxes or both")
    checked_points, labels = _check_points(embedding, points, point_labels)
    checked_boxes = None if boxes is None else check_boxes(boxes, embedding.height, embedding.width)
    if (
        checked_points is not None
        and checked_boxes is not None
        and len(checked_points) != len(checked_boxes)
    ):
        raise ValueError(
            "points and boxes given together must be as many: "
            f"{len(checked_points)} prompts of points, {len(checked_boxes)} boxes"
        )
    prompts = Prompts(points=checked_points, labels=labels, boxes=checked_boxes)
    if len(prompts) == 0:
        raise ValueError("no prompt was given: points or boxes are empty")
    return prompts


def _check_points(
    embedding: ImageEmbedding,
    points: NDArray[np.floating] | None,
    point_labels: NDArray[np.integer] | None,
) -> tuple[NDArray[np.float32] | None, NDArray[np.int64] | None]:
    if points is None:
        return None, None
    if points.ndim != 3 or points.shape[2] != 2 or points.shape[1] == 0:
        raise ValueError(f"points must be (N, P, 2), not of shape {points.shape}")
    labels = np.ones(points.shape[:2], np.int64) if point_labels is None else point_labels
    if labels.shape != points.shape[:2]:
        raise ValueError(
            f"point_labels must be {points.shape[:2]} as the points are, not {labels.shape}"
        )
    if not np.isin(labels, (-1, 0, 1)).all():
        raise ValueError("point_labels must be 1 (inside), 0 (outside) or -1 (padding)")
    if len(labels) and not (labels >= 0).any(axis=1).all():
        raise ValueError("every prompt needs at least one point that is not padding")
    real = points[labels >= 0]
    if not np.isfinite(real).all():
        raise ValueError("points must be finite numbers")
    limit = np.array([embedding.width, embedding.height])
    if ((real < 0) | (real > limit)).any():
        bad = real[((real < 0) | (real > limit)).any(axis=1)][0]
        raise ValueError(
            f"point ({bad[0]:g}, {bad[1]:g}) lies outside the image of "
            f"{embedding.width}×{embedding.height} pixels"
        )
    # Padding may hold anything, NaN included, which would spread through the encoder.
    safe = np.where((labels >= 0)[..., None], points, 0)
    return safe.astype(np.float32), labels.astype(np.int64)


def check_boxes(boxes: NDArray[np.floating], height: int, width: int) -> NDArray[np.float32]:
    """Return boxes (N, 4) x0, y0, x1, y1 clipped to the image.

    ValueError where one is not finite, is empty, or sticks out by more than a pixel.
    """
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes must be (N, 4): x0, y0, x1, y1, not of shape {boxes.shape}")
    if not np.isfinite(boxes).all():
        raise ValueError("boxes must be finite numbers")
    low, high = -_EDGE_TOLERANCE, np.array([width, height, width, height]) + _EDGE_TOLERANCE
    for index, box in enumerate(boxes):
        named = f"boxes[{index}] = ({', '.join(f'{value:g}' for value in box)})"
        if box[2] <= box[0] or box[3] <= box[1]:
            raise ValueError(f"{named} is empty: expected x0 < x1 and y0 < y1")
        if (box < low).any() or (box > high).any():
            raise ValueError(f"{named} lies outside the image of {width}×{height} pixels")
    limits = np.array([width, height, width, height], np.float32)
    return np.clip(boxes.astype(np.float32), 0, limits)
