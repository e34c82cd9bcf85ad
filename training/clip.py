"""Draw crops, train the tiny CLIP, write its checkpoint, measure it: see training/README.md.

python -m training.clip draw
python -m training.clip train
python -m training.clip export
python -m training.clip evaluate
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.clip_crops import BACKGROUND, CONCEPTS, write_crops
from training.clip_evaluate import embed_concepts, prompt_sets, recalls, report, report_photographs
from training.clip_model import TinyClip, build, export, normalise
from training.clip_texts import LANGUAGES, Texts, fill, read_texts
from training.sam.optimiser import Average, Optimiser, learning_rate

CHECKPOINT = Path(__file__).parents[1] / "src" / "lithograph" / "checkpoints" / "tiny-clip"
BATCH = 64
RATE = 1.5e-3
FAMILY_WEIGHT = 0.2
SOUND_SHARE = 0.16
KEPT_PATCHES, MASKED_UNTIL = 0.5, 0.55
SAVED_EVERY = 60.0


def sample_texts(texts: Texts, language: str, rng: np.random.Generator) -> list[str]:
    """One text for each concept: a label, often in a template, or a sentence about its looks."""
    chosen = []
    for index in range(len(CONCEPTS)):
        labels, sentences = texts.phrases(language, index)
        kind = rng.random()
        if kind < 0.2:
            chosen.append(_drop_words(str(rng.choice(sentences)), rng))
            continue
        label = labels[0] if rng.random() < 0.35 else str(rng.choice(labels))
        templates = texts.templates if rng.random() < 0.5 else texts.own_templates
        template = "{label}" if kind < 0.5 else str(rng.choice(templates[language]))
        chosen.append(fill(template, label))
    return chosen


def _drop_words(sentence: str, rng: np.random.Generator) -> str:
    words = sentence.split()
    kept = [word for word in words if rng.random() > 0.12]
    return " ".join(kept or words)


def augment(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Mirrored left to right by halves; other exposure, contrast and tint (pixels normalised)."""
    count = len(pixels)

    def draw(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator) * 2 - 1

    mirrored = torch.rand(count, generator=generator) < 0.5
    pixels = torch.where(mirrored[:, None, None, None], pixels.flip(3), pixels)
    mean = pixels.mean(dim=(2, 3), keepdim=True)
    pixels = mean + (pixels - mean) * (1 + 0.2 * draw(count, 1, 1, 1))
    return pixels * (1 + 0.06 * draw(count, 3, 1, 1)) + 0.35 * draw(count, 1, 1, 1)


def sampling_weights(truth: NDArray[np.intp]) -> Tensor:
    """Equal shares for the nine concepts, and a larger one for sound stone, which is various."""
    shares = np.full(len(CONCEPTS), (1 - SOUND_SHARE) / (len(CONCEPTS) - 1))
    shares[CONCEPTS.index(BACKGROUND)] = SOUND_SHARE
    counts = np.bincount(truth, minlength=len(CONCEPTS))
    return torch.from_numpy((shares / counts)[truth])


