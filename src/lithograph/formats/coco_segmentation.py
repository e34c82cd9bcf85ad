"""Geometries as COCO's ``segmentation``, in JSON: one by one, and many at once from their text.

An outline without holes is polygons, one for each part: COCO takes rings together, as the outline
does its parts. Anything with a hole is run lengths, since a second ring would be filled, and so is
what stands for a crowd.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import compress
from typing import Final

import orjson

from lithograph.entities import Geometry, Image, Mask, Outline
from lithograph.graph.columns import unescaped
from lithograph.masks import (
    FlatPolygons,
    flat_polygons,
    geometry_to_rle,
    outline_from_wkt,
    polygons_to_rle,
)

#: How our own text of an outline begins and ends (see :func:`lithograph.masks.wkt_from_outline`).
_BEGIN: Final = b"MULTIPOLYGON ((("
_END: Final = b")))"
#: What stays of it without digits: rings of four vertices or more, the last of them the first.
_RING: Final = r"\(\. \.(?:, \. \.){3,}\)"
_POLYGON: Final = rf"\({_RING}(?:, {_RING})*\)"
_OUR_FORM: Final = re.compile(rf"MULTIPOLYGON \({_POLYGON}(?:, {_POLYGON})*\)".encode())
_DIGITS: Final = b"0123456789-"
#: The text is JSON but for these marks: numbers stand between spaces, vertices between commas.
_TO_JSON: Final = bytes.maketrans(b"(), ", b"[] ,")


def short(value: float) -> float | int:
    """Whole numbers without a point, as COCO files have them, if not those with an exponent."""
    return int(value) if float(value).is_integer() and abs(value) < 1e16 else value


def shorten(numbers: bytes) -> bytes:
    """A list of floats in JSON, all of them made :func:`short`; there may be no ``-0.0``."""
    return numbers.replace(b".0,", b",").replace(b".0]", b"]")


def segmentation_of(geometry: Geometry, image: Image, *, crowd: bool) -> bytes:
    """The segmentation of a geometry on its image. ValueError where it covers no pixel of it."""
    if isinstance(geometry, Outline):
        return segmentation_of_polygons(flat_polygons(geometry), image, crowd=crowd)
    return _run_lengths(geometry_to_rle(geometry, image.height, image.width))


def segmentation_of_polygons(polygons: FlatPolygons, image: Image, *, crowd: bool) -> bytes:
    """The segmentation of an outline on its image, as :func:`segmentation_of` gives it."""
    if not crowd and all(len(rings) == 1 for rings in polygons):
        return orjson.dumps([[short(value) for value in rings[0]] for rings in polygons])
    return _run_lengths(polygons_to_rle(polygons, image.height, image.width))


def run_lengths(height: int, width: int, counts: bytes) -> bytes:
    """Run lengths of an image's size; the counts are in JSON."""
    return b'{"size":[%d,%d],"counts":%b}' % (height, width, counts)


def _run_lengths(rle: Mask) -> bytes:
    return run_lengths(rle.height, rle.width, orjson.dumps(rle.counts))


def on_image(segment: bytes, image: Image, *, crowd: bool) -> bytes:
    """The segmentation, on its image, of what is known of one without it.

    That is a polygon or run lengths in JSON, or the text of an outline as columns give it.
    ValueError where it covers no pixel of the image, or is of another size.
    """
    if segment.startswith(b'{"size":[%d,%d],' % (image.height, image.width)):
        return segment
    if segment[:1] == b"{":
        found = orjson.loads(segment)
        height, width = found["size"]
        return segmentation_of(Mask(height, width, found["counts"]), image, crowd=crowd)
    if segment[:1] == b"[" and not crowd:
        return segment
    return segmentation_of_polygons(polygons_of(segment), image, crowd=crowd)


def polygons_of(segment: bytes) -> FlatPolygons:
    """What :func:`on_image` takes for an outline, as polygons. ValueError where it is none."""
    if segment[:1] == b"[":
        # Rings of one segmentation are parts, never holes.
        return [[ring] for ring in orjson.loads(segment)]
    return polygons_from_wkt(unescaped(segment))


def polygons_from_wkt(text: str) -> FlatPolygons:
    """``flat_polygons(outline_from_wkt(text))``, at a tenth of the cost for text of our own form.

    Only that form is read here. Any other, and any fault, is left to the general reader.
    """
    written = text.encode()
    if _OUR_FORM.fullmatch(written.translate(None, _DIGITS)):
        try:
            found: FlatPolygons = orjson.loads(written[len("MULTIPOLYGON ") :].translate(_TO_JSON))
        except orjson.JSONDecodeError:
            pass
        else:
            if all(ring[:2] == ring[-2:] for polygon in found for ring in polygon):
                return [[ring[:-2] for ring in polygon] for polygon in found]
    return flat_polygons(outline_from_wkt(text))


def polygons_at_once(texts: Sequence[bytes]) -> list[bytes]:
    """The segmentation of every outline that is one polygon, of others an empty string.

    All numbers go through one JSON reader and writer. The texts are well-known text, as columns
    give it; what is not of our own form counts as another.
    """
    if not texts:
        return []
    rings = list(map(_open_ring, texts))
    forms = b"\n".join(rings).translate(None, _DIGITS).split(b"\n")
    ours = [form == b". ." + b", . ." * form.count(b",") for form in forms]
    # No list for each: the collector of cycles would look at all of them again and again.
    joined = b"\n".join(compress(rings, ours)).translate(_TO_JSON).replace(b"\n", b",null,")
    try:
        numbers = shorten(orjson.dumps(orjson.loads(b"[%b]" % joined)))
    except orjson.JSONDecodeError:
        return [b""] * len(texts)
    if b"-0," in numbers or b"-0]" in numbers:
        return [b""] * len(texts)
    written = iter(numbers[1:-1].split(b",null,"))
    return [b"[[%b]]" % next(written) if our else b"" for our in ours]


def _open_ring(text: bytes) -> bytes:
    """The first ring of an outline without its last vertex, or an empty string."""
    if not text.startswith(_BEGIN) or not text.endswith(_END):
        return b""
    ring, _, last = text[len(_BEGIN) : -len(_END)].rpartition(b", ")
    return ring if ring.startswith(last + b",") and ring.count(b",") > 1 else b""
