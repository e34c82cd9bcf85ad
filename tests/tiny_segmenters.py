"""Tiny models of the SAM family, saved with their processors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tiny_parts import clip_tokenizer, randomise

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


def make_sam(folder: Path) -> None:
    from transformers import SamConfig, SamImageProcessor, SamModel, SamProcessor

    model = SamModel(SamConfig(**_sam_configuration()))
    randomise(model)
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
    randomise(model)
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
                "blocks_per_stage": [1, 1, 2, 1],
                "embed_dim_per_stage": [8, 16, 32, 64],
                "num_attention_heads_per_stage": [1, 1, 2, 2],
                "window_size_per_stage": [4, 2, 2, 2],
                "window_positional_embedding_background_size": [2, 2],
                "global_attention_blocks": [3],
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
    randomise(model)
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
    randomise(model)
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
    tokenizer = clip_tokenizer(32)
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
        Sam3ImageProcessor(size=size), clip_tokenizer(32), target_size=56
    ).save_pretrained(folder)


def make_sam3(folder: Path) -> None:
    from transformers import Sam3Config, Sam3Model

    model = Sam3Model(Sam3Config(**_sam3_configuration()))
    randomise(model)
    model.save_pretrained(folder)
    _save_sam3_processor(folder)


def _sam3_tracker_configuration() -> dict[str, Any]:
    return {
        "vision_config": {"model_type": "sam3_vision_model", **_sam3_vision()},
        "prompt_encoder_config": {"hidden_size": 32, "image_size": 56, "patch_size": 14},
        "mask_decoder_config": {
            "hidden_size": 32,
            "mlp_dim": 32,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
    }


def make_sam3_video(folder: Path) -> None:
    """SAM 3 as its authors publish it: a video configuration, whose detector takes phrases."""
    from transformers import (
        Sam2VideoVideoProcessor,
        Sam3ImageProcessor,
        Sam3VideoConfig,
        Sam3VideoModel,
        Sam3VideoProcessor,
    )

    tracker = {
        "model_type": "sam3_tracker_video",
        **_sam3_tracker_configuration(),
        "image_size": 56,
        "memory_attention_hidden_size": 32,
        "memory_attention_feed_forward_hidden_size": 16,
        "memory_attention_num_layers": 1,
        "memory_attention_rope_feat_sizes": [4, 4],
        "memory_encoder_hidden_size": 32,
        "memory_encoder_output_channels": 8,
        "mask_downsampler_embed_dim": 32,
        "memory_fuser_embed_dim": 32,
        "memory_fuser_intermediate_dim": 16,
        "memory_fuser_num_layers": 1,
    }
    detector = {"model_type": "sam3", **_sam3_configuration()}
    model = Sam3VideoModel(Sam3VideoConfig(detector_config=detector, tracker_config=tracker))
    randomise(model)
    model.save_pretrained(folder)
    size = {"height": 56, "width": 56}
    Sam3VideoProcessor(
        Sam3ImageProcessor(size=size), Sam2VideoVideoProcessor(size=size), clip_tokenizer(32)
    ).save_pretrained(folder)


def make_sam3_tracker(folder: Path) -> None:
    from transformers import (
        Sam3ImageProcessor,
        Sam3TrackerConfig,
        Sam3TrackerModel,
        Sam3TrackerProcessor,
    )

    model = Sam3TrackerModel(Sam3TrackerConfig(**_sam3_tracker_configuration()))
    randomise(model)
    model.save_pretrained(folder)
    Sam3TrackerProcessor(Sam3ImageProcessor(size={"height": 56, "width": 56})).save_pretrained(
        folder
    )


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
    """Write the weights of ``make_sam`` in the segment-anything package's form, and its JSON."""
    import torch
    from transformers import SamModel

    make_sam(folder / "transformers")
    state = SamModel.from_pretrained(folder / "transformers").state_dict()
    torch.save(segment_anything_state(state), folder / "tiny.pth")
    (folder / "tiny.json").write_text(json.dumps(SAM_SHAPE), encoding="utf-8")
