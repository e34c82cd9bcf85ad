"""Photographs → :class:`~lithograph.entities.Image`: digests, upright sizes, upright pixels."""

from lithograph.images.adding import AddedImages, add_images, name_key
from lithograph.images.pixels import load_upright
from lithograph.images.reading import PhotographFacts, read_image
from lithograph.images.scanning import SUFFIXES, scan

__all__ = [
    "SUFFIXES",
    "AddedImages",
    "PhotographFacts",
    "add_images",
    "load_upright",
    "name_key",
    "read_image",
    "scan",
]
