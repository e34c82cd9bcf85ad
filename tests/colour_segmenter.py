"""A segmenter without a network: a point selects the patch of like colour around it.

Exact on images painted in flat colours a quarter of the scale apart, so that what is found can be
compared with what was painted. It counts what it is asked for, to see that only what is kept is
brought to full size.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lithograph.vision.inputs import check_embedding, check_image, check_logits, check_prompts
from lithograph.vision.protocols import ImageEmbedding, MaskCandidates, ModelCard

_SHARP = 8.0


class ColourSegmenter:
    """Selects 4-connected patches of one colour band (64 of the 256 values).

    Masks lie on cells of ``cell`` × ``cell`` pixels.

    ``image_size`` only says how large a tile should be: nothing is shrunk.
    """

    def __init__(self, *, image_size: int = 64, cell: int = 1) -> None:
        self.image_size = image_size
        self.cell = cell
        self.card = ModelCard(
            name="colour",
            family="colour",
            sha256=hashlib.sha256(b"colour").hexdigest(),
            licence=None,
            device="cpu",
            package="none",
            package_version="1",
        )
        self.asked = 0
        self.upscaled = 0

    def encode(self, image: NDArray[np.uint8]) -> ImageEmbedding:
        check_image(image)
        height, width = image.shape[:2]
        colours = (image >> 6) @ np.array([1, 4, 16], np.uint8)
        patches = np.zeros((height, width), np.int32)
        count = 0
        for colour in np.unique(colours):
            labels, found = ndimage.label(colours == colour)
            patches += np.where(labels > 0, labels + np.int32(count), np.int32(0))
            count += found
        return ImageEmbedding(
            height=height,
            width=width,
            content_height=1.0,
            content_width=1.0,
            model=self.card.sha256,
            features=patches,
        )

    def masks(
        self,
        embedding: ImageEmbedding,
        *,
        points: NDArray[np.floating] | None = None,
        point_labels: NDArray[np.integer] | None = None,
        boxes: NDArray[np.floating] | None = None,
    ) -> MaskCandidates:
        check_embedding(embedding, self.card.sha256)
        prompts = check_prompts(embedding, points, point_labels, boxes)
        patches = np.asarray(embedding.features)
        cells = patches[:: self.cell, :: self.cell]
        found = []
        for number in range(len(prompts)):
            if prompts.boxes is not None:
                x, y = (prompts.boxes[number, :2] + prompts.boxes[number, 2:]) / 2
            elif prompts.points is not None and prompts.labels is not None:
                x, y = prompts.points[number][prompts.labels[number] == 1][0]
            row = min(int(y), embedding.height - 1)
            column = min(int(x), embedding.width - 1)
            found.append(cells == patches[row, column])
        self.asked += len(found)
        coarse = np.stack(found)[:, None]
        logits = np.where(coarse, _SHARP, -_SHARP).astype(np.float32)
        return MaskCandidates(
            logits=logits,
            quality=np.ones(logits.shape[:2], np.float32),
            single=not prompts.ambiguous,
        )

    def upscale(self, embedding: ImageEmbedding, logits: NDArray[np.float32]) -> NDArray[np.bool_]:
        check_embedding(embedding, self.card.sha256)
        check_logits(logits)
        self.upscaled += len(logits)
        fine = (logits > 0).repeat(self.cell, axis=1).repeat(self.cell, axis=2)
        return fine[:, : embedding.height, : embedding.width]
