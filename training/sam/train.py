"""The three stages: the encoder on dense classes, the decoder on noise, then both together.

Each stage takes so many seconds, counts the seconds it has used in its checkpoint, and goes on from
there when started again. The learning rate follows the clock and not the number of steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.sam.cache import Cache
from training.sam.losses import batch_losses, dense_error, mask_errors
from training.sam.model import (
    GRID,
    IMAGE_SIZE,
    PATCH_SIZE,
    PROMPT_DIM,
    Prompts,
    build_model,
    decode,
    dense_head,
    dense_logits,
    encode,
    whiten_patches,
)
from training.sam.optimiser import Average, Optimiser, learning_rate
from training.sam.processes import Group, load, log, save
from training.sam.prompts import Sampler, normalise

CROP = 128
# px: the discs that the alternatives of a point are taught before any image is seen
DISC_RADII = (8.0, 16.0, 32.0)
CHECKPOINT_EVERY = 120.0  # s


@dataclass(frozen=True)
class Plan:
    """Where a stage works and how long. `seconds` is of wall clock, over all its restarts."""

    work: Path
    slots: int
    seconds: float
    rate: float
    seed: int
    decay_from: float = 0.65
    whole_from: float = 0.5  # of the joint stage: from here on whole frames instead of crops

    def log(self, line: str) -> None:
        """Append to the log."""
        log(self.work / "train.log", line)


@dataclass
class Stage:
    """What moves in a stage: the modules, their optimiser, their average, the seconds used."""

    name: str
    module: nn.ModuleDict
    optimiser: Optimiser
    average: Average
    used: float = 0.0
    step: int = 0

    def save(self, folder: Path) -> None:
        """Write the checkpoint `<name>.pt`."""
        state = {
            "module": self.module.state_dict(),
            "average": self.average.state,
            "average_steps": self.average.steps,
            "optimiser": self.optimiser.state_dict(),
            "used": self.used,
            "step": self.step,
        }
        save(folder / f"{self.name}.pt", state)

    def load(self, folder: Path) -> None:
        """Go on from the checkpoint, if there is one."""
        state = load(folder / f"{self.name}.pt")
        if state is None:
            return
        self.module.load_state_dict(state["module"])
        self.average.state = state["average"]
        self.average.steps = state["average_steps"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.used, self.step = state["used"], state["step"]


Step = Callable[[float], dict[str, Tensor]]


def _stage(name: str, modules: dict[str, nn.Module], *, moved: Callable[[str], bool]) -> Stage:
    module = nn.ModuleDict(modules)
    for key, parameter in module.named_parameters():
        if not moved(key):
            parameter.requires_grad_(False)
    return Stage(name, module, Optimiser(module.named_parameters()), Average(module, 0.998))


def _run(plan: Plan, stage: Stage, group: Group, step: Step) -> None:
    """Step until the stage's seconds are used up."""
    stage.load(plan.work)
    begun, before, saved = time.monotonic(), stage.used, time.monotonic()
    sums: dict[str, float] = {}
    while stage.used < plan.seconds:
        progress = stage.used / plan.seconds
        terms = step(progress)
        total = torch.stack(list(terms.values())).sum()
        total.backward()  # type: ignore[no-untyped-call]
        clock = before + time.monotonic() - begun
        stage.used = group.average_gradients(stage.optimiser.parameters, clock)
        stage.optimiser.step(
            learning_rate(plan.rate, stage.step, progress, decay_from=plan.decay_from)
        )
        stage.average.update(stage.module)
        stage.step += 1
        for key, value in terms.items():
            sums[key] = sums.get(key, 0.0) + value.item()
        if stage.step % 50 == 0:
            means = " ".join(f"{k} {v / 50:.3f}" for k, v in sums.items())
            if group.rank == 0:
                plan.log(f"{stage.name} step {stage.step} {stage.used:.0f} s {means}")
            sums.clear()
        if group.rank == 0 and time.monotonic() - saved > CHECKPOINT_EVERY:
            stage.save(plan.work)
            saved = time.monotonic()
    if group.rank == 0:
        stage.save(plan.work)
        plan.log(f"{stage.name} done after {stage.step} steps, {stage.used:.0f} s")


