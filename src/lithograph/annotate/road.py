"""The road: an image and a vocabulary in, annotations out. One page, read top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lithograph.annotate.models import Models
from lithograph.annotate.outlining import Found, outline_everything, outline_prompts
from lithograph.annotate.prompts_file import Prompt
from lithograph.config import AnnotateSettings
from lithograph.entities import (
    Agent,
    Annotation,
    Batch,
    Candidate,
    Image,
    PromptUsed,
    Refusal,
    Run,
    RunKind,
)
from lithograph.errors import LithographError, ModelError
from lithograph.rdf.iris import Iris, digest
from lithograph.vision.crops import region_crop
from lithograph.vision.labelling import (
    Candidate as LabelCandidate,
)
from lithograph.vision.labelling import (
    Decision,
    LabelSettings,
    LabelSpace,
    Level,
    decide,
    make_label_space,
    probabilities_of,
)
from lithograph.vision.protocols import ConceptSegmenter, Labeller
from lithograph.vision.text_cache import TextCache

if TYPE_CHECKING:
    from lithograph.vocabulary import Vocabulary

#: What may go wrong with one image while the others go on: the image, its file, or memory.
FAULTS = (LithographError, OSError, ValueError, RuntimeError, MemoryError)


class Road:
    """Everything that is the same for every image of a run: models, prompts, their embeddings."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        models: Models,
        iris: Iris,
        settings: AnnotateSettings | None = None,
        *,
        cache: Path,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self.models = models
        self.iris = iris
        self.settings = settings or AnnotateSettings()
        self.prompts = self._fitting_prompts(say or (lambda text: None))
        labeller = models.labeller
        self.space = None if labeller is None else self._label_space(labeller, cache)
        if self.space is None and not self._phrases_are_asked:
            raise ModelError(
                "labeller: expected one (such as openai/clip-vit-base-patch32), found none, and "
                "neither the segmenter nor a detector takes phrases to name what it finds",
                subject="labeller",
            )

    # -- one image -------------------------------------------------------------------------

    def annotations_on(
        self,
        image: Image,
        pixels: NDArray[np.uint8],
        prompts: Sequence[Prompt] = (),
        *,
        created: str,
    ) -> tuple[Annotation, ...]:
        """Outline and label one image (uint8 H×W×3, upright).

        With ``prompts`` only what they point at is outlined, and named as the likeliest leaf
        concept: a person who points says that something is there. Otherwise the whole image
        is searched, and what looks most like the background concept is left out.
        """
        # 1. Outline: what a person points at, what a detector boxes, or everything.
        found = (
            outline_prompts(self.models, pixels, prompts)
            if prompts
            else outline_everything(self.models, pixels, self.phrases, self.settings)
        )
        # 2. Name: the crop of each outline against the words of the vocabulary.
        decisions = self._decisions(pixels, found, background=not prompts)
        # 3. Say so: one annotation each, the others of one prompt as its alternatives.
        return self._annotations(image, found, decisions, created)

    def _decisions(
        self, pixels: NDArray[np.uint8], found: Sequence[Found], *, background: bool
    ) -> list[Decision]:
        labeller = self.models.labeller
        if self.space is None or labeller is None:
            return [_as_the_phrase_says(each) for each in found]
        if not found:
            return []
        crops = [
            region_crop(
                pixels,
                tuple(each.proposal.box),
                each.proposal.part,
                context=self.settings.context,
                dim=self.settings.dim,
            )
            for each in found
        ]
        seen = labeller.embed_crops(crops, self.settings.batch_size)
        space = self.space if background else replace(self.space, background=None)
        return decide(
            probabilities_of(seen, space, labeller.scale),
            space,
            LabelSettings(
                leaf=self.settings.leaf_threshold,
                family=self.settings.family_threshold,
                candidates=self.settings.candidates,
            ),
        )

    def _annotations(
        self,
        image: Image,
        found: Sequence[Found],
        decisions: Sequence[Decision],
        created: str,
    ) -> tuple[Annotation, ...]:
        made: list[Annotation] = []
        main: dict[int, str] = {}
        seen: set[str] = set()
        named = list(zip(found, decisions, strict=True))
        # The preferred mask of a prompt first, so that its alternatives can name it.
        named.sort(key=lambda pair: (not pair[0].proposal.preferred, -pair[0].proposal.quality))
        for each, decision in named:
            proposal, concept = each.proposal, decision.concept
            if concept is None:
                continue
            iri = self.iris.annotation(self.recipe, image.iri, proposal.geometry, concept)
            if iri in seen:
                continue
            seen.add(iri)
            made.append(
                Annotation(
                    iri=iri,
                    image=image.iri,
                    concept=concept,
                    geometry=proposal.geometry,
                    box=proposal.box,
                    area=float(proposal.area),
                    created=created,
                    confidence=decision.confidence,
                    mask_quality=proposal.quality,
                    candidates=tuple(
                        Candidate(c.concept, c.confidence) for c in decision.candidates
                    ),
                    alternative_of=main.get(proposal.group),
                )
            )
            main.setdefault(proposal.group, iri)
        return tuple(made)

    # -- the same for every image ----------------------------------------------------------

    @property
    def phrases(self) -> list[tuple[str, str]]:
        """What a detector is asked for: each leaf concept by its label, one phrase a pass."""
        language = self.settings.languages[0]
        return [
            (concept.iri, concept.label(language).lower())
            for concept in self.vocabulary.leaves
            if not concept.is_background
        ]

    @property
    def _phrases_are_asked(self) -> bool:
        detector = self.models.detector
        return isinstance(self.models.segmenter, ConceptSegmenter) or (
            detector is not None and detector.takes_phrases
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """What decides the outcome beside the images: models, settings and words."""
        settings = asdict(self.settings)
        for name in ("segmenter", "labeller", "detector", "device", "batch_size"):
            settings.pop(name)
        return {
            "models": {model.role: model.sha256 for model in self.models.used},
            "prompts": digest([[p.concept, p.text, p.language] for p in self.prompts]),
            "phrases": digest(self.phrases) if self._phrases_are_asked else None,
            "settings": settings,
        }

    @property
    def recipe(self) -> str:
        """The digest of the parameters: the same recipe makes the same annotation of an image."""
        return digest(self.parameters)

    def run(self, key: str, *, started: str, agent: Agent, vocabulary_version: str | None) -> Run:
        """The run that applies this recipe."""
        return Run(
            iri=self.iris.run(RunKind.MODEL, key),
            kind=RunKind.MODEL,
            agent=agent,
            started=started,
            vocabulary_versions=(vocabulary_version,) if vocabulary_version else (),
            parameters={**self.parameters, "recipe": self.recipe},
            software=self.models.software,
            models=self.models.used,
            prompts=self.prompts,
        )

    def _fitting_prompts(self, say: Callable[[str], None]) -> tuple[PromptUsed, ...]:
        from lithograph.vocabulary import fit_prompts

        labeller = self.models.labeller
        if labeller is None:
            return ()
        given = self.vocabulary.prompts(self.settings.languages, self.vocabulary.leaves)
        fitting, warnings = fit_prompts(
            given, lambda text: labeller.count_tokens([text])[0], labeller.max_tokens
        )
        for warning in warnings:
            say(f"note: {warning}")
        return tuple(PromptUsed(p.concept, p.text, p.language) for p in fitting)

    def _label_space(self, labeller: Labeller, cache: Path) -> LabelSpace:
        vectors = TextCache(cache).embed(labeller, [prompt.text for prompt in self.prompts])
        background = self.vocabulary.background
        return make_label_space(
            vectors,
            [prompt.concept for prompt in self.prompts],
            {
                concept.iri: [above.iri for above in self.vocabulary.ancestors(concept)]
                for concept in self.vocabulary.leaves
            },
            background=None if background is None else background.iri,
        )


def _as_the_phrase_says(found: Found) -> Decision:
    """Without a labeller, what a phrase found is what the phrase names."""
    if found.concept is None or found.confidence is None:
        return Decision(None, 0.0, Level.UNSURE, (), 0.0)
    candidate = LabelCandidate(found.concept, found.confidence)
    return Decision(found.concept, found.confidence, Level.LEAF, (candidate,), 0.0)


def annotate(
    images: Sequence[Image],
    pixels_of: Callable[[Image], NDArray[np.uint8]],
    road: Road,
    run: Run,
    *,
    prompts: Mapping[str, Sequence[Prompt]] | None = None,
    admit: Callable[[Batch], None],
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Drive images down the road, one batch each, given to ``admit`` as soon as it is made.

    An image that fails becomes a batch with a refusal, and the rest go on. ``prompts`` maps the
    IRIs of images to what a person pointed at on them.
    """
    for number, image in enumerate(images, start=1):
        try:
            asked = (prompts or {}).get(image.iri, ())
            annotations = road.annotations_on(image, pixels_of(image), asked, created=run.started)
            batch = Batch(replace(run, images=(image.iri,)), annotations, closed=False)
        except FAULTS as error:
            source = f'{{"image":"{image.iri}"}}'
            refusal = Refusal(image.name, f"{type(error).__name__}: {error}", source)
            batch = Batch(run, refusals=(refusal,), closed=False)
        admit(batch)
        if progress is not None:
            progress(number, len(images))
