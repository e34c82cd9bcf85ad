"""Tiny models of every supported family, made from configurations and saved with their processors.

Nothing is downloaded: weights are random (seeded), tokenizers are trained on a few sentences.
A test module names this one in ``pytest_plugins``, takes the fixture ``tiny`` (session-wide) and
asks for a folder by family: ``tiny("sam")``. Each is made once, on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tiny_detectors import (
    make_dino,
    make_dinov2,
    make_dinov2_registers,
    make_dinov3,
    make_grounding_dino,
    make_mm_grounding_dino,
    make_owlv2,
)
from tiny_labellers import make_clip, make_siglip, make_siglip2
from tiny_segmenters import (
    make_sam,
    make_sam2,
    make_sam2_video,
    make_sam3,
    make_sam3_tracker,
    make_sam3_video,
    make_sam_hq,
    make_segment_anything,
)

MAKERS: dict[str, Callable[[Path], None]] = {
    "segment-anything": make_segment_anything,
    "sam": make_sam,
    "sam-hq": make_sam_hq,
    "sam2": make_sam2,
    "sam2-video": make_sam2_video,
    "sam3": make_sam3,
    "sam3-video": make_sam3_video,
    "sam3-tracker": make_sam3_tracker,
    "dino": make_dino,
    "dinov2": make_dinov2,
    "dinov2-registers": make_dinov2_registers,
    "dinov3": make_dinov3,
    "grounding-dino": make_grounding_dino,
    "mm-grounding-dino": make_mm_grounding_dino,
    "owlv2": make_owlv2,
    "clip": make_clip,
    "siglip": make_siglip,
    "siglip2": make_siglip2,
}

# What a model is loaded by, within its folder.
FILES = {"segment-anything": "tiny.pth"}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Give the path by which a tiny model of a family is loaded, offline, on one thread."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        import torch
        from huggingface_hub import constants

        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        torch.set_num_threads(1)
        root = tmp_path_factory.mktemp("tiny-models")

        def give(family: str) -> Path:
            folder = root / family
            if not folder.exists():
                folder.mkdir()
                torch.manual_seed(0)
                MAKERS[family](folder)
            return folder / FILES.get(family, "")

        yield give


@pytest.fixture(scope="session")
def stone() -> NDArray[np.uint8]:
    """Give an image of 96 × 72 pixels: grey noise with a dark stroke and a pale patch."""
    rng = np.random.default_rng(3)
    image = rng.normal(150, 12, (72, 96, 3)).clip(0, 255)
    image[10:60, 40:44] = 30
    image[30:55, 60:90] = 230
    return np.asarray(image, np.uint8)
