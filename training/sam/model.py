"""The tiny SAM: its shape, its initial weights, and a forward pass that also takes crops.

The network is transformers' `SamModel`, unchanged; only how it is called differs here. A crop
of 128 px is a window of the 256 px frame: its position embeddings are cut out of the frame's at the
crop's offset, and prompts stay in frame pixels, so that a crop costs a quarter of an image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

IMAGE_SIZE = 256
PATCH_SIZE = 8
GRID = IMAGE_SIZE // PATCH_SIZE
EMBED_DIM = 128
DEPTH = 4
NUM_HEADS = 4
MLP_RATIO = 4.0
WINDOW_SIZE = 8
GLOBAL_ATTENTION = (3,)
PROMPT_DIM = 64
DECODER_HEADS = 2
DECODER_MLP = 128
DECODER_DEPTH = 2
IOU_HIDDEN = 64
IOU_DEPTH = 3
MULTIMASK_OUTPUTS = 3
MASK_IN_CHANNELS = 16
CLASSES = 10  # the nine alterations and sound stone
SUBCELLS = (PATCH_SIZE // 2) ** 2  # cells of 2 px in a patch: the resolution of the mask logits
# ImageNet statistics, in [0, 1]: what SamImageProcessor and segment-anything subtract.
PIXEL_MEAN = (0.485, 0.456, 0.406)
PIXEL_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Prompts:
    """Boxes (B, N, 4) as x0, y0, x1, y1 and points (B, M, 2) as x, y, both in frame pixels."""

    boxes: Tensor
    points: Tensor


def sam_config() -> Any:
    """The `SamConfig` of the checkpoint."""
    from transformers import SamConfig

    return SamConfig(
        vision_config={
            "hidden_size": EMBED_DIM,
            "num_hidden_layers": DEPTH,
            "num_attention_heads": NUM_HEADS,
            "mlp_ratio": MLP_RATIO,
            "patch_size": PATCH_SIZE,
            "image_size": IMAGE_SIZE,
            "window_size": WINDOW_SIZE,
            "global_attn_indexes": list(GLOBAL_ATTENTION),
            "use_rel_pos": False,
            "output_channels": PROMPT_DIM,
            "num_pos_feats": PROMPT_DIM // 2,
            "initializer_range": 0.02,
        },
        prompt_encoder_config={
            "hidden_size": PROMPT_DIM,
            "image_size": IMAGE_SIZE,
            "patch_size": PATCH_SIZE,
            "mask_input_channels": MASK_IN_CHANNELS,
        },
        mask_decoder_config={
            "hidden_size": PROMPT_DIM,
            "mlp_dim": DECODER_MLP,
            "num_hidden_layers": DECODER_DEPTH,
            "num_attention_heads": DECODER_HEADS,
            "num_multimask_outputs": MULTIMASK_OUTPUTS,
            "iou_head_depth": IOU_DEPTH,
            "iou_head_hidden_dim": IOU_HIDDEN,
            # segment-anything's decoder leaves nn.LayerNorm at 1e-5, transformers takes 1e-6.
            "layer_norm_eps": 1e-5,
        },
    )


def build_model(seed: int) -> Any:
    """A `SamModel` with initial weights drawn from `seed`."""
    from transformers import SamModel

    torch.manual_seed(seed)
    model = SamModel(sam_config())
    # transformers has odd initial widths (1e-10 for the vision encoder by default).
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    with torch.no_grad():
        frequencies = torch.randn(2, PROMPT_DIM // 2)
        model.shared_image_embedding.positional_embedding.copy_(frequencies)
        model.prompt_encoder.shared_embedding.positional_embedding.copy_(frequencies)
        model.vision_encoder.pos_embed.copy_(0.3 * sine_grid(GRID, EMBED_DIM))
        # No mask prompt is ever shown in training: one given anyway shall change nothing.
        last = model.prompt_encoder.mask_embed.conv3
        last.weight.zero_()
        last.bias.zero_()
    model.shared_image_embedding.positional_embedding.requires_grad_(False)
    model.prompt_encoder.shared_embedding.positional_embedding.requires_grad_(False)
    model.prompt_encoder.mask_embed.requires_grad_(False)
    return model


def dense_head() -> nn.Module:
    """Image embedding → logits of the ten classes for each of a patch's 16 cells of 2 px."""
    return nn.Conv2d(PROMPT_DIM, CLASSES * SUBCELLS, kernel_size=1)


