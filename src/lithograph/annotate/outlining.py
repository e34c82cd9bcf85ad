"""Where things are on an image, before they have a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lithograph.annotate.models import Models
from lithograph.annotate.prompts_file import Prompt
from lithograph.annotate.views import cut_out, moved, view_around, views
from lithograph.config import AnnotateSettings
from lithograph.entities import Box
from lithograph.errors import ModelError
from lithograph.vision.automatic import (
    GridSettings,
    from_boxes,
    from_grid,
    from_phrase,
    from_points,
)
from lithograph.vision.deduplicate import Sameness, distinct_runs
from lithograph.vision.proposals import Proposal
from lithograph.vision.protocols import (
    ConceptSegmenter,
    DetectedBox,
    Detector,
    ImageEmbedding,
    Segmenter,
)
from lithograph.vision.tiles import Tile


@dataclass(frozen=True)
class Found:
    """A proposal with the concept that its phrase named, where a phrase found it."""

    proposal: Proposal
    concept: str | None = None
    confidence: float | None = None


def outline_everything(
    models: Models,
    pixels: NDArray[np.uint8],
    phrases: Sequence[tuple[str, str]],
    settings: AnnotateSettings,
) -> list[Found]:
    """Everything on an image (uint8 H×W×3): by phrase, in a detector's boxes, or on a grid.

    ``phrases`` are (concept IRI, phrase) for the models that take phrases. A large image is
    looked at as a whole and in tiles.
    """
    if isinstance(models.segmenter, ConceptSegmenter):
        return _distinct(_by_phrase(models.segmenter, pixels, phrases, settings), settings)
    if models.detector is None:
        found = from_grid(models.segmenter, pixels, _grid(settings))
        return [Found(proposal) for proposal in found]
    boxes = _detected(models.detector, models.segmenter.image_size, pixels, phrases, settings)
    found_in_boxes = [
        Found(proposal, boxes[proposal.prompt][1], boxes[proposal.prompt][0].confidence)
        for proposal in _outlined(
            models.segmenter, pixels, [Prompt(box=Box(*found.box)) for found, _ in boxes]
        )
        if proposal.preferred
    ]
    return _distinct(found_in_boxes, settings)


def outline_prompts(
    models: Models, pixels: NDArray[np.uint8], prompts: Sequence[Prompt]
) -> list[Found]:
    """What a person points at: every candidate mask of every prompt, those of one as one group.

    ModelError where the segmenter takes phrases only, ValueError where a prompt is outside.
    """
    segmenter = models.segmenter
    if isinstance(segmenter, ConceptSegmenter):
        raise ModelError(
            f"{segmenter.card.name}: takes phrases; points and boxes need a SAM that takes them",
            subject=segmenter.card.name,
        )
    return [Found(proposal) for proposal in _outlined(segmenter, pixels, prompts)]


def _by_phrase(
    segmenter: ConceptSegmenter,
    pixels: NDArray[np.uint8],
    phrases: Sequence[tuple[str, str]],
    settings: AnnotateSettings,
) -> list[Found]:
    height, width = pixels.shape[:2]
    found: list[Found] = []
    size = settings.tile or segmenter.image_size
    for view in views(height, width, size, settings.tile_overlap):
        embedding = segmenter.encode(cut_out(pixels, view))
        found += [
            Found(moved(proposal, view, height, width), concept, min(1.0, proposal.quality))
            for concept, phrase in phrases
            for proposal in from_phrase(segmenter, embedding, phrase)
        ]
    return found


def _detected(
    detector: Detector,
    size: int,
    pixels: NDArray[np.uint8],
    phrases: Sequence[tuple[str, str]],
    settings: AnnotateSettings,
) -> list[tuple[DetectedBox, str | None]]:
    """Boxes on the image, each with the concept whose phrase found it."""
    asked: list[tuple[str | None, list[str]]] = (
        [(concept, [phrase]) for concept, phrase in phrases]
        if detector.takes_phrases
        else [(None, [])]
    )
    height, width = pixels.shape[:2]
    found: list[tuple[DetectedBox, str | None]] = []
    for view in views(height, width, settings.tile or size, settings.tile_overlap):
        part = cut_out(pixels, view)
        for concept, phrase in asked:
            for each in detector.boxes(part, phrase):
                x, y, wide, high = each.box
                whole = replace(each, box=(x + view.x, y + view.y, wide, high))
                found.append((whole, concept))
    return found


def _outlined(
    segmenter: Segmenter, pixels: NDArray[np.uint8], prompts: Sequence[Prompt]
) -> list[Proposal]:
    """All masks of each prompt, whose number is their prompt and their group."""
    height, width = pixels.shape[:2]
    embeddings: dict[Tile, ImageEmbedding] = {}
    found: list[Proposal] = []
    # Prompts differ in their number of points, and on a large image in what is looked at: one
    # pass each keeps them apart, and what is looked at again is not encoded again.
    for number, prompt in enumerate(prompts):
        view = view_around(prompt.extent, height, width, segmenter.image_size)
        if view not in embeddings:
            embeddings[view] = segmenter.encode(cut_out(pixels, view))
        embedding = embeddings[view]
        if prompt.box is not None:
            x, y, wide, high = prompt.box
            boxes = np.array([[x - view.x, y - view.y, wide, high]])
            asked = from_boxes(segmenter, embedding, boxes)
        else:
            points = np.array([prompt.points], dtype=np.float64) - (view.x, view.y)
            labels = np.array([prompt.labels], dtype=np.int64)
            asked = from_points(segmenter, embedding, points, labels)
        found += [
            replace(moved(each, view, height, width), prompt=number, group=number) for each in asked
        ]
    return found


def _grid(given: AnnotateSettings) -> GridSettings:
    return GridSettings(
        points_per_side=given.points_per_side,
        quality=given.min_quality,
        stability=given.min_stability,
        sameness=Sameness(overlap=given.max_overlap),
        smallest=given.min_area,
        tile_size=given.tile or None,
        tile_overlap=given.tile_overlap,
    )


def _distinct(found: list[Found], settings: AnnotateSettings) -> list[Found]:
    """Without the masks that several phrases or boxes found: the most confident one stays."""
    found.sort(key=lambda each: -(each.confidence or 0.0))
    kept = distinct_runs(
        [each.proposal.geometry for each in found],
        Sameness(overlap=settings.max_overlap),
    )
    # Numbered anew: two phrases' proposals are no alternatives of each other.
    return [
        replace(found[index], proposal=replace(found[index].proposal, group=number, preferred=True))
        for number, index in enumerate(kept)
    ]
