"""A COCO file, or an Aïoli COCO export → images, regions and annotations, partitioned.

The file is read twice, record by record: first everything but the annotations, and whether the
file is whole at all, then the annotations. One bad record never stops the others: it is refused
with its path and kept. Memory grows with the number of images and of annotation ids, not with their
outlines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lithograph.entities import Annotation, Image, Refusal, Region, Status
from lithograph.errors import FormatError
from lithograph.formats.coco_annotations import AnnotationReader, Faults
from lithograph.formats.coco_categories import CategoryReader
from lithograph.formats.coco_file import (
    CocoLimits,
    check_keys,
    check_kind,
    check_top_level,
    opened,
    record_of,
    refused,
    state_of,
)
from lithograph.formats.coco_images import ImageReader, read_licence
from lithograph.formats.coco_values import is_text, read_id
from lithograph.formats.imported import Finding, FindingKind, Findings, Imported, RecordFault
from lithograph.formats.json_arrays import Element, JsonArrays
from lithograph.formats.known_images import KnownImages
from lithograph.rdf.iris import Iris

if TYPE_CHECKING:
    from lithograph.vocabulary import Vocabulary

__all__ = ["CocoLimits", "CocoReader", "Imported", "coco_categories", "read_coco"]

_LIMITS = CocoLimits()
#: Annotations between two reports of progress.
_STEP = 256


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
    """Read a whole file: :class:`CocoReader` says what is read, how, and what is refused.

    ``progress`` is told how many annotations are read, of how many.
    """
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
    for item in reader.annotations(progress):
        if isinstance(item, Annotation):
            annotations.append(item)
        else:
            refusals.append(item)
    return Imported(
        source=_printable(reader.path.name),
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
    :func:`read_coco` refuses them by their path. Raises FormatError as :class:`CocoReader` does.
    """
    path = Path(path)
    found: dict[int, tuple[int, str, str | None]] = {}
    with opened(path, limits) as stream:
        arrays = JsonArrays(stream, path, {"categories", "annotations"}, limits.record_bytes)
        for element in arrays:
            check_top_level(path, element)
            if element.array == "annotations":
                if element.index == 0:
                    check_kind(path, element)
                continue
            try:
                record = record_of(element)
                number = read_id(record, "id", element.path, Findings())
            except RecordFault:
                continue
            name, above = record.get("name"), record.get("supercategory")
            if is_text(name) and name.strip() and number.isascii() and number.isdecimal():
                above = above if is_text(above) and above else None
                found.setdefault(int(number), (int(number), name, above))
        check_keys(path, arrays)
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
    - An annotation's IRI is made of project, image, geometry, concept and id (of our own exports
      the ``source_id``, else the ``annotation_iri``), so reading twice gives the same.

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
        self.path, self.limits = Path(path), limits
        self.total = 0
        #: The status of every annotation; None where each record's own counts.
        self.status = status
        self._project = project
        self._findings = Findings()
        self._refusals: list[Refusal] = []
        self._licences: dict[str, str | None] = {}
        self._categories = CategoryReader(vocabulary, self._findings)
        self._images = ImageReader(
            iris,
            KnownImages(known_images),
            self._findings,
            project=project,
            stem=_printable(self.path.stem),
            licences=self._licences,
        )
        self._annotations = AnnotationReader(
            iris, self._images, self._categories, self._findings, created=created, status=status
        )
        self._survey()

    @property
    def kind(self) -> Literal["coco", "aioli"]:
        """The dialect: Aïoli's where an image's id decodes to a project and a file name."""
        return "coco" if self._images.aioli_project is None else "aioli"

    @property
    def project(self) -> str:
        """What names of images are unique within."""
        return self._project or self._images.aioli_project or _printable(self.path.stem)

    @property
    def images(self) -> tuple[Image, ...]:
        """The images listed, and the known ones that annotations name without listing."""
        return self._images.images

    def image(self, iri: str) -> Image:
        """The image of an annotation given."""
        return self._images.by_iri[iri]

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions of the annotations given so far."""
        return tuple(self._annotations.regions.values())

    def region(self, iri: str) -> Region:
        """The region of an annotation given."""
        return self._annotations.regions[iri]

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """The licences, categories and images that were refused."""
        return tuple(self._refusals)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found so far and refuses nothing."""
        self._annotations.rings.tell()
        return self._findings.all()

    def _survey(self) -> None:
        """The first reading: everything but the annotations, which are only counted."""
        images: list[Element] = []
        wanted = {"licenses", "images", "categories", "annotations"}
        with opened(self.path, self.limits) as stream:
            self._state = state_of(stream)
            self.sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            arrays = JsonArrays(stream, self.path, wanted, self.limits.record_bytes)
            for element in arrays:
                check_top_level(self.path, element)
                if element.array == "annotations":
                    self.total += 1
                    if element.index == 0:
                        check_kind(self.path, element)
                elif element.array == "images":
                    images.append(element)  # the licences that they name may follow them
                elif element.array == "categories":
                    self._read(element, self._categories.read)
                else:
                    self._read(element, self._licence)
            check_keys(self.path, arrays)
        for element in images:
            self._read(element, self._images.read)
        if not self.total:
            self._findings.add(FindingKind.NO_ANNOTATIONS, _printable(self.path.name))

    def _read(self, element: Element, read: Callable[[Mapping[str, Any], str], None]) -> None:
        try:
            read(record_of(element), element.path)
        except RecordFault as fault:
            self._refusals.append(refused(element, [fault]))

    def _licence(self, record: Mapping[str, Any], path: str) -> None:
        number, iri = read_licence(record, path, self._findings)
        self._licences.setdefault(number, iri)

    def annotations(
        self, progress: Callable[[int, int], None] | None = None
    ) -> Iterator[Annotation | Refusal]:
        """The second reading: every annotation in the file's order, or why it is refused.

        ``progress`` is told how many are read, of how many. To be gone through once; ``regions``
        and ``findings`` are complete at its end.
        """
        with opened(self.path, self.limits) as stream:
            if state_of(stream) != self._state:
                raise FormatError(f"{self.path}: changed while it was read", subject=self.path)
            arrays = JsonArrays(stream, self.path, {"annotations"}, self.limits.record_bytes)
            for element in arrays:
                faults, annotation = Faults(), None
                with faults:
                    record = record_of(element)
                    annotation = self._annotations.read(record, element.path, faults)
                yield annotation or refused(element, faults.found)
                number = element.index + 1
                if progress is not None and (number % _STEP == 0 or number == self.total):
                    progress(number, self.total)


def _printable(name: str) -> str:
    """A file name as text: what the file system could not decode is replaced."""
    return name.encode("utf-8", "replace").decode("utf-8")
