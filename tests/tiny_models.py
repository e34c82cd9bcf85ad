"""Tiny models of every supported family, made from configurations and saved with their processors.

Nothing is downloaded: weights are random (seeded), tokenizers are trained on a few sentences.
A test module takes the fixture ``tiny`` (session-wide) and asks for a folder by family:
``tiny("sam")``. Each is made once, on first use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

SENTENCES = (
    "a crack in limestone",
    "salt efflorescence on a wall",
    "une fissure dans la pierre calcaire",
    "écaillage, plaque détachée de la paroi",
    "sound stone",
    "a photograph of bleaching",
)

_POSITIONS = "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"

SAM_SHAPE: dict[str, Any] = {
    "image_size": 64,
    "patch_size": 8,
    "embed_dim": 32,
    "depth": 2,
    "num_heads": 2,
    "mlp_ratio": 2.0,
    "window_size": 4,
    "global_attn_indexes": [1],
    "use_rel_pos": True,
    "out_chans": 16,
    "prompt_embed_dim": 16,
    "mask_in_chans": 8,
    "decoder_depth": 2,
    "decoder_num_heads": 2,
    "decoder_mlp_dim": 32,
    "num_multimask_outputs": 3,
    "iou_head_depth": 3,
    "iou_head_hidden_dim": 16,
}


def _randomise(model: Any, scale: float = 0.2) -> None:
    """Give every parameter and buffer a seeded random value: default widths are odd for SAM."""
    import torch

    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, value in sorted(model.state_dict().items()):
            if not value.is_floating_point() or "inv_freq" in name or "rope" in name:
                continue
            noise = torch.randn(value.shape, generator=generator)
            if "norm" in name and name.endswith("weight") and value.ndim == 1:
                value.copy_(1 + 0.1 * noise)
            elif "positional_embedding" in name and "shared" in name:
                value.copy_(noise)
            elif "running_var" in name:
                value.copy_(1 + 0.1 * noise.abs())
            elif "logit_" in name:
                continue
            else:
                value.copy_(scale * noise)


def _clip_tokenizer(length: int = 77) -> Any:
    from tokenizers import Tokenizer, models, trainers
    from transformers import CLIPTokenizer

    bytes_ = _byte_alphabet()
    base = CLIPTokenizer()
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix="</w>"))
    tokenizer.normalizer = base.backend_tokenizer.normalizer
    tokenizer.pre_tokenizer = base.backend_tokenizer.pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=700, initial_alphabet=bytes_, end_of_word_suffix="</w>", show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    trained = json.loads(tokenizer.to_str())["model"]
    merges = [tuple(pair) for pair in trained["merges"]]
    words = dict.fromkeys([*bytes_, *(f"{byte}</w>" for byte in bytes_), *trained["vocab"]])
    vocabulary = {word: index for index, word in enumerate(words)}
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[special] = len(vocabulary)
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=length)


def _byte_alphabet() -> list[str]:
    from tokenizers import pre_tokenizers

    return sorted(pre_tokenizers.ByteLevel.alphabet())


def _bert_tokenizer() -> Any:
    from transformers import BertTokenizer

    letters = sorted({letter for sentence in SENTENCES for letter in sentence if letter != " "})
    words = sorted({word.strip(",") for sentence in SENTENCES for word in sentence.split()})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", ","]
    pieces += [*letters, *(f"##{letter}" for letter in letters), *words]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    return BertTokenizer(vocab=vocabulary, model_max_length=512)


def _siglip_tokenizer(length: int = 64) -> Any:
    from transformers import Siglip2Tokenizer

    vocabulary = {"<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3, "<mask>": 4, "▁": 5}
    letters = sorted({letter for sentence in SENTENCES for letter in sentence.lower()} - {" "})
    for piece in [*letters, *(f"<0x{byte:02X}>" for byte in range(256))]:
        vocabulary.setdefault(piece, len(vocabulary))
    return Siglip2Tokenizer(
        vocab=vocabulary, merges=[], model_max_length=length, padding_side="right"
    )


def make_sam(folder: Path) -> None:
    from transformers import SamConfig, SamImageProcessor, SamModel, SamProcessor

    model = SamModel(SamConfig(**_sam_configuration()))
    _randomise(model)
    _tie_positions(model)
    model.save_pretrained(folder)
    SamProcessor(
        SamImageProcessor(size={"longest_edge": 64}, pad_size={"height": 64, "width": 64})
    ).save_pretrained(folder)


def _sam_configuration() -> dict[str, Any]:
    shape = SAM_SHAPE
    return {
        "vision_config": {
            "hidden_size": shape["embed_dim"],
            "output_channels": shape["out_chans"],
            "num_hidden_layers": shape["depth"],
            "num_attention_heads": shape["num_heads"],
            "image_size": shape["image_size"],
            "patch_size": shape["patch_size"],
            "mlp_ratio": shape["mlp_ratio"],
            "use_rel_pos": shape["use_rel_pos"],
            "window_size": shape["window_size"],
            "global_attn_indexes": shape["global_attn_indexes"],
            "num_pos_feats": shape["prompt_embed_dim"] // 2,
        },
        "prompt_encoder_config": {
            "hidden_size": shape["prompt_embed_dim"],
            "image_size": shape["image_size"],
            "patch_size": shape["patch_size"],
            "mask_input_channels": shape["mask_in_chans"],
        },
        "mask_decoder_config": {
            "hidden_size": shape["prompt_embed_dim"],
            "mlp_dim": shape["decoder_mlp_dim"],
            "num_hidden_layers": shape["decoder_depth"],
            "num_attention_heads": shape["decoder_num_heads"],
            "iou_head_hidden_dim": shape["iou_head_hidden_dim"],
        },
    }


def _tie_positions(model: Any) -> None:
    shared = model.shared_image_embedding.positional_embedding.data
    model.prompt_encoder.shared_embedding.positional_embedding.data.copy_(shared)


def make_sam_hq(folder: Path) -> None:
    from transformers import SamHQConfig, SamHQModel, SamHQProcessor, SamImageProcessor

    configuration = _sam_configuration()
    configuration["mask_decoder_config"]["vit_dim"] = SAM_SHAPE["embed_dim"]
    model = SamHQModel(SamHQConfig(**configuration))
    _randomise(model)
    _tie_positions(model)
    model.save_pretrained(folder)
    SamHQProcessor(
        SamImageProcessor(size={"longest_edge": 64}, pad_size={"height": 64, "width": 64})
    ).save_pretrained(folder)


def _sam2_configuration() -> dict[str, Any]:
    return {
        "vision_config": {
            "backbone_config": {
                "model_type": "sam2_hiera_det_model",
                "hidden_size": 8,
                "image_size": [64, 64],
                "num_attention_heads": 1,
                "blocks_per_stage": [1, 1, 1, 1],
                "embed_dim_per_stage": [8, 16, 32, 64],
                "num_attention_heads_per_stage": [1, 1, 2, 2],
                "window_size_per_stage": [4, 2, 2, 2],
                "window_positional_embedding_background_size": [2, 2],
                "global_attention_blocks": [2],
            },
            "backbone_channel_list": [64, 32, 16, 8],
            "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
            "fpn_hidden_size": 16,
        },
        "prompt_encoder_config": {
            "hidden_size": 16,
            "image_size": 64,
            "patch_size": 16,
            "mask_input_channels": 8,
        },
        "mask_decoder_config": {
            "hidden_size": 16,
            "mlp_dim": 32,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
    }


def make_sam2(folder: Path) -> None:
    from transformers import Sam2Config, Sam2ImageProcessor, Sam2Model, Sam2Processor

    model = Sam2Model(Sam2Config(**_sam2_configuration()))
    _randomise(model)
    model.save_pretrained(folder)
    Sam2Processor(Sam2ImageProcessor(size={"height": 64, "width": 64})).save_pretrained(folder)


def make_sam2_video(folder: Path) -> None:
    """SAM 2 as its authors publish it: a video configuration, whose image part is SAM 2."""
    from transformers import (
        Sam2ImageProcessor,
        Sam2VideoConfig,
        Sam2VideoModel,
        Sam2VideoProcessor,
        Sam2VideoVideoProcessor,
    )

    model = Sam2VideoModel(
        Sam2VideoConfig(
            **_sam2_configuration(),
            image_size=64,
            memory_attention_hidden_size=16,
            memory_attention_feed_forward_hidden_size=16,
            memory_attention_num_layers=1,
            memory_attention_rope_feat_sizes=[4, 4],
            memory_encoder_hidden_size=16,
            memory_encoder_output_channels=8,
            mask_downsampler_embed_dim=16,
            memory_fuser_embed_dim=16,
            memory_fuser_intermediate_dim=16,
            memory_fuser_num_layers=1,
        )
    )
    _randomise(model)
    model.save_pretrained(folder)
    size = {"height": 64, "width": 64}
    Sam2VideoProcessor(
        Sam2ImageProcessor(size=size), Sam2VideoVideoProcessor(size=size)
    ).save_pretrained(folder)


def _sam3_vision() -> dict[str, Any]:
    return {
        "backbone_config": {
            "model_type": "sam3_vit_model",
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 56,
            "patch_size": 14,
            "window_size": 2,
            "global_attn_indexes": [1],
            "pretrain_image_size": 28,
        },
        "fpn_hidden_size": 32,
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
    }


def _sam3_configuration() -> dict[str, Any]:
    part = {"hidden_size": 32, "num_attention_heads": 2}
    tokenizer = _clip_tokenizer(32)
    return {
        "vision_config": _sam3_vision(),
        "text_config": {
            "model_type": "clip_text_model",
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 48,
            "projection_dim": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "max_position_embeddings": 32,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
        },
        "geometry_encoder_config": {**part, "num_layers": 1, "intermediate_size": 32},
        "detr_encoder_config": {**part, "num_layers": 1, "intermediate_size": 32},
        "detr_decoder_config": {
            **part,
            "num_layers": 1,
            "num_queries": 6,
            "intermediate_size": 32,
        },
        "mask_decoder_config": {**part, "num_upsampling_stages": 2},
    }


def _save_sam3_processor(folder: Path) -> None:
    from transformers import Sam3ImageProcessor, Sam3Processor

    size = {"height": 56, "width": 56}
    Sam3Processor(
        Sam3ImageProcessor(size=size), _clip_tokenizer(32), target_size=56
    ).save_pretrained(folder)


def make_sam3(folder: Path) -> None:
    from transformers import Sam3Config, Sam3Model

    model = Sam3Model(Sam3Config(**_sam3_configuration()))
    _randomise(model)
    model.save_pretrained(folder)
    _save_sam3_processor(folder)


def make_sam3_tracker(folder: Path) -> None:
    from transformers import (
        Sam3ImageProcessor,
        Sam3TrackerConfig,
        Sam3TrackerModel,
        Sam3TrackerProcessor,
    )

    configuration = {
        "vision_config": {"model_type": "sam3_vision_model", **_sam3_vision()},
        "prompt_encoder_config": {"hidden_size": 32, "image_size": 56, "patch_size": 14},
        "mask_decoder_config": {
            "hidden_size": 32,
            "mlp_dim": 32,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
    }
    model = Sam3TrackerModel(Sam3TrackerConfig(**configuration))
    _randomise(model)
    model.save_pretrained(folder)
    Sam3TrackerProcessor(Sam3ImageProcessor(size={"height": 56, "width": 56})).save_pretrained(
        folder
    )


_VIT = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}


def make_dino(folder: Path) -> None:
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    model = ViTModel(ViTConfig(**_VIT, intermediate_size=48), add_pooling_layer=False)
    _randomise(model)
    model.save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)


def make_dinov2(folder: Path) -> None:
    from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

    model = Dinov2Model(Dinov2Config(**_VIT, mlp_ratio=2))
    _randomise(model)
    model.save_pretrained(folder)
    BitImageProcessor(
        size={"shortest_edge": 40}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(folder)


def make_dinov2_registers(folder: Path) -> None:
    from transformers import BitImageProcessor, Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    model = Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**_VIT, mlp_ratio=2))
    _randomise(model)
    model.save_pretrained(folder)
    BitImageProcessor(
        size={"shortest_edge": 40}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(folder)


def make_dinov3(folder: Path) -> None:
    from transformers import DINOv3ViTConfig, DINOv3ViTImageProcessor, DINOv3ViTModel

    model = DINOv3ViTModel(DINOv3ViTConfig(**_VIT, intermediate_size=48, num_register_tokens=4))
    _randomise(model)
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
            "vocab_size": len(_bert_tokenizer()),
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
        },
        "d_model": 32,
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
    GroundingDinoProcessor(images, _bert_tokenizer()).save_pretrained(folder)


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

    tokenizer = _clip_tokenizer(16)
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
    _randomise(model)
    model.save_pretrained(folder)
    Owlv2Processor(
        Owlv2ImageProcessor(size={"height": 32, "width": 32}), tokenizer
    ).save_pretrained(folder)


def make_clip(folder: Path) -> None:
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor

    tokenizer = _clip_tokenizer()
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
    _randomise(model)
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
        "vocab_size": len(_siglip_tokenizer()),
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
    _randomise(model)
    model.save_pretrained(folder)
    SiglipProcessor(
        SiglipImageProcessor(size={"height": 32, "width": 32}), _siglip_tokenizer()
    ).save_pretrained(folder)


def make_siglip2(folder: Path) -> None:
    from transformers import Siglip2Config, Siglip2ImageProcessor, Siglip2Model, Siglip2Processor

    text, vision = _siglip_parts()
    model = Siglip2Model(
        Siglip2Config(text_config=text, vision_config={**vision, "num_patches": 16})
    )
    _randomise(model)
    model.save_pretrained(folder)
    Siglip2Processor(
        Siglip2ImageProcessor(patch_size=8, max_num_patches=16), _siglip_tokenizer()
    ).save_pretrained(folder)


# transformers' names on the left, segment-anything's on the right; applied in this order.
_SAM_KEYS = (
    (r"^vision_encoder\.", "image_encoder."),
    (r"^shared_image_embedding\.positional_embedding", _POSITIONS),
    (r"patch_embed\.projection", "patch_embed.proj"),
    (r"^image_encoder\.layers\.", "image_encoder.blocks."),
    (r"neck\.conv1", "neck.0"),
    (r"neck\.layer_norm1", "neck.1"),
    (r"neck\.conv2", "neck.2"),
    (r"neck\.layer_norm2", "neck.3"),
    (r"prompt_encoder\.point_embed\.", "prompt_encoder.point_embeddings."),
    (r"mask_embed\.conv1", "mask_downscaling.0"),
    (r"mask_embed\.layer_norm1", "mask_downscaling.1"),
    (r"mask_embed\.conv2", "mask_downscaling.3"),
    (r"mask_embed\.layer_norm2", "mask_downscaling.4"),
    (r"mask_embed\.conv3", "mask_downscaling.6"),
    (r"upscale_conv1", "output_upscaling.0"),
    (r"upscale_layer_norm", "output_upscaling.1"),
    (r"upscale_conv2", "output_upscaling.3"),
    (r"(head|mlps\.\d+)\.layers\.0\.", r"\1.layers.1."),
    (r"(head|mlps\.\d+)\.proj_in\.", r"\1.layers.0."),
    (r"(head|mlps\.\d+)\.proj_out\.", r"\1.layers.2."),
    (r"\.layer_norm", ".norm"),
)


def segment_anything_state(state: dict[str, Any]) -> dict[str, Any]:
    """Rename the weights of a transformers SAM to the segment-anything package's names."""
    renamed = {}
    for key, value in state.items():
        if key == "prompt_encoder.shared_embedding.positional_embedding":
            continue
        name = key
        for pattern, replacement in _SAM_KEYS:
            name = re.sub(pattern, replacement, name)
        renamed[name] = value.clone()
    return renamed


def make_segment_anything(folder: Path) -> None:
    """Write the weights of ``make_sam`` in the segment-anything package's own form, and its JSON."""
    import torch
    from transformers import SamModel

    make_sam(folder / "transformers")
    state = SamModel.from_pretrained(folder / "transformers").state_dict()
    torch.save(segment_anything_state(state), folder / "tiny.pth")
    (folder / "tiny.json").write_text(json.dumps(SAM_SHAPE), encoding="utf-8")


MAKERS: dict[str, Callable[[Path], None]] = {
    "segment-anything": make_segment_anything,
    "sam": make_sam,
    "sam-hq": make_sam_hq,
    "sam2": make_sam2,
    "sam2-video": make_sam2_video,
    "sam3": make_sam3,
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
