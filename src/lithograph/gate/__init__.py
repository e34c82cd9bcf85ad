"""Quads and shapes in; what is admitted and what is refused, with its reasons, out."""

from lithograph.gate.partition import annotation_of, partition
from lithograph.gate.shapes import Shapes
from lithograph.gate.validation import validate

__all__ = ["Shapes", "annotation_of", "partition", "validate"]
