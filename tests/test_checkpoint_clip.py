"""The shipped tiny CLIP: it loads offline and knows crops that it was not trained on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lithograph import resources
from lithograph.samples import SLUGS, render_facade
from lithograph.vision.crops import region_crop

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

# Seeds from 1,000,000 on are never trained on; these lie behind those of the model card's figures.
FIRST_SEED = 1_600_000
CONCEPTS = (*SLUGS, "sound-stone")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder() -> Path:
    path = resources.checkpoint("tiny-clip")
    assert path is not None
    return path


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Iterator[tuple[Any, Any]]:
    from transformers import AutoModelForZeroShotImageClassification, AutoProcessor

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        model = AutoModelForZeroShotImageClassification.from_pretrained(
            folder, local_files_only=True
        ).eval()
        yield model, AutoProcessor.from_pretrained(folder, local_files_only=True)


def preferred_labels(language: str) -> list[str]:
    import rdflib

    graph = rdflib.Graph().parse(resources.ontology("notre-dame-alterations"))
    base = "https://w3id.org/lithograph/notre-dame-alterations/"
    return [
        next(
            str(label)
            for label in graph.objects(rdflib.URIRef(base + slug), rdflib.SKOS.prefLabel)
            if isinstance(label, rdflib.Literal) and label.language == language
        )
        for slug in CONCEPTS
    ]


@pytest.fixture(scope="module")
def crops() -> tuple[list[NDArray[np.uint8]], NDArray[np.intp]]:
    """Crops by exact mask of each alteration of 40 facades, and of the sound wall beside them."""
    rng = np.random.default_rng(0)
    pixels: list[NDArray[np.uint8]] = []
    truth: list[int] = []
    for seed in range(FIRST_SEED, FIRST_SEED + 40):
        facade = render_facade(seed, height=256, width=256)
        altered = np.zeros((256, 256), np.bool_)
        for alteration in facade.alterations:
            altered |= alteration.mask
            rows = np.flatnonzero(alteration.mask.any(axis=1))
            columns = np.flatnonzero(alteration.mask.any(axis=0))
            box = (
                float(columns[0]),
                float(rows[0]),
                float(np.ptp(columns) + 1),
                float(np.ptp(rows) + 1),
            )
            pixels.append(region_crop(facade.image, box, alteration.mask))
            truth.append(CONCEPTS.index(alteration.concept))
        for _ in range(20):
            side = int(rng.integers(24, 80))
            x, y = (int(value) for value in rng.integers(0, 256 - side, 2))
            window = (slice(y, y + side), slice(x, x + side))
            if not altered[window].any():
                pixels.append(region_crop(facade.image, (x, y, side, side), ~altered[window]))
                truth.append(CONCEPTS.index("sound-stone"))
                break
    return pixels, np.array(truth)


def answers(
    loaded: tuple[Any, Any], pixels: list[NDArray[np.uint8]], phrases: list[str]
) -> NDArray[np.float64]:
    """Probabilities (crops, phrases), as transformers' zero-shot pipeline has them."""
    model, processor = loaded
    inputs = processor(
        text=phrases, images=pixels, padding=True, truncation=True, return_tensors="pt"
    )
    with torch.inference_mode():
        return np.asarray(model(**inputs).logits_per_image.softmax(dim=1).double().numpy())


def test_the_checkpoint_is_small_and_says_what_it_is(folder: Path) -> None:
    assert sum(file.stat().st_size for file in folder.iterdir()) < 3_000_000
    card = (folder / "README.md").read_text("utf-8")
    assert "real stone" in card
    assert "python -m training.clip evaluate" in card


def test_the_tokenizer_takes_any_text(loaded: tuple[Any, Any]) -> None:
    model, processor = loaded
    tokenizer = processor.tokenizer
    assert tokenizer.eos_token_id not in (2, tokenizer.bos_token_id)
    assert tokenizer.eos_token_id == model.config.text_config.eos_token_id
    assert tokenizer.bos_token_id == model.config.text_config.bos_token_id
    assert tokenizer.model_max_length == model.config.text_config.max_position_embeddings == 77
    strange = tokenizer("Größe – 石, \N{GRINNING FACE} ﬁssure\n\t№ 7").input_ids
    assert strange[0] == tokenizer.bos_token_id
    assert strange[-1] == tokenizer.eos_token_id
    assert tokenizer.eos_token_id not in strange[:-1]
    assert max(strange) < model.config.text_config.vocab_size
    assert tokenizer("CRACK").input_ids == tokenizer("crack").input_ids


@pytest.mark.parametrize("language", ["en", "fr"])
def test_preferred_labels_find_the_concept(
    language: str, loaded: tuple[Any, Any], crops: tuple[list[NDArray[np.uint8]], NDArray[np.intp]]
) -> None:
    pixels, truth = crops
    right = answers(loaded, pixels, preferred_labels(language)).argmax(axis=1) == truth
    assert len(truth) > 120
    assert right.mean() >= 0.9
    per_concept = [right[truth == index].mean() for index in range(len(CONCEPTS))]
    assert min(per_concept) >= 0.6


def test_texts_matter(
    loaded: tuple[Any, Any], crops: tuple[list[NDArray[np.uint8]], NDArray[np.intp]]
) -> None:
    pixels, truth = crops
    phrases = preferred_labels("en")
    turned = phrases[1:] + phrases[:1]
    right = answers(loaded, pixels, turned).argmax(axis=1) == truth
    assert right.mean() < 0.15


def test_half_precision_weights_are_the_same_in_float(
    loaded: tuple[Any, Any], folder: Path
) -> None:
    from safetensors.numpy import load_file

    weights = load_file(folder / "model.safetensors")
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float16)}
    assert all(np.isfinite(array).all() for array in weights.values())
    assert loaded[0].dtype == torch.float32
    state = loaded[0].state_dict()
    assert set(state) == set(weights)
    name = "visual_projection.weight"
    np.testing.assert_array_equal(state[name].numpy(), weights[name].astype(np.float32))
