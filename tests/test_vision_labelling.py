"""From vectors to concepts: probabilities that add up, and decisions by the rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lithograph.vision.labelling import (
    Decision,
    LabelSettings,
    LabelSpace,
    Level,
    Probabilities,
    decide,
    make_label_space,
    probabilities_of,
)

Floats = NDArray[np.float64]

FAMILIES = ["family:a", "family:b", "family:top"]


def unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


@st.composite
def spaces(draw: st.DrawFn) -> tuple[LabelSpace, Floats, float]:
    """A label space with several parents and prompts, crops, and a scale."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, size = draw(st.integers(1, 9)), draw(st.integers(2, 12))
    names = [f"leaf:{number}" for number in range(count)]
    concepts = [name for name in names for _ in range(draw(st.integers(1, 3)))] + ["background"]
    ancestors = {name: draw(st.lists(st.sampled_from(FAMILIES), unique=True)) for name in names}
    texts = unit(rng.normal(size=(len(concepts), size)))
    background = "background" if draw(st.booleans()) else None
    if background is None:
        concepts, texts = concepts[:-1], texts[:-1]
    space = make_label_space(texts, concepts, ancestors, background=background)
    crops = unit(rng.normal(size=(draw(st.integers(0, 5)), size)))
    return space, crops, draw(st.floats(0.5, 150))


@settings(deadline=None)
@given(spaces())
def test_leaves_and_background_sum_to_one_and_families_to_their_leaves(
    case: tuple[LabelSpace, Floats, float],
) -> None:
    space, crops, scale = case
    found = probabilities_of(crops, space, scale)
    assert found.leaves.shape == (len(crops), len(space.leaves))
    np.testing.assert_allclose(found.leaves.sum(axis=1) + found.background, 1)
    assert (found.leaves >= 0).all()
    for number, family in enumerate(space.families):
        below = [
            index
            for index, leaf in enumerate(space.leaves)
            if family in space.ancestors.get(leaf, ())
        ]
        np.testing.assert_allclose(found.families[:, number], found.leaves[:, below].sum(axis=1))
    if space.background is None:
        assert (found.background == 0).all()


@settings(deadline=None)
@given(spaces(), st.data())
def test_the_order_of_concepts_changes_nothing(
    case: tuple[LabelSpace, Floats, float], data: st.DataObject
) -> None:
    space, crops, scale = case
    order = data.draw(st.permutations(range(len(space.leaves))))
    shuffled = LabelSpace(
        leaves=tuple(space.leaves[index] for index in order),
        vectors=space.vectors[order],
        background=space.background,
        ancestors=space.ancestors,
    )
    first = probabilities_of(crops, space, scale)
    second = probabilities_of(crops, shuffled, scale)
    np.testing.assert_allclose(first.leaves[:, order], second.leaves, atol=1e-12)
    np.testing.assert_allclose(first.families, second.families, atol=1e-12)
    for one, other in zip(decide(first, space), decide(second, shuffled), strict=True):
        assert (one.concept, one.level) == (other.concept, other.level)
        assert one.confidence == pytest.approx(other.confidence)


@settings(deadline=None)
@given(spaces(), st.floats(0, 1), st.floats(0, 1), st.booleans(), st.integers(1, 4))
def test_decisions_follow_the_rules(
    case: tuple[LabelSpace, Floats, float], leaf: float, family: float, keep: bool, count: int
) -> None:
    space, crops, scale = case
    chosen = LabelSettings(leaf=leaf, family=family, keep_unsure=keep, candidates=count)
    found = probabilities_of(crops, space, scale)
    for row, decision in enumerate(decide(found, space, chosen)):
        leaves = dict(zip(space.leaves, found.leaves[row], strict=True))
        families = dict(zip(space.families, found.families[row], strict=True))
        best = max(leaves.values())
        strongest = max([best, *families.values()])
        confidences = [each.confidence for each in decision.candidates]
        assert confidences == sorted(confidences, reverse=True)
        assert len(confidences) == min(count, len(leaves))
        assert confidences[0] == pytest.approx(best)
        assert 0 <= decision.confidence <= 1
        if found.background[row] > strongest:
            assert (decision.level, decision.concept) == (Level.BACKGROUND, None)
            assert decision.confidence == pytest.approx(found.background[row])
        elif best >= leaf:
            assert decision.level == Level.LEAF
            assert decision.concept in leaves
            assert decision.confidence == pytest.approx(best)
        elif any(share >= family for share in families.values()):
            assert decision.level == Level.FAMILY
            assert decision.concept in families
            assert families[str(decision.concept)] >= family
        else:
            assert decision.level == Level.UNSURE
            assert decision.confidence == pytest.approx(best)
            assert (decision.concept is not None) == keep


SPACE = LabelSpace(
    leaves=("crack", "flake", "salt"),
    vectors=np.eye(3, 4, dtype=np.float32),
    background=np.eye(4, dtype=np.float32)[3],
    ancestors={
        "crack": frozenset({"loss", "alteration"}),
        "flake": frozenset({"loss", "alteration"}),
        "salt": frozenset({"deposit", "alteration"}),
    },
)


