"""Marie, who looks at what the model is least sure of. Her eyes are the truth: no one is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from lithograph.demo.photographs import Photograph
from lithograph.entities import Admission, Annotation, Mask, Status
from lithograph.masks import geometry_to_rle, mask_iou, mask_to_rle
from lithograph.workspace import Workspace

REVIEWER = "Marie"

_SAME_PLACE = 0.5
"""Least IoU at which an annotation and an alteration are one place."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was said of a proposal: ``concept`` is the IRI of what it is held to be."""

    proposal: Annotation
    status: Status
    concept: str

    @property
    def verdict(self) -> str:
        """Accepted, corrected or rejected."""
        if self.status is Status.REJECTED:
            return "rejected"
        return "accepted" if self.concept == self.proposal.concept else "corrected"


@dataclass(slots=True)
class Review:
    """What was decided, and what the graph said to it."""

    decisions: list[Decision] = field(default_factory=list)
    admissions: list[Admission] = field(default_factory=list)

    def count(self, verdict: str) -> int:
        """How many decisions came out so."""
        return sum(decision.verdict == verdict for decision in self.decisions)


def review_as_marie(
    workspace: Workspace, photographs: Sequence[Photograph], run: str, *, at_most: int
) -> Review:
    """Review the least sure proposals of a run, and write the decisions into the graph.

    A proposal on an alteration is accepted, or corrected where its concept is another; one that is
    on none is rejected.
    """
    review = Review()
    by_name = {photograph.path.name: photograph for photograph in photographs}
    names = {image.iri: image.name for image in workspace.graph.images()}
    own = set(workspace.graph.query("by-run", run=run).column("annotation"))
    waiting = [
        iri for iri in workspace.graph.query("unreviewed").column("annotation") if iri in own
    ]
    grouped: dict[tuple[Status, str | None], list[str]] = defaultdict(list)
    for iri in waiting[:at_most]:
        proposal = workspace.graph.annotation(iri)
        review.decisions.append(_decide(workspace, proposal, by_name[names[proposal.image]]))
    for decision in review.decisions:
        corrected = decision.concept if decision.verdict == "corrected" else None
        grouped[decision.status, corrected].append(decision.proposal.iri)
    for (status, concept), iris in grouped.items():
        review.admissions.append(workspace.review(iris, status, concept=concept, agent=REVIEWER))
    return review


def _decide(workspace: Workspace, proposal: Annotation, photograph: Photograph) -> Decision:
    height, width = photograph.pixels.shape[:2]
    outlined: Mask = geometry_to_rle(proposal.geometry, height, width)
    overlaps = mask_iou([outlined], [mask_to_rle(shown.mask) for shown in photograph.shown])[0]
    if overlaps.max(initial=0.0) < _SAME_PLACE:
        return Decision(proposal, Status.REJECTED, proposal.concept)
    best = int(overlaps.argmax())
    concept = workspace.vocabulary[photograph.shown[best].concept].iri
    return Decision(proposal, Status.ACCEPTED, concept)
