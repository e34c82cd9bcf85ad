"""COCO's ``images`` → :class:`~lithograph.entities.Image`, and which known image each is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from lithograph.entities import Image
from lithograph.formats import aioli
from lithograph.formats.coco_values import is_text, read_date, read_id, read_size, shown, web_iri
from lithograph.formats.imported import FindingKind, Findings, RecordFault
from lithograph.formats.known_images import KnownImages
from lithograph.masks import MAX_PIXELS
from lithograph.rdf.iris import Iris

#: Where images say their address, most specific first.
_ADDRESSES = ("aioli_url", "coco_url", "flickr_url")
_SHA256 = re.compile(r"[0-9a-f]{64}")
#: What tools write into ``date_captured`` where they know none.
_NO_DATE = (None, 0, "", "0")


@dataclass(frozen=True, slots=True)
class ListedImage:
    """An image of the file: ``origin`` is the project that its annotations' IRIs are made with."""

    image: Image
    origin: str


class ImageReader:
    """Reads the ``images`` of one file.

    An image is one that the graph knows where its record names it by IRI or SHA-256 (as our own
    exports do), where it would get the same IRI, or where one known image of its project, or
    of no project, has its file name and size: so that photographs may be added before or after the
    import. Such an image keeps all that the graph says of it, and gains what it lacks.

    A new image gets its IRI from its decoded name where its id is Aïoli's, else from project, file
    name and id. ``file_name`` is data: it is never opened, whatever it says.
    """

    def __init__(
        self,
        iris: Iris,
        known: KnownImages,
        findings: Findings,
        *,
        project: str | None,
        stem: str,
        licences: Mapping[str, str | None],
    ) -> None:
        self.iris, self.known, self.findings = iris, known, findings
        self.project, self.stem, self.licences = project, stem, licences
        self.aioli_project: str | None = None
        #: What :attr:`images` are, by IRI.
        self.by_iri: dict[str, Image] = {}
        self._listed: dict[str, ListedImage | RecordFault] = {}
        self._unlisted: dict[str, ListedImage | RecordFault] = {}
        self._names: dict[tuple[str | None, str], str] = {}

    @property
    def images(self) -> tuple[Image, ...]:
        """The images listed, and the known ones that annotations name without listing."""
        return tuple(self.by_iri.values())

    def read(self, record: Mapping[str, Any], path: str) -> None:
        """One image. Raises RecordFault."""
        number = read_id(record, "id", path, self.findings)
        if number in self._listed:
            raise RecordFault(f"{path}.id", f"expected an id of its own, found {number} again")
        try:
            listed = self._listed[number] = self._image(record, number, path)
        except RecordFault as fault:
            self._listed[number] = fault
            raise
        self.by_iri[listed.image.iri] = listed.image

    def image_of(self, record: Mapping[str, Any], path: str) -> ListedImage:
        """The image of an annotation. Raises RecordFault.

        Where the file does not list it, an Aïoli id still says project and file name, so that an
        image which the graph knows does.
        """
        number = read_id(record, "image_id", path, self.findings)
        place = f"{path}.image_id"
        found = self._listed.get(number)
        if isinstance(found, RecordFault):
            raise RecordFault(place, f"its image was refused ({found})")
        if found is None:
            found = self._unlisted.get(number) or self._find_unlisted(number, place)
        if isinstance(found, RecordFault):
            raise RecordFault(place, found.reason)
        return found

    def _find_unlisted(self, number: str, place: str) -> ListedImage | RecordFault:
        try:
            found: ListedImage | RecordFault = self._known_by_id(number, place)
        except RecordFault as fault:
            found = fault
        self._unlisted[number] = found
        if isinstance(found, ListedImage):
            self.by_iri[found.image.iri] = found.image
        return found

    def _image(self, record: Mapping[str, Any], listed_id: str, path: str) -> ListedImage:
        ours = is_text(record.get("image_iri"))
        source_id = _text(record, "source_id") if ours else listed_id
        decoded = self._decoded(source_id or "")
        project, origin = self._project(record, decoded, ours=ours)
        sha256 = _text(record, "sha256") if ours else None
        if sha256 is not None and not _SHA256.fullmatch(sha256):
            raise RecordFault(f"{path}.sha256", f"expected 64 hex digits, found {shown(sha256)}")
        address = self._address(record, path)
        name = self._name(record, path, address, decoded)
        if decoded is not None:
            iri = self.iris.image(decoded.name)
        elif source_id is None and sha256 is not None:
            iri = self.iris.image(sha256)
        else:
            iri = self.iris.image_of_source(origin, name, source_id or listed_id)
        width, height = read_size(record.get("width")), read_size(record.get("height"))
        same = self.known.described(str(record["image_iri"]) if ours else iri, iri, sha256)
        if same is None:
            same = self._namesake(name, project, width, height, path)
        if width is None or height is None:
            width, height = self._size_from_graph(record, same, path)
        if width * height > MAX_PIXELS:
            raise RecordFault(
                path, f"expected at most {MAX_PIXELS} pixels, found {width} × {height}"
            )
        image = Image(
            iri=iri,
            name=name,
            width=width,
            height=height,
            sha256=sha256,
            content_url=address,
            licence=self._licence(record, path),
            captured=self._date(record, path),
            source_id=source_id,
            project=project,
        )
        self._note_name(image, path)
        if same is not None:
            image = self._reconciled(image, same, path)
        return ListedImage(image, origin)

    def _known_by_id(self, image_id: str, path: str) -> ListedImage:
        """The known image that an Aïoli id names. Raises RecordFault."""
        decoded = self._decoded(image_id)
        if decoded is None:
            raise RecordFault(path, f"expected an image that the file lists, found {image_id}")
        self.findings.add(FindingKind.IMAGE_UNLISTED, path, decoded.name)
        project = self.project or decoded.project
        image = self.known.by_iri.get(self.iris.image(decoded.name))
        found = [image] if image else self.known.with_stem(decoded.stem, project)
        if len(found) == 1:
            return ListedImage(found[0], project)
        if found:
            listed = ", ".join(sorted(image.iri for image in found))
            raise RecordFault(
                path, f"expected one known image for {decoded.name!r}, found several: {listed}"
            )
        raise RecordFault(
            path,
            f"the image {decoded.name!r} is not listed in the file: add it there, or add "
            f"the photograph to the workspace (`lithograph images add`), and import again",
        )

    def _decoded(self, number: str) -> aioli.ImageId | None:
        decoded = aioli.image_id(number)
        if decoded is not None and self.aioli_project is None:
            self.aioli_project = decoded.project
        return decoded

    def _project(
        self, record: Mapping[str, Any], decoded: aioli.ImageId | None, *, ours: bool
    ) -> tuple[str | None, str]:
        """The image's project, and what stands for it in IRIs."""
        if self.project is not None:
            return self.project, self.project
        if ours:
            project = _text(record, "project")
            return project, project or "lithograph"
        project = self.stem if decoded is None else decoded.project
        return project, project

    def _name(
        self,
        record: Mapping[str, Any],
        path: str,
        address: str | None,
        decoded: aioli.ImageId | None,
    ) -> str:
        name = record.get("file_name")
        if is_text(name) and name.strip():
            return name
        if name is not None and name != "":
            raise RecordFault(f"{path}.file_name", f"expected a name, found {shown(name)}")
        last = address.rpartition("/")[2] if address else ""
        made = last or (decoded.stem if decoded else "")
        if not made:
            raise RecordFault(f"{path}.file_name", "expected a name, found none")
        self.findings.add(FindingKind.NAME_MISSING, path, made)
        return made

    def _note_name(self, image: Image, path: str) -> None:
        first = self._names.setdefault((image.project, image.name), path)
        if first != path:
            self.findings.add(FindingKind.NAME_TWICE, path, f"{image.name}, as {first}")

    def _namesake(
        self, name: str, project: str | None, width: int | None, height: int | None, path: str
    ) -> Image | None:
        """The known image with this file name, if it has this size."""
        namesakes = self.known.namesakes(name, project)
        fitting = [
            image
            for image in namesakes
            if (width or image.width, height or image.height) == (image.width, image.height)
        ]
        if len(fitting) > 1:
            listed = ", ".join(sorted(image.iri for image in fitting))
            raise RecordFault(
                f"{path}.file_name", f"expected a name of one known image, found {listed}"
            )
        if fitting or not namesakes:
            return fitting[0] if fitting else None
        other = namesakes[0]
        if other.project is not None:
            raise RecordFault(path, _sizes_differ(other, width, height))
        self.findings.add(FindingKind.SIZE_OF_NAMESAKE, path, _sizes_differ(other, width, height))
        return None

    def _size_from_graph(
        self, record: Mapping[str, Any], same: Image | None, path: str
    ) -> tuple[int, int]:
        if same is None:
            found = f"{shown(record.get('width'))} × {shown(record.get('height'))}"
            raise RecordFault(
                path,
                f"expected width and height in pixels, found {found}: complete the file, or add "
                "the photograph first (`lithograph images add`)",
            )
        self.findings.add(FindingKind.SIZE_FROM_GRAPH, path, same.iri)
        return same.width, same.height

    def _reconciled(self, image: Image, same: Image, path: str) -> Image:
        """The known image, with what the file adds. Raises RecordFault where the sizes differ."""
        if (image.width, image.height) != (same.width, same.height):
            raise RecordFault(path, _sizes_differ(same, image.width, image.height))
        added: dict[str, Any] = {}
        for entry in fields(Image):
            said, known = getattr(image, entry.name), getattr(same, entry.name)
            if known is None and said is not None:
                added[entry.name] = said
            elif said is not None and said != known and entry.name in {"licence", "captured"}:
                detail = f"{entry.name} {shown(known)}, and not {shown(said)}"
                self.findings.add(FindingKind.DIFFERS_FROM_GRAPH, path, detail)
        return replace(same, **added)

    def _address(self, record: Mapping[str, Any], path: str) -> str | None:
        for key in _ADDRESSES:
            value = record.get(key)
            if value is None or value == "":
                continue
            iri = web_iri(value)
            if iri is not None:
                return iri
            self.findings.add(FindingKind.ADDRESS_DROPPED, f"{path}.{key}")
        return None

    def _licence(self, record: Mapping[str, Any], path: str) -> str | None:
        if record.get("license") is None:
            return None
        try:
            number = read_id(record, "license", path, self.findings)
        except RecordFault as fault:
            self.findings.add(FindingKind.LICENCE_UNKNOWN, fault.path, fault.reason)
            return None
        if number not in self.licences:
            detail = f"{number} is not in the file's licenses"
            self.findings.add(FindingKind.LICENCE_UNKNOWN, f"{path}.license", detail)
        return self.licences.get(number)

    def _date(self, record: Mapping[str, Any], path: str) -> str | None:
        value = record.get("date_captured")
        captured = read_date(value)
        if captured is None and value not in _NO_DATE:
            self.findings.add(FindingKind.DATE_DROPPED, f"{path}.date_captured", shown(value))
        return captured


def read_licence(
    record: Mapping[str, Any], path: str, findings: Findings
) -> tuple[str, str | None]:
    """A licence's id and its IRI, None where it has no address. Raises RecordFault."""
    number = read_id(record, "id", path, findings)
    iri = web_iri(record.get("url"))
    if iri is None and (record.get("url") or record.get("name")):
        detail = shown(record.get("name") or record.get("url"))
        findings.add(FindingKind.LICENCE_UNKNOWN, path, detail)
    return number, iri


def _sizes_differ(known: Image, width: int | None, height: int | None) -> str:
    hint = (
        "; the sides are swapped: the image was not upright in the source"
        if (height, width) == (known.width, known.height)
        else ""
    )
    return (
        f"expected {known.width} × {known.height} upright pixels, as known for {known.iri}, "
        f"found {width} × {height}{hint}"
    )


def _text(record: Mapping[str, Any], key: str) -> str | None:
    value = record.get(key)
    return value if is_text(value) and value else None
