"""The nouns of the road: images, regions, annotations, runs and what the gate says of them.

All of them are frozen and checked once, at birth: a value that exists is a value that can be
written to the graph. Pixels are those of the upright image (EXIF orientation applied), origin
top left, x to the right, y down. IRIs are plain ``str``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

#: One ring: vertices (x, y), the first not repeated at the end.
Ring = tuple[tuple[float, float], ...]
#: One polygon: its exterior ring, then its holes.
Polygon = tuple[Ring, ...]


def _finite(name: str, *values: float) -> None:
    for value in values:
        if not math.isfinite(value):
            raise ValueError(f"{name}: expected finite numbers, found {value}")


def _share(name: str, value: float | None) -> None:
    if value is not None and not 0.0 <= value <= 1.0:
        raise ValueError(f"{name}: expected a number in [0, 1], found {value}")


@dataclass(frozen=True, slots=True)
class Box:
    """A box ``x, y, width, height`` in upright pixels; (x, y) is its top left corner."""

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        _finite("box", self.x, self.y, self.width, self.height)
        if self.width <= 0 or self.height <= 0:
            raise ValueError(
                f"box: expected a positive width and height, found {self.width} × {self.height}"
            )

    def __iter__(self) -> Iterator[float]:
        return iter((self.x, self.y, self.width, self.height))

    def rounded_outwards(self) -> tuple[int, int, int, int]:
        """The smallest box of whole pixels that holds this one, as ``x, y, width, height``."""
        left, top = math.floor(self.x), math.floor(self.y)
        right, bottom = math.ceil(self.x + self.width), math.ceil(self.y + self.height)
        return left, top, right - left, bottom - top


@dataclass(frozen=True, slots=True)
class Outline:
    """An exact geometry given as polygons with holes, as the source drew them.

    ``wkt`` is its well-known text once :func:`lithograph.masks.wkt_from_outline` has written it.
    """

    polygons: tuple[Polygon, ...]
    wkt: str | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.polygons:
            raise ValueError("outline: expected at least one polygon, found none")
        for polygon in self.polygons:
            if not polygon:
                raise ValueError("outline: expected a polygon with an exterior ring, found no ring")
            for ring in polygon:
                if len(ring) < 3:
                    raise ValueError(
                        f"outline: expected rings of at least 3 vertices, found {len(ring)}"
                    )
                if not all(map(math.isfinite, chain.from_iterable(ring))):
                    for x, y in ring:
                        _finite("outline", x, y)


@dataclass(frozen=True, slots=True)
class Mask:
    """An exact geometry given as a COCO run-length encoding over the whole upright image.

    ``counts`` is the compressed string of pycocotools, column-major; ``height`` and ``width``
    are the image's, in pixels. Whether the counts fill height × width is checked where the
    string comes in (:func:`lithograph.masks.checked_rle`), since decoding costs time.
    """

    height: int
    width: int
    counts: str

    def __post_init__(self) -> None:
        if self.height <= 0 or self.width <= 0:
            raise ValueError(f"mask: expected a positive size, found {self.height} × {self.width}")
        if not self.counts:
            raise ValueError("mask: expected run lengths, found an empty string")


Geometry = Outline | Mask


class Status(StrEnum):
    """What people have said of an annotation."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class RunKind(StrEnum):
    """What kind of activity a run is."""

    MODEL = "model"
    IMPORT = "import"
    REVIEW = "review"
    EDIT = "edit"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Image:
    """A photograph, upright.

    ``width`` and ``height`` are upright pixels. ``captured`` is an ``xsd:dateTime`` lexical form,
    with or without zone, as the camera wrote it. ``source_id`` is the identifier that the source
    gave it, always a string. ``project`` names where the image came from (an Aïoli project, a COCO
    file): file names are unique within a project.
    """

    iri: str
    name: str
    width: int
    height: int
    sha256: str | None = None
    content_url: str | None = None
    licence: str | None = None
    captured: str | None = None
    source_id: str | None = None
    project: str | None = None

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise ValueError(
                f"image {self.name!r}: expected a positive size, found {self.width} × {self.height}"
            )


