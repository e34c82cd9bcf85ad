"""The demo's pictures: truth and annotations side by side, walls, and what was reviewed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from lithograph.demo.photographs import Photograph
from lithograph.demo.reviewing import Decision
from lithograph.entities import Annotation, Geometry
from lithograph.graph.vocabularies import category_numbers
from lithograph.masks import mask_to_rle
from lithograph.pictures import Drawn, Panel, annotation_picture, colour_of, draw_panels
from lithograph.workspace import Workspace

_PANEL_WIDTH = 520
"""Pixels of a panel's width, about: small photographs are enlarged to it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG file with its caption."""

    path: Path
    caption: str


class Drawing:
    """Draws in the colours and words of one workspace's vocabulary."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self._workspace, self._folder = workspace, folder
        self._numbers = category_numbers(workspace.graph, workspace.vocabulary.iri)
        folder.mkdir(exist_ok=True)

    def facade(self, photograph: Photograph, groups: Mapping[str, Sequence[Annotation]]) -> Picture:
        """The truth, then each group of annotations under its name."""
        truth = [
            self._drawn(mask_to_rle(shown.mask), self._workspace.vocabulary[shown.concept].iri)
            for shown in photograph.shown
        ]
        panels = [Panel("truth · vérité", photograph.pixels, truth)]
        panels += [
            Panel(title, photograph.pixels, [self._of(annotation) for annotation in annotations])
            for title, annotations in groups.items()
        ]
        return self._save(panels, photograph.wall, photograph.path.name)

    def wall(self, views: Sequence[tuple[Photograph, Sequence[Annotation]]]) -> Picture:
        """The same wall from several places, with its imported regions."""
        panels = [
            Panel(photograph.path.name, photograph.pixels, [self._of(one) for one in annotations])
            for photograph, annotations in views
        ]
        wall = views[0][0].wall
        return self._save(panels, wall, wall.replace("_", " "))

    def decision(self, decision: Decision, photograph: Photograph, number: int) -> Picture:
        """One reviewed proposal, cut out."""
        before, after = (
            self._label(concept) for concept in (decision.proposal.concept, decision.concept)
        )
        path = self._folder / f"review-{number:02d}.png"
        annotation_picture(
            decision.proposal, photograph.pixels, colour=self.colour(decision.proposal.concept)
        ).save(path)
        said = {
            "accepted": f"{before}: accepted",
            "corrected": f"{before} → {after}",
            "rejected": f"{before}: rejected",
        }
        return Picture(path, said[decision.verdict])

    def colour(self, concept: str) -> tuple[int, int, int]:
        """The colour of a concept: by its category number, as in every picture."""
        return colour_of(self._numbers.get(concept, concept))

    def _of(self, annotation: Annotation) -> Drawn:
        if annotation.confidence is not None:
            note = f"{annotation.confidence:.2f}"
        else:
            note = annotation.region.rpartition("/")[2][-4:] if annotation.region else ""
        return self._drawn(annotation.geometry, annotation.concept, note)

    def _drawn(self, geometry: Geometry, concept: str, note: str = "") -> Drawn:
        french = self._workspace.vocabulary[concept].label("fr")
        return Drawn(geometry, self._label(concept), self.colour(concept), note, french)

    def _label(self, concept: str) -> str:
        return self._workspace.vocabulary[concept].label("en")

    def _save(self, panels: Sequence[Panel], name: str, caption: str) -> Picture:
        path = self._folder / f"{name}.png"
        widest = max(panel.image.shape[1] for panel in panels)
        picture = draw_panels(panels, scale=max(_PANEL_WIDTH / widest, 1.0))
        Image.fromarray(picture).save(path)
        return Picture(path, caption)
