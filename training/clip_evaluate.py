"""Figures of a tiny CLIP folder on facades that it was not trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lithograph.vision.crops import region_crop
from training.clip_crops import BACKGROUND, CONCEPTS, FIRST_SEEDS, facade_crops
from training.clip_model import TinyClip, unit
from training.clip_texts import LANGUAGES, Texts, fill

Array = NDArray[np.float64]
Prompts = Sequence[Sequence[str]]


def load(folder: Path) -> tuple[TinyClip, Any]:
    """The model and its processor as a user loads them: offline, by Auto class."""
    from transformers import AutoModelForZeroShotImageClassification, AutoProcessor

    model = AutoModelForZeroShotImageClassification.from_pretrained(
        folder, local_files_only=True, dtype=torch.float32
    ).eval()
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    return TinyClip(model, processor.tokenizer), processor


@torch.inference_mode()
def embed_concepts(clip: TinyClip, prompts: Prompts) -> torch.Tensor:
    """One unit vector a concept: the mean of its prompts' unit vectors, made unit again."""
    return torch.stack([unit(clip.embed_text(phrases).mean(dim=0)) for phrases in prompts])


def prompt_sets(texts: Texts, language: str) -> dict[str, Prompts]:
    """What the concepts are asked by: each row of the report is one of these."""
    concepts = texts.concepts[language]
    labels = [[concept.label] for concept in concepts]
    templated = [
        [fill(template, label) for template in texts.templates[language]] for [label] in labels
    ]
    described = [list(concept.descriptions) for concept in concepts]
    other = [
        [fill(template, label) for template in texts.templates[language] for label in names]
        for names in ([*concept.other_labels] for concept in concepts)
    ]
    everything = [
        [*a, *b, *c, *d] for a, b, c, d in zip(labels, templated, described, other, strict=True)
    ]
    return {
        "preferred label": labels,
        "the vocabulary's templates with the preferred label": templated,
        "visual description": described,
        "all of the vocabulary's prompts": everything,
        **{
            f"template never trained on, no. {number + 1}": [
                [fill(texts.held_out_templates[language][number], label)] for [label] in labels
            ]
            for number in range(3)
        },
        **{
            f"paraphrase never trained on, no. {number + 1}": [
                [phrases[number]] for phrases in texts.held_out[language]
            ]
            for number in range(3)
        },
    }


def recalls(similarity: Array, truth: NDArray[np.intp]) -> Array:
    """Share of each concept's crops that get it, in the order of `CONCEPTS`."""
    answers = similarity.argmax(axis=1)
    return np.array([np.mean(answers[truth == index] == index) for index in range(len(CONCEPTS))])


def calibration_error(similarity: Array, truth: NDArray[np.intp], scale: float) -> float:
    """Expected calibration error over ten equal bins of confidence (Guo et al., 2017)."""
    scaled = scale * similarity
    shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == truth
    bins = np.minimum((confidence * 10).astype(int), 9)
    return float(
        sum(
            np.mean(bins == index)
            * abs(np.mean(confidence[bins == index]) - np.mean(right[bins == index]))
            for index in np.unique(bins)
        )
    )


@torch.inference_mode()
def report(folder: Path, texts: Texts, facades: int) -> Iterable[str]:
    """Lines of Markdown: the figures on the crops of `facades` test facades."""
    clip, processor = load(folder)
    first = FIRST_SEEDS["test"]
    crops = [c for seed in range(first, first + facades) for c in facade_crops(seed, 1)]
    truth = np.array([crop.concept for crop in crops])
    masked = np.array([crop.masked for crop in crops])
    images = _embed(clip, processor, [crop.pixels for crop in crops])
    scale = float(clip.model.logit_scale.exp())
    yield (
        f"{len(crops)} crops of {facades} facades, seeds {first} to {first + facades - 1}; "
        f"{len(CONCEPTS)}-way; mean of the concepts' recalls, in per cent."
    )
    yield ""
    yield "| asked by | English | French |"
    yield "|---|---|---|"
    similarity: dict[tuple[str, str], Array] = {}
    for language in LANGUAGES:
        for name, prompts in prompt_sets(texts, language).items():
            asked = embed_concepts(clip, prompts)
            similarity[language, name] = (images @ asked.T).double().numpy()
    for name in prompt_sets(texts, LANGUAGES[0]):
        cells = (f"{100 * recalls(similarity[lang, name], truth).mean():.1f}" for lang in LANGUAGES)
        yield f"| {name} | {' | '.join(cells)} |"
    yield ""
    yield from _per_concept(similarity, truth, masked)
    yield ""
    everything = similarity["en", "all of the vocabulary's prompts"]
    yield (
        f"Softmax over the ten at the shipped scale of {scale:.1f}: expected calibration error "
        f"{100 * calibration_error(everything, truth, scale):.1f} % (all English prompts)."
    )