def dense_logits(head: nn.Module, embedding: Tensor) -> Tensor:
    """(B, 64, g, g) → (B, 10, 4g, 4g)."""
    logits: Tensor = nn.functional.pixel_shuffle(head(embedding), PATCH_SIZE // 2)
    return logits


def sine_grid(side: int, width: int) -> Tensor:
    """Sine-cosine position embedding of a square grid, (1, side, side, width).

    Half of the channels encode the row, half the column (Vaswani et al. 2017).
    """
    quarter = width // 4
    rates = torch.exp(-math.log(10_000.0) * torch.arange(quarter) / quarter)
    angles = torch.arange(side)[:, None] * rates[None]
    line = torch.cat([angles.sin(), angles.cos()], dim=-1)
    rows = line[:, None].expand(side, side, -1)
    columns = line[None].expand(side, side, -1)
    return torch.cat([rows, columns], dim=-1)[None]


def whiten_patches(model: Any, pixels: Tensor) -> None:
    """Set the patch projection to the PCA whitening of the patches of normalised `pixels`."""
    patches = nn.functional.unfold(pixels, PATCH_SIZE, stride=PATCH_SIZE)
    rows = patches.transpose(1, 2).reshape(-1, 3 * PATCH_SIZE**2).double()
    mean = rows.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov((rows - mean).T))
    top = torch.argsort(values, descending=True)[:EMBED_DIM]
    # The floor keeps the faintest directions, mostly grain, from being blown up to unit variance.
    scale = (values[top] + 1e-3 * values.max()).rsqrt()
    weight = (vectors[:, top] * scale).T
    projection = model.vision_encoder.patch_embed.projection
    with torch.no_grad():
        projection.weight.copy_(weight.reshape(projection.weight.shape))
        projection.bias.copy_(-(weight @ mean))


def encode(model: Any, pixels: Tensor, offsets: Tensor) -> Tensor:
    """Image embeddings (B, 64, h/8, w/8) of crops.

    `pixels` is (B, 3, h, w), normalised; `offsets` (B, 2) gives each crop's row and column in the
    frame, in patches.
    """
    encoder = model.vision_encoder
    hidden = encoder.patch_embed.projection(pixels).permute(0, 2, 3, 1)
    hidden = hidden + _windows(encoder.pos_embed[0], offsets, hidden.shape[1])
    for layer in encoder.layers:
        hidden = layer(hidden)
    embedding: Tensor = encoder.neck(hidden)
    return embedding


def decode(
    model: Any, embedding: Tensor, offsets: Tensor, prompts: Prompts
) -> tuple[Tensor, Tensor]:
    """All four masks of every prompt, boxes first.

    Returns logits (B, N + M, 4, 4g, 4g) and predicted IoU (B, N + M, 4); mask 0 is the single one,
    masks 1 to 3 are the alternatives. `SamMaskDecoder.forward` computes the same and drops a part.
    """
    sparse = embed_prompts(model, prompts)
    decoder = model.mask_decoder
    batch, count = sparse.shape[:2]
    side = embedding.shape[-1]
    frame = model.get_image_wide_positional_embeddings()[0].permute(1, 2, 0)
    places = _windows(frame, offsets, side).permute(0, 3, 1, 2)
    image = embedding + model.prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)

    output = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([output.expand(batch, count, -1, -1), sparse], dim=2)
    tokens, image = decoder.transformer(
        point_embeddings=tokens,
        image_embeddings=image.repeat_interleave(count, 0),
        image_positional_embeddings=places.repeat_interleave(count, 0),
        attention_similarity=None,
    )
    image = image.transpose(2, 3).reshape(batch * count, -1, side, side)
    fine = decoder.activation(decoder.upscale_layer_norm(decoder.upscale_conv1(image)))
    fine = decoder.activation(decoder.upscale_conv2(fine))
    weights = torch.stack(
        [mlp(tokens[:, :, 1 + i]) for i, mlp in enumerate(decoder.output_hypernetworks_mlps)], dim=2
    )
    masks = weights @ fine.reshape(batch, count, fine.shape[1], -1)
    quality: Tensor = decoder.iou_prediction_head(tokens[:, :, 0])
    return masks.reshape(batch, count, -1, fine.shape[-2], fine.shape[-1]), quality


def embed_prompts(model: Any, prompts: Prompts) -> Tensor:
    """Sparse embeddings (B, N + M, 2, 64): a box is two corners, a point is itself and a filler."""
    boxes, _ = model.prompt_encoder(None, None, prompts.boxes, None)
    labels = torch.ones((*prompts.points.shape[:2], 1), dtype=torch.int64)
    points, _ = model.prompt_encoder(prompts.points[:, :, None], labels, None, None)
    return torch.cat([boxes, points], dim=1)


def _windows(frame: Tensor, offsets: Tensor, side: int) -> Tensor:
    """Windows of `side` cells of a (G, G, C) frame at (B, 2) offsets: (B, side, side, C)."""
    rows = offsets[:, 0, None] + torch.arange(side)
    columns = offsets[:, 1, None] + torch.arange(side)
    return frame[rows[:, :, None], columns[:, None, :]]
