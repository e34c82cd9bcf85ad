"""Rendered facades in memory-mapped files, which renderers fill while training reads them.

Slot i holds the facade of seed i. Three slots in five are 256 × 256 px as rendered; the others have
a size drawn from the seed and are shrunk to 256 px on the longer side, as the processor will do.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.sam.model import IMAGE_SIZE

TRAIN_SEEDS = range(500_000)
VALIDATION_SEEDS = range(500_000, 1_000_000)
TEST_SEEDS = range(1_000_000, 2_000_000)
MOST_ALTERATIONS = 15
# The order of the dense classes, sound stone being 0; the checkpoint itself does not hold it.
SLUGS = (
    "bleaching",
    "salt-efflorescence",
    "lead-deposit",
    "erosion",
    "lacuna",
    "scaling",
    "flake",
    "crack",
    "humidity",
)


@dataclass(frozen=True, eq=False)
class Sample:
    """One facade in the 256 px frame, in its top left corner when it is not square."""

    image: NDArray[np.uint8]  # (256, 256, 3)
    instances: NDArray[np.uint8]  # (256, 256): 0 sound stone, i the i-th alteration
    classes: NDArray[np.uint8]  # (16,): classes[i] is the class of instance i, 1 to 9
    height: int
    width: int


class Cache:
    """`count` slots under `folder`; `ready[i]` is the number of times slot i has been written."""

    def __init__(self, folder: Path, count: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        side = IMAGE_SIZE
        self.images = _mapped(folder / "images.npy", (count, side, side, 3), np.uint8)
        self.instances = _mapped(folder / "instances.npy", (count, side, side), np.uint8)
        self.classes = _mapped(folder / "classes.npy", (count, MOST_ALTERATIONS + 1), np.uint8)
        self.sizes = _mapped(folder / "sizes.npy", (count, 2), np.int16)
        self.ready = _mapped(folder / "ready.npy", (count,), np.uint8)

    def __getitem__(self, slot: int) -> Sample:
        height, width = (int(v) for v in self.sizes[slot])
        return Sample(self.images[slot], self.instances[slot], self.classes[slot], height, width)

    def write(self, slot: int, sample: Sample) -> None:
        """Fill a slot; readers may see it half written, which is one odd crop and no more."""
        self.images[slot] = sample.image
        self.instances[slot] = sample.instances
        self.classes[slot] = sample.classes
        self.sizes[slot] = sample.height, sample.width
        self.ready[slot] += 1

    def slots(self) -> NDArray[np.int64]:
        """The slots that hold a facade now."""
        return np.flatnonzero(self.ready)


def _mapped(path: Path, shape: tuple[int, ...], kind: type) -> NDArray[np.generic]:
    if not path.exists():
        # Exclusive creation: of two processes that start together one makes the file.
        made = path.with_name(f"{path.name}.{np.random.default_rng().integers(1 << 62)}")
        np.lib.format.open_memmap(made, mode="w+", dtype=kind, shape=shape).flush()
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(made)
        made.unlink()
    array: NDArray[np.generic] = np.lib.format.open_memmap(path, mode="r+")
    if array.shape != shape:
        raise ValueError(f"{path} should have shape {shape}, has {array.shape}")
    return array


def render_sample(seed: int, *, native: bool) -> Sample:
    """The facade of `seed`: 256 × 256 px when `native`, of its own size and shrunk otherwise."""
    from lithograph.samples import render_facade

    side = IMAGE_SIZE
    facade = render_facade(seed, height=side, width=side) if native else render_facade(seed)
    instances = np.zeros(facade.image.shape[:2], np.uint8)
    classes = np.zeros(MOST_ALTERATIONS + 1, np.uint8)
    for number, alteration in enumerate(facade.alterations[:MOST_ALTERATIONS], start=1):
        instances[alteration.mask] = number
        classes[number] = SLUGS.index(alteration.concept) + 1
    image, instances = _shrink(facade.image, instances)
    height, width = image.shape[:2]
    framed = np.zeros((side, side, 3), np.uint8)
    framed[:height, :width] = image
    outside = np.zeros((side, side), np.uint8)
    outside[:height, :width] = instances
    return Sample(framed, outside, classes, height, width)


def _shrink(
    image: NDArray[np.uint8], instances: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    from PIL import Image

    height, width = image.shape[:2]
    longest = max(height, width)
    if longest == IMAGE_SIZE:
        return image, instances
    scale = IMAGE_SIZE / longest
    size = (int(width * scale + 0.5), int(height * scale + 0.5))
    small = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)
    numbers = Image.fromarray(instances).resize(size, Image.Resampling.NEAREST)
    return np.asarray(small), np.asarray(numbers)


def is_native(slot: int) -> bool:
    """Whether a slot holds a facade as rendered, or one that was shrunk."""
    return slot % 5 < 3


def fill(folder: Path, count: int, *, start: int, stride: int, passes: int = 1) -> None:
    """Render the slots start, start + stride, … until each was written `passes` times."""
    cache = Cache(folder, count)
    for slot in range(start, count, stride):
        if cache.ready[slot] < passes:
            cache.write(slot, render_sample(TRAIN_SEEDS[slot], native=is_native(slot)))
