"""What the graph says of the annotations of an export, in columns along their sorted IRIs.

Two ways lead here: annotation by annotation, as the graph reads them, which is the reference; and
predicate by predicate over the whole graph, joined here, which costs a few microseconds each. What
is missing or doubled among the columns is read the first way, which tells what is wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import orjson
from numpy.typing import NDArray

from lithograph.entities import Annotation, Image
from lithograph.graph.columns import text_of
from lithograph.rdf.terms import STATUS_PREFIX

#: Annotations whose records are made at once; as many stand in one file where they are too many
#: for the memory.
SPAN: Final = 1 << 13
#: From how many annotations on their geometries wait in files: about 1 KB each.
IN_MEMORY: Final = 1 << 18


class Coded:
    """A column of few different values: a number for each row, -1 for none, and the values."""

    def __init__(self, count: int, read: Callable[[bytes], str] = text_of) -> None:
        self.codes = np.full(count, -1, dtype=np.int32)
        #: The values, by their numbers.
        self.values: list[str] = []
        self._numbers = _Numbers(read, self.values)

    def put(self, places: NDArray[np.intp], terms: Sequence[bytes]) -> None:
        """Set rows from terms."""
        numbers = map(self._numbers.__getitem__, terms)
        self.codes[places] = np.fromiter(numbers, dtype=np.int32, count=len(terms))

    def used(self, places: NDArray[np.intp] | slice = slice(None)) -> set[str]:
        """The values that some rows have, or all."""
        return {self.values[number] for number in np.unique(self.codes[places]).tolist()}

    def written(self, places: NDArray[np.intp]) -> list[bytes]:
        """The values of some rows in JSON, which all have one."""
        numbers = self.codes[places].tolist()
        found = {number: orjson.dumps(self.values[number]) for number in set(numbers)}
        return [found[number] for number in numbers]


class _Numbers(dict[bytes, int]):
    """Numbers terms as they come, from 0, and keeps what they say."""

    def __init__(self, read: Callable[[bytes], str], values: list[str]) -> None:
        super().__init__()
        self._read, self._values = read, values

    def __missing__(self, term: bytes) -> int:
        self._values.append(self._read(term))
        number = self[term] = len(self)
        return number


class Segments:
    """What is known of each annotation's segmentation, by its place: in memory, or in files."""

    def __init__(self, count: int, folder: Path) -> None:
        self._folder = None if count <= IN_MEMORY else folder
        self._all = [b""] * count if self._folder is None else []
        self._count = count

    def put(self, places: NDArray[np.intp], segments: Iterable[bytes]) -> None:
        """Set some places; no place is set twice."""
        placed = zip(places.tolist(), segments, strict=True)
        if self._folder is None:
            for place, segment in placed:
                self._all[place] = segment
            return
        spans: dict[int, list[bytes]] = defaultdict(list)
        for place, segment in placed:
            spans[place // SPAN].append(b"%d\t%b\n" % (place % SPAN, segment))
        for span, lines in spans.items():
            with self._file(self._folder, span).open("ab") as file:
                file.writelines(lines)

    def take(self, first: int) -> list[bytes]:
        """Those of the span that begins at a place; they are gone then."""
        if self._folder is None:
            return self._all[first : first + SPAN]
        found = [b""] * min(SPAN, self._count - first)
        path = self._file(self._folder, first // SPAN)
        if path.exists():
            with path.open("rb") as file:
                for line in file:
                    place, _, segment = line.partition(b"\t")
                    found[int(place)] = segment[:-1]
            path.unlink()
        return found

    def _file(self, folder: Path, span: int) -> Path:
        return folder / f"segments-{span}"


def status_of(term: bytes) -> str:
    """A status by its IRI, or the IRI of what is none."""
    return text_of(term).removeprefix(STATUS_PREFIX)


class Facts:
    """The facts of annotations along their IRIs, which are sorted and in UTF-8.

    Boxes are ``x, y, width, height`` in pixels; confidences and qualities NaN where there is none.
    Annotations that were read one by one are in ``apart``, by place, and only their image, concept
    and date are in the columns.
    """

    def __init__(self, iris: Sequence[bytes], images: Mapping[str, Image], folder: Path) -> None:
        count = len(iris)
        self.iris = iris
        self.concepts, self.images, self.created, self.regions = (Coded(count) for _ in range(4))
        self.statuses = Coded(count, status_of)
        self.boxes = np.zeros((count, 4))
        self.areas = np.zeros(count)
        self.confidences, self.qualities = np.full(count, np.nan), np.full(count, np.nan)
        self.crowds = np.zeros(count, dtype=np.bool_)
        #: In JSON; empty where there is none.
        self.source_ids = [b""] * count
        self.segments = Segments(count, folder)
        self.apart: dict[int, Annotation] = {}
        self._images = images

    def __len__(self) -> int:
        return len(self.iris)

    def image_of(self, place: int) -> Image:
        """The image of an annotation. KeyError where it is not known or not described."""
        number = int(self.images.codes[place])
        if number < 0:
            raise KeyError(place)
        return self._images[self.images.values[number]]

    def set_apart(self, place: int, annotation: Annotation) -> None:
        """Take an annotation that was read by itself."""
        self.apart[place] = annotation
        for column, value in (
            (self.concepts, annotation.concept),
            (self.images, annotation.image),
            (self.created, annotation.created),
        ):
            column.put(np.array([place]), [orjson.dumps(value)])