def train_decoder(plan: Plan, group: Group) -> None:
    """The decoder alone on random embeddings: a box is to be filled, a point to become a disc."""
    model = build_model(plan.seed)
    stage = _stage("decoder", {"sam": model}, moved=lambda key: "vision_encoder" not in key)
    random = torch.Generator().manual_seed(plan.seed + 1)

    def step(progress: float) -> dict[str, Tensor]:
        whole = stage.step % 4 == 3
        size, side = (1, GRID) if whole else (4, CROP // PATCH_SIZE)
        embedding = torch.randn(size, PROMPT_DIM, side, side, generator=random)
        offsets = torch.randint(0, (GRID - side) // 8 + 1, (size, 2), generator=random) * 8
        prompts, targets = _noise_prompts(size, side * PATCH_SIZE, random)
        shift = offsets.flip(1)[:, None].float() * PATCH_SIZE
        placed = Prompts(prompts.boxes + shift.repeat(1, 1, 2), prompts.points + shift)
        logits, quality = decode(model, embedding, offsets, placed)
        errors = mask_errors(logits, targets, torch.ones_like(targets))
        boxes = prompts.boxes.shape[1]
        return {
            "box": errors[:, :boxes].mean(),
            "point": errors[:, boxes:].mean(),
            "quality": 0.1 * (quality - 0.8).square().mean(),
        }

    _run(plan, stage, group, step)


def _noise_prompts(size: int, side: int, random: torch.Generator) -> tuple[Prompts, Tensor]:
    """Eight boxes and eight points a sample with their four targets on the 2 px grid."""
    count = 8
    length = 8 + torch.rand(size, count, 2, generator=random) ** 1.5 * (0.8 * side - 8)
    low = torch.rand(size, count, 2, generator=random) * (side - length)
    boxes = torch.cat([low, low + length], dim=-1)
    points = torch.rand(size, count, 2, generator=random) * side
    places = torch.arange(1.0, side, 2)
    x0, y0, x1, y1 = boxes[..., None].unbind(-2)
    # A sigmoid edge of about one cell stands for partly covered cells.
    columns = ((places - x0).clamp(-1, 1) + (x1 - places).clamp(-1, 1)) / 2
    rows = ((places - y0).clamp(-1, 1) + (y1 - places).clamp(-1, 1)) / 2
    filled = columns.clamp(0, 1)[..., None, :] * rows.clamp(0, 1)[..., :, None]
    x, y = points[..., None].unbind(-2)
    distance = ((places - x)[..., None, :].square() + (places - y)[..., :, None].square()).sqrt()
    discs = [((r - distance) / 2 + 0.5).clamp(0, 1) for r in (DISC_RADII[1], *DISC_RADII)]
    targets = torch.cat([filled[:, :, None].expand(-1, -1, 4, -1, -1), torch.stack(discs, 2)], 1)
    return Prompts(boxes, points), targets


def train_encoder(plan: Plan, group: Group) -> None:
    """The encoder alone: the class of every 2 px cell of crops."""
    model = build_model(plan.seed)
    cache = Cache(plan.work / "cache", plan.slots)
    slots = cache.slots()[:150]
    whiten_patches(model, torch.stack([normalise(cache.images[i]) for i in slots]))
    stage = _stage(
        "encoder",
        {"sam": model, "dense": dense_head()},
        moved=lambda key: "vision_encoder" in key or key.startswith("dense"),
    )
    sampler = Sampler(cache, plan.seed * 100 + 10 + group.rank)

    def step(progress: float) -> dict[str, Tensor]:
        sampler.refresh()
        batch = sampler.batch(8, CROP, boxes=1, points=1)
        logits = dense_logits(stage.module["dense"], encode(model, batch.pixels, batch.offsets))
        return {"dense": dense_error(logits, batch.classes)}

    _run(plan, stage, group, step)


def train_joint(plan: Plan, group: Group) -> None:
    """Encoder and decoder together, on crops first and on whole frames then."""
    model = build_model(plan.seed)
    stage = _stage("joint", {"sam": model, "dense": dense_head()}, moved=lambda key: True)
    if load(plan.work / "joint.pt") is None:
        _merge(plan, stage)
    for parameter in (
        model.shared_image_embedding.positional_embedding,
        *model.prompt_encoder.mask_embed.parameters(),
    ):
        parameter.requires_grad_(False)
    cache = Cache(plan.work / "cache", plan.slots)
    # A restarted run must not see the crops of its beginning again.
    sampler = Sampler(cache, plan.seed * 100 + 20 + group.rank + 1000 * int(time.time()))

    def step(progress: float) -> dict[str, Tensor]:
        sampler.refresh()
        whole = progress >= plan.whole_from
        batch = (
            sampler.batch(3, IMAGE_SIZE, boxes=5, points=5)
            if whole
            else sampler.batch(6, CROP, boxes=4, points=4)
        )
        embedding = encode(model, batch.pixels, batch.offsets)
        logits, quality = decode(model, embedding, batch.offsets, batch.prompts)
        dense = dense_logits(stage.module["dense"], embedding)
        losses = batch_losses(batch, logits, quality, dense, fine=whole)
        return {
            "masks": losses.masks,
            "quality": losses.quality,
            "dense": (0.1 if whole else 0.3) * losses.dense,
        }

    _run(plan, stage, group, step)


def _merge(plan: Plan, stage: Stage) -> None:
    """Start the joint stage from the averages of the two before it."""
    parts = {name: load(plan.work / f"{name}.pt") for name in ("encoder", "decoder")}
    merged: dict[str, Any] = stage.module.state_dict()
    for key in merged:
        name = "encoder" if "vision_encoder" in key or key.startswith("dense") else "decoder"
        part = parts[name]
        if part is None:
            raise FileNotFoundError(f"{plan.work / name}.pt: run that stage first")
        merged[key] = part["average"][key]
    stage.module.load_state_dict(merged)
    stage.average = Average(stage.module, stage.average.decay)
