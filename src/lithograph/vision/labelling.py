"""From crops' vectors to concepts: probabilities of leaves, summed up to families, a decision.

The probability of a leaf is a softmax over all leaves and a background ("sound stone"), as CLIP
was trained (Radford et al., 2021); the probability of a family is the sum over the leaves below
it. Where no leaf is sure but a family is, the family is the answer: rather right and general than
precise and wrong (the idea of Deng et al., Hedging Your Bets, CVPR 2012). Pure numpy; concepts
are IRIs and nothing is known of SKOS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Level(StrEnum):
    """How far a decision could go."""

    LEAF = "leaf"
    FAMILY = "family"
    UNSURE = "unsure"
    BACKGROUND = "background"


@dataclass(frozen=True)
class LabelSettings:
    """When a label is given.

    ``leaf``: least probability of a leaf to be the answer. ``family``: least probability of a
    family, asked where no leaf reaches its own. ``keep_unsure``: where neither does, answer with
    the best leaf, flagged ``unsure``, instead of nothing. ``candidates``: how many leaves to keep
    with their probabilities.
    """

    leaf: float = 0.5
    family: float = 0.6
    keep_unsure: bool = True
    candidates: int = 3

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        for name in ("leaf", "family"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1], not {getattr(self, name)}")
        if self.candidates < 1:
            raise ValueError(f"candidates must be at least 1, not {self.candidates}")


@dataclass(frozen=True)
class Candidate:
    """A leaf and its probability."""

    concept: str
    confidence: float


@dataclass(frozen=True)
class Decision:
    """What a crop was taken for.

    ``concept`` is None for the background, and for an unsure one where unsure ones are not kept;
    no annotation is to be made then. ``confidence`` is the probability of what was decided (of the
    background; of the best leaf where unsure). ``candidates``: the most probable leaves, best
    first. ``background``: the probability of the background, 0 where there is none.
    """

    concept: str | None
    confidence: float
    level: Level
    candidates: tuple[Candidate, ...]
    background: float


@dataclass(frozen=True, eq=False)
class LabelSpace:
    """The concepts that a crop can be taken for.

    ``leaves``: K IRIs. ``vectors``: (K, D) unit vectors, one a leaf. ``background``: (D,) unit
    vector, None for none. ``ancestors``: the families above a leaf, of every height; a leaf with
    several parents counts for each of them, once.
    """

    leaves: tuple[str, ...]
    vectors: NDArray[np.float32]
    background: NDArray[np.float32] | None
    ancestors: Mapping[str, frozenset[str]]

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if not self.leaves:
            raise ValueError("a label space needs at least one leaf")
        if len(set(self.leaves)) != len(self.leaves):
            raise ValueError("a leaf is there twice")
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.leaves):
            raise ValueError(
                f"vectors must be ({len(self.leaves)}, D), one a leaf, not {self.vectors.shape}"
            )
        if self.background is not None and self.background.shape != self.vectors.shape[1:]:
            raise ValueError(
                f"background must be {self.vectors.shape[1:]}, not {self.background.shape}"
            )
        unknown = sorted(set(self.ancestors) - set(self.leaves))
        if unknown:
            raise ValueError(f"ancestors are given for what is no leaf: {', '.join(unknown)}")

    @property
    def families(self) -> tuple[str, ...]:
        """Every family above some leaf, sorted."""
        return tuple(sorted(set().union(*self.ancestors.values())))


def make_label_space(
    texts: NDArray[np.floating],
    concepts: Sequence[str],
    ancestors: Mapping[str, Sequence[str]],
    *,
    background: str | None = None,
) -> LabelSpace:
    """Group unit text vectors by concept: the mean of a concept's prompts, of unit length again.

    ``texts``: (N, D). ``concepts``: the concept of each text, N of them, in any order.
    ``background``: the concept that stands for nothing to annotate. ``ancestors``: families above
    each leaf. Source of averaging prompts: Radford et al., 2021, section 3.1.4.
    """
    if texts.ndim != 2 or len(texts) != len(concepts):
        raise ValueError(f"texts must be ({len(concepts)}, D), one a concept, not {texts.shape}")
    if not np.isfinite(texts).all():
        raise ValueError("texts must be finite numbers")
    names = list(dict.fromkeys(concepts))
    if background is not None and background not in names:
        raise ValueError(f"the background {background} has no text")
    means: dict[str, NDArray[np.float32]] = {}
    for name in names:
        mean = texts[[each == name for each in concepts]].mean(axis=0)
        length = float(np.linalg.norm(mean))
        if length < 1e-6:
            raise ValueError(f"the texts of {name} cancel each other out")
        means[name] = np.asarray(mean / length, np.float32)
    leaves = tuple(name for name in names if name != background)
    if not leaves:
        raise ValueError("there is no concept beside the background")
    return LabelSpace(
        leaves=leaves,
        vectors=np.stack([means[leaf] for leaf in leaves]),
        background=None if background is None else means[background],
        ancestors={leaf: frozenset(ancestors[leaf]) for leaf in leaves if leaf in ancestors},
    )


@dataclass(frozen=True, eq=False)
class Probabilities:
    """(M, K) of the leaves, (M, F) of the families, (M,) of the background; each in [0, 1].

    Leaves and background sum to 1. A family's is the sum of its leaves'.
    """

    leaves: NDArray[np.float64]
    families: NDArray[np.float64]
    background: NDArray[np.float64]


def probabilities_of(crops: NDArray[np.floating], space: LabelSpace, scale: float) -> Probabilities:
    """Probabilities of M crops, (M, D) unit vectors; ``scale`` is the labeller's (1/temperature).

    A sigmoid model's bias is the same for every text and falls out of a softmax.
    """
    if crops.ndim != 2 or crops.shape[1] != space.vectors.shape[1]:
        raise ValueError(f"crops must be (M, {space.vectors.shape[1]}), not {crops.shape}")
    if not (np.isfinite(scale) and scale > 0):
        raise ValueError(f"scale must be a finite number above 0, not {scale}")
    texts = space.vectors
    if space.background is not None:
        texts = np.concatenate([texts, space.background[None]])
    logits = scale * (crops.astype(np.float64) @ texts.astype(np.float64).T)
    logits -= logits.max(axis=1, keepdims=True, initial=-np.inf)
    weights = np.exp(logits)
    shares = weights / weights.sum(axis=1, keepdims=True)
    count = len(space.leaves)
    below = np.array(
        [
            [family in space.ancestors.get(leaf, frozenset()) for family in space.families]
            for leaf in space.leaves
        ],
        np.float64,
    ).reshape(count, len(space.families))
    leaves = shares[:, :count]
    background = shares[:, count] if space.background is not None else np.zeros(len(crops))
    return Probabilities(leaves=leaves, families=leaves @ below, background=background)


def decide(
    probabilities: Probabilities, space: LabelSpace, settings: LabelSettings | None = None
) -> list[Decision]:
    """Decide for each crop, in this order; ties fall to the IRI that sorts first.

    1. The background, where it is more probable than every leaf and every family.
    2. The best leaf, where it reaches ``settings.leaf``.
    3. The most specific family (fewest leaves, then most probable) that reaches
       ``settings.family``.
    4. The best leaf flagged unsure, or nothing, as ``settings.keep_unsure`` says.
    """
    chosen = settings or LabelSettings()
    return [
        _decide_one(leaves, families, float(background), space, chosen)
        for leaves, families, background in zip(
            probabilities.leaves, probabilities.families, probabilities.background, strict=True
        )
    ]


def _decide_one(
    leaves: NDArray[np.float64],
    families: NDArray[np.float64],
    background: float,
    space: LabelSpace,
    settings: LabelSettings,
) -> Decision:
    ranked = sorted(
        (
            Candidate(concept, float(share))
            for concept, share in zip(space.leaves, leaves, strict=True)
        ),
        key=lambda each: (-each.confidence, each.concept),
    )
    best = ranked[0]
    concept: str | None
    strongest = max(best.confidence, float(families.max(initial=0.0)))
    if background > strongest:
        concept, confidence, level = None, background, Level.BACKGROUND
    elif best.confidence >= settings.leaf:
        concept, confidence, level = best.concept, best.confidence, Level.LEAF
    elif (family := _best_family(families, space, settings.family)) is not None:
        concept, confidence, level = *family, Level.FAMILY
    else:
        concept = best.concept if settings.keep_unsure else None
        confidence, level = best.confidence, Level.UNSURE
    return Decision(
        concept=concept,
        confidence=min(confidence, 1.0),
        level=level,
        candidates=tuple(ranked[: settings.candidates]),
        background=background,
    )


def _best_family(
    families: NDArray[np.float64], space: LabelSpace, least: float
) -> tuple[str, float] | None:
    sizes = {
        family: sum(family in above for above in space.ancestors.values())
        for family in space.families
    }
    reached = [
        (sizes[family], -float(share), family)
        for family, share in zip(space.families, families, strict=True)
        if share >= least
    ]
    if not reached:
        return None
    _, share, family = min(reached)
    return family, -share
