"""Where a model runs, and at what precision."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from lithograph.errors import ModelError

if TYPE_CHECKING:
    import torch


def choose_device(device: str, *, subject: str) -> str:
    """Name the device to use: ``auto`` takes CUDA, then Apple's MPS, then the CPU.

    ValueError for a name we do not know, ModelError for a device this machine lacks.
    """
    import torch

    kind = device.partition(":")[0]
    if kind not in {"auto", "cpu", "cuda", "mps"}:
        raise ValueError(f"device must be auto, cpu, cuda, cuda:<number> or mps, not {device!r}")
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if kind == "auto":
        return "cuda" if cuda else "mps" if mps else "cpu"
    if (kind == "cuda" and not cuda) or (kind == "mps" and not mps):
        found = [name for name, there in (("cuda", cuda), ("mps", mps), ("cpu", True)) if there]
        raise ModelError(
            f"device {device} was asked for, but torch sees only: {', '.join(found)}",
            subject=subject,
        )
    return device


def half_precision(device: str) -> AbstractContextManager[object]:
    """Half precision around an image encoder on a CUDA device; nothing elsewhere.

    On a CPU bfloat16 is slower wherever AVX-512 lacks, and SAM's prompt encoder fails under it.
    Prompt encoders and decoders stay in float32 everywhere: a coordinate needs more than eight
    bits.
    """
    import torch

    if not device.startswith("cuda"):
        return nullcontext()
    dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.autocast("cuda", dtype=dtype)


def to_float32(tensor: torch.Tensor) -> torch.Tensor:
    """Bring what an encoder gave back to float32, whatever precision it ran at."""
    import torch

    return tensor.to(torch.float32)
