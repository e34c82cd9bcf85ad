"""Loading through transformers: configuration, image processor, weights, every weight accounted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lithograph.errors import ModelError
from lithograph.vision.sources import Source, loading, require


def read_model_type(source: Source) -> str:
    """Read a model's type (``sam2``, ``clip`` …) from its configuration."""
    require("torch", "torchvision", "transformers", subject=source.name)
    from transformers import AutoConfig

    if source.path is not None and not (source.path / "config.json").is_file():
        raise ModelError(
            f"{source.name} is no transformers model: there is no config.json in it",
            subject=source.name,
        )
    with loading(source):
        configuration = AutoConfig.from_pretrained(
            source.location, local_files_only=source.path is not None
        )
    return str(configuration.model_type)


def load_processor(source: Source) -> Any:
    """Load the processor (images and texts) that was saved with a model."""
    from transformers import AutoProcessor

    return _load_part(AutoProcessor.from_pretrained, source)


def load_image_processor(source: Source) -> Any:
    """Load the image processor that was saved with a model."""
    from transformers import AutoImageProcessor

    return _load_part(AutoImageProcessor.from_pretrained, source)


def load_tokenizer(source: Source) -> Any:
    """Load the tokenizer that was saved with a model."""
    from transformers import AutoTokenizer

    return _load_part(AutoTokenizer.from_pretrained, source)


def _load_part(from_pretrained: Callable[..., Any], source: Source) -> Any:
    with loading(source):
        return from_pretrained(source.location, local_files_only=source.path is not None)


def load_weights(from_pretrained: Callable[..., Any], source: Source, device: str) -> Any:
    """Load a model in float32, ready to run on ``device``, by its class's ``from_pretrained``.

    ModelError where weights are missing or of another shape: transformers would fill them with
    random numbers and only log it.
    """
    import torch

    with loading(source):
        model, report = from_pretrained(
            source.location,
            local_files_only=source.path is not None,
            output_loading_info=True,
            dtype=torch.float32,
        )
        missing = sorted(report["missing_keys"])
        missing += sorted(str(entry[0]) for entry in report["mismatched_keys"])
        if missing:
            raise ModelError(
                f"{source.name} lacks {len(missing)} of its weights, or has them in another shape "
                f"({', '.join(missing[:3])} …): the file is incomplete or of another model",
                subject=source.name,
            )
        return model.to(device).eval()
