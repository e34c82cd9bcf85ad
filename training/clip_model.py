"""The tiny CLIP: its shape, how it is fed, and its checkpoint folder."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.clip_crops import CROP_SIDE
from training.clip_texts import END, START, train_tokenizer

MEAN, DEVIATION = 0.5, 0.25
POSITIONS = 77
PROJECTION = 64


@dataclass(frozen=True)
class TinyClip:
    """A model with the tokenizer that its text encoder was built for."""

    model: Any
    tokenizer: Any

    def embed_text(self, phrases: Sequence[str]) -> Tensor:
        """Unit vectors (N, 64) of N phrases, padded to the longest."""
        tokens = self.tokenizer(
            list(phrases), padding=True, truncation=True, max_length=POSITIONS, return_tensors="pt"
        )
        pooled = self.model.text_model(**tokens).pooler_output
        return unit(self.model.text_projection(pooled))

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        """Unit vectors (N, 64) of normalised pixels (N, 3, 64, 64)."""
        pooled = self.model.vision_model(pixel_values=pixels).pooler_output
        return unit(self.model.visual_projection(pooled))

    def embed_some_patches(
        self, pixels: Tensor, share: float, generator: torch.Generator
    ) -> Tensor:
        """`embed_pixels` from a random share of each crop's patches: half the patches, half the
        time (Li et al., Scaling Language-Image Pre-training via Masking, 2023)."""
        vision = self.model.vision_model
        tokens = vision.embeddings(pixels)
        count, patches, width = len(tokens), tokens.shape[1] - 1, tokens.shape[2]
        order = torch.rand((count, patches), generator=generator).argsort(dim=1)
        picked = order[:, : round(share * patches), None].expand(-1, -1, width) + 1
        kept = torch.cat([tokens[:, :1], tokens.gather(1, picked)], dim=1)
        hidden = vision.encoder(inputs_embeds=vision.pre_layrnorm(kept)).last_hidden_state
        return unit(self.model.visual_projection(vision.post_layernorm(hidden[:, 0])))


def unit(vectors: Tensor) -> Tensor:
    """Vectors of length 1, along the last axis."""
    return torch.nn.functional.normalize(vectors, dim=-1)


def normalise(pixels: NDArray[np.uint8]) -> Tensor:
    """uint8 (N, 64, 64, 3) as the image processor gives them to the model: (N, 3, 64, 64)."""
    scaled = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255.0
    return (scaled - MEAN) / DEVIATION


def build(texts: Sequence[str], merges: int = 1000) -> TinyClip:
    """A fresh model, and a tokenizer learnt from `texts`."""
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

    vocabulary, learnt = train_tokenizer(texts, merges)
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=learnt, model_max_length=POSITIONS)
    special = {
        "bos_token_id": vocabulary[START],
        "eos_token_id": vocabulary[END],
        "pad_token_id": vocabulary[END],
    }
    configuration = CLIPConfig(
        text_config={
            "vocab_size": len(vocabulary),
            "hidden_size": 128,
            "intermediate_size": 256,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": POSITIONS,
            "projection_dim": PROJECTION,
            **special,
        },
        vision_config={
            "hidden_size": 128,
            "intermediate_size": 384,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "image_size": CROP_SIDE,
            "patch_size": 8,
            "projection_dim": PROJECTION,
        },
        projection_dim=PROJECTION,
        logit_scale_init_value=math.log(10.0),
    )
    return TinyClip(CLIPModel(configuration), tokenizer)


def export(clip: TinyClip, state: Mapping[str, Tensor], scale: float, folder: Path) -> None:
    """Write model (fp16), tokenizer and image processor into `folder`; what else lies there stays.

    `scale` is the factor of the cosines in the softmax. The files are written beside the folder
    first and moved in one by one.
    """
    from transformers import CLIPImageProcessor, CLIPProcessor

    clip.model.load_state_dict(state)
    with torch.no_grad():
        clip.model.logit_scale.fill_(math.log(scale))
    processor = CLIPProcessor(
        image_processor=CLIPImageProcessor(
            size={"shortest_edge": CROP_SIDE},
            crop_size={"height": CROP_SIDE, "width": CROP_SIDE},
            image_mean=[MEAN] * 3,
            image_std=[DEVIATION] * 3,
        ),
        tokenizer=clip.tokenizer,
    )
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    clip.model.half().save_pretrained(unfinished)
    clip.model.float()
    # Stored in fp16, computed in fp32: processors without half-precision arithmetic are many times
    # slower in it, and a loader takes the type that the configuration says.
    description = json.loads((unfinished / "config.json").read_text("utf-8"))
    description["dtype"] = "float32"
    (unfinished / "config.json").write_text(json.dumps(description, indent=2) + "\n", "utf-8")
    processor.save_pretrained(unfinished)
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(unfinished.iterdir()):
        file.chmod(0o644)  # safetensors writes for its owner alone
        file.replace(folder / file.name)
    unfinished.rmdir()
