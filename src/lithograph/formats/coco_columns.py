"""The facts of many annotations, read predicate by predicate over the whole graph.

The parts of an annotation have fixed IRIs (a shape holds them to it), so that a row is joined by
its subject alone. The engine's cost is the IRIs that it looks up for each row, and ours the place
that we look up for it, so that rows are few: predicates that every annotation has come together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import compress, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from lithograph.entities import Status
from lithograph.formats.coco_facts import Facts
from lithograph.formats.coco_segmentation import (
    polygons_at_once,
    polygons_of,
    run_lengths,
    segmentation_of_polygons,
)
from lithograph.graph.columns import (
    Join,
    numbers_of,
    read_columns,
    text_of,
    unescaped,
    write_columns,
)

if TYPE_CHECKING:
    from lithograph.graph import Graph

#: Threads that let the engine write columns, beside the one that reads them: in memory one is
#: quicker than what it writes can be read.
_WRITERS: Final = {"look up": 1, "tables": 2, None: 2}
#: Outlines that are written as polygons at once: their numbers stay in the processor's cache.
_OUTLINES: Final = 512

#: Groups of columns that are written before it is known whether they are needed: small ones.
_AHEAD: Final = 3

_Places = NDArray[np.intp]
_Put = Callable[[_Places, Sequence[bytes]], None]


@dataclass(frozen=True, slots=True)
class _Group:
    """Predicates of one part of an annotation that are asked together.

    Those that are ``needed`` are there once, the others at most once.
    """

    part: str
    predicates: tuple[str, ...]
    datatype: str | None = None
    needed: bool = False


#: What is asked, in this order: what becomes of an outline depends on its image and its crowd.
_GROUPS: Final = (
    _Group("#target", ("oa:hasSource",), needed=True),
    _Group("", ("lg:crowd",)),
    _Group("#geometry", ("lg:mask",), "lg:cocoRle"),
    _Group("#geometry", ("lg:outline",), "lg:pixelWkt"),
    _Group(
        "#geometry",
        ("lg:x", "lg:y", "lg:width", "lg:height", "lg:area"),
        "xsd:double",
        needed=True,
    ),
    _Group("", ("oa:hasBody", "lg:status", "dcterms:created"), needed=True),
    _Group("", ("lg:sourceId",), "xsd:string"),
    _Group("", ("lg:confidence",), "xsd:double"),
    _Group("", ("lg:maskQuality",), "xsd:double"),
    _Group("", ("lg:region",)),
)


class Columns:
    """The columns of a graph, which the engine writes into a folder on disk.

    It begins with the first few, in case that they are asked for. Some 200 bytes an annotation and
    column wait there. Without ``join`` every predicate is asked by itself. To be closed, which
    waits for what the engine is at.
    """

    def __init__(self, graph: Graph, folder: Path, join: Join | None = None) -> None:
        self._graph, self._folder, self._join = graph, folder, join
        self._pool = ThreadPoolExecutor(_WRITERS[join])
        self._groups = _GROUPS if join else tuple(one for each in _GROUPS for one in _singles(each))
        self._writing: list[Future[Path]] = []
        self._write(_AHEAD)

    def _write(self, count: int) -> None:
        """Let the first so many groups be written."""
        for number in range(len(self._writing), count):
            self._writing.append(self._pool.submit(self._written, number))

    def _written(self, number: int) -> Path:
        path = self._folder / f"column-{number}.tsv"
        predicates = self._groups[number].predicates
        write_columns(self._graph, predicates, path, self._join or "look up")
        return path

    def close(self) -> None:
        """Write no further columns."""
        self._pool.shutdown(cancel_futures=True)

    def fill(self, facts: Facts) -> list[int]:
        """Put all into the facts; returns the places that must be read by themselves.

        Those are the annotations of which something is missing, doubled or not what it should be.
        """
        self._write(len(self._groups))
        reading = _Reading(facts)
        for group, writing in zip(self._groups, self._writing, strict=True):
            path = writing.result()
            reading.read(group, path)
            path.unlink()
        return reading.odd_places()


def _singles(group: _Group) -> Iterator[_Group]:
    for each in group.predicates:
        yield replace(group, predicates=(each,))


class _Reading:
    """Columns on their way into the facts."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._odd = np.zeros(len(facts), dtype=np.bool_)
        self._counts: dict[str, NDArray[np.uint8]] = {}
        self._known = dict(zip(facts.iris, range(len(facts)), strict=True))
        self._puts: dict[str, _Put] = {
            "oa:hasSource": facts.images.put,
            "lg:crowd": self._put_crowds,
            "lg:mask": self._put_masks,
            "lg:outline": self._put_outlines,
            "lg:x": partial(_put_numbers, facts.boxes[:, 0]),
            "lg:y": partial(_put_numbers, facts.boxes[:, 1]),
            "lg:width": partial(_put_numbers, facts.boxes[:, 2]),
            "lg:height": partial(_put_numbers, facts.boxes[:, 3]),
            "lg:area": partial(_put_numbers, facts.areas),
            "oa:hasBody": facts.concepts.put,
            "lg:status": facts.statuses.put,
            "dcterms:created": facts.created.put,
            "lg:sourceId": self._put_source_ids,
            "lg:confidence": partial(_put_numbers, facts.confidences),
            "lg:maskQuality": partial(_put_numbers, facts.qualities),
            "lg:region": facts.regions.put,
        }

    def read(self, group: _Group, path: Path) -> None:
        """Put the rows of a group into the facts, and mark where there are too few or too many."""
        puts = [self._puts[each] for each in group.predicates]
        count = np.zeros(len(self._facts), dtype=np.intp)
        for subjects, objects in read_columns(path, len(puts), group.datatype):
            places = self._places_of(subjects, f"{group.part}>".encode())
            known = places >= 0
            if not known.all():
                places, kept = places[known], known.tolist()
                objects = [list(compress(column, kept)) for column in objects]
            count += np.bincount(places, minlength=len(count))
            # What is doubled is read by itself: which of the two stands here does not matter.
            for put, column in zip(puts, objects, strict=True):
                put(places, column)
        self._odd |= count != 1 if group.needed else count > 1
        self._counts |= dict.fromkeys(group.predicates, count.astype(np.uint8))

    def _places_of(self, subjects: Sequence[bytes], end: bytes) -> _Places:
        """Where the annotations stand of which these are parts with such an end; -1 for others."""
        cut = slice(1, -len(end))
        iris = [each[cut] if each.endswith(end) else b"" for each in subjects]
        found = map(self._known.get, iris, repeat(-1))
        return np.fromiter(found, dtype=np.intp, count=len(iris))

    def odd_places(self) -> list[int]:
        """The annotations that are not as they should be, or that cannot be written in this way."""
        facts, counts = self._facts, self._counts
        self._odd |= counts["lg:outline"] + counts["lg:mask"] != 1
        self._odd |= ~(np.isfinite(facts.boxes).all(axis=1) & np.isfinite(facts.areas))
        self._odd |= ~((facts.boxes[:, 2:] > 0).all(axis=1) & (facts.areas >= 0))
        sure = (facts.confidences >= 0) & (facts.confidences <= 1)
        self._odd |= (counts["lg:confidence"] > 0) & ~sure
        self._odd |= (counts["lg:maskQuality"] > 0) & ~np.isfinite(facts.qualities)
        strange = [value not in tuple(Status) for value in facts.statuses.values]
        self._odd |= np.array([*strange, True])[facts.statuses.codes]
        return [int(place) for place in np.flatnonzero(self._odd)]

    def _put_crowds(self, places: _Places, terms: Sequence[bytes]) -> None:
        self._facts.crowds[places] = [text_of(term) == "true" for term in terms]

    def _put_source_ids(self, places: _Places, texts: Sequence[bytes]) -> None:
        ids = self._facts.source_ids
        for place, text in zip(places.tolist(), texts, strict=True):
            ids[place] = _rewritten(text)

    def _put_masks(self, places: _Places, texts: Sequence[bytes]) -> None:
        segments = list(map(_run_lengths, texts))
        self._odd[places] |= np.array([not segment for segment in segments], dtype=np.bool_)
        self._facts.segments.put(places, segments)

    def _put_outlines(self, places: _Places, texts: Sequence[bytes]) -> None:
        facts, segments = self._facts, list[bytes]()
        for first in range(0, len(texts), _OUTLINES):
            segments += polygons_at_once(texts[first : first + _OUTLINES])
        rows = zip(places.tolist(), segments, texts, facts.crowds[places].tolist(), strict=True)
        for index, (place, segment, text, crowd) in enumerate(rows):
            if not segment or crowd:
                segments[index] = self._covered(place, segment or text, crowd=crowd)
        facts.segments.put(places, segments)

    def _covered(self, place: int, segment: bytes, *, crowd: bool) -> bytes:
        """What an outline covers of its image, if it is one; else what it was."""
        try:
            polygons = polygons_of(segment)
        except ValueError:
            self._odd[place] = True
            return segment
        # What covers no pixel is told when it is to be written, if it is.
        with suppress(KeyError, ValueError):
            image = self._facts.image_of(place)
            return segmentation_of_polygons(polygons, image, crowd=crowd)
        return segment


def _put_numbers(column: NDArray[np.float64], places: _Places, forms: Sequence[bytes]) -> None:
    column[places] = numbers_of(forms)


def _run_lengths(text: bytes) -> bytes:
    """The text of a mask as COCO's run lengths, in JSON; empty where it is no such text."""
    parts = text.split(b" ")
    if len(parts) != 3 or not parts[0].isdigit() or not parts[1].isdigit() or not parts[2]:
        return b""
    height, width = int(parts[0]), int(parts[1])
    if not height or not width:
        return b""
    return run_lengths(height, width, _rewritten(parts[2]))


def _rewritten(form: bytes) -> bytes:
    """A lexical form, as the columns give it, as a JSON string."""
    text = unescaped(form)
    plain = b"\\" not in form and text.isprintable()
    return b'"%b"' % form if plain else orjson.dumps(text)
