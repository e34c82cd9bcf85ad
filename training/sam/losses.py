"""Losses on the 2 px grid of the mask logits and, for the chosen masks, on the full frame."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from training.sam.model import CLASSES
from training.sam.prompts import Batch

OUTSIDE = 0.25  # weight of a cell outside the enlarged box
MEAN_OF_THREE = 0.08
SINGLE_FOR_POINT = 0.3
THREE_FOR_BOX = 0.4


@dataclass(frozen=True)
class Losses:
    """Terms of one batch, each a scalar."""

    masks: Tensor
    quality: Tensor
    dense: Tensor


def batch_losses(
    batch: Batch, logits: Tensor, quality: Tensor, dense: Tensor | None, *, fine: bool
) -> Losses:
    """The terms of a batch; `fine` adds the full-frame error of the chosen masks.

    `logits` (B, P, 4, h, w) and `quality` (B, P, 4) come from `decode`, `dense` (B, 10, h, w) from
    `dense_logits`; h and w are half the crop's.
    """
    targets = batch.targets.float()
    coarse = functional.avg_pool2d(targets, 2)
    weights = window_weights(batch.windows / 2, coarse.shape[-1])
    errors = mask_errors(logits, coarse[:, :, None], weights[:, :, None])
    boxes = batch.prompts.boxes.shape[1]
    asked = torch.ones(coarse.shape[:2])
    asked[:, boxes:][batch.sound] = 0

    three = errors[..., 1:]
    best, which = three.min(-1)
    box_error = errors[..., 0] + THREE_FOR_BOX * (best + MEAN_OF_THREE * three.mean(-1))
    point_error = best + MEAN_OF_THREE * three.mean(-1) + SINGLE_FOR_POINT * errors[..., 0]
    is_box = torch.arange(asked.shape[1]) < boxes
    error = torch.where(is_box, box_error, point_error)
    if fine:
        chosen = torch.where(is_box, torch.zeros_like(which), which + 1)
        error = error + _full_frame_errors(logits, chosen, targets, batch.windows)
    masks = (error * asked).sum() / asked.sum()

    with torch.no_grad():
        hard = (logits > 0).float()
        solid = (coarse > 0.5).float()[:, :, None]
        shared = (hard * solid).sum((-1, -2))
        union = hard.sum((-1, -2)) + solid.sum((-1, -2)) - shared
        overlap = shared / union.clamp(min=1)
    return Losses(
        masks=masks,
        quality=functional.mse_loss(quality, overlap),
        dense=dense_error(dense, batch.classes) if dense is not None else masks.new_zeros(()),
    )


def mask_errors(logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Dice and cross-entropy under cell weights; the last two axes are summed away.

    `target` and `weights` have one shape and broadcast to that of `logits`.
    """
    entropy = functional.binary_cross_entropy_with_logits(
        logits, target.expand_as(logits), reduction="none"
    )
    entropy = (entropy * weights).sum((-1, -2)) / weights.sum((-1, -2))
    guess = logits.sigmoid()
    shared = (guess * target * weights).sum((-1, -2))
    total = ((guess + target) * weights).sum((-1, -2))
    return entropy + 1 - (2 * shared + 1) / (total + 1)


def dense_error(logits: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy over the ten classes; the rarer class of a cell's four pixels wins it."""
    cells = functional.max_pool2d(classes[:, None].float(), 2)[:, 0].long()
    counts = torch.bincount(cells.flatten(), minlength=CLASSES).float()
    balance = (counts.sum() / (counts + 100)).sqrt().clamp(max=8)
    return functional.cross_entropy(logits, cells, weight=balance)


def window_weights(windows: Tensor, side: int) -> Tensor:
    """1 inside each (B, P, 4) window of a square grid and less outside: (B, P, side, side)."""
    places = torch.arange(side) + 0.5
    x0, y0, x1, y1 = windows[..., None].unbind(-2)
    columns = (places >= x0) & (places <= x1)
    rows = (places >= y0) & (places <= y1)
    inside = rows[..., :, None] & columns[..., None, :]
    return OUTSIDE + (1 - OUTSIDE) * inside.float()


def _full_frame_errors(logits: Tensor, chosen: Tensor, targets: Tensor, windows: Tensor) -> Tensor:
    """Errors of one mask a prompt, upsampled as the processor does before it thresholds."""
    index = chosen[..., None, None, None].expand(-1, -1, 1, *logits.shape[-2:])
    picked = logits.gather(2, index)[:, :, 0]
    large = functional.interpolate(picked, scale_factor=2, mode="bilinear", align_corners=False)
    return mask_errors(large, targets, window_weights(windows, targets.shape[-1]))
