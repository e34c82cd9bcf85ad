"""The parts of a COCO file in their order, streamed into a file that appears when it is whole.

The fingerprint of what went in stands at the top of the file, and is known when the last record is
written: its place is kept, and filled in at the end.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
import orjson

from lithograph import __version__
from lithograph.entities import Image
from lithograph.formats.categories import Categories
from lithograph.formats.coco_facts import SPAN, Facts
from lithograph.formats.coco_records import bodies_of, body_of, lines_of
from lithograph.rdf.iris import digest

#: What stands in the place of the version until it is known.
_UNKNOWN = "-" * 16

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the digest of the file, and of the records in it without their ids."""

    sha256: str
    fingerprint: str


class Assembly:
    """What goes into one COCO file, and under which ids."""

    def __init__(
        self,
        facts: Facts,
        images: Mapping[str, Image],
        categories: Categories,
        *,
        every_image: bool,
    ) -> None:
        self.facts, self.categories = facts, categories
        self.left_out: dict[str, str] = {}
        listed, of_concept = categories.listed, categories.of_concept
        cuts = [of_concept.get(concept) for concept in facts.concepts.values]
        #: Category numbers along the annotations; 0 for what is left out.
        self.numbers = np.array([listed[cut] if cut else 0 for cut in cuts])[facts.concepts.codes]
        self._leave_out(images)
        self.kept = np.flatnonzero(self.numbers)
        used = facts.images.used(self.kept)
        self.images = [images[iri] for iri in sorted(images) if every_image or iri in used]
        self.image_ids = {image.iri: number for number, image in enumerate(self.images, start=1)}

    def _leave_out(self, images: Mapping[str, Image]) -> None:
        codes, values = self.facts.images.codes, self.facts.images.values
        described = np.array([iri in images for iri in values])
        lost = (self.numbers > 0) & ~described[codes]
        for place in np.flatnonzero(lost | (self.numbers == 0)).tolist():
            self.left_out[self.facts.iris[place].decode()] = (
                f"its image {values[codes[place]]} is not described"
                if lost[place]
                else "its concept is outside the cut, or the background"
            )
        self.numbers[lost] = 0

    @cached_property
    def licences(self) -> dict[str, int]:
        """Licence IRI → id, from 1 in IRI order."""
        found = sorted({image.licence for image in self.images if image.licence})
        return {licence: number for number, licence in enumerate(found, start=1)}

    @cached_property
    def file_names(self) -> dict[str, str]:
        """Image IRI → file name: relative, without ``..``, one for each image."""
        plain = {image.iri: _relative(image.name) for image in self.images}
        seen = Counter(plain.values())
        return {
            image.iri: plain[image.iri]
            if seen[plain[image.iri]] == 1
            else f"{digest(image.iri, length=8)}/{plain[image.iri]}"
            for image in self.images
        }

    def write(self, path: Path, progress: Progress | None = None) -> Written:
        """Write the file. Raises OSError, and ValueError where one covers no pixel of its image."""
        fingerprint = hashlib.sha256()
        head = b'{"info":' + orjson.dumps(self._info())
        # Writing and hashing need no lock of the interpreter: they go on beside the next records.
        with path.open("w+b") as file, ThreadPoolExecutor(1) as pool:
            file.write(head)
            self._write_list(file, "licenses", [_licence(*each) for each in self.licences.items()])
            self._write_list(file, "images", map(self._image, self.images))
            self._write_list(file, "categories", self.categories.records())
            file.write(b',\n"annotations":[\n')
            done = 0
            waiting: Future[None] | None = None
            for image_ids, bodies in self._records():
                lines = (b",\n" if done else b"") + lines_of(done + 1, image_ids, bodies)
                done += len(bodies)
                if waiting is not None:
                    waiting.result()
                waiting = pool.submit(_append, file, lines, fingerprint, bodies)
                if progress is not None:
                    progress(done, len(self.kept))
            if waiting is not None:
                waiting.result()
            file.write(b"\n]}\n")
            file.seek(head.index(_UNKNOWN.encode()))
            file.write(fingerprint.hexdigest()[: len(_UNKNOWN)].encode())
            file.seek(0)
            return Written(hashlib.file_digest(file, "sha256").hexdigest(), fingerprint.hexdigest())

    def _info(self) -> dict[str, Any]:
        return {
            "description": "Annotations from a Lithograph knowledge graph",
            "version": _UNKNOWN,
            "contributor": f"lithograph {__version__}",
            "vocabulary_versions": list(self.categories.versions),
            "date_created": max(self.facts.created.used(self.kept), default=""),
        }

    def _write_list(self, file: IO[bytes], name: str, records: Any) -> None:
        body = b",\n".join(map(orjson.dumps, records))
        file.write(b',\n"%b":[\n%b\n]' % (name.encode(), body))

    def _records(self) -> Iterator[tuple[list[int], list[bytes]]]:
        """Image ids and bodies of the annotations that are kept, some at once, in IRI order."""
        facts = self.facts
        ids = np.array([self.image_ids.get(iri, 0) for iri in facts.images.values])
        for first in range(0, len(facts), SPAN):
            segments = facts.segments.take(first)
            places = self.kept[(self.kept >= first) & (self.kept < first + SPAN)]
            apart = [place for place in places.tolist() if place in facts.apart]
            bulk = places[~np.isin(places, apart)] if apart else places
            made = bodies_of(
                facts,
                bulk,
                [segments[place - first] for place in bulk.tolist()],
                self.numbers[bulk].tolist(),
            )
            if apart:
                found = dict(zip(bulk.tolist(), made, strict=True))
                for place in apart:
                    found[place] = body_of(
                        facts.apart[place], int(self.numbers[place]), facts.image_of(place)
                    )
                made = [found[place] for place in places.tolist()]
            if made:
                yield ids[facts.images.codes[places]].tolist(), made

    def _image(self, image: Image) -> dict[str, Any]:
        record: dict[str, Any] = {
            "id": self.image_ids[image.iri],
            "file_name": self.file_names[image.iri],
            "width": image.width,
            "height": image.height,
            "image_iri": image.iri,
        }
        if image.licence:
            record["license"] = self.licences[image.licence]
        optional = {
            "date_captured": image.captured,
            "coco_url": image.content_url,
            "sha256": image.sha256,
            "project": image.project,
            "source_id": image.source_id,
        }
        return record | {key: value for key, value in optional.items() if value is not None}


def _append(
    file: IO[bytes], lines: bytes, fingerprint: hashlib._Hash, bodies: Sequence[bytes]
) -> None:
    file.write(lines)
    fingerprint.update(b"\n".join([*bodies, b""]))


def _licence(iri: str, number: int) -> dict[str, Any]:
    return {"id": number, "name": iri, "url": iri}


def _relative(name: str) -> str:
    """A file name from outside, made safe for those who join it to a folder."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return "/".join(part for part in parts if part not in {"/", ".."}) or "unnamed"
