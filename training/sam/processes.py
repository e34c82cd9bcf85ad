"""Two training processes that average their gradients, and checkpoints they go on from."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn


class Group:
    """`count` processes; the gradients carry rank 0's clock along, so that all agree on it."""

    def __init__(self, rank: int, count: int, meeting: Path | None) -> None:
        self.rank = rank
        self.count = count
        if count > 1:
            if meeting is None:
                raise ValueError(f"{count} processes need a file to meet at, found None")
            os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
            dist.init_process_group(
                "gloo",
                init_method=f"file://{meeting}",
                rank=rank,
                world_size=count,
                timeout=timedelta(minutes=10),
            )

    def average_gradients(self, parameters: Sequence[nn.Parameter], clock: float) -> float:
        """Replace every gradient by the mean over the processes; returns rank 0's `clock`."""
        if self.count == 1:
            return clock
        present = [p for p in parameters if p.grad is not None]
        flat = torch.cat([p.grad.flatten() for p in present if p.grad is not None])
        # As a float32 a clock of some hours is exact to a millisecond.
        carried = torch.tensor([clock if self.rank == 0 else 0.0])
        flat = torch.cat([flat, carried])
        dist.all_reduce(flat)
        start = 0
        for parameter in present:
            length = parameter.numel()
            part = flat[start : start + length] / self.count
            parameter.grad = part.reshape(parameter.shape)
            start += length
        return float(flat[-1])

    def close(self) -> None:
        """Leave the group."""
        if self.count > 1:
            dist.destroy_process_group()


def together(task: Callable[[Group], None], count: int) -> None:
    """Run `task`, which must be picklable, in `count` processes of one thread each."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        meeting = Path(folder) / "meeting"
        started = [
            context.Process(target=_member, args=(task, rank, count, meeting))
            for rank in range(count)
        ]
        for process in started:
            process.start()
        for process in started:
            process.join()
    failed = [rank for rank, process in enumerate(started) if process.exitcode]
    if failed:
        raise RuntimeError(f"of {count} processes, these failed: {failed}")


def _member(task: Callable[[Group], None], rank: int, count: int, meeting: Path) -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # denormals make a step twenty times slower
    group = Group(rank, count, meeting)
    task(group)
    group.close()


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    torch.save(state, part)
    part.replace(path)


def load(path: Path) -> dict[str, Any] | None:
    """A checkpoint, or None where there is none yet."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def log(path: Path, line: str) -> None:
    """Append a line with the time of day."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"{time.strftime('%H:%M:%S')} {line}\n")
