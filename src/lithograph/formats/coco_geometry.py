"""COCO's ``segmentation``, ``bbox`` and ``area`` → a geometry with its box and area.

Several rings are a union, as pycocotools has it: a second ring is never a hole. Vertices are kept
to the last digit, a closing vertex that repeats the first is left out. Where file and geometry
agree within :data:`TOLERANCE`, the file's own ``bbox`` and ``area`` are kept, so that COCOeval
finds the same numbers after a round trip through the graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from lithograph.entities import Box, Geometry, Mask, Outline, Ring
from lithograph.formats.coco_rings import Extent, Lengths, OddRings
from lithograph.formats.coco_values import shown
from lithograph.formats.imported import FindingKind, Findings, RecordFault
from lithograph.masks import box_between, checked_rle, mask_area, mask_box, outline_area

#: Pixels by which vertices, boxes and outlines may differ. Aïoli traces on a raster at 0.709× of
#: the image: its vertices stand on a lattice of 1.411 px.
TOLERANCE = 1.5

#: Longest outline, in pixels, that is rasterised. pycocotools takes 40 bytes a pixel of it.
_MAX_LENGTH = 2**23

#: So few rings or vertices that looking at each is quicker than an index or a set of all.
_FEW = 16

_NO_PLACE = "expected a segmentation or a bbox, found neither"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a record says of its place: rings, or run lengths, or only a box; and its numbers.

    ``box`` and ``area`` are the file's own, None where absent or malformed.
    """

    rings: tuple[Ring, ...] = ()
    mask: Mask | None = None
    box: Box | None = None
    area: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A geometry on its image, with its box and its area in pixels."""

    geometry: Geometry
    box: Box
    area: float


def read_shape(record: Mapping[str, Any], path: str, findings: Findings) -> Shape:
    """The record's shape, as far as it can be told without its image. Raises RecordFault."""
    segmentation = record.get("segmentation")
    rings: tuple[Ring, ...] = ()
    mask = None
    if isinstance(segmentation, dict):
        mask = _mask(segmentation, f"{path}.segmentation")
    elif isinstance(segmentation, list):
        rings = _rings(segmentation, f"{path}.segmentation")
    elif segmentation is not None:
        raise RecordFault(
            f"{path}.segmentation",
            f"expected rings or run lengths, found {shown(segmentation)}",
        )
    drawn = bool(rings) or mask is not None
    box = _box(record.get("bbox"), f"{path}.bbox", findings if drawn else None)
    if box is not None:
        _check_whole(rings, box, f"{path}.segmentation")
    if box is None and not drawn:
        raise RecordFault(f"{path}.segmentation", _NO_PLACE)
    area = record.get("area")
    if area is not None and not (_is_finite(area) and area >= 0):
        findings.add(FindingKind.AREA_DIFFERS, f"{path}.area", f"found {shown(area)}")
        area = None
    return Shape(rings, mask, box, None if area is None else float(area))


def measure(
    shape: Shape, width: int, height: int, path: str, findings: Findings, rings: OddRings
) -> Measured:
    """Set a shape on its width×height image: what it covers there, its box and area.

    Raises RecordFault where it covers no pixel of the image, where a vertex lies farther out than
    the image is wide or high, or where run lengths are of another size.
    """
    if shape.mask is not None:
        return _measure_mask(shape, shape.mask, width, height, path, findings)
    if not shape.rings:
        return _measure_box(shape, width, height, path, findings)
    extents = [Extent.of(ring) for ring in shape.rings]
    lengths = Lengths(shape.rings, extents)
    _check_place(extents, lengths, width, height, f"{path}.segmentation", findings)
    rings.add(shape.rings, f"{path}.segmentation")
    outline = Outline(tuple((ring,) for ring in shape.rings))
    covered = _covered(outline, width, height, f"{path}.segmentation")
    return Measured(
        outline,
        _agreed_box(shape.box, _box_around(extents), f"{path}.bbox", findings),
        _agreed_area(shape.area, covered, lengths.least, lengths.exact, f"{path}.area", findings),
    )


