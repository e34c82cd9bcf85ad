"""From low-resolution logits to masks at the image's size, a few at a time.

The order is each model's own: SAM pads to a square, so its logits go to the padded input's size,
are cut to the image, then resized; the others stretch the image, so one resize does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lithograph.vision.protocols import ImageEmbedding

# Largest number of float32 pixels held at once (64 MB): masks of a large photograph come in turn.
_PIXELS_AT_ONCE = 16_000_000


def upscale_padded(
    embedding: ImageEmbedding, logits: NDArray[np.float32], input_size: int, device: str
) -> NDArray[np.bool_]:
    """Upscale (M, h, w) logits of a padded square of ``input_size`` pixels to (M, H, W) bool."""
    rows = round(embedding.content_height * input_size)
    columns = round(embedding.content_width * input_size)
    return _in_turn(embedding, logits, device, input_size, (rows, columns))


def upscale_stretched(
    embedding: ImageEmbedding, logits: NDArray[np.float32], device: str
) -> NDArray[np.bool_]:
    """Upscale (M, h, w) logits that cover the whole image to (M, H, W) bool."""
    return _in_turn(embedding, logits, device, None, None)


def _in_turn(
    embedding: ImageEmbedding,
    logits: NDArray[np.float32],
    device: str,
    input_size: int | None,
    content: tuple[int, int] | None,
) -> NDArray[np.bool_]:
    import torch
    from torch.nn.functional import interpolate

    size = (embedding.height, embedding.width)
    masks = np.empty((len(logits), *size), np.bool_)
    batch = max(1, _PIXELS_AT_ONCE // max(size[0] * size[1], (input_size or 0) ** 2))
    with torch.inference_mode():
        for start in range(0, len(logits), batch):
            part = torch.as_tensor(
                np.ascontiguousarray(logits[start : start + batch], np.float32), device=device
            )[:, None]
            if input_size is not None and content is not None:
                part = interpolate(part, (input_size, input_size), mode="bilinear")
                part = part[..., : content[0], : content[1]]
            part = interpolate(part, size, mode="bilinear")
            masks[start : start + batch] = (part[:, 0] > 0).cpu().numpy()
    return masks
