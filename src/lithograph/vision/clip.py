"""CLIP, SigLIP and SigLIP 2 as labellers: texts and crops as unit vectors of one space.

What differs is hidden here: CLIP pads texts to the longest and was trained with a softmax, SigLIP
pads to its full length and was trained with a sigmoid (scale and bias).
Sources: Radford et al., CLIP, ICML 2021; Zhai et al., SigLIP, ICCV 2023; Tschannen et al., SigLIP
2, 2025.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lithograph.vision.devices import choose_device, half_precision
from lithograph.vision.inputs import check_image, check_phrases
from lithograph.vision.phrases import cut_phrase
from lithograph.vision.pretrained import load_image_processor, load_tokenizer, load_weights
from lithograph.vision.protocols import ModelCard
from lithograph.vision.sources import Source, make_card, running, weight_files

FAMILIES = {"clip": "clip", "siglip": "siglip", "siglip2": "siglip2"}

# Texts a pass: a text tower is small beside an image tower.
_TEXTS_AT_ONCE = 64


def load_clip(source: Source, model_type: str, device: str) -> ClipLabeller:
    """Load a labeller whose configuration says one of ``FAMILIES``."""
    from transformers import AutoModelForZeroShotImageClassification

    chosen = choose_device(device, subject=source.name)
    processor, tokenizer = load_image_processor(source), load_tokenizer(source)
    model = load_weights(AutoModelForZeroShotImageClassification.from_pretrained, source, chosen)
    card = make_card(
        source,
        family=FAMILIES[model_type],
        device=chosen,
        package="transformers",
        weights=weight_files(source),
    )
    return ClipLabeller(model, processor, tokenizer, card)


class ClipLabeller:
    """A ``Labeller`` over a transformers model with a text tower and an image tower."""

    def __init__(self, model: Any, processor: Any, tokenizer: Any, card: ModelCard) -> None:
        self._model = model
        self._processor = processor
        self._tokenizer = tokenizer
        self._card = card

    @property
    def card(self) -> ModelCard:
        """Which model this is."""
        return self._card

    @property
    def scale(self) -> float:
        """What a cosine is multiplied by to give a logit."""
        return float(self._model.logit_scale.detach().exp())

    @property
    def bias(self) -> float:
        """What is added to a scaled cosine; 0 for CLIP."""
        return 0.0 if self.kind == "softmax" else float(self._model.logit_bias.detach())

    @property
    def kind(self) -> Literal["softmax", "sigmoid"]:
        """How the model was trained: texts against each other, or each for itself."""
        return "softmax" if self._card.family == "clip" else "sigmoid"

    @property
    def max_tokens(self) -> int:
        """Most tokens of a phrase that the text encoder takes, special ones included."""
        return int(self._model.config.text_config.max_position_embeddings)

    def count_tokens(self, phrases: Sequence[str]) -> list[int]:
        """Tokens of each phrase, special ones included, uncut."""
        return [self._count(phrase) for phrase in check_phrases(phrases)]

    def _count(self, phrase: str) -> int:
        return len(self._tokenizer(phrase, padding=False, verbose=False)["input_ids"])

    def embed_text(self, phrases: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (N, D) of N phrases; one too long is cut at a sentence, with a warning."""
        import torch

        wanted = check_phrases(phrases)
        if not wanted:
            raise ValueError("no phrase was given to embed")
        fitting = [cut_phrase(phrase, self.max_tokens, self._count) for phrase in wanted]
        found = []
        with running(self._card, "embedded phrases"), torch.inference_mode():
            for start in range(0, len(fitting), _TEXTS_AT_ONCE):
                words = self._tokenize(fitting[start : start + _TEXTS_AT_ONCE])
                with half_precision(self._card.device):
                    found.append(self._model.get_text_features(**words).pooler_output.float())
        return _unit(torch.cat(found).cpu().numpy())

    def _tokenize(self, phrases: list[str]) -> dict[str, Any]:
        if self.kind == "softmax":
            words = self._tokenizer(phrases, padding="longest", return_tensors="pt")
            names = ["input_ids", "attention_mask"]
        else:
            # SigLIP saw its padding as text: full length, and no mask over it.
            words = self._tokenizer(
                phrases, padding="max_length", max_length=self.max_tokens, return_tensors="pt"
            )
            names = ["input_ids"]
        return {name: words[name].to(self._card.device) for name in names}

    def embed_crops(
        self, crops: Sequence[NDArray[np.uint8]], batch_size: int = 16
    ) -> NDArray[np.float32]:
        """Unit vectors (N, D) of N crops (uint8 h×w×3, sizes free), ``batch_size`` at a time."""
        import torch

        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        if not crops:
            raise ValueError("no crop was given to embed")
        checked = [check_image(crop) for crop in crops]
        found = []
        with running(self._card, "embedded crops"), torch.inference_mode():
            for start in range(0, len(checked), batch_size):
                inputs = self._processor(
                    images=checked[start : start + batch_size], return_tensors="pt"
                )
                pixels = {name: value.to(self._card.device) for name, value in inputs.items()}
                with half_precision(self._card.device):
                    found.append(self._model.get_image_features(**pixels).pooler_output.float())
        return _unit(torch.cat(found).cpu().numpy())


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide each vector by its length."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