class Trainer:
    """The model in training, and all that a restart needs."""

    def __init__(self, work: Path, seconds: float) -> None:
        torch.manual_seed(0)
        self.work, self.seconds = work, seconds
        self.texts = read_texts()
        self.clip = build(_corpus(self.texts, work / "corpus.json"))
        self.optimiser = Optimiser(_named_for_muon(self.clip))
        self.average = Average(self.clip.model, 0.998)
        self.steps, self.elapsed = 0, 0.0
        with np.load(work / "train.npz") as data:
            self.pixels, self.truth = data["pixels"], data["truth"]
        with np.load(work / "validation.npz") as data:
            self.held_pixels, self.held_truth = data["pixels"], data["truth"]
        saved = work / "training.pt"
        if saved.exists():
            self._load(torch.load(saved, weights_only=True))

    def run(self) -> None:
        """Train until the core time is spent; save every minute of it."""
        weights = sampling_weights(self.truth)
        started, saved_at = time.process_time() - self.elapsed, self.elapsed
        running = 0.0
        while self.elapsed < self.seconds:
            generator = torch.Generator().manual_seed(self.steps)
            picks = torch.multinomial(weights, BATCH, replacement=True, generator=generator).numpy()
            pixels = augment(normalise(self.pixels[picks]), generator)
            progress = self.elapsed / self.seconds
            if progress < MASKED_UNTIL:
                vectors = self.clip.embed_some_patches(pixels, KEPT_PATCHES, generator)
            else:
                vectors = self.clip.embed_pixels(pixels)
            loss = self._loss(vectors, torch.from_numpy(self.truth[picks]))
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step(learning_rate(RATE, self.steps, progress, decay_from=0.5))
            with torch.no_grad():
                # A softmax sharper than this learns from its few worst examples alone.
                self.clip.model.logit_scale.clamp_(max=float(np.log(40.0)))
            self.average.update(self.clip.model)
            self.steps += 1
            self.elapsed = time.process_time() - started
            running += 0.02 * (float(loss.detach()) - running)
            if self.elapsed - saved_at > SAVED_EVERY or self.elapsed >= self.seconds:
                saved_at = self.elapsed
                self._save()
                english, french = self.validate()
                print(
                    f"{self.elapsed:6.0f} s, step {self.steps}, loss {running:.3f}, "
                    f"validation {english:.3f} en {french:.3f} fr",
                    flush=True,
                )

    def _loss(self, images: Tensor, truth: Tensor) -> Tensor:
        rng = np.random.default_rng([9, self.steps])
        sets = [
            sample_texts(self.texts, lang, rng) for lang in ("en", "fr", str(rng.choice(LANGUAGES)))
        ]
        language = str(rng.choice(LANGUAGES))
        families = [str(rng.choice(names)) for names, _ in self.texts.families[language]]
        family_of = torch.full((len(CONCEPTS),), len(families))
        for number, (_, below) in enumerate(self.texts.families[language]):
            family_of[list(below)] = number
        sound = self.texts.concepts[language][CONCEPTS.index(BACKGROUND)].label
        vectors = self.clip.embed_text([*(t for texts in sets for t in texts), *families, sound])
        logits = self.clip.model.logit_scale.exp() * images @ vectors.T
        parts = logits.split([len(CONCEPTS)] * len(sets) + [len(families) + 1], dim=1)
        by_concept = torch.stack([functional.cross_entropy(part, truth) for part in parts[:-1]])
        by_family = functional.cross_entropy(parts[-1], family_of[truth])
        return by_concept.mean() + FAMILY_WEIGHT * by_family

    @torch.inference_mode()
    def validate(self) -> tuple[float, float]:
        """Mean recall on the validation crops with the averaged weights, English and French."""
        kept = {key: value.clone() for key, value in self.clip.model.state_dict().items()}
        self.clip.model.load_state_dict(self.average.state)
        images = self.validation_vectors()
        figures = []
        for language in LANGUAGES:
            prompts = prompt_sets(self.texts, language)["preferred label"]
            similarity = (images @ embed_concepts(self.clip, prompts).T).double().numpy()
            figures.append(float(recalls(similarity, self.held_truth).mean()))
        self.clip.model.load_state_dict(kept)
        return figures[0], figures[1]

    @torch.inference_mode()
    def validation_vectors(self) -> Tensor:
        """Unit vectors of the validation crops."""
        starts = range(0, len(self.held_pixels), BATCH)
        batches = (normalise(self.held_pixels[start : start + BATCH]) for start in starts)
        return torch.cat([self.clip.embed_pixels(batch) for batch in batches])

    def best_scale(self) -> float:
        """The scale of the cosines with the least cross-entropy on the validation crops.

        Temperature scaling (Guo et al., 2017), over the mean of each concept's prompts.
        """
        self.clip.model.load_state_dict(self.average.state)
        images = self.validation_vectors()
        truth = torch.from_numpy(self.held_truth)
        losses: dict[float, float] = {}
        for scale in np.geomspace(4.0, 100.0, 60):
            total = 0.0
            for language in LANGUAGES:
                prompts = prompt_sets(self.texts, language)["all of the vocabulary's prompts"]
                logits = float(scale) * images @ embed_concepts(self.clip, prompts).T
                total += float(functional.cross_entropy(logits, truth))
            losses[float(scale)] = total
        return min(losses, key=lambda scale: losses[scale])

    def _save(self) -> None:
        state = {
            "model": self.clip.model.state_dict(),
            "average": self.average.state,
            "average_steps": self.average.steps,
            "optimiser": self.optimiser.state_dict(),
            "steps": self.steps,
            "elapsed": self.elapsed,
        }
        unfinished = self.work / "training.unfinished.pt"
        torch.save(state, unfinished)
        unfinished.replace(self.work / "training.pt")

    def _load(self, state: Mapping[str, Any]) -> None:
        self.clip.model.load_state_dict(state["model"])
        self.average.state, self.average.steps = state["average"], state["average_steps"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.steps, self.elapsed = state["steps"], state["elapsed"]


def _corpus(texts: Texts, path: Path) -> list[str]:
    """What the tokenizer learns from: kept, so that an edited vocabulary meets the same tokens."""
    if not path.exists():
        path.write_text(json.dumps(texts.everything(), ensure_ascii=False), "utf-8")
    corpus: list[str] = json.loads(path.read_text("utf-8"))
    return corpus


def _named_for_muon(clip: TinyClip) -> list[tuple[str, torch.nn.Parameter]]:
    """Parameters, named so that the optimiser tells inputs (`embed.`) from hidden matrices."""
    return [
        (name.replace("embeddings.", "embed."), parameter)
        for name, parameter in clip.model.named_parameters()
    ]


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=["draw", "train", "export", "evaluate"])
    parser.add_argument("--work", type=Path, default=Path("build/tiny-clip"), help="crops, state")
    parser.add_argument("--folder", type=Path, default=CHECKPOINT, help="the checkpoint's folder")
    parser.add_argument("--minutes", type=float, default=14.5, help="core time of training")
    parser.add_argument("--facades", type=int, default=400, help="to evaluate on")
    parser.add_argument("--photographs", type=Path, help="images/ and masks/ of real cracks")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.command == "draw":
        write_crops("validation", 200, 1, arguments.work / "validation.npz")
        write_crops("train", 3500, 3, arguments.work / "train.npz")
    elif arguments.command == "train":
        Trainer(arguments.work, 60 * arguments.minutes).run()
    elif arguments.command == "export":
        trainer = Trainer(arguments.work, 60 * arguments.minutes)
        scale = trainer.best_scale()
        export(trainer.clip, trainer.average.state, scale, arguments.folder)
    elif arguments.photographs is not None:
        for line in report_photographs(arguments.folder, read_texts(), arguments.photographs):
            print(line)
    else:
        for line in report(arguments.folder, read_texts(), arguments.facades):
            print(line)


if __name__ == "__main__":
    main()
