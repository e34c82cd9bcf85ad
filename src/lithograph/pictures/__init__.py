"""Annotations as pictures: overlays with their legend, side by side, and one annotation alone.

Pillow and numpy only. The same arguments give the same pixels on every machine: the letters are
those of Pillow's built-in face, no font of the system is looked for.
"""

from lithograph.pictures.cutting import annotation_picture
from lithograph.pictures.painting import Drawn
from lithograph.pictures.palette import PALETTE, colour_of
from lithograph.pictures.panels import Panel, draw_overlay, draw_panels

__all__ = [
    "PALETTE",
    "Drawn",
    "Panel",
    "annotation_picture",
    "colour_of",
    "draw_overlay",
    "draw_panels",
]
