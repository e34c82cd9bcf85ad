"""SAM 3 with a concept's prompt: a phrase in, every instance's mask out.

Source: Carion et al., SAM 3: Segment Anything with Concepts, 2025; transformers' ``Sam3Model``.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lithograph.vision.devices import choose_device, half_precision
from lithograph.vision.inputs import check_embedding, check_image, check_phrases
from lithograph.vision.phrases import cut_phrase
from lithograph.vision.pretrained import load_image_processor, load_tokenizer, load_weights
from lithograph.vision.protocols import ImageEmbedding, ModelCard, PhraseMasks
from lithograph.vision.sources import Source, make_card, running, weight_files
from lithograph.vision.upscaling import upscale_stretched

FAMILIES = {"sam3": "sam3", "sam3_video": "sam3"}

# The threshold at which the authors' own image processor keeps an instance.
DEFAULT_THRESHOLD = 0.5


def load_sam3(source: Source, device: str, threshold: float = DEFAULT_THRESHOLD) -> Sam3:
    """Load SAM 3 for phrases; instances below ``threshold`` (in [0, 1]) are left out."""
    from transformers import Sam3Model

    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must lie between 0 and 1, not {threshold}")
    chosen = choose_device(device, subject=source.name)
    # Published as a video model, whose processor asks for video parts that images do not need.
    processor, tokenizer = load_image_processor(source), load_tokenizer(source)
    model = load_weights(Sam3Model.from_pretrained, source, chosen)
    card = make_card(
        source,
        family="sam3",
        device=chosen,
        package="transformers",
        weights=weight_files(source),
    )
    return Sam3(model, processor, tokenizer, card, threshold)


class Sam3:
    """A ``ConceptSegmenter`` over transformers' SAM 3."""

    def __init__(
        self, model: Any, processor: Any, tokenizer: Any, card: ModelCard, threshold: float
    ) -> None:
        self._model = model
        self._processor = processor
        self._tokenizer = tokenizer
        self._card = card
        self._threshold = threshold

    @property
    def card(self) -> ModelCard:
        """Which model this is."""
        return self._card

    @property
    def image_size(self) -> int:
        """Longest side, in pixels, at which the model sees an image."""
        return int(self._processor.size["height"])

    def encode(self, image: NDArray[np.uint8]) -> ImageEmbedding:
        """Encode an image (uint8 H×W×3) once for any number of phrases."""
        import torch

        check_image(image)
        inputs = self._processor(images=image, return_tensors="pt")
        with running(self._card, "encoded an image"), torch.inference_mode():
            pixels = inputs["pixel_values"].to(self._card.device)
            with half_precision(self._card.device):
                features = self._model.get_vision_features(pixel_values=pixels)
        return ImageEmbedding(
            height=image.shape[0],
            width=image.shape[1],
            content_height=1.0,
            content_width=1.0,
            model=self._card.sha256,
            features=_levels_in_float32(features),
        )

    def masks_of_phrase(self, embedding: ImageEmbedding, phrase: str) -> PhraseMasks:
        """Every instance of the phrase whose confidence reaches the threshold, best first."""
        import torch

        check_embedding(embedding, self._card.sha256)
        check_phrases([phrase])
        words = self._tokenize(phrase)
        with running(self._card, f"looked for {phrase!r}"), torch.inference_mode():
            output = self._model(vision_embeds=embedding.features, **words)
            # An instance counts as far as the phrase is on the image at all.
            confidence = (output.pred_logits.sigmoid() * output.presence_logits.sigmoid())[0]
            kept = (confidence >= self._threshold).nonzero()[:, 0]
            kept = kept[confidence[kept].argsort(descending=True)]
            logits = output.pred_masks[0, kept].float().cpu().numpy()
            masks = upscale_stretched(embedding, logits, self._card.device)
            return PhraseMasks(
                masks=masks,
                boxes=_scaled_boxes(output.pred_boxes[0, kept].float().cpu().numpy(), embedding),
                quality=confidence[kept].float().cpu().numpy(),
            )

    def _tokenize(self, phrase: str) -> dict[str, Any]:
        limit = int(self._model.config.text_config.max_position_embeddings)
        fitting = cut_phrase(phrase, limit, self._count)
        words = self._tokenizer(
            [fitting], padding="max_length", max_length=limit, return_tensors="pt"
        )
        return {key: words[key].to(self._card.device) for key in ("input_ids", "attention_mask")}

    def _count(self, text: str) -> int:
        return len(self._tokenizer(text, verbose=False)["input_ids"])


def _levels_in_float32(features: Any) -> Any:
    """Bring the levels of the feature pyramid to float32, in a copy of the output object."""
    converted = copy.copy(features)
    for name in ("fpn_hidden_states", "fpn_position_encoding"):
        converted[name] = tuple(level.float() for level in features[name])
    return converted


def _scaled_boxes(boxes: NDArray[np.float32], embedding: ImageEmbedding) -> NDArray[np.float32]:
    """Fractions x0, y0, x1, y1 of the image to x, y, width, height in its pixels."""
    size = np.array([embedding.width, embedding.height] * 2, np.float32)
    corners = np.clip(boxes, 0, 1) * size
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