@dataclass(frozen=True, slots=True)
class Region:
    """An Aïoli region: one place on the stone, in 3D, seen in several images.

    ``barycentre`` and ``mean_normal`` are (x, y, z) in the project's own coordinate system.
    """

    iri: str
    identifier: str
    layer: str | None = None
    layer_name: str | None = None
    barycentre: tuple[float, float, float] | None = None
    mean_normal: tuple[float, float, float] | None = None
    geometry_file: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A concept that a labeller held possible, with its confidence in [0, 1]."""

    concept: str
    confidence: float

    def __post_init__(self) -> None:
        _share("candidate confidence", self.confidence)


@dataclass(frozen=True, slots=True)
class Annotation:
    """A geometry on an image, classified by one concept.

    ``box`` and ``area`` (pixels) are the geometry's own. ``confidence`` is of the label, in [0, 1];
    ``mask_quality`` is the segmenter's own estimate and may exceed 1. ``candidates`` are sorted,
    most confident first. ``alternative_of`` names the annotation whose prompt gave this mask too;
    ``revision_of`` the annotation that this one corrects.
    """

    iri: str
    image: str
    concept: str
    geometry: Geometry
    box: Box
    area: float
    created: str
    status: Status = Status.PROPOSED
    confidence: float | None = None
    mask_quality: float | None = None
    candidates: tuple[Candidate, ...] = ()
    region: str | None = None
    alternative_of: str | None = None
    revision_of: str | None = None
    source_id: str | None = None
    crowd: bool = False

    def __post_init__(self) -> None:
        _finite(f"annotation {self.iri}: area", self.area)
        if self.area < 0:
            raise ValueError(
                f"annotation {self.iri}: expected an area of 0 or more, found {self.area}"
            )
        _share(f"annotation {self.iri}: confidence", self.confidence)


@dataclass(frozen=True, slots=True)
class Model:
    """A model that a run used: its name as the user gave it, its family and its weights' digest."""

    name: str
    family: str
    sha256: str
    role: Literal["segmenter", "detector", "labeller"]
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class PromptUsed:
    """A sentence that a run gave to a text encoder for a concept."""

    concept: str
    text: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Agent:
    """The model, programme or person that a run is attributed to."""

    name: str
    kind: Literal["person", "software", "file"] = "software"


@dataclass(frozen=True)
class Run:
    """One activity: a model run, an import, a review, an edit or an export; one named graph.

    ``started`` and ``ended`` are ``xsd:dateTime`` lexical forms in UTC; a run without ``ended`` is
    open. ``parameters`` must be JSON.
    """

    iri: str
    kind: RunKind
    agent: Agent
    started: str
    ended: str | None = None
    name: str | None = None
    vocabulary_versions: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    software: tuple[str, ...] = ()
    models: tuple[Model, ...] = ()
    prompts: tuple[PromptUsed, ...] = ()
    images: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """An export: what was asked of the graph, so that the same file can be made again.

    ``fingerprint`` is of the annotations that went into it, ``sha256`` of the file.
    """

    iri: str
    title: str
    media_type: str
    query: str
    parameters: Mapping[str, Any]
    fingerprint: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Violation:
    """A SHACL shape's complaint about one node."""

    focus: str
    path: str | None
    component: str
    severity: Literal["Violation", "Warning", "Info"]
    message: str
    value: str | None = None
    shape: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was kept out of the graph, whole, with its reason.

    ``path`` says where in the source it stood (``annotations[17].segmentation[0]``), or is the IRI
    of the node that a shape refused. ``source`` is the refused content: the foreign record as
    JSON, or N-Triples where the gate refused what we had made; ``source_format`` says which.
    """

    path: str
    reason: str
    source: str
    source_format: Literal["json", "n-triples"] = "json"


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of a batch: the annotations admitted, the refusals, the violations found."""

    run: str
    admitted: tuple[str, ...] = ()
    known: int = 0
    refusals: tuple[Refusal, ...] = ()
    violations: tuple[Violation, ...] = ()
    triples_added: int = 0

    def __add__(self, later: Admission) -> Admission:
        """This and a later batch of the same run together."""
        return Admission(
            run=self.run,
            admitted=self.admitted + later.admitted,
            known=self.known + later.known,
            refusals=self.refusals + later.refusals,
            violations=self.violations + later.violations,
            triples_added=self.triples_added + later.triples_added,
        )

    def raise_for_refusals(self) -> None:
        """Raise :class:`~lithograph.errors.AdmissionError` where anything was refused."""
        if self.refusals:
            from lithograph.errors import AdmissionError

            first = self.refusals[0]
            raise AdmissionError(
                f"{len(self.refusals)} refused, {len(self.admitted)} admitted; "
                f"the first: {first.path}: {first.reason}",
                admission=self,
                subject=self.run,
            )


@dataclass(frozen=True)
class Batch:
    """What a run brings to the graph at once: all of it is admitted in one transaction.

    With ``closed`` the run ends with this batch; without, it stays open for further batches.
    """

    run: Run
    annotations: tuple[Annotation, ...] = ()
    images: tuple[Image, ...] = ()
    regions: tuple[Region, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    closed: bool = True
