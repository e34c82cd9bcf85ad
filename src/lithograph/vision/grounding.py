"""Detectors of phrases: Grounding DINO, MM-Grounding-DINO and OWLv2, one phrase a pass.

Several phrases in one text merge into each other in Grounding DINO (a box comes back labelled with
words of two of them), so each phrase is looked for alone.
Sources: Liu et al., Grounding DINO, ECCV 2024; Zhao et al., MM-Grounding-DINO, 2024; Minderer et
al., Scaling Open-Vocabulary Object Detection (OWLv2), NeurIPS 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lithograph.vision.devices import choose_device
from lithograph.vision.inputs import check_image, check_phrases
from lithograph.vision.phrases import cut_phrase
from lithograph.vision.pretrained import load_processor, load_weights
from lithograph.vision.protocols import DetectedBox, ModelCard
from lithograph.vision.sources import Source, make_card, running, weight_files

FAMILIES = {
    "grounding-dino": "grounding-dino",
    "mm-grounding-dino": "mm-grounding-dino",
    "owlv2": "owlv2",
}

# What transformers' own post-processing takes where nothing is said.
_THRESHOLDS = {"grounding-dino": 0.25, "mm-grounding-dino": 0.25, "owlv2": 0.1}


def load_grounding(
    source: Source, model_type: str, device: str, threshold: float | None = None
) -> GroundingDetector:
    """Load a detector whose configuration says one of ``FAMILIES``.

    ``threshold``: least confidence of a box, in [0, 1]; 0.25 for the Grounding DINOs, 0.1 for
    OWLv2 where left out (their authors' values).
    """
    from transformers import AutoModelForZeroShotObjectDetection

    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError(f"threshold must lie between 0 and 1, not {threshold}")
    chosen = choose_device(device, subject=source.name)
    processor = load_processor(source)
    model = load_weights(AutoModelForZeroShotObjectDetection.from_pretrained, source, chosen)
    card = make_card(
        source,
        family=FAMILIES[model_type],
        device=chosen,
        package="transformers",
        weights=weight_files(source),
    )
    least = _THRESHOLDS[card.family] if threshold is None else threshold
    return GroundingDetector(model, processor, card, threshold=least)


class GroundingDetector:
    """A ``Detector`` of phrases over a transformers model."""

    def __init__(
        self, model: Any, processor: Any, card: ModelCard, *, threshold: float, max_boxes: int = 100
    ) -> None:
        self._model = model
        self._processor = processor
        self._card = card
        self._threshold = threshold
        self._max_boxes = max_boxes

    @property
    def card(self) -> ModelCard:
        """Which model this is."""
        return self._card

    @property
    def takes_phrases(self) -> bool:
        """True: it finds nothing without a phrase."""
        return True

    def boxes(
        self, image: NDArray[np.uint8], phrases: Sequence[str] = ()
    ) -> tuple[DetectedBox, ...]:
        """Boxes of every phrase, best first, at most 100 a phrase.

        A phrase too long for the text encoder is cut at a sentence, with a warning.
        """
        check_image(image)
        wanted = check_phrases(phrases)
        if not wanted:
            return ()
        pixels = dict(self._processor.image_processor(images=image, return_tensors="pt"))
        found: list[DetectedBox] = []
        for phrase in wanted:
            found += self._boxes_of(phrase, pixels, image.shape[0], image.shape[1])
        return tuple(sorted(found, key=lambda each: -each.confidence))

    def _boxes_of(
        self, phrase: str, pixels: dict[str, Any], height: int, width: int
    ) -> list[DetectedBox]:
        import torch

        inputs = {
            key: value.to(self._card.device)
            for key, value in {**pixels, **self._tokenize(phrase)}.items()
        }
        with running(self._card, f"looked for {phrase!r}"), torch.inference_mode():
            output = self._model(**inputs)
            result = self._processor.post_process_grounded_object_detection(
                output, threshold=self._threshold, target_sizes=[(height, width)]
            )[0]
        confidences = result["scores"].float().cpu().numpy()
        corners = result["boxes"].float().cpu().numpy()
        order = np.argsort(-confidences, kind="stable")[: self._max_boxes]
        # OWLv2 pads to a square and may answer in the padding.
        corners = np.clip(corners, 0, [width, height, width, height])
        return [
            DetectedBox(
                box=(float(x0), float(y0), float(x1 - x0), float(y1 - y0)),
                confidence=float(confidences[index]),
                phrase=phrase,
            )
            for index in order
            for x0, y0, x1, y1 in [corners[index]]
            if x1 > x0 and y1 > y0
        ]

    def _tokenize(self, phrase: str) -> dict[str, Any]:
        tokenizer = self._processor.tokenizer
        configuration = self._model.config
        if self._card.family == "owlv2":
            limit = int(configuration.text_config.max_position_embeddings)
            text = cut_phrase(phrase, limit, self._count)
            words = tokenizer([text], padding="max_length", max_length=limit, return_tensors="pt")
        else:
            limit = int(configuration.max_text_len)
            # A full stop ends a phrase for Grounding DINO, so one inside would make two of it.
            plain = phrase.strip().lower().rstrip(".").replace(".", ",")
            text = cut_phrase(plain, limit - 1, self._count) + "."
            words = tokenizer([text], return_tensors="pt")
        return dict(words)

    def _count(self, text: str) -> int:
        return len(self._processor.tokenizer(text, verbose=False)["input_ids"])
