"""What the rest of Lithograph sees of a model: numpy arrays in, numpy arrays out.

Four seams: a ``Segmenter`` outlines what points and boxes show, a ``ConceptSegmenter`` outlines
what a phrase names, a ``Detector`` gives boxes, a ``Labeller`` puts texts and crops in one space.
No torch type appears here, so a backend of another make needs no torch.

Images are uint8 H×W×3 RGB, upright. Coordinates are upright pixels, origin top left, y down; the
centre of the first pixel is (0, 0) for points, and the outer edge of the image lies at (0, 0) and
(width, height) for boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ModelCard:
    """Which model did it: enough to name it in a run and to find it again.

    ``name`` is the model id as it was asked for, or the last part of a local path (never the
    folders above it). ``sha256`` digests the weight files. ``licence`` is what the model's own
    card says, None where it says nothing. ``device`` is where it ran (``cpu``, ``cuda``, ``mps``).
    """

    name: str
    family: str
    sha256: str
    licence: str | None
    device: str
    package: str
    package_version: str


@dataclass(frozen=True, eq=False)
class ImageEmbedding:
    """An encoded image, for the segmenter that made it and no other.

    ``height`` and ``width`` are the upright image's, in pixels. A segmenter that pads its input
    to a square says with ``content_height`` and ``content_width`` (fractions in (0, 1]) how much
    of the low-resolution logits is image; the rest, at the bottom or the right, is padding.
    ``features`` is the backend's own.
    """

    height: int
    width: int
    content_height: float
    content_width: float
    model: str
    features: object


@dataclass(frozen=True, eq=False)
class MaskCandidates:
    """The masks a segmenter proposes for N prompts, C each, none thrown away.

    ``logits``: float32 (N, C, h, w) at low resolution; a pixel is inside where its logit is above
    0. ``quality``: float32 (N, C), the model's own estimate of each mask's IoU with the truth (it
    can exceed 1). ``single``: whether candidate 0 is the model's one answer to an unambiguous
    prompt (a box, several points); the other candidates are then its whole, part and sub-part.
    """

    logits: NDArray[np.float32]
    quality: NDArray[np.float32]
    single: bool


@dataclass(frozen=True, eq=False)
class PhraseMasks:
    """All instances of a phrase on an image, best first.

    ``masks``: bool (M, H, W) at the image's size. ``boxes``: float32 (M, 4), x, y, width, height.
    ``quality``: float32 (M,) in [0, 1], the model's confidence that the instance is there.
    """

    masks: NDArray[np.bool_]
    boxes: NDArray[np.float32]
    quality: NDArray[np.float32]


@dataclass(frozen=True)
class DetectedBox:
    """A box (x, y, width, height, inside the image), a confidence in [0, 1], and its phrase.

    ``phrase`` is the phrase as it was given, None for a detector that needs none.
    """

    box: tuple[float, float, float, float]
    confidence: float
    phrase: str | None


@runtime_checkable
class Segmenter(Protocol):
    """Outlines what points and boxes show."""

    @property
    def card(self) -> ModelCard:
        """Which model this is."""

    @property
    def image_size(self) -> int:
        """Longest side, in pixels, at which the model sees an image; larger ones are shrunk."""

    def encode(self, image: NDArray[np.uint8]) -> ImageEmbedding:
        """Encode an image once, for any number of prompts.

        ValueError unless the image is uint8 H×W×3.
        """

    def masks(
        self,
        embedding: ImageEmbedding,
        *,
        points: NDArray[np.floating] | None = None,
        point_labels: NDArray[np.integer] | None = None,
        boxes: NDArray[np.floating] | None = None,
    ) -> MaskCandidates:
        """All candidate masks for N prompts, at low resolution.

        ``points``: (N, P, 2), x and y. ``point_labels``: (N, P), 1 inside, 0 outside, -1 padding
        (all 1 where left out). ``boxes``: (N, 4), x0, y0, x1, y1. Points and boxes may be given
        together: prompt i is then points[i] and boxes[i]. ValueError where shapes or values are
        wrong, or the embedding is another model's.
        """

    def upscale(self, embedding: ImageEmbedding, logits: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Bring chosen masks to the image's size: (M, h, w) logits to (M, H, W) bool."""


@runtime_checkable
class ConceptSegmenter(Protocol):
    """Outlines every instance of what a phrase names."""

    @property
    def card(self) -> ModelCard:
        """Which model this is."""

    @property
    def image_size(self) -> int:
        """Longest side, in pixels, at which the model sees an image; larger ones are shrunk."""

    def encode(self, image: NDArray[np.uint8]) -> ImageEmbedding:
        """Encode an image once, for any number of phrases."""

    def masks_of_phrase(self, embedding: ImageEmbedding, phrase: str) -> PhraseMasks:
        """Every instance of the phrase; empty arrays where there is none."""


@runtime_checkable
class Detector(Protocol):
    """Gives boxes, by phrase or by what stands out."""

    @property
    def card(self) -> ModelCard:
        """Which model this is."""

    @property
    def takes_phrases(self) -> bool:
        """Whether ``boxes`` looks for phrases; False where it finds what stands out."""

    def boxes(
        self, image: NDArray[np.uint8], phrases: Sequence[str] = ()
    ) -> tuple[DetectedBox, ...]:
        """Boxes on an image, best first.

        A detector that takes phrases looks for one phrase at a time and finds nothing without
        any; one that takes none leaves them aside.
        """


@runtime_checkable
class Labeller(Protocol):
    """Puts texts and crops in one space, where nearness means likeness."""

    @property
    def card(self) -> ModelCard:
        """Which model this is."""

    @property
    def scale(self) -> float:
        """What a cosine is multiplied by to give a logit (the inverse of a temperature)."""

    @property
    def bias(self) -> float:
        """What is added to a scaled cosine; 0 for a softmax model."""

    @property
    def kind(self) -> Literal["softmax", "sigmoid"]:
        """How the model was trained: texts against each other, or each for itself."""

    @property
    def max_tokens(self) -> int:
        """Most tokens of a phrase that the text encoder takes, special ones included."""

    def count_tokens(self, phrases: Sequence[str]) -> list[int]:
        """Tokens of each phrase, special ones included, uncut."""

    def embed_text(self, phrases: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (N, D) of N phrases.

        A phrase longer than ``max_tokens`` is cut at a sentence, with a warning.
        """

    def embed_crops(
        self, crops: Sequence[NDArray[np.uint8]], batch_size: int = 16
    ) -> NDArray[np.float32]:
        """Unit vectors (N, D) of N crops (uint8 h×w×3, sizes free)."""
