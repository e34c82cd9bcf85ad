"""One record of COCO's ``annotations`` → an :class:`~lithograph.entities.Annotation`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import unquote

from lithograph.entities import Annotation, Image, Region, Status
from lithograph.formats import aioli
from lithograph.formats.coco_categories import CategoryReader
from lithograph.formats.coco_geometry import measure, read_shape
from lithograph.formats.coco_images import ImageReader
from lithograph.formats.coco_rings import OddRings
from lithograph.formats.coco_values import is_text, read_id, shown
from lithograph.formats.imported import FindingKind, Findings, RecordFault
from lithograph.rdf.iris import Iris, key_of


class Faults:
    """The faults of one record: after one in a ``with`` block of it, reading goes on behind it."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[RecordFault] = []

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, RecordFault):
            self.found.append(error)
            return True
        return False


class AnnotationReader:
    """Reads the ``annotations`` of one file, once its images and categories are read."""

    def __init__(
        self,
        iris: Iris,
        images: ImageReader,
        categories: CategoryReader,
        findings: Findings,
        *,
        created: str,
        status: Status | None,
    ) -> None:
        self.iris, self.images, self.categories = iris, images, categories
        self.findings, self.created, self.status = findings, created, status
        self.rings = OddRings(findings)
        self.regions: dict[str, Region] = {}
        self._taken: dict[str, str] = {}

    def read(self, record: Mapping[str, Any], path: str, faults: Faults) -> Annotation | None:
        """One annotation, or None with its faults gathered, the geometry's first."""
        shape = listed = concept = measured = None
        number, confidence, quality, crowd = "", None, None, False
        with faults:
            shape = read_shape(record, path, self.findings)
        with faults:
            listed = self.images.image_of(record, path)
        with faults:
            concept = self.categories.concept_of(record, path)
        with faults:
            number = self._new_id(record, path)
        with faults:
            confidence = _share(record, "score", path)
            quality = _finite(record, "mask_quality", path)
            crowd = _crowd(record, path)
        with faults:
            if shape is not None and listed is not None:
                image = listed.image
                measured = measure(
                    shape, image.width, image.height, path, self.findings, self.rings
                )
        if faults.found or measured is None or listed is None or concept is None:
            return None
        self._taken[number] = path
        if "keypoints" in record:
            self.findings.add(FindingKind.KEYPOINTS, path)
        source_id = _source_id(record, number)
        iri = self.iris.annotation(
            listed.origin, listed.image.iri, measured.geometry, concept, source_id=source_id
        )
        return Annotation(
            iri=iri,
            image=listed.image.iri,
            concept=concept,
            geometry=measured.geometry,
            box=measured.box,
            area=measured.area,
            created=self.created,
            status=self._status(record, path),
            confidence=confidence,
            mask_quality=quality,
            region=self._region(record, source_id, listed.image, path),
            source_id=source_id,
            crowd=crowd,
        )

    def _new_id(self, record: Mapping[str, Any], path: str) -> str:
        number = read_id(record, "id", path, self.findings)
        if number in self._taken:
            taken = self._taken[number]
            raise RecordFault(
                f"{path}.id", f"expected an id of its own, found {number}, which is {taken}'s"
            )
        return number

    def _status(self, record: Mapping[str, Any], path: str) -> Status:
        if self.status is not None:
            return self.status
        said = record.get("status")
        if said in tuple(Status):
            return Status(said)
        if said is not None:
            self.findings.add(FindingKind.STATUS_UNKNOWN, f"{path}.status", shown(said))
        return Status.ACCEPTED if record.get("score") is None else Status.PROPOSED

    def _region(
        self, record: Mapping[str, Any], source_id: str, image: Image, path: str
    ) -> str | None:
        """The region's IRI, from the decoded id, else from the IRI that our exports have."""
        decoded, named = aioli.annotation_id(source_id), record.get("region_iri")
        if decoded is not None:
            identifier = decoded.region
            if not aioli.same_stem(decoded.stem, image.name.rpartition(".")[0]):
                detail = f"{decoded.stem}, and not {image.name}"
                self.findings.add(FindingKind.REGION_DIFFERS, f"{path}.id", detail)
        elif is_text(named) and key_of(named):
            identifier = unquote(key_of(named))
        else:
            return None
        iri = self.iris.region(identifier)
        self.regions.setdefault(iri, Region(iri, identifier))
        return iri


def _source_id(record: Mapping[str, Any], number: str) -> str:
    """What the source calls the annotation. The numbers of our own exports change, IRIs do not."""
    iri, own = record.get("annotation_iri"), record.get("source_id")
    if not is_text(iri) or not iri:
        return number
    return own if is_text(own) and own else iri


def _share(record: Mapping[str, Any], key: str, path: str) -> float | None:
    value = _finite(record, key, path)
    if value is not None and not 0 <= value <= 1:
        raise RecordFault(f"{path}.{key}", f"expected a number in [0, 1], found {value}")
    return value


def _finite(record: Mapping[str, Any], key: str, path: str) -> float | None:
    value = record.get(key)
    if value is None:
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    except OverflowError:
        pass
    raise RecordFault(f"{path}.{key}", f"expected a finite number, found {shown(value)}")


def _crowd(record: Mapping[str, Any], path: str) -> bool:
    value = record.get("iscrowd")
    if value not in (None, 0, 1):
        raise RecordFault(f"{path}.iscrowd", f"expected 0 or 1, found {shown(value)}")
    return bool(value == 1)
