"""The ``annotations`` of a COCO file: one record a line, from an annotation or from its columns.

A record is its two dense ids, which depend on what else is in the file, and a body, which does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from lithograph.entities import Annotation, Image
from lithograph.formats.coco_segmentation import (
    on_image,
    segmentation_of,
    short,
    shorten,
)

if TYPE_CHECKING:
    from lithograph.formats.coco_facts import Facts

_HEAD: Final = b'{"id":%d,"image_id":%d,'
_BODY: Final = (
    b'"category_id":%d,"bbox":%b,"area":%b,"segmentation":%b,"iscrowd":%d,"status":%b,'
    b'"concept_iri":%b,"annotation_iri":%b%b}'
)
#: What a record says only where there is something to say, in this order.
_OPTIONAL: Final = ("score", "mask_quality", "region_iri", "source_id")


def lines_of(first: int, image_ids: Sequence[int], bodies: Sequence[bytes]) -> bytes:
    """Whole records, one a line, numbered from ``first`` on."""
    numbered = zip(range(first, first + len(bodies)), image_ids, strict=True)
    return b",\n".join(map(bytes.__add__, map(_HEAD.__mod__, numbered), bodies))


def body_of(annotation: Annotation, category: int, image: Image) -> bytes:
    """The body of one annotation's record. ValueError where it covers no pixel of its image."""
    optional = (
        annotation.confidence,
        annotation.mask_quality,
        annotation.region,
        annotation.source_id,
    )
    return _BODY % (
        category,
        orjson.dumps([short(value) for value in annotation.box]),
        orjson.dumps(short(annotation.area)),
        segmentation_of(annotation.geometry, image, crowd=annotation.crowd),
        annotation.crowd,
        orjson.dumps(str(annotation.status)),
        orjson.dumps(annotation.concept),
        orjson.dumps(annotation.iri),
        b"".join(
            b',"%b":%b' % (name.encode(), orjson.dumps(value))
            for name, value in zip(_OPTIONAL, optional, strict=True)
            if value is not None
        ),
    )


def bodies_of(
    facts: Facts, places: NDArray[np.intp], segments: Sequence[bytes], categories: Sequence[int]
) -> list[bytes]:
    """The bodies of the records of annotations that were read as columns.

    ``segments`` are what the columns know of their geometries, ``categories`` their numbers; both
    run along ``places``. Raises ValueError where one covers no pixel of its image.
    """
    if not len(places):
        return []
    # Adding 0 makes 0 of -0.
    boxes = orjson.dumps(facts.boxes[places] + 0.0, option=orjson.OPT_SERIALIZE_NUMPY)
    areas = orjson.dumps(facts.areas[places] + 0.0, option=orjson.OPT_SERIALIZE_NUMPY)
    crowds = facts.crowds[places].tolist()
    return list(
        map(
            _BODY.__mod__,
            zip(
                categories,
                [b"[%b]" % box for box in shorten(boxes)[2:-2].split(b"],[")],
                shorten(areas)[1:-1].split(b","),
                _segmentations(facts, places, segments, crowds),
                crowds,
                facts.statuses.written(places),
                facts.concepts.written(places),
                [b'"%b"' % facts.iris[place] for place in places.tolist()],
                _optional(facts, places),
                strict=True,
            ),
        )
    )


def _segmentations(
    facts: Facts, places: NDArray[np.intp], segments: Sequence[bytes], crowds: Sequence[bool]
) -> list[bytes]:
    rows = zip(places.tolist(), segments, crowds, strict=True)
    return [
        segment
        if segment[:1] == b"[" and not crowd
        else on_image(segment, facts.image_of(place), crowd=crowd)
        for place, segment, crowd in rows
    ]


def _optional(facts: Facts, places: NDArray[np.intp]) -> list[bytes]:
    score, quality, region, source = (b',"%b":' % name.encode() for name in _OPTIONAL)
    regions = [b""] * len(places)
    shown = np.flatnonzero(facts.regions.codes[places] >= 0)
    for row, text in zip(shown.tolist(), facts.regions.written(places[shown]), strict=True):
        regions[row] = region + text
    ids = [facts.source_ids[place] for place in places.tolist()]
    sources = [source + text if text else b"" for text in ids]
    scores, qualities = (
        [b"" if text == b"null" else name + text for text in _floats(column[places])]
        for name, column in ((score, facts.confidences), (quality, facts.qualities))
    )
    return list(map(b"".join, zip(scores, qualities, regions, sources, strict=True)))


def _floats(values: NDArray[np.float64]) -> list[bytes]:
    """Floats in JSON, one by one; NaN is null."""
    return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
