"""A COCO file of any size, like those of real alterations: the same seed gives the same bytes.

About 1 KB an annotation: polygons of 12 to 60 vertices with two decimals, some of several rings,
and one mask in five as compressed run lengths, on images of 1 to 4 thousand pixels a side and some
of 6336 × 9504. The file is written image by image, so that memory does not grow with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import orjson
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

Record = dict[str, Any]
Generator = np.random.Generator

PER_IMAGE: Final = 20
#: The largest photographs of the restoration, in pixels, upright and lying.
_LARGE: Final = ((6336, 9504), (9504, 6336))
_LARGE_SHARE, _MASK_SHARE, _RINGS_SHARE, _SCORE_SHARE = 0.08, 0.2, 0.2, 0.4
#: Streams of random numbers: what stands on an image does not change it, nor do faults the rest.
_IMAGES, _ANNOTATIONS, _SPOILT = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Written:
    """What a file holds: its size in bytes, its images and annotations, how many are faulty."""

    path: Path
    size: int
    images: int
    annotations: int
    faulty: int


def write_coco(path: Path, annotations: int, *, seed: int = 7, faulty: float = 0.0) -> Written:
    """Write a COCO file of so many annotations, :data:`PER_IMAGE` on an image.

    ``faulty`` is the share of records, in [0, 1], that an import must refuse; the others stay the
    same. Raises ValueError for a share outside or less than one annotation.
    """
    if annotations < 1 or not 0 <= faulty <= 1:
        raise ValueError(
            "expected at least one annotation and a share in [0, 1], "
            f"found {annotations} and {faulty}"
        )
    images = -(-annotations // PER_IMAGE)
    spoilt = 0
    with path.open("wb") as stream:
        stream.write(b'{"info":{"description":"Procedural alterations"},"licenses":')
        stream.write(orjson.dumps([_LICENCE]))
        stream.write(b',"categories":')
        stream.write(orjson.dumps(categories()))
        stream.write(b',"images":[')
        _write_all(stream, (_image(seed, number) for number in range(images)))
        stream.write(b'],"annotations":[')
        for number in range(images):
            wanted = min(PER_IMAGE, annotations - number * PER_IMAGE)
            drawn = np.random.default_rng((seed, _ANNOTATIONS, number))
            records = list(_annotations(drawn, _image(seed, number), wanted))
            if faulty:
                spoilt += _spoil(np.random.default_rng((seed, _SPOILT, number)), records, faulty)
            _write_all(stream, records, first=number == 0)
        stream.write(b"]}\n")
        size = stream.tell()
    return Written(path, size, images, annotations, spoilt)


@cache
def categories() -> tuple[Record, ...]:
    """The nine categories of the Notre-Dame vocabulary, by name and number."""
    from lithograph import resources
    from lithograph.vocabulary import Vocabulary

    vocabulary = Vocabulary.read(resources.ontology("notre-dame-alterations"))
    found = [
        {"id": concept.category_id, "name": concept.label("en")}
        for concept in vocabulary.concepts
        if concept.category_id is not None
    ]
    return tuple(sorted(found, key=lambda record: int(record["id"] or 0)))


_LICENCE: Final = {
    "id": 1,
    "name": "Attribution",
    "url": "https://creativecommons.org/licenses/by/4.0/",
}


def _write_all(stream: BinaryIO, records: Iterable[Record], *, first: bool = True) -> None:
    for record in records:
        stream.write(orjson.dumps(record) if first else b",\n" + orjson.dumps(record))
        first = False


def _image(seed: int, number: int) -> Record:
    drawn = np.random.default_rng((seed, _IMAGES, number))
    large, turned, across, down = drawn.random(4).tolist()
    width, height = _LARGE[turned < 0.5]
    if large >= _LARGE_SHARE:
        width, height = 1000 + int(3000 * across), 1000 + int(3000 * down)
    name = f"facade_{number:07d}.jpg"
    return {
        "id": number + 1,
        "file_name": name,
        "width": width,
        "height": height,
        "license": 1,
        "date_captured": f"2026-0{1 + number % 9}-{1 + number % 28:02d} 10:{number % 60:02d}:00",
        "coco_url": f"https://images.example.org/facade/{name}",
    }


def _annotations(drawn: Generator, image: Record, wanted: int) -> Iterator[Record]:
    first = (image["id"] - 1) * PER_IMAGE
    for index in range(wanted):
        kind, category, scored, score = drawn.random(4).tolist()
        shape = _mask if kind < _MASK_SHARE else _polygons
        record: Record = {
            "id": first + index + 1,
            "image_id": image["id"],
            "category_id": categories()[int(category * len(categories()))]["id"],
            **shape(drawn, image["width"], image["height"]),
            "iscrowd": 0,
        }
        if scored < _SCORE_SHARE:
            record["score"] = round(score, 4)
        yield record


# -- what is drawn -----------------------------------------------------------------------------


def _place(
    drawn: Generator, width: int, height: int, least: float, most: float
) -> tuple[float, ...]:
    """Centre and half axes, in pixels, of an ellipse inside the image: small ones are common."""
    size, form, left, top = drawn.random(4).tolist()
    half = least * (most / least) ** size
    across, down = half * (0.5 + form), half * (1.5 - form)
    x = across + 2 + (width - 2 * across - 4) * left
    y = down + 2 + (height - 2 * down - 4) * top
    return x, y, across, down


def _polygons(drawn: Generator, width: int, height: int) -> Record:
    """One ring around a centre, or two to four beside each other in the same box."""
    x, y, across, down = _place(drawn, width, height, 16.0, 0.2 * min(width, height))
    several, count = drawn.random(2).tolist()
    rings = 2 + int(3 * count) if several < _RINGS_SHARE else 1
    step = 2 * across / rings
    shapes = [
        _ring(drawn, x - across + step * (index + 0.5), y, 0.48 * step, down)
        for index in range(rings)
    ]
    corners = np.concatenate(shapes)
    left, top = corners.min(axis=0).tolist()
    right, bottom = corners.max(axis=0).tolist()
    return {
        "segmentation": [ring.ravel().tolist() for ring in shapes],
        "bbox": [left, top, round(right - left, 2), round(bottom - top, 2)],
        "area": round(sum(map(_area, shapes)), 2),
    }


def _ring(drawn: Generator, x: float, y: float, across: float, down: float) -> NDArray[np.float64]:
    """Vertices (N, 2) with two decimals, in turn around the centre: no ring crosses itself."""
    count = 12 + int(49 * drawn.random())
    turn, reach = drawn.random((2, count))
    angle = 2 * np.pi * (np.arange(count) + 0.8 * turn) / count
    radius = 0.65 + 0.35 * reach
    corners = np.stack(
        [x + across * radius * np.cos(angle), y + down * radius * np.sin(angle)], axis=1
    )
    return np.round(corners, 2)


def _area(ring: NDArray[np.float64]) -> float:
    following = np.roll(ring, -1, axis=0)
    return float(abs(ring[:, 0] @ following[:, 1] - ring[:, 1] @ following[:, 0])) / 2


def _mask(drawn: Generator, width: int, height: int) -> Record:
    """A blob with a ragged edge, one column at a time, every other one with a hole."""
    x, y, across, down = _place(drawn, width, height, 50.0, min(400.0, 0.2 * min(width, height)))
    columns = np.arange(int(x - across) + 1, int(x + across))
    bow = np.sqrt(np.clip(1 - ((columns - x) / across) ** 2, 0, None))
    rough = 0.8 + 0.2 * drawn.random((2, columns.size))
    top = np.floor(y - down * bow * rough[0]).astype(np.int64)
    bottom = np.maximum(np.ceil(y + down * bow * rough[1]).astype(np.int64), top + 1)
    starts, ends = columns * height + top, columns * height + bottom
    hole = (drawn.random() < 0.5) & (np.abs(columns - x) < 0.3 * across) & (bow * down > 8)
    middle = columns[hole] * height + int(y)
    edges = np.stack(
        [
            np.sort(np.concatenate([starts, middle + 2])),
            np.sort(np.concatenate([ends, middle - 2])),
        ],
        axis=1,
    ).ravel()
    counts = np.diff(np.concatenate([[0], edges, [width * height]])).tolist()
    whole = {"size": [height, width], "counts": counts}
    packed = coco_mask.frPyObjects(whole, height, width)
    return {
        "segmentation": {"size": [height, width], "counts": packed["counts"].decode("ascii")},
        "bbox": [
            float(columns[0]),
            float(top.min()),
            float(columns.size),
            float(bottom.max() - top.min()),
        ],
        "area": float((edges[1::2] - edges[::2]).sum()),
    }


# -- what is wrong -----------------------------------------------------------------------------


def _spoil(drawn: Generator, records: Sequence[Record], share: float) -> int:
    """Spoil some of the records, each in one way; returns how many."""
    chances, ways = drawn.random((2, len(records))).tolist()
    chosen = [index for index, chance in enumerate(chances) if chance < share]
    for index in chosen:
        _FAULTS[int(ways[index] * len(_FAULTS))](records[index])
    return len(chosen)


def _of_no_category(record: Record) -> None:
    record["category_id"] = 99


def _on_no_image(record: Record) -> None:
    record["image_id"] = 10**9


def _too_sure(record: Record) -> None:
    record["score"] = 1.7


def _cut_short(record: Record) -> None:
    record["segmentation"] = [[10.0, 10.0, 20.0, 10.0, 20.0]]


def _far_out(record: Record) -> None:
    record["segmentation"] = [[10.0, 10.0, 90_000.0, 10.0, 20.0, 20.0]]
    record["bbox"] = [10.0, 10.0, 89_990.0, 10.0]


_FAULTS: Final[tuple[Callable[[Record], None], ...]] = (
    _of_no_category,
    _on_no_image,
    _too_sure,
    _cut_short,
    _far_out,
)
