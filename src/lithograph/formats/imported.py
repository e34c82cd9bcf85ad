"""What an import brings: the entities, what was refused, and what a person should know."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from lithograph.entities import Annotation, Image, Refusal, Region

#: How many places a finding names; the others are counted.
EXAMPLES = 10


class FindingKind(StrEnum):
    """What may be worth a look in a file although nothing was refused for it."""

    BOX_AS_OUTLINE = "no segmentation: the box was taken as the outline"
    OUTSIDE = "outside the image: kept as it is"
    CROSSING = "a ring crosses or touches itself: kept as it is"
    NESTED = "a ring lies within another: COCO fills it, a hole would be lost"
    BOX_DIFFERS = "the box is not that of the segmentation: the segmentation's own was taken"
    AREA_DIFFERS = "the area is not that of the segmentation: the segmentation's own was taken"
    KEYPOINTS = "keypoints were not kept"
    ID_TYPE = "an id that is no whole number was accepted"
    REGION_DIFFERS = "the annotation's id names another image than its image_id"
    STATUS_UNKNOWN = "a status that is none of proposed, accepted and rejected was not kept"
    NUMBER_DIFFERS = "the vocabulary numbers the concept otherwise: the name decided"
    NUMBER_ALONE = "a category without a name was matched by its number alone"
    CONCEPT_RETIRED = "a category names a retired concept"
    NAME_MISSING = "an image without file_name was named after its address or id"
    NAME_TWICE = "one file_name stands for several images"
    SIZE_FROM_GRAPH = "an image without size has the size of the known image of that name"
    SIZE_OF_NAMESAKE = "a known image of that name has another size, so it was taken for another"
    DIFFERS_FROM_GRAPH = "the graph already says otherwise of the image, and keeps to it"
    ADDRESS_DROPPED = (
        "an address that is no http or https one, or that names a person, was not kept"
    )
    DATE_DROPPED = "a date that is no date with a time was not kept"
    LICENCE_UNKNOWN = "a licence without an http or https address was not kept"
    IMAGE_UNLISTED = "annotated, but not listed among the images of the file"
    NO_ANNOTATIONS = "the file holds no annotations"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing that was found, how often, and the first places: ``path: detail``."""

    kind: FindingKind
    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        more = f"; {self.count - 1} more" if self.count > 1 else ""
        return f"{self.kind} ({self.examples[0]}{more})"


class Findings:
    """Gathers findings by kind, in bounded memory."""

    def __init__(self) -> None:
        self._counts: dict[FindingKind, int] = {}
        self._examples: dict[FindingKind, list[str]] = {}

    def add(self, kind: FindingKind, path: str, detail: str = "") -> None:
        """Count one place."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        examples = self._examples.setdefault(kind, [])
        if len(examples) < EXAMPLES:
            examples.append(f"{path}: {detail}" if detail else path)

    def all(self) -> tuple[Finding, ...]:
        """Every kind that was found, in the order of :class:`FindingKind`."""
        return tuple(
            Finding(kind, self._counts[kind], tuple(self._examples[kind]))
            for kind in FindingKind
            if kind in self._counts
        )


@dataclass(frozen=True)
class Imported:
    """What a foreign file holds, as entities. Nothing of it is in the graph yet.

    ``project`` is what names of images are unique within: the Aïoli project, or the file's own
    stem, unless the caller named it. ``sha256`` is of the file's bytes.
    """

    source: str
    kind: Literal["coco", "aioli"]
    project: str
    sha256: str
    images: tuple[Image, ...] = ()
    regions: tuple[Region, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    findings: tuple[Finding, ...] = ()


class RecordFault(Exception):
    """Why one record is refused: ``path`` of the part at fault, and the reason."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_PIECE = re.compile(rf"(?P<string>{_STRING})|(?P<space>\s++)|(?P<word>-?Infinity|NaN)", re.DOTALL)
#: People's addresses may stand in what annotation tools write; none of them is read in.
E_MAIL = re.compile(r"[\w.+-]++@[\w-]++(?:\.[\w-]++)++")
_WITHHELD = "(e-mail address withheld)"


def kept_text(text: bytes) -> str:
    """A record as JSON text that can be kept: every digit as it was.

    Spaces between its parts go, ``NaN`` and ``Infinity`` become strings, since JSON has no such
    words, and e-mail addresses are withheld. For a record that parsed (see
    :func:`lithograph.formats.json_arrays.parse`) only.
    """

    def kept(match: re.Match[str]) -> str:
        if match["string"] is not None:
            return E_MAIL.sub(_WITHHELD, match["string"])
        return "" if match["space"] is not None else f'"{match["word"]}"'

    return _PIECE.sub(kept, text.decode("utf-8"))


def kept_fragment(text: bytes) -> str:
    """What is no JSON, or only the beginning of it, as a JSON object that holds it as a string."""
    import json

    fragment = E_MAIL.sub(_WITHHELD, text.decode("utf-8", "backslashreplace"))
    return json.dumps({"unparsed": fragment}, ensure_ascii=False)
