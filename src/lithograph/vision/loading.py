"""Models by name: which class serves which configuration, imported when it is asked for."""

from __future__ import annotations

from lithograph.errors import ModelError
from lithograph.vision.protocols import ConceptSegmenter, Detector, Labeller, Segmenter
from lithograph.vision.sources import Source, find_model


def load_segmenter(
    name: str, device: str = "auto", *, threshold: float | None = None
) -> Segmenter | ConceptSegmenter:
    """Load a segmenter by model id, path or short name (``tiny-sam``, ``tiny-sam.pth``).

    SAM 3 (``sam3`` and ``sam3_video`` configurations) gives a ``ConceptSegmenter``, which outlines
    what a phrase names; ``threshold`` is then the least confidence of an instance (0.5 where left
    out). Every other gives a ``Segmenter``, which outlines what points and boxes show and takes no
    threshold.

    ``device``: ``auto`` (CUDA, else MPS, else CPU), ``cpu``, ``cuda``, ``cuda:<number>``, ``mps``.
    ModelMissing where the model or the extra is not here, ModelError where it cannot be loaded.
    """
    source = find_model(name)
    if source.path is not None and source.path.is_file():
        if threshold is not None:
            raise ValueError("threshold is for SAM 3 only: other segmenters outline what is shown")
        from lithograph.vision.segment_anything_sam import load_checkpoint

        return load_checkpoint(source, device)
    from lithograph.vision import sam, sam3

    model_type = _model_type(source)
    if model_type in sam3.FAMILIES:
        least = sam3.DEFAULT_THRESHOLD if threshold is None else threshold
        return sam3.load_sam3(source, device, least)
    if model_type in sam.FAMILIES:
        if threshold is not None:
            raise ValueError("threshold is for SAM 3 only: other segmenters outline what is shown")
        return sam.load_sam(source, model_type, device)
    raise _wrong_kind(source, model_type, "segmenter", [*sam.FAMILIES, *sam3.FAMILIES])


def load_detector(name: str, device: str = "auto", *, threshold: float | None = None) -> Detector:
    """Load a detector by model id or path: the DINO family, Grounding DINO or OWLv2.

    ``threshold``: least confidence of a box, in [0, 1]; each family's own where left out.
    ``device`` and errors as for ``load_segmenter``.
    """
    source = find_model(name)
    from lithograph.vision import dino, grounding

    model_type = _model_type(source)
    if model_type in dino.FAMILIES:
        return dino.load_dino(source, model_type, device, threshold)
    if model_type in grounding.FAMILIES:
        return grounding.load_grounding(source, model_type, device, threshold)
    raise _wrong_kind(source, model_type, "detector", [*dino.FAMILIES, *grounding.FAMILIES])


def load_labeller(name: str, device: str = "auto") -> Labeller:
    """Load a labeller by model id, path or short name (``tiny-clip``): CLIP, SigLIP, SigLIP 2.

    ``device`` and errors as for ``load_segmenter``.
    """
    source = find_model(name)
    from lithograph.vision import clip

    model_type = _model_type(source)
    if model_type in clip.FAMILIES:
        return clip.load_clip(source, model_type, device)
    raise _wrong_kind(source, model_type, "labeller", list(clip.FAMILIES))


def _model_type(source: Source) -> str:
    from lithograph.vision.pretrained import read_model_type

    if source.path is not None and source.path.is_file():
        raise ModelError(
            f"{source.name} is a file: expected a folder with a config.json", subject=source.name
        )
    return read_model_type(source)


def _wrong_kind(source: Source, model_type: str, wanted: str, known: list[str]) -> ModelError:
    return ModelError(
        f"{source.name} is of type {model_type}, which is no {wanted} that Lithograph knows; "
        f"known types: {', '.join(known)}",
        subject=source.name,
    )
