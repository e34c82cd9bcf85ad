"""Segmenters, detectors and labellers, by name; importing this loads no model and no torch."""

from lithograph.vision.loading import load_detector, load_labeller, load_segmenter
from lithograph.vision.protocols import (
    ConceptSegmenter,
    DetectedBox,
    Detector,
    ImageEmbedding,
    Labeller,
    MaskCandidates,
    ModelCard,
    PhraseMasks,
    Segmenter,
)

__all__ = [
    "ConceptSegmenter",
    "DetectedBox",
    "Detector",
    "ImageEmbedding",
    "Labeller",
    "MaskCandidates",
    "ModelCard",
    "PhraseMasks",
    "Segmenter",
    "load_detector",
    "load_labeller",
    "load_segmenter",
]