def _measure_mask(
    shape: Shape, mask: Mask, width: int, height: int, path: str, findings: Findings
) -> Measured:
    if (mask.width, mask.height) != (width, height):
        raise RecordFault(
            f"{path}.segmentation.size",
            f"expected the image's [{height}, {width}], found [{mask.height}, {mask.width}]",
        )
    own = mask_box(mask)
    around = 2 * (own.width + own.height)
    return Measured(
        mask,
        _agreed_box(shape.box, own, f"{path}.bbox", findings),
        _agreed_area(shape.area, mask_area(mask), around, lambda: around, f"{path}.area", findings),
    )


def _measure_box(shape: Shape, width: int, height: int, path: str, findings: Findings) -> Measured:
    """A detection without segmentation. Its area may be that of a segmentation left out."""
    if shape.box is None:
        raise RecordFault(path, _NO_PLACE)
    left, top, wide, high = shape.box
    ring = ((left, top), (left + wide, top), (left + wide, top + high), (left, top + high))
    extents = [Extent.of(ring)]
    _check_place(extents, Lengths((ring,), extents), width, height, f"{path}.bbox", findings)
    outline = Outline(((ring,),))
    _covered(outline, width, height, f"{path}.bbox")
    findings.add(FindingKind.BOX_AS_OUTLINE, path)
    whole = wide * high
    if shape.area and shape.area <= whole + TOLERANCE * (wide + high):
        whole = shape.area
    return Measured(outline, shape.box, whole)


def _mask(segmentation: Mapping[str, Any], path: str) -> Mask:
    size = segmentation.get("size")
    if not isinstance(size, list) or len(size) != 2:
        raise RecordFault(f"{path}.size", f"expected [height, width], found {shown(size)}")
    try:
        return checked_rle(size[0], size[1], segmentation.get("counts"))
    except ValueError as error:
        raise RecordFault(path, str(error)) from error


def _rings(segmentation: Sequence[Any], path: str) -> tuple[Ring, ...]:
    """Rings written flat, as lists of pairs, or a single ring without the list around it."""
    if segmentation and all(_is_number(value) for value in segmentation):
        return (_ring(segmentation, path),)
    if len(segmentation) >= 3 and all(_is_pair(value) for value in segmentation):
        return (_ring(list(chain.from_iterable(segmentation)), path),)
    if all(value == [] for value in segmentation):
        return ()
    rings = []
    for index, value in enumerate(segmentation):
        place = f"{path}[{index}]"
        if not isinstance(value, list):
            raise RecordFault(place, f"expected a list of numbers, found {shown(value)}")
        if value and all(_is_pair(pair) for pair in value):
            value = list(chain.from_iterable(value))
        rings.append(_ring(value, place))
    return tuple(rings)


def _ring(flat: Sequence[Any], path: str) -> Ring:
    numbers = _numbers(flat, path)
    if len(numbers) < 6 or len(numbers) % 2:
        raise RecordFault(
            path, f"expected an even count of at least 6 numbers, found {len(numbers)}"
        )
    vertices = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    if vertices[-1] == vertices[0]:
        vertices = vertices[:-1]
    # The first few vertices mostly tell.
    different = len(set(vertices[:_FEW]))
    if different < 3 and len(vertices) > _FEW:
        different = len(set(vertices))
    if different < 3:
        raise RecordFault(path, f"expected at least 3 different vertices, found {different}")
    return vertices


def _check_whole(rings: Sequence[Ring], box: Box, path: str) -> None:
    """Refuse a ring that was cut short and yet has an even count. Raises RecordFault.

    Where the last number is the first x again, the ring was closing and lost its last y, and some
    other number before it. Since a y may equal an x by chance, it must also lie off the box.
    """
    top, bottom = box.y - TOLERANCE, box.y + box.height + TOLERANCE
    for index, ring in enumerate(rings):
        (first_x, _), (x, y) = ring[0], ring[-1]
        if y == first_x and not top <= y <= bottom:
            raise RecordFault(
                f"{path}[{index}]",
                f"cut short: it ends on its first x, so that numbers are missing; its last vertex "
                f"({x:g}, {y:g}) lies off the bbox",
            )


