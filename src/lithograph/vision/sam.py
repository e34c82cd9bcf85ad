"""The SAM family through transformers: SAM, SAM-HQ, SAM 2, EdgeTAM and SAM 3's point prompts.

They differ in how an image meets the square input (SAM and SAM-HQ pad it, the later ones stretch
it) and in what an encoded image is made of; the rest is one code path.
Sources: SAM, Kirillov et al., ICCV 2023; SAM-HQ, Ke et al., NeurIPS 2023; SAM 2, Ravi et al.,
2024; EdgeTAM, Zhou et al., CVPR 2025; SAM 3, Carion et al., 2025.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lithograph.vision.devices import choose_device, half_precision, to_float32
from lithograph.vision.inputs import (
    Prompts,
    check_embedding,
    check_image,
    check_logits,
    check_prompts,
)
from lithograph.vision.pretrained import load_image_processor, load_weights
from lithograph.vision.protocols import ImageEmbedding, MaskCandidates, ModelCard
from lithograph.vision.sources import Source, make_card, running, weight_files
from lithograph.vision.upscaling import upscale_padded, upscale_stretched

# Model types of the configurations, and the family that a card names.
FAMILIES = {
    "sam": "sam",
    "sam_hq": "sam-hq",
    "sam2": "sam2",
    "sam2_video": "sam2",
    "edgetam": "edgetam",
    "edgetam_video": "edgetam",
    "sam3_tracker": "sam3",
}
_PADDED = {"sam", "sam-hq"}


def load_sam(source: Source, model_type: str, device: str) -> PromptedSam:
    """Load a segmenter whose configuration says one of ``FAMILIES``."""
    from transformers import AutoModelForMaskGeneration

    chosen = choose_device(device, subject=source.name)
    processor = load_image_processor(source)
    model = load_weights(AutoModelForMaskGeneration.from_pretrained, source, chosen)
    card = make_card(
        source,
        family=FAMILIES[model_type],
        device=chosen,
        package="transformers",
        weights=weight_files(source),
    )
    return PromptedSam(model, processor, card)


class PromptedSam:
    """A ``Segmenter`` over a transformers model of the SAM family."""

    def __init__(self, model: Any, processor: Any, card: ModelCard) -> None:
        self._model = model
        self._processor = processor
        self._card = card
        self._padded = card.family in _PADDED

    @property
    def card(self) -> ModelCard:
        """Which model this is."""
        return self._card

    @property
    def image_size(self) -> int:
        """Longest side, in pixels, at which the model sees an image."""
        size = self._processor.size
        return int(size["longest_edge"] if self._padded else size["height"])

    def encode(self, image: NDArray[np.uint8]) -> ImageEmbedding:
        """Encode an image (uint8 H×W×3) once for any number of prompts."""
        import torch

        check_image(image)
        inputs = self._processor(images=image, return_tensors="pt")
        content = (1.0, 1.0)
        if self._padded:
            rows, columns = inputs["reshaped_input_sizes"][0].tolist()
            content = (rows / self.image_size, columns / self.image_size)
        with running(self._card, "encoded an image"), torch.inference_mode():
            pixels = inputs["pixel_values"].to(self._card.device)
            with half_precision(self._card.device):
                features = self._model.get_image_embeddings(pixels)
        return ImageEmbedding(
            height=image.shape[0],
            width=image.shape[1],
            content_height=content[0],
            content_width=content[1],
            model=self._card.sha256,
            features=_in_float32(features),
        )

    def masks(
        self,
        embedding: ImageEmbedding,
        *,
        points: NDArray[np.floating] | None = None,
        point_labels: NDArray[np.integer] | None = None,
        boxes: NDArray[np.floating] | None = None,
    ) -> MaskCandidates:
        """All candidate masks for N prompts; see ``Segmenter.masks``.

        An unambiguous prompt gives the single mask first and the three others after it: the
        decoder is asked twice, since transformers hands out one kind or the other.
        """
        check_embedding(embedding, self._card.sha256)
        prompts = check_prompts(embedding, points, point_labels, boxes)
        kinds = (True,) if prompts.ambiguous else (False, True)
        with running(self._card, "outlined prompts"):
            found = [self._decode(embedding, prompts, several) for several in kinds]
        return MaskCandidates(
            logits=np.concatenate([logits for logits, _ in found], axis=1),
            quality=np.concatenate([quality for _, quality in found], axis=1),
            single=not prompts.ambiguous,
        )

    def _decode(
        self, embedding: ImageEmbedding, prompts: Prompts, several: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        import torch

        side, device = self.image_size, self._card.device
        scale = np.array(
            [
                embedding.content_width * side / embedding.width,
                embedding.content_height * side / embedding.height,
            ],
            np.float32,
        )
        inputs: dict[str, Any] = self._image_inputs(embedding)
        if prompts.points is not None and prompts.labels is not None:
            inputs["input_points"] = torch.as_tensor(prompts.points * scale, device=device)[None]
            inputs["input_labels"] = torch.as_tensor(prompts.labels, device=device)[None]
        if prompts.boxes is not None:
            scaled = prompts.boxes * np.tile(scale, 2)
            inputs["input_boxes"] = torch.as_tensor(scaled, device=device)[None]
        with torch.inference_mode():
            output = self._model(**inputs, multimask_output=several)
            return (
                output.pred_masks[0].float().cpu().numpy(),
                output.iou_scores[0].float().cpu().numpy(),
            )

    def _image_inputs(self, embedding: ImageEmbedding) -> dict[str, Any]:
        features: Any = embedding.features
        if self._card.family != "sam-hq":
            return {"image_embeddings": features}
        # SAM-HQ's decoder also looks at what the encoder saw halfway.
        features, halfway = features
        return {"image_embeddings": features, "intermediate_embeddings": halfway}

    def upscale(self, embedding: ImageEmbedding, logits: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Bring chosen masks to the image's size: (M, h, w) logits to (M, H, W) bool."""
        check_embedding(embedding, self._card.sha256)
        check_logits(logits)
        with running(self._card, "upscaled masks"):
            if self._padded:
                return upscale_padded(embedding, logits, self.image_size, self._card.device)
            return upscale_stretched(embedding, logits, self._card.device)


def _in_float32(features: Any) -> Any:
    """Bring nested lists and tuples of tensors to float32."""
    if isinstance(features, list | tuple):
        return type(features)(_in_float32(each) for each in features)
    return to_float32(features)
