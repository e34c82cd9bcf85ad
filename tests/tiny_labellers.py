"""Tiny labellers: CLIP, SigLIP and SigLIP 2, saved with their processors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tiny_parts import clip_tokenizer, randomise, siglip_tokenizer


def make_clip(folder: Path) -> None:
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor

    tokenizer = clip_tokenizer()
    configuration = CLIPConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 24,
            "intermediate_size": 48,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config={
            "hidden_size": 24,
            "intermediate_size": 48,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
        },
        projection_dim=16,
    )
    model = CLIPModel(configuration)
    randomise(model)
    model.save_pretrained(folder)
    images = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    CLIPProcessor(images, tokenizer).save_pretrained(folder)


def _siglip_parts() -> tuple[dict[str, Any], dict[str, Any]]:
    part = {
        "hidden_size": 24,
        "intermediate_size": 48,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    text = {
        **part,
        "vocab_size": len(siglip_tokenizer()),
        "max_position_embeddings": 64,
        "projection_size": 24,
        "bos_token_id": 2,
        "eos_token_id": 1,
    }
    return text, {**part, "patch_size": 8}


def make_siglip(folder: Path) -> None:
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel, SiglipProcessor

    text, vision = _siglip_parts()
    model = SiglipModel(SiglipConfig(text_config=text, vision_config={**vision, "image_size": 32}))
    randomise(model)
    model.save_pretrained(folder)
    SiglipProcessor(
        SiglipImageProcessor(size={"height": 32, "width": 32}), siglip_tokenizer()
    ).save_pretrained(folder)


def make_siglip2(folder: Path) -> None:
    from transformers import Siglip2Config, Siglip2ImageProcessor, Siglip2Model, Siglip2Processor

    text, vision = _siglip_parts()
    model = Siglip2Model(
        Siglip2Config(text_config=text, vision_config={**vision, "num_patches": 16})
    )
    randomise(model)
    model.save_pretrained(folder)
    Siglip2Processor(
        Siglip2ImageProcessor(patch_size=8, max_num_patches=16), siglip_tokenizer()
    ).save_pretrained(folder)