def _numbers(values: Sequence[Any], path: str) -> list[float]:
    """Finite floats. RecordFault names the first that is none."""
    try:
        if set(map(type, values)) <= {int, float} and all(map(math.isfinite, values)):
            return list(map(float, values))
    except OverflowError:
        pass
    index = next(index for index, value in enumerate(values) if not _is_finite(value))
    raise RecordFault(f"{path}[{index}]", f"expected a finite number, found {shown(values[index])}")


def _box(value: Any, path: str, findings: Findings | None) -> Box | None:
    """The file's box. A bad one is found or, where nothing else says the place, a fault."""
    if value is None or value == []:
        return None
    try:
        if not isinstance(value, list) or len(value) != 4:
            raise RecordFault(path, f"expected [x, y, width, height], found {shown(value)}")
        try:
            return Box(*_numbers(value, path))
        except ValueError as error:
            raise RecordFault(path, str(error)) from error
    except RecordFault as fault:
        if findings is None:
            raise
        findings.add(FindingKind.BOX_DIFFERS, fault.path, fault.reason)
        return None


def _box_around(extents: Sequence[Extent]) -> Box:
    left, top = min(each.left for each in extents), min(each.top for each in extents)
    right, bottom = max(each.right for each in extents), max(each.bottom for each in extents)
    return box_between(left, top, right, bottom)


def _check_place(
    extents: Sequence[Extent],
    lengths: Lengths,
    width: int,
    height: int,
    path: str,
    findings: Findings,
) -> None:
    """Tell what lies outside the image, refuse what lies far out.

    pycocotools walks every pixel of an outline, in and outside the image: a vertex a billion pixels
    away would take all memory.
    """
    for index, ring in enumerate(extents):
        out = max(-ring.left, -ring.top, ring.right - width, ring.bottom - height)
        if out <= 0:
            continue
        place = f"{path}[{index}]" if path.endswith("segmentation") else path
        where = (
            f"spans {ring.left:g} to {ring.right:g}, {ring.top:g} to {ring.bottom:g} "
            f"of {width} × {height}"
        )
        if max(-ring.left, ring.right - width) > width or (
            max(-ring.top, ring.bottom - height) > height
        ):
            raise RecordFault(place, f"expected vertices on the image, but it {where}")
        if out > TOLERANCE:
            findings.add(FindingKind.OUTSIDE, place, where)
    if lengths.most > _MAX_LENGTH and (total := lengths.exact()) > _MAX_LENGTH:
        raise RecordFault(
            path, f"expected outlines of at most {_MAX_LENGTH} pixels, found {total:.0f}"
        )


def _covered(outline: Outline, width: int, height: int, path: str) -> int:
    try:
        return outline_area(outline, height, width)
    except ValueError as error:
        raise RecordFault(path, str(error)) from error


def _agreed_box(found: Box | None, own: Box, path: str, findings: Findings) -> Box:
    if found is None:
        return own
    sides = zip(_sides(found), _sides(own), strict=True)
    if all(abs(first - second) <= TOLERANCE for first, second in sides):
        return found
    findings.add(
        FindingKind.BOX_DIFFERS,
        path,
        f"expected about {[round(value, 2) for value in own]}, found {list(found)}",
    )
    return own


def _sides(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.x + box.width, box.y + box.height


def _agreed_area(
    found: float | None,
    own: int,
    least: float,
    length: Callable[[], float],
    path: str,
    findings: Findings,
) -> float:
    """The file's area where it lies within the tolerance all along the outline, else its own.

    ``least`` is a length that the outline has at any rate.
    """
    if found is None:
        return float(own)
    off = abs(found - own)
    if off <= TOLERANCE * least or off <= TOLERANCE * length():
        return found
    findings.add(FindingKind.AREA_DIFFERS, path, f"expected about {own}, found {found:g}")
    return float(own)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    try:
        return _is_number(value) and math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
