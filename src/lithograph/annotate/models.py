"""The models of a run: loaded by name, in their roles, as a run records them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version as version_of
from typing import Any

from lithograph import __version__
from lithograph.entities import Model
from lithograph.vision import load_detector, load_labeller, load_segmenter
from lithograph.vision.protocols import ConceptSegmenter, Detector, Labeller, Segmenter


@dataclass(frozen=True)
class Models:
    """The models of a run. Without a labeller a detector's phrases name what is found."""

    segmenter: Segmenter | ConceptSegmenter
    labeller: Labeller | None = None
    detector: Detector | None = None

    @classmethod
    def load(
        cls,
        segmenter: str,
        labeller: str | None = None,
        detector: str | None = None,
        *,
        device: str = "auto",
        detector_threshold: float | None = None,
    ) -> Models:
        """Load models by id or path. ModelMissing says what to get where one is not there."""
        return cls(
            load_segmenter(segmenter, device),
            load_labeller(labeller, device) if labeller else None,
            load_detector(detector, device, threshold=detector_threshold) if detector else None,
        )

    @property
    def used(self) -> tuple[Model, ...]:
        """The models in their roles, as a run records them."""
        found: list[Model] = []
        roles: list[tuple[Any, Any]] = [
            ("segmenter", self.segmenter),
            ("labeller", self.labeller),
            ("detector", self.detector),
        ]
        for role, model in roles:
            if model is not None:
                card = model.card
                found.append(Model(card.name, card.family, card.sha256, role, card.licence))
        return tuple(found)

    @property
    def software(self) -> tuple[str, ...]:
        """The packages that took part, with their versions."""
        models = [self.segmenter, self.labeller, self.detector]
        packages = {f"{m.card.package} {m.card.package_version}" for m in models if m is not None}
        return tuple(
            sorted({f"lithograph {__version__}", f"torch {version_of('torch')}"} | packages)
        )
