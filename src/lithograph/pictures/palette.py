"""The colour of a concept: the same everywhere, told apart by most eyes, seen on grey stone."""

from __future__ import annotations

import hashlib

#: Red, green, blue, each 0 to 255.
Colour = tuple[int, int, int]

#: The colours in the order of category numbers. Found by a search that kept them apart from each
#: other and from building stones (hue 0–54°, saturation 0.04–0.42, value 0.35–0.85), in OKLab
#: (Ottosson 2020), as seen by normal eyes and under full protanopia, deuteranopia and tritanopia
#: (simulated as in Machado, Oliveira and Fernandes 2009). The first nine were given more
#: room; their order lays dark colours on the shipped scheme's pale alterations, and light on dark.
PALETTE: tuple[Colour, ...] = (
    (247, 26, 0),
    (52, 33, 164),
    (219, 60, 165),
    (62, 220, 0),
    (119, 6, 8),
    (38, 255, 248),
    (25, 74, 255),
    (193, 245, 66),
    (117, 128, 244),
    (252, 65, 205),
    (14, 134, 167),
    (153, 27, 11),
    (53, 172, 244),
    (103, 44, 207),
    (40, 132, 8),
    (62, 80, 148),
)


def colour_of(concept: int | str) -> Colour:
    """The colour of a concept by its category number (1 or more), or by its IRI.

    Numbers up to ``len(PALETTE)`` have a colour each, higher ones begin again. An IRI has the
    colour that its SHA-256 falls on, so that two of them may share one: prefer numbers.
    Raises ValueError for a number below 1.
    """
    if isinstance(concept, str):
        number = int.from_bytes(hashlib.sha256(concept.encode()).digest()[:8], "big")
        return PALETTE[number % len(PALETTE)]
    if concept < 1:
        raise ValueError(f"concept: expected a category number of 1 or more, found {concept}")
    return PALETTE[(concept - 1) % len(PALETTE)]


def on_white(colour: Colour) -> Colour:
    """The colour, darkened until it stands out as a thin line on white (3:1, WCAG 2.2 §1.4.11)."""
    while 1.05 / (_luminance(colour) + 0.05) < 3.0:
        colour = (colour[0] * 9 // 10, colour[1] * 9 // 10, colour[2] * 9 // 10)
    return colour


def _luminance(colour: Colour) -> float:
    """Relative luminance in [0, 1], as WCAG 2.2 defines it for sRGB."""
    parts = [
        value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4
        for value in colour
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