def decision_of(crack: float, flake: float, salt: float, **chosen: float) -> Decision:
    leaves = np.array([[crack, flake, salt]])
    assert SPACE.families == ("alteration", "deposit", "loss")
    families = np.stack([leaves[0].sum(), leaves[0, 2], leaves[0, :2].sum()])[None]
    made = Probabilities(leaves=leaves, families=families, background=1 - leaves.sum(axis=1))
    return decide(made, SPACE, LabelSettings(**chosen))[0]  # type: ignore[arg-type]


def test_a_sure_leaf_is_the_answer() -> None:
    found = decision_of(0.7, 0.1, 0.1)
    assert (found.concept, found.level, found.confidence) == ("crack", Level.LEAF, 0.7)
    assert [each.concept for each in found.candidates] == ["crack", "flake", "salt"]
    assert found.background == pytest.approx(0.1)


def test_the_most_specific_family_answers_where_no_leaf_is_sure() -> None:
    found = decision_of(0.4, 0.35, 0.15)
    assert (found.concept, found.level) == ("loss", Level.FAMILY)
    assert found.confidence == pytest.approx(0.75)
    wide = decision_of(0.3, 0.25, 0.35)
    assert (wide.concept, wide.level) == ("alteration", Level.FAMILY)


def test_where_nothing_is_sure_it_is_said() -> None:
    found = decision_of(0.2, 0.15, 0.15, family=0.9)
    assert (found.concept, found.level) == ("crack", Level.UNSURE)
    assert decision_of(0.2, 0.15, 0.15, family=0.9, keep_unsure=False).concept is None


def test_the_background_wins_against_leaves_and_families() -> None:
    found = decision_of(0.2, 0.1, 0.1)
    assert (found.concept, found.level) == (None, Level.BACKGROUND)
    assert found.confidence == pytest.approx(0.6)


def test_a_tie_falls_to_the_first_name() -> None:
    assert decision_of(0.4, 0.4, 0.1, leaf=0.4).concept == "crack"


def test_prompts_of_a_concept_are_averaged() -> None:
    texts = unit(np.array([[1.0, 0.2, 0.0], [1.0, -0.2, 0.0], [0.0, 0.0, 1.0]]))
    space = make_label_space(texts, ["crack", "crack", "salt"], {"crack": ["loss"]})
    np.testing.assert_allclose(space.vectors, [[1, 0, 0], [0, 0, 1]], atol=1e-6)
    assert space.leaves == ("crack", "salt")
    assert space.families == ("loss",)
    assert space.background is None


def test_a_higher_scale_is_surer() -> None:
    crop = unit(np.array([[1.0, 0.8, 0.1, 0.1]]))
    shares = [probabilities_of(crop, SPACE, scale).leaves[0, 0] for scale in (1.0, 10.0, 100.0)]
    assert shares == sorted(shares)
    assert shares[0] < shares[-1]


@pytest.mark.parametrize(
    ("texts", "concepts", "background", "says"),
    [
        (np.eye(2), ["a"], None, "one a concept"),
        (np.array([[np.nan, 1.0]]), ["a"], None, "finite"),
        (np.eye(2), ["a", "b"], "c", "background c has no text"),
        (np.eye(2), ["a", "a"], "a", "beside the background"),
        (np.array([[1.0, 0.0], [-1.0, 0.0]]), ["a", "a"], None, "cancel each other out"),
    ],
)
def test_texts_that_give_no_space_are_refused(
    texts: Floats, concepts: list[str], background: str | None, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        make_label_space(texts, concepts, {}, background=background)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"leaves": ()}, "at least one leaf"),
        ({"leaves": ("a", "a", "b")}, "there twice"),
        ({"vectors": np.eye(2, 4)}, "one a leaf"),
        ({"background": np.ones(3)}, "background must be"),
        ({"ancestors": {"unknown": frozenset()}}, "no leaf: unknown"),
    ],
)
def test_a_space_that_does_not_fit_together_is_refused(
    change: dict[str, object], says: str
) -> None:
    parts = {
        "leaves": SPACE.leaves,
        "vectors": SPACE.vectors,
        "background": SPACE.background,
        "ancestors": SPACE.ancestors,
    }
    with pytest.raises(ValueError, match=says):
        LabelSpace(**{**parts, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("crops", "scale", "says"),
    [(np.ones((1, 3)), 1.0, r"crops must be \(M, 4\)"), (np.ones((1, 4)), 0.0, "scale must be")],
)
def test_wrong_crops_and_scales_are_refused(crops: Floats, scale: float, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        probabilities_of(crops, SPACE, scale)


@pytest.mark.parametrize("wrong", [{"leaf": 1.5}, {"family": -0.1}, {"candidates": 0}])
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LabelSettings(**wrong)  # type: ignore[arg-type]
