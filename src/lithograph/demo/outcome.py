"""What the demo did and measured, as its page and its table show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lithograph.demo.asking import Answer
from lithograph.demo.drawing import Picture
from lithograph.demo.photographs import Photograph
from lithograph.demo.scoring import Score
from lithograph.demo.steps import Step
from lithograph.entities import Refusal

BASE_IRI = "https://data.example.org/demo/"
"""What every IRI of the demo's workspace begins with."""


@dataclass(slots=True)
class Outcome:
    """What the demo did and measured; the files are under ``folder``."""

    folder: Path
    photographs: tuple[Photograph, ...] = ()
    steps: list[Step] = field(default_factory=list)
    tree: str = ""
    concepts: list[tuple[str, str, tuple[int, int, int]]] = field(default_factory=list)
    refusals: tuple[Refusal, ...] = ()
    runs: dict[str, str] = field(default_factory=dict)
    scores: list[Score] = field(default_factory=list)
    truth_ap: float = 0.0
    answers: list[Answer] = field(default_factory=list)
    facades: list[Picture] = field(default_factory=list)
    walls: list[Picture] = field(default_factory=list)
    reviewed: list[tuple[str, Picture]] = field(default_factory=list)
    triples: int = 0

    @property
    def seconds(self) -> float:
        """How long all steps took."""
        return sum(step.seconds for step in self.steps)


SCORE_COLUMNS = (
    "annotations",
    "level",
    "geometry",
    "found",
    "AP",
    "AP50",
    "AP place",
    "AP50 place",
)
"""The head of the table of figures."""


def score_row(score: Score) -> list[str]:
    """One line of the table of figures."""
    numbers = (score.ap, score.ap50, score.any_ap, score.any_ap50)
    return [score.what, score.level, score.geometry, str(score.found), *map(three_digits, numbers)]


def three_digits(value: float) -> str:
    """A share with three digits; a dash where there was nothing to measure."""
    return "–" if value < 0 else f"{value:.3f}"
