"""The shape of a SAM in the segment-anything package's form: known ones, and a JSON beside a file.

A ``.pth`` holds weights and no configuration. Those that Meta published are recognised from their
widths (vit_b, vit_l, vit_h, as in ``segment_anything/build_sam.py``); any other needs a JSON file
of the same stem beside it, with the keys of ``SamShape``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lithograph.errors import ModelError

if TYPE_CHECKING:
    import torch

_NOTES = {"name", "description", "license", "licence", "source"}


@dataclass(frozen=True)
class SamShape:
    """Widths and depths of a SAM; names follow segment-anything's own arguments.

    ``image_size`` and ``patch_size`` are in pixels. ``pixel_mean`` and ``pixel_std`` are per RGB
    channel on the 0–255 scale. Blocks of ``global_attn_indexes`` attend to the whole image, the
    others to windows of ``window_size`` patches.
    """

    image_size: int
    patch_size: int
    embed_dim: int
    depth: int
    num_heads: int
    window_size: int
    global_attn_indexes: tuple[int, ...]
    use_rel_pos: bool
    out_chans: int
    prompt_embed_dim: int
    mlp_ratio: float = 4.0
    mask_in_chans: int = 16
    decoder_depth: int = 2
    decoder_num_heads: int = 8
    decoder_mlp_dim: int = 2048
    num_multimask_outputs: int = 3
    iou_head_depth: int = 3
    iou_head_hidden_dim: int = 256
    pixel_mean: tuple[float, ...] = (123.675, 116.28, 103.53)
    pixel_std: tuple[float, ...] = (58.395, 57.12, 57.375)


def published_shape(state: Mapping[str, torch.Tensor]) -> SamShape | None:
    """Recognise vit_b, vit_l or vit_h from the widths in a state dict; None for another one."""
    projection = state.get("image_encoder.patch_embed.proj.weight")
    if projection is None:
        return None
    width = int(projection.shape[0])
    depth = sum(
        key.startswith("image_encoder.blocks.") and key.endswith(".norm1.weight") for key in state
    )
    known = {
        (768, 12): (12, (2, 5, 8, 11)),
        (1024, 24): (16, (5, 11, 17, 23)),
        (1280, 32): (16, (7, 15, 23, 31)),
    }
    if (width, depth) not in known:
        return None
    heads, global_blocks = known[width, depth]
    return SamShape(
        image_size=1024,
        patch_size=16,
        embed_dim=width,
        depth=depth,
        num_heads=heads,
        window_size=14,
        global_attn_indexes=global_blocks,
        use_rel_pos=True,
        out_chans=256,
        prompt_embed_dim=256,
    )


def read_shape(path: Path) -> SamShape:
    """Read a shape from JSON; ModelError names the key, what was expected and what was found."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path.name} is not JSON: {error}", subject=path.name) from error
    if not isinstance(document, dict):
        raise ModelError(f"{path.name} must hold one JSON object", subject=path.name)
    known = {field.name: field for field in fields(SamShape)}
    unknown = sorted(set(document) - set(known) - _NOTES)
    if unknown:
        raise ModelError(
            f"{path.name} says {', '.join(unknown)}, which no SAM has; known keys: "
            f"{', '.join(known)}",
            subject=path.name,
        )
    required = [name for name, field in known.items() if field.default is MISSING]
    missing = [name for name in required if name not in document]
    if missing:
        raise ModelError(f"{path.name} lacks {', '.join(missing)}", subject=path.name)
    values = {
        name: _read_value(path, name, document[name], str(field.type))
        for name, field in known.items()
        if name in document
    }
    shape = SamShape(**values)
    _check_shape(path, shape)
    return shape


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _read_value(path: Path, name: str, value: object, kind: str) -> Any:
    if kind == "bool":
        if not isinstance(value, bool):
            raise _wrong(path, name, kind, value)
        return value
    listed = kind.startswith("tuple")
    if listed != isinstance(value, list):
        raise _wrong(path, name, kind, value)
    # A block's number may be 0, and so may a window (no windows) and a mean; others are sizes.
    least = 0 if name in {"global_attn_indexes", "window_size", "pixel_mean"} else 1e-9
    numbers: list[int | float] = []
    for number in value if isinstance(value, list) else [value]:
        allowed = int if "int" in kind else (int, float)
        if isinstance(number, bool) or not isinstance(number, allowed):
            raise _wrong(path, name, kind, value)
        if not number >= least:
            raise _wrong(path, name, f"positive {kind}", value)
        numbers.append(int(number) if "int" in kind else float(number))
    return tuple(numbers) if listed else numbers[0]


def _wrong(path: Path, name: str, expected: str, value: object) -> ModelError:
    return ModelError(
        f"{path.name}: {name} must be {_in_words(expected)}, not {value!r}",
        subject=path.name,
    )


def _in_words(kind: str) -> str:
    names = {
        "tuple[int, ...]": "a list of whole numbers",
        "tuple[float, ...]": "a list of numbers",
        "bool": "true or false",
        "int": "a whole number",
        "float": "a number",
    }
    for kind_name, words in names.items():
        if kind.endswith(kind_name):
            return words + kind.removesuffix(kind_name).replace("positive ", " above 0")
    return kind


def _check_shape(path: Path, shape: SamShape) -> None:
    downsampled = shape.prompt_embed_dim // 2
    rules = {
        f"image_size ({shape.image_size}) must be a multiple of patch_size ({shape.patch_size})": (
            shape.image_size % shape.patch_size == 0
        ),
        f"embed_dim ({shape.embed_dim}) must be a multiple of num_heads ({shape.num_heads})": (
            shape.embed_dim % shape.num_heads == 0
        ),
        f"out_chans ({shape.out_chans}) must equal prompt_embed_dim ({shape.prompt_embed_dim}): "
        "the decoder adds them": shape.out_chans == shape.prompt_embed_dim,
        f"prompt_embed_dim ({shape.prompt_embed_dim}) must be a multiple of 8: masks are made at "
        "an eighth of it": shape.prompt_embed_dim % 8 == 0,
        f"half of prompt_embed_dim ({downsampled}) must be a multiple of decoder_num_heads "
        f"({shape.decoder_num_heads})": downsampled % shape.decoder_num_heads == 0,
        f"mask_in_chans ({shape.mask_in_chans}) must be a multiple of 4": (
            shape.mask_in_chans % 4 == 0
        ),
        f"global_attn_indexes ({list(shape.global_attn_indexes)}) must be below depth "
        f"({shape.depth})": all(index < shape.depth for index in shape.global_attn_indexes),
        "window_size must not be 0 where a block attends to windows": (
            shape.window_size > 0 or len(set(shape.global_attn_indexes)) == shape.depth
        ),
        "pixel_mean and pixel_std must have three numbers each": (
            len(shape.pixel_mean) == 3 and len(shape.pixel_std) == 3
        ),
    }
    for rule, kept in rules.items():
        if not kept:
            raise ModelError(f"{path.name}: {rule}", subject=path.name)