def _per_concept(
    similarity: Mapping[tuple[str, str], Array],
    truth: NDArray[np.intp],
    masked: NDArray[np.bool_],
) -> Iterable[str]:
    name = "preferred label"
    english, french = similarity["en", name], similarity["fr", name]
    columns = [
        recalls(english, truth),
        recalls(french, truth),
        recalls(english[masked], truth[masked]),
        recalls(english[~masked], truth[~masked]),
    ]
    answers = english.argmax(axis=1)
    yield (
        "| preferred labels | crops | English | French | English, with mask | English, box alone "
        "| most often taken for |"
    )
    yield "|---|---|---|---|---|---|---|"
    for index, slug in enumerate(CONCEPTS):
        wrong = answers[(truth == index) & (answers != index)]
        taken = np.bincount(wrong, minlength=len(CONCEPTS))
        other = f"{CONCEPTS[taken.argmax()]} ({taken.max()})" if wrong.size else "–"
        cells = " | ".join(f"{100 * column[index]:.1f}" for column in columns)
        yield f"| {slug} | {np.sum(truth == index)} | {cells} | {other} |"
    means = " | ".join(f"{100 * np.nanmean(column):.1f}" for column in columns)
    yield f"| mean | {len(truth)} | {means} | |"
    altered = truth != CONCEPTS.index(BACKGROUND)
    found = np.mean(answers[altered] == truth[altered])
    yield ""
    yield f"Of the crops of the nine concepts alone, {100 * found:.1f} % are right (English)."


@torch.inference_mode()
def report_photographs(folder: Path, texts: Texts, photographs: Path) -> Iterable[str]:
    """Lines on real photographs: `images/` and, under the same names, `masks/` of cracks.

    Each connected piece of a mask of 60 pixels or more is one crop; beside it, one box of the same
    size that meets no crack. Only cracks and sound stone can be right; all ten concepts are asked.
    """
    clip, processor = load(folder)
    rng = np.random.default_rng(0)
    crops: dict[str, list[NDArray[np.uint8]]] = {"crack": [], BACKGROUND: []}
    names = sorted(file.name for file in (photographs / "images").iterdir())
    for name in names:
        image = np.asarray(Image.open(photographs / "images" / name).convert("RGB"))
        cracks = np.asarray(Image.open(photographs / "masks" / name).convert("L")) > 127
        parts, _ = ndimage.label(cracks, np.ones((3, 3)))
        for number, (rows, columns) in enumerate(ndimage.find_objects(parts), start=1):
            mask = parts == number
            if np.count_nonzero(mask) < 60:
                continue
            size = (columns.stop - columns.start, rows.stop - rows.start)
            crops["crack"].append(region_crop(image, (columns.start, rows.start, *size), mask))
            for _ in range(20):
                x = int(rng.integers(0, image.shape[1] - size[0] + 1))
                y = int(rng.integers(0, image.shape[0] - size[1] + 1))
                if not cracks[y : y + size[1], x : x + size[0]].any():
                    crops[BACKGROUND].append(region_crop(image, (x, y, *size)))
                    break
    yield f"{len(names)} real photographs of cracked masonry; preferred labels, ten concepts asked."
    yield ""
    yield "| what is there | crops | right, English | right, French | most often taken for |"
    yield "|---|---|---|---|---|"
    for slug, pixels in crops.items():
        images = _embed(clip, processor, pixels)
        answers = [
            (images @ embed_concepts(clip, prompt_sets(texts, lang)["preferred label"]).T)
            .argmax(dim=1)
            .numpy()
            for lang in LANGUAGES
        ]
        right = " | ".join(f"{100 * np.mean(a == CONCEPTS.index(slug)):.1f}" for a in answers)
        taken = np.bincount(answers[0], minlength=len(CONCEPTS))
        yield f"| {slug} | {len(pixels)} | {right} | {CONCEPTS[taken.argmax()]} ({taken.max()}) |"


def _embed(clip: TinyClip, processor: Any, pixels: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
    """Unit vectors of crops of any size, through the checkpoint's own image processor."""
    batches = (
        processor(images=list(pixels[start : start + 64]), return_tensors="pt")["pixel_values"]
        for start in range(0, len(pixels), 64)
    )
    return torch.cat([clip.embed_pixels(batch) for batch in batches])
