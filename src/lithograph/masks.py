"""Masks, outlines, boxes and their run lengths: arrays in, arrays out.

Run-length encodings are COCO's (column-major, compressed to a string by pycocotools; Lin et al.,
*Microsoft COCO*, 2014). pycocotools trusts what it is given: counts that do not fill the image make
it read memory that is not its own, and a NaN vertex makes it take all of it. Everything that comes
from outside passes :func:`checked_rle` or :class:`~lithograph.entities.Outline` first.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from lithograph.entities import Box, Geometry, Mask, Outline, Ring

#: Largest image that a mask may cover, in pixels: a 2^30 pixel mask is one gigabyte when decoded.
MAX_PIXELS = 2**30

BoolMask = NDArray[np.bool_]
#: The polygons of an outline, each its rings, each flat: ``x, y, x, y …``, not closed, in pixels.
FlatPolygons = list[list[list[float]]]

#: Characters of one compressed number: five bits each, in 64 bits with the sign.
_LONGEST_NUMBER = 12


def box_xywh_to_xyxy(boxes: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(N, 4) boxes ``x, y, width, height`` → (N, 4) ``left, top, right, bottom``, in pixels."""
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def box_xyxy_to_xywh(boxes: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(N, 4) boxes ``left, top, right, bottom`` → (N, 4) ``x, y, width, height``, in pixels."""
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def mask_to_rle(mask: BoolMask) -> Mask:
    """H×W bool mask over the whole image → run lengths. An empty mask is a ValueError."""
    if mask.ndim != 2:
        raise ValueError(f"mask: expected an array of shape (H, W), found {mask.shape}")
    if not mask.any():
        raise ValueError("mask: expected at least one pixel, found none")
    rle = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return Mask(int(rle["size"][0]), int(rle["size"][1]), rle["counts"].decode("ascii"))


def rle_to_mask(mask: Mask) -> BoolMask:
    """Run lengths → H×W bool mask over the whole image.

    Not by pycocotools, whose ``decode`` hands numpy 2 an array that it warns about.
    """
    runs = _runs_of(mask.counts)
    colours = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return colours.reshape(mask.height, mask.width, order="F")


def paste_mask(part: BoolMask, *, x: int, y: int, height: int, width: int) -> Mask:
    """A h×w bool mask standing at (x, y) of a height×width image → run lengths over the image.

    Equal to pasting into an empty image and encoding that, without the empty image: only the
    columns that the part covers are walked, so that the memory is that of the part.
    """
    rows, columns = part.shape
    if x < 0 or y < 0 or x + columns > width or y + rows > height:
        raise ValueError(
            f"mask part {columns}×{rows} at ({x}, {y}): expected inside the {width}×{height} image"
        )
    if not part.any():
        raise ValueError("mask: expected at least one pixel, found none")
    # Starts and ends of runs in column-major order within the part, moved to the whole image.
    padded = np.zeros((rows + 2, columns), dtype=np.int8)
    padded[1:-1] = part
    steps = np.diff(padded, axis=0).T  # (columns, rows + 1)
    column, start = np.nonzero(steps == 1)
    _, end = np.nonzero(steps == -1)
    offset = (column + x) * height + y
    edges = np.stack([offset + start, offset + end], axis=1)
    # A run that ends at the bottom of one column goes on at the top of the next.
    joined = edges[1:, 0] == edges[:-1, 1]
    flat = np.concatenate(
        [
            [edges[0, 0]],
            np.stack([edges[:-1, 1], edges[1:, 0]], axis=1)[~joined].ravel(),
            [edges[-1, 1]],
        ]
    )
    counts = np.diff(np.concatenate([[0], flat, [height * width]]))
    if counts[-1] == 0:
        counts = counts[:-1]
    rle = coco_mask.frPyObjects({"size": [height, width], "counts": counts.tolist()}, height, width)
    return Mask(height, width, rle["counts"].decode("ascii"))


def checked_rle(height: object, width: object, counts: object) -> Mask:
    """A mask from outside, checked before pycocotools sees it.

    ``counts`` is either COCO's compressed string or the list of run lengths. Raises ValueError
    where the size is not two positive whole numbers of at most :data:`MAX_PIXELS` pixels, where a
    run is negative, or where the runs do not sum to height × width.
    """
    height, width = _whole("mask height", height), _whole("mask width", width)
    _check_pixels(height, width)
    if isinstance(counts, str):
        runs = _runs_of(counts)
    elif isinstance(counts, list) and all(type(run) is int for run in counts):
        runs = _whole_runs(counts)
    else:
        raise ValueError(
            f"mask counts: expected a string or a list of whole numbers, found {counts!r:.60}"
        )
    if runs.size and runs.min() < 0:
        raise ValueError("mask counts: expected run lengths of 0 or more, found a negative one")
    # Of pixels that int64 cannot count, floats tell that there are too many.
    total = int(runs.sum()) if runs.sum(dtype=np.float64) < 2**62 else sum(runs.tolist())
    if total != height * width:
        raise ValueError(
            f"mask counts: expected a sum of {height} × {width} = {height * width}, found {total}"
        )
    if not runs[1::2].any():
        raise ValueError("mask: expected at least one pixel, found none")
    # Written again by pycocotools, so that equal masks have equal strings.
    rle = coco_mask.frPyObjects({"size": [height, width], "counts": _merged(runs)}, height, width)
    return Mask(height, width, rle["counts"].decode("ascii"))


def _whole_runs(counts: list[int]) -> NDArray[np.int64]:
    try:
        return np.array(counts, dtype=np.int64)
    except OverflowError as error:
        raise ValueError(
            f"mask counts: expected run lengths below 2^63, found {max(counts, key=abs)}"
        ) from error


def decode_counts(counts: str) -> list[int]:
    """COCO's compressed counts → run lengths, background first.

    Five bits a character from code 48, the sixth says that more follow, two's complement, and from
    the fourth run on the difference to the run two before (``rleFrString`` of pycocotools'
    ``maskApi.c``). Raises ValueError on a character outside that alphabet or a cut number.
    """
    return _listed(_runs_of(counts))


def _runs_of(counts: str) -> NDArray[np.int64]:
    codes = np.frombuffer(counts.encode("utf-8", "surrogatepass"), dtype=np.uint8).astype(np.int64)
    codes -= 48
    if codes.size == 0:
        return codes
    ends = np.flatnonzero(codes & 0x20 == 0)
    lengths = np.diff(ends, prepend=-1)
    strange = (codes < 0) | (codes >= 64)
    if strange.any() or lengths.max(initial=0) > _LONGEST_NUMBER:
        place = _first_strange(counts)
        raise ValueError(
            f"mask counts: expected characters from '0' to 'o', found {counts[place]!r} at {place}"
        )
    if ends.size == 0 or ends[-1] != codes.size - 1:
        raise ValueError("mask counts: expected a whole number, found the string cut short")
    starts = ends - lengths + 1
    shifts = 5 * (np.arange(codes.size) - np.repeat(starts, lengths))
    runs = np.add.reduceat((codes & 0x1F) << shifts, starts)
    # Two's complement: the fifth bit of the last character is the sign.
    runs -= np.where(codes[ends] & 0x10, np.int64(1) << (5 * lengths), 0)
    # From the fourth run on, what stands there is the difference to the run two before.
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    return runs


def _first_strange(counts: str) -> int:
    """The place of the first character that is none of the alphabet, or that goes on too long."""
    length = 0
    for place, character in enumerate(counts):
        code = ord(character) - 48
        length += 1
        if not 0 <= code < 64 or length > _LONGEST_NUMBER:
            return place
        length = length if code & 0x20 else 0
    return 0


def outline_to_rle(outline: Outline, height: int, width: int) -> Mask:
    """Polygons with holes → run lengths over a height×width image, rasterised as pycocotools does.

    Holes are cut out; overlapping polygons are united. Raises ValueError where nothing of the
    outline covers a pixel of the image.
    """
    return polygons_to_rle(flat_polygons(outline), height, width)


def outline_area(outline: Outline, height: int, width: int) -> int:
    """Number of pixels that an outline covers on a height×width image; ValueError for none."""
    if not is_simple(outline):
        return mask_area(outline_to_rle(outline, height, width))
    _check_pixels(height, width)
    return _some(coco_mask.frPyObjects(flat_polygons(outline)[0], height, width)[0])


def _some(rle: dict[str, Any]) -> int:
    """The area of run lengths that are of an outline. Raises ValueError where it is 0."""
    area = int(coco_mask.area(rle))
    if area == 0:
        height, width = rle["size"]
        raise ValueError(
            f"outline: expected to cover a pixel of the {width}×{height} image, found none"
        )
    return area


def polygons_to_rle(polygons: FlatPolygons, height: int, width: int) -> Mask:
    """:func:`outline_to_rle` of flat polygons whose numbers are known to be finite."""
    _check_pixels(height, width)
    # One call for all rings without holes: what a call costs is more than the ring.
    parts = coco_mask.frPyObjects([rings[0] for rings in polygons], height, width)
    for index, (_, *holes) in enumerate(polygons):
        if holes:
            parts[index] = _without(parts[index], holes)
    rle = coco_mask.merge(parts, intersect=False) if len(parts) > 1 else parts[0]
    _some(rle)
    return Mask(height, width, rle["counts"].decode("ascii"))


def flat_polygons(outline: Outline) -> FlatPolygons:
    """The polygons of an outline, their rings flat."""
    return [[list(chain.from_iterable(ring)) for ring in polygon] for polygon in outline.polygons]


def _without(exterior: dict[str, Any], holes: list[list[float]]) -> dict[str, Any]:
    # pycocotools has no difference: exterior minus holes is exterior ∩ complement(holes).
    parts = coco_mask.frPyObjects(holes, *exterior["size"])
    hole = coco_mask.merge(parts, intersect=False) if len(parts) > 1 else parts[0]
    return dict(coco_mask.merge([exterior, _complement(hole)], intersect=True))


def _complement(rle: dict[str, Any]) -> dict[str, Any]:
    """The same runs with foreground and background changed."""
    height, width = rle["size"]
    runs = decode_counts(rle["counts"].decode("ascii"))
    runs = runs[1:] if runs and runs[0] == 0 else [0, *runs]
    return dict(coco_mask.frPyObjects({"size": [height, width], "counts": runs}, height, width))


def geometry_to_rle(geometry: Geometry, height: int, width: int) -> Mask:
    """Any geometry → run lengths over its height×width image."""
    if isinstance(geometry, Mask):
        if (geometry.height, geometry.width) != (height, width):
            raise ValueError(
                f"mask: expected the image's size {height} × {width}, "
                f"found {geometry.height} × {geometry.width}"
            )
        return geometry
    return outline_to_rle(geometry, height, width)


def mask_area(mask: Mask) -> int:
    """Number of pixels of a mask."""
    return int(coco_mask.area(_coco(mask)))


def mask_box(mask: Mask) -> Box:
    """The tight box of a mask, ``x, y, width, height`` in whole pixels."""
    return Box(*(float(value) for value in coco_mask.toBbox(_coco(mask))))


def outline_box(outline: Outline) -> Box:
    """The tight box of an outline's vertices; at least 1e-6 px wide and high for flat outlines."""
    vertices = np.array([xy for polygon in outline.polygons for xy in polygon[0]], dtype=np.float64)
    (left, top), (right, bottom) = vertices.min(axis=0).tolist(), vertices.max(axis=0).tolist()
    return box_between(left, top, right, bottom)


def box_between(left: float, top: float, right: float, bottom: float) -> Box:
    """The box between two corners; at least 1e-6 px wide and high, for flat outlines."""
    return Box(left, top, max(right - left, 1e-6), max(bottom - top, 1e-6))


def mask_iou(first: Sequence[Mask], second: Sequence[Mask]) -> NDArray[np.float64]:
    """Intersection over union of every pair, (len(first), len(second)), in [0, 1]."""
    if not first or not second:
        return np.zeros((len(first), len(second)))
    iou = coco_mask.iou([_coco(m) for m in first], [_coco(m) for m in second], [0] * len(second))
    return np.asarray(iou, dtype=np.float64)


def wkt_from_outline(outline: Outline) -> str:
    """An outline as ``MULTIPOLYGON`` well-known text in pixels, every digit kept.

    An outline remembers its text: it is needed for the annotation's IRI, and to store it.
    """
    if outline.wkt is None:
        parts = ", ".join(
            "(" + ", ".join(map(_wkt_ring, polygon)) + ")" for polygon in outline.polygons
        )
        object.__setattr__(outline, "wkt", f"MULTIPOLYGON ({parts})")
    return str(outline.wkt)


def outline_from_wkt(text: str) -> Outline:
    """``MULTIPOLYGON`` or ``POLYGON`` well-known text in pixels → an outline.

    Numbers are read to the last digit. Raises ValueError on any other text.
    """
    import shapely

    try:
        shape = shapely.from_wkt(text)
    except shapely.errors.ShapelyError as error:
        raise ValueError(f"outline: expected well-known text, found {text[:60]!r}") from error
    if shape.geom_type not in {"Polygon", "MultiPolygon"} or shape.is_empty:
        raise ValueError(f"outline: expected a POLYGON or MULTIPOLYGON, found {text[:60]!r}")
    polygons = shape.geoms if shape.geom_type == "MultiPolygon" else [shape]
    return Outline(
        tuple(
            tuple(
                tuple((float(x), float(y)) for x, y in ring.coords[:-1])
                for ring in (polygon.exterior, *polygon.interiors)
            )
            for polygon in polygons
        )
    )


def rle_to_text(mask: Mask) -> str:
    """A mask as the lexical form of ``lg:cocoRle``: ``<height> <width> <counts>``."""
    return f"{mask.height} {mask.width} {mask.counts}"


def rle_from_text(text: str) -> Mask:
    """The lexical form of ``lg:cocoRle`` → a mask. Raises ValueError where it is not one."""
    parts = text.split(" ")
    if len(parts) != 3 or not parts[0].isdecimal() or not parts[1].isdecimal():
        raise ValueError(f"mask: expected '<height> <width> <counts>', found {text[:60]!r}")
    return Mask(int(parts[0]), int(parts[1]), parts[2])


def is_simple(geometry: Geometry) -> bool:
    """Whether a geometry is one polygon without holes: what a COCO polygon can say exactly."""
    return (
        isinstance(geometry, Outline)
        and len(geometry.polygons) == 1
        and len(geometry.polygons[0]) == 1
    )


def _wkt_ring(ring: Ring) -> str:
    closed = (*ring, ring[0])
    try:
        # orjson writes the same shortest digits as repr, ten times as fast.
        text = orjson.dumps(closed).decode("ascii")
    except TypeError:
        text = ""
    if "e" in text or text.count(".") != 2 * len(closed):
        # What orjson writes in another way: exponents, whole numbers, numpy's own floats.
        return "(" + ", ".join(f"{float(x)!r} {float(y)!r}" for x, y in closed) + ")"
    return "(" + text[2:-2].replace("],[", ";").replace(",", " ").replace(";", ", ") + ")"


def _merged(runs: NDArray[np.int64]) -> list[int]:
    """Run lengths without empty runs in the middle, so that equal masks have equal runs."""
    if runs[1:].all():
        return _listed(runs)
    kept = runs > 0
    kept[0] = True
    # After a dropped run two neighbours have the same colour: they are one run.
    colours = np.flatnonzero(kept) % 2
    starts = np.flatnonzero(np.diff(colours, prepend=1 - colours[0]) != 0)
    return _listed(np.add.reduceat(runs[kept], starts))


def _listed(runs: NDArray[np.int64]) -> list[int]:
    found: list[int] = runs.tolist()
    return found


def _whole(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name}: expected a positive whole number, found {value!r:.60}")
    return value


def _check_pixels(height: int, width: int) -> None:
    if height <= 0 or width <= 0 or height * width > MAX_PIXELS:
        raise ValueError(f"image size: expected 1 to {MAX_PIXELS} pixels, found {height} × {width}")


def _coco(mask: Mask) -> dict[str, Any]:
    return {"size": [mask.height, mask.width], "counts": mask.counts.encode("ascii")}
