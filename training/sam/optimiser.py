"""Muon for matrices and AdamW for the rest, with a moving average of the weights.

Muon: Jordan et al. 2024 (https://kellerjordan.github.io/posts/muon/), with the quintic coefficients
given there; the 0.2·√max(rows, columns) scale that lets both share one learning rate is from
Liu et al. 2025 (Muon is Scalable for LLM Training, arXiv 2502.16982).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5
MOMENTUM = 0.95
WEIGHT_DECAY = 0.02
# Parts of the names of what AdamW moves though it is a matrix: inputs, outputs, embeddings.
NOT_MUON = (
    *("embed.", "iou_token.", "mask_tokens."),
    *("upscale", "iou_prediction", "proj_out", "dense."),
)


def orthogonalise(stack: Tensor) -> Tensor:
    """Push the singular values of each matrix of a (K, m, n) stack, m ≤ n, towards 1."""
    a, b, c = COEFFICIENTS
    x: Tensor = stack / (stack.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


class Optimiser:
    """One step for both kinds of parameter, under one learning rate."""

    def __init__(self, named: Iterable[tuple[str, nn.Parameter]]) -> None:
        matrices: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, parameter in named:
            if parameter.requires_grad:
                (matrices if is_muon_matrix(name, parameter) else others).append(parameter)
        self.matrices = matrices
        self.others = others
        self.momenta = [torch.zeros_like(p) for p in matrices]
        self.adam = torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Every parameter that is moved, in a fixed order."""
        return self.matrices + self.others

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Clip the gradients to norm 1 and move every parameter that has one."""
        nn.utils.clip_grad_norm_([p for p in self.parameters if p.grad is not None], 1.0)
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.step()
        self._step_matrices(rate)
        for parameter in self.parameters:
            parameter.grad = None

    def _step_matrices(self, rate: float) -> None:
        # Matrices of one shape go through the iteration together: many are small.
        stacks: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = {}
        for parameter, momentum in zip(self.matrices, self.momenta, strict=True):
            if parameter.grad is None:
                continue
            momentum.lerp_(parameter.grad, 1 - MOMENTUM)
            update = parameter.grad.lerp(momentum, MOMENTUM).flatten(1)
            flat = parameter.data.flatten(1)  # a view: parameters are contiguous
            for part, target in _square_parts(update, flat):
                turned = part.shape[0] > part.shape[1]
                part, target = (part.T, target.T) if turned else (part, target)
                stacks.setdefault((part.shape[0], part.shape[1]), []).append((part, target))
        for (_, columns), pairs in stacks.items():
            moved = orthogonalise(torch.stack([part for part, _ in pairs]))
            for (_, target), update in zip(pairs, moved, strict=True):
                target.mul_(1 - rate * WEIGHT_DECAY)
                target.add_(update, alpha=-rate * 0.2 * columns**0.5)

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes back."""
        return {"momenta": self.momenta, "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        for momentum, saved in zip(self.momenta, state["momenta"], strict=True):
            momentum.copy_(saved)
        self.adam.load_state_dict(state["adam"])


def is_muon_matrix(name: str, parameter: nn.Parameter) -> bool:
    """Whether a parameter is a matrix between hidden layers, and no input or output."""
    if parameter.ndim < 2 or not name.endswith("weight"):
        return False
    return not any(part in name for part in NOT_MUON)


def _square_parts(update: Tensor, target: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Query, key and value of a fused projection apart: each is a matrix of its own."""
    rows, columns = update.shape
    if rows == 3 * columns:
        return list(zip(update.chunk(3), target.chunk(3), strict=True))
    return [(update, target)]


class Average:
    """Exponential moving average of a module's state."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.state = {k: v.detach().clone() for k, v in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take the module's present weights in; young averages forget faster."""
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 9))
        for key, value in module.state_dict().items():
            self.state[key].lerp_(value, 1 - decay)


def learning_rate(base: float, step: int, progress: float, *, decay_from: float) -> float:
    """Warm-up over 50 steps, flat up to `decay_from` of the way, then linear to zero."""
    warm = min(1.0, (step + 1) / 50)
    left = 1.0 if progress < decay_from else max(0.0, (1 - progress) / (1 - decay_from))
    return base * warm * left
