"""Figures of a tiny CLIP folder on facades that it was not trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from clip_crops import BACKGROUND, CLASSES, FIRST_SEEDS, facade_crops
from clip_model import TinyClip, unit
from clip_texts import LANGUAGES, Texts, fill

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
def embed_classes(clip: TinyClip, prompts: Prompts) -> torch.Tensor:
    """One unit vector a class: the mean of its prompts' unit vectors, made unit again."""
    return torch.stack([unit(clip.embed_text(phrases).mean(dim=0)) for phrases in prompts])


def prompt_sets(texts: Texts, language: str) -> dict[str, Prompts]:
    """What the classes are asked by: each row of the report is one of these."""
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
        "a template never trained on": [
            [fill(template, label) for template in texts.held_out_templates[language]]
            for [label] in labels
        ],
        **{
            f"paraphrase never trained on, no. {number + 1}": [
                [phrases[number]] for phrases in texts.held_out[language]
            ]
            for number in range(3)
        },
    }


def recalls(similarity: Array, labels: NDArray[np.intp]) -> Array:
    """Share of each class's crops that get their class, in the order of `CLASSES`."""
    answers = similarity.argmax(axis=1)
    return np.array([np.mean(answers[labels == index] == index) for index in range(len(CLASSES))])


def calibration_error(similarity: Array, labels: NDArray[np.intp], scale: float) -> float:
    """Expected calibration error over ten equal bins of confidence (Guo et al., 2017)."""
    scaled = scale * similarity
    shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == labels
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
    labels = np.array([crop.label for crop in crops])
    masked = np.array([crop.masked for crop in crops])
    vectors = []
    for start in range(0, len(crops), 64):
        pixels = [crop.pixels for crop in crops[start : start + 64]]
        vectors.append(
            clip.embed_pixels(processor(images=pixels, return_tensors="pt")["pixel_values"])
        )
    images = torch.cat(vectors)
    scale = float(clip.model.logit_scale.exp())
    yield (
        f"{len(crops)} crops of {facades} facades, seeds {first} to {first + facades - 1}; "
        f"{len(CLASSES)}-way; mean of the classes' recalls, in per cent."
    )
    yield ""
    yield "| the classes asked by | English | French |"
    yield "|---|---|---|"
    similarity: dict[tuple[str, str], Array] = {}
    for language in LANGUAGES:
        for name, prompts in prompt_sets(texts, language).items():
            classes = embed_classes(clip, prompts)
            similarity[language, name] = (images @ classes.T).double().numpy()
    for name in prompt_sets(texts, LANGUAGES[0]):
        cells = (
            f"{100 * recalls(similarity[lang, name], labels).mean():.1f}" for lang in LANGUAGES
        )
        yield f"| {name} | {' | '.join(cells)} |"
    yield ""
    yield from _per_class(similarity, labels, masked)
    yield ""
    everything = similarity["en", "all of the vocabulary's prompts"]
    yield (
        f"Softmax over the ten at the shipped scale of {scale:.1f}: expected calibration error "
        f"{100 * calibration_error(everything, labels, scale):.1f} % (all English prompts)."
    )


def _per_class(
    similarity: Mapping[tuple[str, str], Array],
    labels: NDArray[np.intp],
    masked: NDArray[np.bool_],
) -> Iterable[str]:
    name = "preferred label"
    english, french = similarity["en", name], similarity["fr", name]
    columns = [
        recalls(english, labels),
        recalls(french, labels),
        recalls(english[masked], labels[masked]),
        recalls(english[~masked], labels[~masked]),
    ]
    answers = english.argmax(axis=1)
    yield (
        "| preferred labels | crops | English | French | English, with mask | English, box alone "
        "| most often taken for |"
    )
    yield "|---|---|---|---|---|---|---|"
    for index, slug in enumerate(CLASSES):
        wrong = answers[(labels == index) & (answers != index)]
        taken = np.bincount(wrong, minlength=len(CLASSES))
        other = f"{CLASSES[taken.argmax()]} ({taken.max()})" if wrong.size else "–"
        cells = " | ".join(f"{100 * column[index]:.1f}" for column in columns)
        yield f"| {slug} | {np.sum(labels == index)} | {cells} | {other} |"
    means = " | ".join(f"{100 * np.nanmean(column):.1f}" for column in columns)
    yield f"| mean | {len(labels)} | {means} | |"
    concepts = labels != CLASSES.index(BACKGROUND)
    found = np.mean(answers[concepts] == labels[concepts])
    yield ""
    yield f"Of the crops of the nine concepts alone, {100 * found:.1f} % are right (English)."
