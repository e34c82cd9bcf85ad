"""SAM through the segment-anything package: ``.pth`` checkpoints, published ones or our own.

The package's builders fix an image size of 1024 and a width of 256, and load with pickle; here
the model is put together from its parts by its shape, and only tensors are loaded.
Source: Kirillov et al., Segment Anything, ICCV 2023; the package segment-anything 1.0.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lithograph.errors import ModelError
from lithograph.vision.devices import choose_device, half_precision, to_float32
from lithograph.vision.inputs import check_embedding, check_image, check_logits, check_prompts
from lithograph.vision.protocols import ImageEmbedding, MaskCandidates, ModelCard
from lithograph.vision.sam_shape import SamShape, published_shape, read_shape
from lithograph.vision.sources import Source, loading, make_card, require, running
from lithograph.vision.upscaling import upscale_padded


def load_checkpoint(source: Source, device: str) -> SegmentAnything:
    """Load a ``.pth`` file; ModelError where its shape is unknown or its weights do not fit."""
    require("torch", "torchvision", "segment_anything", subject=source.name)
    import torch

    path = source.path
    if path is None:
        raise ValueError(f"a .pth checkpoint is a file on this machine, not the id {source.name}")
    chosen = choose_device(device, subject=source.name)
    with loading(source):
        state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or not all(torch.is_tensor(each) for each in state.values()):
        raise ModelError(f"{source.name} does not hold a SAM's weights", subject=source.name)
    shape = _find_shape(source, path, state)
    model = build_sam(shape)
    state = {key: to_float32(value) for key, value in state.items()}
    missing, unexpected = _load_state(source, model, state)
    if missing or unexpected:
        raise ModelError(
            f"{source.name} does not fit its shape: {len(missing)} weights lack "
            f"({', '.join(missing[:3])}), {len(unexpected)} are unknown "
            f"({', '.join(unexpected[:3])})",
            subject=source.name,
        )
    card = make_card(
        source, family="sam", device=chosen, package="segment-anything", weights=[path]
    )
    return SegmentAnything(model.to(chosen).eval(), card)


def _find_shape(source: Source, path: Path, state: dict[str, Any]) -> SamShape:
    beside = path.with_suffix(".json")
    if beside.is_file():
        return read_shape(beside)
    shape = published_shape(state)
    if shape is None:
        raise ModelError(
            f"{source.name} is not vit_b, vit_l or vit_h, so its shape must be said in "
            f"{beside.name} beside it",
            subject=source.name,
        )
    return shape


def _load_state(source: Source, model: Any, state: dict[str, Any]) -> tuple[list[str], list[str]]:
    with loading(source):
        outcome = model.load_state_dict(state, strict=False)
    return list(outcome.missing_keys), list(outcome.unexpected_keys)


def build_sam(shape: SamShape) -> Any:
    """Put a ``segment_anything.modeling.Sam`` together from its parts, weights at random."""
    import torch
    from segment_anything.modeling import (
        ImageEncoderViT,
        MaskDecoder,
        PromptEncoder,
        Sam,
        TwoWayTransformer,
    )

    side = shape.image_size // shape.patch_size
    return Sam(
        image_encoder=ImageEncoderViT(
            img_size=shape.image_size,
            patch_size=shape.patch_size,
            embed_dim=shape.embed_dim,
            depth=shape.depth,
            num_heads=shape.num_heads,
            mlp_ratio=shape.mlp_ratio,
            out_chans=shape.out_chans,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            use_rel_pos=shape.use_rel_pos,
            window_size=shape.window_size,
            global_attn_indexes=shape.global_attn_indexes,
        ),
        prompt_encoder=PromptEncoder(
            embed_dim=shape.prompt_embed_dim,
            image_embedding_size=(side, side),
            input_image_size=(shape.image_size, shape.image_size),
            mask_in_chans=shape.mask_in_chans,
        ),
        mask_decoder=MaskDecoder(
            num_multimask_outputs=shape.num_multimask_outputs,
            transformer=TwoWayTransformer(
                depth=shape.decoder_depth,
                embedding_dim=shape.prompt_embed_dim,
                mlp_dim=shape.decoder_mlp_dim,
                num_heads=shape.decoder_num_heads,
            ),
            transformer_dim=shape.prompt_embed_dim,
            iou_head_depth=shape.iou_head_depth,
            iou_head_hidden_dim=shape.iou_head_hidden_dim,
        ),
        pixel_mean=list(shape.pixel_mean),
        pixel_std=list(shape.pixel_std),
    )


class SegmentAnything:
    """A ``Segmenter`` over the segment-anything package."""

    def __init__(self, model: Any, card: ModelCard) -> None:
        self._model = model
        self._card = card

    @property
    def card(self) -> ModelCard:
        """Which model this is."""
        return self._card

    @property
    def image_size(self) -> int:
        """Longest side, in pixels, at which the model sees an image."""
        return int(self._model.image_encoder.img_size)

    def encode(self, image: NDArray[np.uint8]) -> ImageEmbedding:
        """Encode an image (uint8 H×W×3) once for any number of prompts."""
        import torch
        from PIL import Image
        from segment_anything.utils.transforms import ResizeLongestSide

        check_image(image)
        height, width = image.shape[:2]
        sides = ResizeLongestSide.get_preprocess_shape(height, width, self.image_size)
        # A sliver would come out with no row at all.
        rows, columns = max(1, sides[0]), max(1, sides[1])
        picture = Image.fromarray(image).resize((columns, rows), Image.Resampling.BILINEAR)
        shrunk = np.array(picture)
        with running(self._card, "encoded an image"), torch.inference_mode():
            pixels = torch.as_tensor(shrunk, device=self._card.device).permute(2, 0, 1)[None]
            with half_precision(self._card.device):
                features = self._model.image_encoder(self._model.preprocess(pixels.float()))
        return ImageEmbedding(
            height=height,
            width=width,
            content_height=rows / self.image_size,
            content_width=columns / self.image_size,
            model=self._card.sha256,
            features=to_float32(features),
        )

    def masks(
        self,
        embedding: ImageEmbedding,
        *,
        points: NDArray[np.floating] | None = None,
        point_labels: NDArray[np.integer] | None = None,
        boxes: NDArray[np.floating] | None = None,
    ) -> MaskCandidates:
        """All candidate masks for N prompts; see ``Segmenter.masks``.

        An unambiguous prompt gives the single mask first and the three others after it.
        """
        import torch

        check_embedding(embedding, self._card.sha256)
        prompts = check_prompts(embedding, points, point_labels, boxes)
        model, side = self._model, self.image_size
        scale = np.array(
            [
                embedding.content_width * side / embedding.width,
                embedding.content_height * side / embedding.height,
            ],
            np.float32,
        )
        with running(self._card, "outlined prompts"), torch.inference_mode():
            device = self._card.device
            given_points = given_boxes = None
            if prompts.points is not None and prompts.labels is not None:
                given_points = (
                    torch.as_tensor(prompts.points * scale, device=device),
                    torch.as_tensor(prompts.labels, device=device),
                )
            if prompts.boxes is not None:
                given_boxes = torch.as_tensor(prompts.boxes * np.tile(scale, 2), device=device)
            sparse, dense = model.prompt_encoder(points=given_points, boxes=given_boxes, masks=None)
            logits, quality = model.mask_decoder.predict_masks(
                image_embeddings=embedding.features,
                image_pe=model.prompt_encoder.get_dense_pe(),
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
            )
            first = 1 if prompts.ambiguous else 0
            return MaskCandidates(
                logits=logits[:, first:].float().cpu().numpy(),
                quality=quality[:, first:].float().cpu().numpy(),
                single=not prompts.ambiguous,
            )

    def upscale(self, embedding: ImageEmbedding, logits: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Bring chosen masks to the image's size: (M, h, w) logits to (M, H, W) bool."""
        check_embedding(embedding, self._card.sha256)
        with running(self._card, "upscaled masks"):
            return upscale_padded(
                embedding, check_logits(logits), self.image_size, self.card.device
            )
