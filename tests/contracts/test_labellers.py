"""What every labeller owes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lithograph.vision import Labeller, load_labeller

pytest_plugins = ["tiny_models"]

Image = NDArray[np.uint8]
Tiny = Callable[[str], Path]

FAMILIES = ["clip", "siglip", "siglip2"]
PHRASES = ["a crack in limestone", "écaillage, plaque détachée", "stone"]


@pytest.fixture(scope="module", params=FAMILIES)
def labeller(request: pytest.FixtureRequest, tiny: Tiny) -> Labeller:
    return load_labeller(str(tiny(request.param)), "cpu")


@pytest.fixture(scope="module")
def crops() -> list[Image]:
    rng = np.random.default_rng(4)
    sizes = [(64, 64), (31, 31), (9, 9), (120, 40), (32, 32)]
    return [rng.integers(0, 255, (*size, 3), dtype=np.uint8) for size in sizes]


def test_it_is_a_labeller_with_a_card(labeller: Labeller) -> None:
    assert isinstance(labeller, Labeller)
    assert labeller.card.family in FAMILIES
    assert labeller.card.device == "cpu"
    assert labeller.kind == ("softmax" if labeller.card.family == "clip" else "sigmoid")
    assert labeller.scale > 0
    assert np.isfinite(labeller.bias)
    assert labeller.max_tokens > 0


def test_vectors_are_of_unit_length_in_one_space(labeller: Labeller, crops: list[Image]) -> None:
    texts = labeller.embed_text(PHRASES)
    images = labeller.embed_crops(crops)
    assert texts.dtype == images.dtype == np.float32
    assert texts.shape == (3, images.shape[1])
    assert images.shape[0] == 5
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(images, axis=1), 1, atol=1e-5)


def test_phrases_keep_their_order_and_do_not_touch_each_other(labeller: Labeller) -> None:
    """Padding depends on the others of a batch; the vector must not."""
    together = labeller.embed_text(PHRASES)
    for number, phrase in enumerate(PHRASES):
        np.testing.assert_allclose(labeller.embed_text([phrase])[0], together[number], atol=1e-5)
    assert not np.allclose(together[0], together[1], atol=1e-3)


def test_batches_change_nothing(labeller: Labeller, crops: list[Image]) -> None:
    whole = labeller.embed_crops(crops, batch_size=5)
    np.testing.assert_allclose(labeller.embed_crops(crops, batch_size=2), whole, atol=1e-5)
    np.testing.assert_allclose(labeller.embed_crops(crops[3:4])[0], whole[3], atol=1e-5)
    assert not np.allclose(whole[0], whole[1], atol=1e-3)


def test_more_phrases_than_a_batch_holds(labeller: Labeller) -> None:
    phrases = [f"stone {number}" for number in range(70)]
    vectors = labeller.embed_text(phrases)
    np.testing.assert_allclose(vectors[69], labeller.embed_text(["stone 69"])[0], atol=1e-5)


def test_a_long_phrase_is_cut_at_a_sentence_with_a_warning(labeller: Labeller) -> None:
    short = "A crack."
    long = short + " " + "It runs along the joint of the blocks " * 12
    assert labeller.count_tokens([short, long])[1] > labeller.max_tokens
    with pytest.warns(UserWarning, match=f"was cut to the {labeller.max_tokens}"):
        cut = labeller.embed_text([long])
    np.testing.assert_allclose(cut, labeller.embed_text([short]), atol=1e-5)


def test_tokens_are_counted_as_they_are_fed(labeller: Labeller) -> None:
    counts = labeller.count_tokens(PHRASES)
    assert len(counts) == 3
    assert all(count > 1 for count in counts)
    assert labeller.count_tokens(["stone stone"])[0] > labeller.count_tokens(["stone"])[0]


@pytest.mark.parametrize("phrases", [[], [""], "a crack", [3]])
def test_wrong_phrases_are_refused(labeller: Labeller, phrases: list[str]) -> None:
    with pytest.raises(ValueError, match="phrase"):
        labeller.embed_text(phrases)


@pytest.mark.parametrize(
    ("crop", "batch"),
    [
        ([np.zeros((8, 8, 3), np.float32)], 16),
        ([np.zeros((8, 8), np.uint8)], 16),
        ([], 16),
        ([np.zeros((8, 8, 3), np.uint8)], 0),
    ],
)
def test_wrong_crops_are_refused(labeller: Labeller, crop: list[Image], batch: int) -> None:
    with pytest.raises(ValueError, match=r"image|crop|batch_size"):
        labeller.embed_crops(crop, batch_size=batch)


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_are_those_of_the_model(tiny: Tiny, crops: list[Image], family: str) -> None:
    """Scale × cosine + bias is what the model itself answers for images and texts together."""
    import torch
    from transformers import AutoModelForZeroShotImageClassification, AutoProcessor

    labeller = load_labeller(str(tiny(family)), "cpu")
    processor = AutoProcessor.from_pretrained(tiny(family))
    model = AutoModelForZeroShotImageClassification.from_pretrained(tiny(family)).eval()
    images = processor.image_processor(images=crops, return_tensors="pt")
    if family == "clip":
        texts = processor.tokenizer(PHRASES, padding="longest", return_tensors="pt")
    else:
        texts = processor.tokenizer(
            PHRASES, padding="max_length", max_length=labeller.max_tokens, return_tensors="pt"
        )
        texts.pop("attention_mask", None)
    with torch.inference_mode():
        official = model(**images, **texts).logits_per_image.numpy()
    cosines = labeller.embed_crops(crops) @ labeller.embed_text(PHRASES).T
    np.testing.assert_allclose(labeller.scale * cosines + labeller.bias, official, atol=1e-4)
