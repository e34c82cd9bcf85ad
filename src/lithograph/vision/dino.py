"""DINO, DINOv2 (with or without registers) and DINOv3 as a detector that needs no phrase.

Boxes are those of MaskCut's regions over the keys of the last attention layer, the features that
LOST (Siméoni et al., BMVC 2021), TokenCut and MaskCut found best for DINO.
Sources of the models: Caron et al., ICCV 2021; Oquab et al., TMLR 2024; Darcet et al., ICLR 2024;
Siméoni et al., DINOv3, 2025.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lithograph.errors import ModelError
from lithograph.vision.devices import choose_device, half_precision
from lithograph.vision.inputs import check_image
from lithograph.vision.mask_cut import cut_regions
from lithograph.vision.pretrained import load_image_processor, load_weights
from lithograph.vision.protocols import DetectedBox, ModelCard
from lithograph.vision.sources import Source, make_card, running, weight_files

FAMILIES = {
    "vit": "dino",
    "dinov2": "dinov2",
    "dinov2_with_registers": "dinov2",
    "dinov3_vit": "dinov3",
}

# 40 × 40 patches: a cut takes some 0.1 s on one core. MaskCut's own grid is 60 × 60.
_MAX_PATCHES = 1600

# Our own: regions cut off no better than this are no regions (an arbitrary one has 0).
_THRESHOLD = 0.1


def load_dino(
    source: Source, model_type: str, device: str, threshold: float | None = None
) -> DinoDetector:
    """Load a detector whose configuration says one of ``FAMILIES``.

    ``threshold``: least confidence of a box, in [0, 1]; 0.1 where left out.
    """
    from transformers import AutoModel, ViTModel

    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError(f"threshold must lie between 0 and 1, not {threshold}")
    chosen = choose_device(device, subject=source.name)
    processor = load_image_processor(source)
    # DINO was published without ViT's pooling layer.
    loader = AutoModel.from_pretrained
    if model_type == "vit":
        loader = partial(ViTModel.from_pretrained, add_pooling_layer=False)
    model = load_weights(loader, source, chosen)
    card = make_card(
        source,
        family=FAMILIES[model_type],
        device=chosen,
        package="transformers",
        weights=weight_files(source),
    )
    return DinoDetector(
        model,
        processor,
        card,
        max_patches=_MAX_PATCHES,
        threshold=_THRESHOLD if threshold is None else threshold,
    )


class DinoDetector:
    """A ``Detector`` of what stands out, by self-supervised features."""

    def __init__(
        self,
        model: Any,
        processor: Any,
        card: ModelCard,
        *,
        max_patches: int,
        threshold: float,
        max_boxes: int = 8,
    ) -> None:
        self._model = model
        self._processor = processor
        self._card = card
        self._max_patches = max_patches
        self._max_boxes = max_boxes
        self._threshold = threshold
        keys = [layer for name, layer in model.named_modules() if name.endswith(".k_proj")]
        if not keys:
            raise ModelError(
                f"{card.name} has no attention keys: it is no vision transformer of the DINO kind",
                subject=card.name,
            )
        self._last_keys = keys[-1]

    @property
    def card(self) -> ModelCard:
        """Which model this is."""
        return self._card

    @property
    def takes_phrases(self) -> bool:
        """False: it finds what stands out."""
        return False

    def boxes(
        self, image: NDArray[np.uint8], phrases: Sequence[str] = ()
    ) -> tuple[DetectedBox, ...]:
        """Boxes of what stands out on the image, best first; phrases are left aside.

        A box's sides lie on the patch grid, at most 40 × 40 patches over the whole image.
        """
        check_image(image)
        height, width = image.shape[:2]
        rows, columns = self._grid(height, width)
        regions = cut_regions(
            self._keys(image, rows, columns),
            (rows, columns),
            max_regions=self._max_boxes,
            threshold=self._threshold,
        )
        found = []
        for region in regions:
            down, across = np.nonzero(region.patches)
            x0, x1 = across.min() * width / columns, (across.max() + 1) * width / columns
            y0, y1 = down.min() * height / rows, (down.max() + 1) * height / rows
            found.append(
                DetectedBox(
                    box=(float(x0), float(y0), float(x1 - x0), float(y1 - y0)),
                    confidence=region.confidence,
                    phrase=None,
                )
            )
        return tuple(sorted(found, key=lambda each: -each.confidence))

    def _grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of patches: the image's own proportions, no more patches than set."""
        side = (self._max_patches / (height * width)) ** 0.5
        rows, columns = max(1, int(height * side)), max(1, int(width * side))
        return min(rows, self._max_patches), min(columns, self._max_patches)

    def _keys(self, image: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.float32]:
        import torch

        patch = int(self._model.config.patch_size)
        # The saved processor would crop the centre: here the whole image is wanted.
        inputs = self._processor(
            images=image,
            size={"height": rows * patch, "width": columns * patch},
            do_center_crop=False,
            return_tensors="pt",
        )
        options = {"interpolate_pos_encoding": True} if self._card.family == "dino" else {}
        seen: list[torch.Tensor] = []
        hook = self._last_keys.register_forward_hook(lambda *call: seen.append(call[2]))
        try:
            with running(self._card, "looked at an image"), torch.inference_mode():
                pixels = inputs["pixel_values"].to(self._card.device)
                with half_precision(self._card.device):
                    self._model(pixel_values=pixels, **options)
        finally:
            hook.remove()
        # The class token and the registers come first.
        keys: NDArray[np.float32] = seen[-1][0, -rows * columns :].float().cpu().numpy()
        return keys
