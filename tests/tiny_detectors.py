"""Tiny detectors: the DINO family, Grounding DINO and OWLv2, saved with their processors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tiny_parts import bert_tokenizer, clip_tokenizer, randomise

_VIT = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}


def _sharpen(model: Any) -> None:
    """Let patches weigh more than biases, so that their keys differ as a trained model's do."""
    for name, value in model.named_parameters():
        if "patch_embeddings" in name and name.endswith("weight"):
            value.data.mul_(20)
        elif name.endswith("k_proj.bias") or "position_embeddings" in name:
            value.data.zero_()


def make_dino(folder: Path) -> None:
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    model = ViTModel(ViTConfig(**_VIT, intermediate_size=48), add_pooling_layer=False)
    randomise(model)
    _sharpen(model)
    model.save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)


def make_dinov2(folder: Path) -> None:
    from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

    model = Dinov2Model(Dinov2Config(**_VIT, mlp_ratio=2))
    randomise(model)
    _sharpen(model)
    model.save_pretrained(folder)
    BitImageProcessor(
        size={"shortest_edge": 40}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(folder)


def make_dinov2_registers(folder: Path) -> None:
    from transformers import BitImageProcessor, Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    model = Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**_VIT, mlp_ratio=2))
    randomise(model)
    _sharpen(model)
    model.save_pretrained(folder)
    BitImageProcessor(
        size={"shortest_edge": 40}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(folder)


def make_dinov3(folder: Path) -> None:
    from transformers import DINOv3ViTConfig, DINOv3ViTImageProcessor, DINOv3ViTModel

    model = DINOv3ViTModel(DINOv3ViTConfig(**_VIT, intermediate_size=48, num_register_tokens=4))
    randomise(model)
    _sharpen(model)
    model.save_pretrained(folder)
    DINOv3ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)


def _grounding_configuration() -> dict[str, Any]:
    return {
        "backbone_config": {
            "model_type": "swin",
            "image_size": 64,
            "embed_dim": 8,
            "depths": [1, 1, 1, 1],
            "num_heads": [1, 1, 2, 2],
            "window_size": 4,
            "out_indices": [2, 3, 4],
        },
        "text_config": {
            "model_type": "bert",
            "vocab_size": len(bert_tokenizer()),
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
        },
        "d_model": 64,
        "encoder_layers": 1,
        "decoder_layers": 2,
        "encoder_ffn_dim": 32,
        "decoder_ffn_dim": 32,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "num_queries": 12,
        "max_text_len": 32,
        "disable_custom_kernels": True,
    }


def _save_grounding_processor(folder: Path) -> None:
    from transformers import GroundingDinoImageProcessor, GroundingDinoProcessor

    images = GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 96})
    GroundingDinoProcessor(images, bert_tokenizer()).save_pretrained(folder)


def make_grounding_dino(folder: Path) -> None:
    from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

    model = GroundingDinoForObjectDetection(GroundingDinoConfig(**_grounding_configuration()))
    model.save_pretrained(folder)
    _save_grounding_processor(folder)


def make_mm_grounding_dino(folder: Path) -> None:
    from transformers import MMGroundingDinoConfig, MMGroundingDinoForObjectDetection

    model = MMGroundingDinoForObjectDetection(MMGroundingDinoConfig(**_grounding_configuration()))
    model.save_pretrained(folder)
    _save_grounding_processor(folder)


def make_owlv2(folder: Path) -> None:
    from transformers import (
        Owlv2Config,
        Owlv2ForObjectDetection,
        Owlv2ImageProcessor,
        Owlv2Processor,
    )

    tokenizer = clip_tokenizer(16)
    configuration = Owlv2Config(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "max_position_embeddings": 16,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
        },
        projection_dim=16,
    )
    model = Owlv2ForObjectDetection(configuration)
    randomise(model)
    model.save_pretrained(folder)
    Owlv2Processor(
        Owlv2ImageProcessor(size={"height": 32, "width": 32}), tokenizer
    ).save_pretrained(folder)
