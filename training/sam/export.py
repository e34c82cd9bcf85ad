"""The trained weights as two checkpoints: transformers' folder and segment-anything's `.pth`.

One training serves both libraries: they are one network under different names. Both are written
in fp16; `tiny-sam.json` beside the `.pth` says the shape, which segment-anything's builders fix.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.sam import model as shape
from training.sam.processes import load

# From transformers' key to segment-anything's: the first pattern that matches is the only one used.
RENAMES: tuple[tuple[str, str], ...] = (
    (r"^vision_encoder\.patch_embed\.projection\.", "image_encoder.patch_embed.proj."),
    (r"^vision_encoder\.layers\.(\d+)\.layer_norm(\d)\.", r"image_encoder.blocks.\1.norm\2."),
    (r"^vision_encoder\.layers\.", "image_encoder.blocks."),
    (r"^vision_encoder\.neck\.conv1\.", "image_encoder.neck.0."),
    (r"^vision_encoder\.neck\.layer_norm1\.", "image_encoder.neck.1."),
    (r"^vision_encoder\.neck\.conv2\.", "image_encoder.neck.2."),
    (r"^vision_encoder\.neck\.layer_norm2\.", "image_encoder.neck.3."),
    (r"^vision_encoder\.", "image_encoder."),
    (
        r"^shared_image_embedding\.positional_embedding$",
        "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
    ),
    (r"^prompt_encoder\.point_embed\.", "prompt_encoder.point_embeddings."),
    (r"^prompt_encoder\.mask_embed\.conv1\.", "prompt_encoder.mask_downscaling.0."),
    (r"^prompt_encoder\.mask_embed\.layer_norm1\.", "prompt_encoder.mask_downscaling.1."),
    (r"^prompt_encoder\.mask_embed\.conv2\.", "prompt_encoder.mask_downscaling.3."),
    (r"^prompt_encoder\.mask_embed\.layer_norm2\.", "prompt_encoder.mask_downscaling.4."),
    (r"^prompt_encoder\.mask_embed\.conv3\.", "prompt_encoder.mask_downscaling.6."),
    (
        r"^mask_decoder\.transformer\.layers\.(\d+)\.layer_norm(\d)\.",
        r"mask_decoder.transformer.layers.\1.norm\2.",
    ),
    (
        r"^mask_decoder\.transformer\.layer_norm_final_attn\.",
        "mask_decoder.transformer.norm_final_attn.",
    ),
    (r"^mask_decoder\.upscale_conv1\.", "mask_decoder.output_upscaling.0."),
    (r"^mask_decoder\.upscale_layer_norm\.", "mask_decoder.output_upscaling.1."),
    (r"^mask_decoder\.upscale_conv2\.", "mask_decoder.output_upscaling.3."),
    # Both heads have three linear layers: proj_in, layers.0, proj_out.
    (
        r"^(mask_decoder\.(?:output_hypernetworks_mlps\.\d+|iou_prediction_head))\.layers\.0\.",
        r"\1.layers.1.",
    ),
    (
        r"^(mask_decoder\.(?:output_hypernetworks_mlps\.\d+|iou_prediction_head))\.proj_in\.",
        r"\1.layers.0.",
    ),
    (
        r"^(mask_decoder\.(?:output_hypernetworks_mlps\.\d+|iou_prediction_head))\.proj_out\.",
        r"\1.layers.2.",
    ),
)
# A second copy of shared_image_embedding's matrix, which segment-anything keeps once.
LEFT_OUT = "prompt_encoder.shared_embedding.positional_embedding"


def segment_anything_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A `SamModel` state under the keys of segment-anything's `Sam`; the tensors are shared."""
    renamed: dict[str, Tensor] = {}
    for key, value in state.items():
        if key == LEFT_OUT:
            continue
        new = key
        for pattern, replacement in RENAMES:
            new, hits = re.subn(pattern, replacement, key)
            if hits:
                break
        if new in renamed:
            raise ValueError(f"{key} and another key both become {new}")
        renamed[new] = value
    return renamed


def builder_shape() -> dict[str, Any]:
    """What a builder of `segment_anything.modeling.Sam` needs to know, for `tiny-sam.json`."""
    return {
        "image_size": shape.IMAGE_SIZE,
        "patch_size": shape.PATCH_SIZE,
        "embed_dim": shape.EMBED_DIM,
        "depth": shape.DEPTH,
        "num_heads": shape.NUM_HEADS,
        "mlp_ratio": shape.MLP_RATIO,
        "window_size": shape.WINDOW_SIZE,
        "global_attn_indexes": list(shape.GLOBAL_ATTENTION),
        "use_rel_pos": False,
        "out_chans": shape.PROMPT_DIM,
        "prompt_embed_dim": shape.PROMPT_DIM,
        "mask_in_chans": shape.MASK_IN_CHANNELS,
        "decoder_depth": shape.DECODER_DEPTH,
        "decoder_num_heads": shape.DECODER_HEADS,
        "decoder_mlp_dim": shape.DECODER_MLP,
        "num_multimask_outputs": shape.MULTIMASK_OUTPUTS,
        "iou_head_depth": shape.IOU_DEPTH,
        "iou_head_hidden_dim": shape.IOU_HIDDEN,
        "pixel_mean": [round(255 * v, 3) for v in shape.PIXEL_MEAN],
        "pixel_std": [round(255 * v, 3) for v in shape.PIXEL_STD],
    }


def trained_model(checkpoint: Path) -> Any:
    """The `SamModel` with the averaged weights of the joint stage."""
    saved = load(checkpoint)
    if saved is None:
        raise FileNotFoundError(f"{checkpoint}: no joint stage was saved there")
    prefix = "sam."
    state = {k.removeprefix(prefix): v for k, v in saved["average"].items() if k.startswith(prefix)}
    model = shape.build_model(0)
    model.load_state_dict(state)
    with torch.no_grad():
        # With a weight of zero a mask prompt adds its bias: the embedding of "no mask" itself.
        model.prompt_encoder.mask_embed.conv3.bias.copy_(
            model.prompt_encoder.no_mask_embed.weight[0]
        )
    return model.eval()


def export_checkpoint(checkpoint: Path, to: Path) -> None:
    """Write both forms into the folder `to`: each file appears whole, the model card stays."""
    from transformers import SamImageProcessor, SamProcessor

    model = trained_model(checkpoint).half()
    side, low = shape.IMAGE_SIZE, shape.IMAGE_SIZE // 2
    processor = SamProcessor(
        SamImageProcessor(
            size={"longest_edge": side},
            pad_size={"height": side, "width": side},
            mask_size={"longest_edge": low},
            mask_pad_size={"height": low, "width": low},
        )
    )
    part = to.with_name(f".{to.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    model.save_pretrained(part)
    processor.save_pretrained(part)
    # The weights are fp16 to be small; a loader that follows the configuration computes in fp32.
    config = json.loads((part / "config.json").read_text())
    config["dtype"] = "float32"
    (part / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    torch.save(segment_anything_state(dict(model.state_dict())), part / "tiny-sam.pth")
    (part / "tiny-sam.json").write_text(json.dumps(builder_shape(), indent=2) + "\n")
    to.mkdir(parents=True, exist_ok=True)
    for file in sorted(part.iterdir()):
        file.chmod(0o644)  # safetensors writes files that only their owner can read
        file.replace(to / file.name)
    part.rmdir()
