"""A COCO file, or an Aïoli COCO export → images, regions and annotations, partitioned.

The file is read twice, record by record: first everything but the annotations, and whether the file
is whole at all, then the annotations. One bad record never stops the others: it is refused with its
path and kept. Memory grows with the number of images and of annotation ids, not with their outlines.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote

from lithograph.entities import Annotation, Image, Refusal, Region, Status
from lithograph.errors import FormatError
from lithograph.formats import aioli
from lithograph.formats.coco_categories import CategoryReader
from lithograph.formats.coco_geometry import measure, read_shape
from lithograph.formats.coco_images import ImageReader, KnownImages, ListedImage, read_licence
from lithograph.formats.coco_values import is_text, read_id, shown
from lithograph.formats.imported import (
    Finding,
    FindingKind,
    Findings,
    Imported,
    RecordFault,
    kept_fragment,
    kept_text,
)
from lithograph.formats.json_arrays import Element, JsonArrays, parse
from lithograph.rdf.iris import Iris, key_of

if TYPE_CHECKING:
    from lithograph.vocabulary import Vocabulary

__all__ = ["CocoLimits", "CocoReader", "Finding", "Imported", "coco_categories", "read_coco"]

#: Keys that tell another kind of COCO file from one with outlines and boxes.
_OTHER_KINDS = {
    "segments_info": "a panoptic segmentation (its masks are in PNG files beside it)",
    "caption": "captions",
    "keypoints": "keypoints",
}
#: Annotations between two reports of progress.
_STEP = 256


@dataclass(frozen=True, slots=True)
class CocoLimits:
    """Guards for a file from outside: bytes of the file, and of one record of it."""

    file_bytes: int = 64 * 2**30
    record_bytes: int = 16 * 2**20


_LIMITS = CocoLimits()


def read_coco(
    path: Path | str,
    *,
    vocabulary: Vocabulary,
    iris: Iris,
    created: str,
    project: str | None = None,
    status: Status | None = None,
    known_images: Iterable[Image] = (),
    limits: CocoLimits = _LIMITS,
    progress: Callable[[int, int], None] | None = None,
) -> Imported:
    """Read a whole file: see :class:`CocoReader` for what is read, how, and what is refused."""
    reader = CocoReader(
        path,
        vocabulary=vocabulary,
        iris=iris,
        created=created,
        project=project,
        status=status,
        known_images=known_images,
        limits=limits,
    )
    annotations: list[Annotation] = []
    refusals = list(reader.refusals)
    for number, item in enumerate(reader.annotations(), start=1):
        if isinstance(item, Annotation):
            annotations.append(item)
        else:
            refusals.append(item)
        if progress is not None and (number % _STEP == 0 or number == reader.total):
            progress(number, reader.total)
    return Imported(
        source=reader.path.name,
        kind=reader.kind,
        project=reader.project,
        sha256=reader.sha256,
        images=reader.images,
        regions=reader.regions,
        annotations=tuple(annotations),
        refusals=tuple(refusals),
        findings=reader.findings,
    )


def coco_categories(
    path: Path | str, limits: CocoLimits = _LIMITS
) -> tuple[tuple[int, str, str | None], ...]:
    """The file's categories as (number, name, supercategory), to make a scheme of.

    Those without a whole number or a name, and a second one of a number, are left out:
    :func:`read_coco` refuses them by their path.
    """
    path = Path(path)
    found: dict[int, tuple[int, str, str | None]] = {}
    with _opened(path, limits) as stream:
        arrays = JsonArrays(stream, path, {"categories"}, limits.record_bytes)
        for element in arrays:
            if element.array == "":
                raise _no_coco(path, element)
            try:
                record = _record(element)
                number = read_id(record, "id", element.path, Findings())
            except RecordFault:
                continue
            name, above = record.get("name"), record.get("supercategory")
            if is_text(name) and name.strip() and number.isascii() and number.isdecimal():
                above = above if is_text(above) and above else None
                found.setdefault(int(number), (int(number), name, above))
        _check_keys(path, arrays)
    return tuple(found.values())


class CocoReader:
    """Reads one file. Making a reader reads everything but the annotations.

    - Concepts: see :class:`lithograph.formats.coco_categories.CategoryReader`. A ``concept_iri`` of
      the annotation's own, as our exports have it, decides before its category.
    - Images: see :class:`lithograph.formats.coco_images.ImageReader`.
    - Geometries: see :mod:`lithograph.formats.coco_geometry`.
    - ``score`` is the confidence. ``status`` is that of every annotation; where None, the record's
      own word counts, failing that it is proposed where there is a score, and accepted where not.
    - An Aïoli annotation's id gives its region; our own exports' ``region_iri`` does too.
    - An annotation's IRI is made of project, image, geometry, concept and id (of our own exports the
      ``source_id``, else the ``annotation_iri``), so reading twice gives the same.

    Ids are unique within their kind: a second record of an id already taken is refused. E-mail
    addresses, ``info`` and unknown keys are not read. ``created`` is an ``xsd:dateTime``.

    Raises FormatError where the file cannot be read, is no JSON, cut short, or of another kind
    (captions, keypoints, panoptic, detection results); nothing of it is given then.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        vocabulary: Vocabulary,
        iris: Iris,
        created: str,
        project: str | None = None,
        status: Status | None = None,
        known_images: Iterable[Image] = (),
        limits: CocoLimits = _LIMITS,
    ) -> None:
        self.path = Path(path)
        self.iris, self.created, self.status, self.limits = iris, created, status, limits
        self._given_project = project
        self._findings = Findings()
        self._refusals: list[Refusal] = []
        self._listed: dict[str, ListedImage | RecordFault] = {}
        self._unlisted: dict[str, ListedImage | RecordFault] = {}
        self._taken: dict[str, int] = {}
        self._regions: dict[str, Region] = {}
        self._aioli_project: str | None = None
        self._categories = CategoryReader(vocabulary, self._findings)
        self._licences: dict[str, str | None] = {}
        self._images = ImageReader(
            iris,
            KnownImages(known_images),
            self._findings,
            project=project,
            stem=_printable(self.path.stem),
            licences=self._licences,
        )
        self.total = 0
        self._survey()

    # -- what was read -----------------------------------------------------------------------------

    @property
    def kind(self) -> Literal["coco", "aioli"]:
        """The dialect: Aïoli's where an id decodes to a project and a file name."""
        return "coco" if self._aioli_project is None else "aioli"

    @property
    def project(self) -> str:
        """What names of images are unique within."""
        return self._given_project or self._aioli_project or _printable(self.path.stem)

    @property
    def images(self) -> tuple[Image, ...]:
        """The images listed, and the known ones that annotations name without listing."""
        found = [*self._listed.values(), *self._unlisted.values()]
        images = {each.image.iri: each.image for each in found if isinstance(each, ListedImage)}
        return tuple(images.values())

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions of the annotations given so far."""
        return tuple(self._regions.values())

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """The licences, categories and images that were refused."""
        return tuple(self._refusals)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found so far and refuses nothing."""
        return self._findings.all()

    # -- first reading -----------------------------------------------------------------------------

    def _survey(self) -> None:
        images: list[Element] = []
        wanted = {"licenses", "images", "categories", "annotations"}
        with _opened(self.path, self.limits) as stream:
            self._state = _state(stream)
            self.sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            arrays = JsonArrays(stream, self.path, wanted, self.limits.record_bytes)
            for element in arrays:
                if element.array == "annotations":
                    self.total += 1
                    if element.index == 0:
                        self._check_kind(element)
                elif element.array == "images":
                    images.append(element)  # licences may follow them
                elif element.array == "categories":
                    self._read(element, self._categories.read)
                elif element.array == "licenses":
                    self._read(element, self._licence)
                else:
                    raise _no_coco(self.path, element)
            _check_keys(self.path, arrays)
        for element in images:
            self._read(element, self._image)
        if not self.total:
            self._findings.add(FindingKind.NO_ANNOTATIONS, self.path.name)

    def _check_kind(self, element: Element) -> None:
        try:
            record = _record(element)
        except RecordFault:
            return
        for key, kind in _OTHER_KINDS.items():
            if key in record:
                raise FormatError(
                    f"{self.path}: expected outlines or boxes (COCO object detection), found {kind}: "
                    f"{element.path} has the key {key!r}",
                    subject=self.path,
                )

    def _read(self, element: Element, read: Callable[[Mapping[str, Any], str], None]) -> None:
        try:
            read(_record(element), element.path)
        except RecordFault as fault:
            self._refusals.append(_refusal(element, [fault]))

    def _licence(self, record: Mapping[str, Any], path: str) -> None:
        number, iri = read_licence(record, path, self._findings)
        self._licences.setdefault(number, iri)

    def _image(self, record: Mapping[str, Any], path: str) -> None:
        number = read_id(record, "id", path, Findings())
        if number in self._listed:
            raise RecordFault(f"{path}.id", f"expected an id of its own, found {number} again")
        try:
            listed = self._images.read(record, path)
        except RecordFault as fault:
            self._listed[number] = fault
            raise
        self._listed[number] = listed
        self._note_dialect(number)

    def _note_dialect(self, image_id: str) -> None:
        decoded = None if self._aioli_project else aioli.image_id(image_id)
        if decoded is not None:
            self._aioli_project = decoded.project

    # -- second reading ----------------------------------------------------------------------------

    def annotations(self) -> Iterator[Annotation | Refusal]:
        """Every annotation of the file, in its order, or why it is refused."""
        self._taken.clear()
        with _opened(self.path, self.limits) as stream:
            if _state(stream) != self._state:
                raise FormatError(f"{self.path}: changed while it was read", subject=self.path)
            arrays = JsonArrays(stream, self.path, {"annotations"}, self.limits.record_bytes)
            for element in arrays:
                faults = _Faults()
                annotation = None
                with faults.gathered():
                    annotation = self._annotation(_record(element), element, faults)
                yield annotation or _refusal(element, faults.found)

    def _annotation(
        self, record: Mapping[str, Any], element: Element, faults: _Faults
    ) -> Annotation | None:
        """One annotation, or None with every fault of it gathered."""
        path = element.path
        shape = listed = measured = concept = None
        number, confidence, quality, crowd = "", None, None, False
        with faults.gathered():
            shape = read_shape(record, path, self._findings)
        with faults.gathered():
            listed = self._image_of(record, path)
        with faults.gathered():
            concept = self._categories.concept_of(record, path)
        with faults.gathered():
            number = read_id(record, "id", path, self._findings)
            self._check_new(number, path)
        with faults.gathered():
            confidence = _share(record, "score", path)
            quality = _finite(record, "mask_quality", path)
            crowd = _crowd(record, path)
        if shape is not None and listed is not None:
            with faults.gathered():
                size = listed.image.width, listed.image.height
                measured = measure(shape, *size, path, self._findings)
        if faults.found or measured is None or listed is None or concept is None:
            return None
        self._taken[number] = element.index
        if "keypoints" in record:
            self._findings.add(FindingKind.KEYPOINTS, path)
        source_id = _source_id(record, number)
        return Annotation(
            iri=self.iris.annotation(
                listed.origin,
                listed.image.iri,
                measured.geometry,
                concept,
                source_id=source_id,
            ),
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

    def _image_of(self, record: Mapping[str, Any], path: str) -> ListedImage:
        number = read_id(record, "image_id", path, self._findings)
        place = f"{path}.image_id"
        if number in self._listed:
            listed = self._listed[number]
            if isinstance(listed, RecordFault):
                raise RecordFault(place, f"its image was refused ({listed})")
            return listed
        if number not in self._unlisted:
            self._note_dialect(number)
            try:
                self._unlisted[number] = self._images.unlisted(number, place)
            except RecordFault as fault:
                self._unlisted[number] = fault
        found = self._unlisted[number]
        if isinstance(found, RecordFault):
            raise RecordFault(place, found.reason)
        return found

    def _check_new(self, number: str, path: str) -> None:
        if number in self._taken:
            raise RecordFault(
                f"{path}.id",
                f"expected an id of its own, found {number}, "
                f"which is annotations[{self._taken[number]}]'s",
            )

    def _status(self, record: Mapping[str, Any], path: str) -> Status:
        if self.status is not None:
            return self.status
        said = record.get("status")
        if said in tuple(Status):
            return Status(said)
        if said is not None:
            self._findings.add(FindingKind.STATUS_UNKNOWN, f"{path}.status", shown(said))
        return Status.ACCEPTED if record.get("score") is None else Status.PROPOSED

    def _region(
        self, record: Mapping[str, Any], source_id: str, image: Image, path: str
    ) -> str | None:
        decoded = aioli.annotation_id(source_id)
        named = record.get("region_iri")
        if decoded is not None:
            identifier = decoded.region
            if not aioli.same_stem(decoded.stem, image.name.rpartition(".")[0]):
                detail = f"{decoded.stem}, and not {image.name}"
                self._findings.add(FindingKind.REGION_DIFFERS, f"{path}.id", detail)
        elif is_text(named) and key_of(named):
            identifier = unquote(key_of(named))
        else:
            return None
        iri = self.iris.region(identifier)
        self._regions.setdefault(iri, Region(iri, identifier))
        return iri


class _Faults:
    """The faults of one record."""

    def __init__(self) -> None:
        self.found: list[RecordFault] = []

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Go on after a fault, so that all of them are told."""
        try:
            yield
        except RecordFault as fault:
            self.found.append(fault)


@contextmanager
def _opened(path: Path, limits: CocoLimits) -> Iterator[BufferedReader]:
    try:
        if not path.is_file():
            raise FormatError(f"{path}: expected a COCO file, found none", subject=path)
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > limits.file_bytes:
                raise FormatError(
                    f"{path}: expected at most {limits.file_bytes} bytes, found {size}",
                    subject=path,
                )
            yield stream
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}", subject=path) from error


def _state(stream: BufferedReader) -> tuple[int, int, int]:
    status = os.fstat(stream.fileno())
    return status.st_ino, status.st_size, status.st_mtime_ns


def _record(element: Element) -> dict[str, Any]:
    """An element as a JSON object. Raises RecordFault."""
    if element.too_long:
        raise RecordFault(element.path, "longer than the limit of a record")
    try:
        record = parse(element.text)
    except ValueError as error:
        raise RecordFault(element.path, str(error)) from error
    if not isinstance(record, dict):
        raise RecordFault(element.path, f"expected an object, found {shown(record)}")
    return record


def _refusal(element: Element, faults: list[RecordFault]) -> Refusal:
    """A refused record: the path of its first fault, and all of them as the reason."""
    first, *others = faults
    reason = "; ".join(
        [first.reason, *(f"{fault.path.rpartition('].')[2]}: {fault.reason}" for fault in others)]
    )
    try:
        parse(element.text)
        source = kept_fragment(element.text) if element.too_long else kept_text(element.text)
    except ValueError:
        source = kept_fragment(element.text)
    return Refusal(path=first.path, reason=reason, source=source)


def _no_coco(path: Path, element: Element) -> FormatError:
    """The error for a file whose top level is an array."""
    try:
        record = _record(element)
    except RecordFault:
        record = {}
    found = (
        "detection results (give the ground truth file that they belong to)"
        if {"image_id", "category_id"} <= set(record)
        else "an array"
    )
    return FormatError(
        f"{path}: expected a COCO object with images, categories and annotations, found {found}",
        subject=path,
    )


def _check_keys(path: Path, arrays: JsonArrays) -> None:
    if "images" not in arrays.keys:
        found = ", ".join(shown(key) for key in list(arrays.keys)[:8]) or "no key at all"
        raise FormatError(
            f"{path}: expected a COCO object with images, categories and annotations, "
            f"found {found}",
            subject=path,
        )


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
    return value == 1


def _printable(name: str) -> str:
    """A file name as text: what the file system could not decode is replaced."""
    return name.encode("utf-8", "replace").decode("utf-8")
