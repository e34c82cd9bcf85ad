"""Photographs on disk → images: new ones, and ones that an import has already described."""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from lithograph.config import ImageSettings
from lithograph.entities import Image, Refusal
from lithograph.errors import ImageError
from lithograph.images.opening import DEFAULT_LIMITS
from lithograph.images.reading import PhotographFacts, read_image
from lithograph.images.scanning import scan


class ImageIris(Protocol):
    """Makes the IRI of an image from its key; :class:`lithograph.rdf.iris.Iris` does."""

    def image(self, key: str) -> str:
        """The IRI of the image with this SHA-256 (64 hex digits)."""


@dataclass(frozen=True)
class AddedImages:
    """What became of the photographs that were added.

    ``images`` are to be written: new ones, and imported ones that a file completes; the IRIs of the
    latter are ``completed``. ``paths`` says where each image lies, of those known before too.
    ``duplicates`` are files whose bytes are those of an image already there: (path, its IRI).
    ``notes`` say what a person may want to know and refuse nothing: (path, text).
    """

    images: tuple[Image, ...] = ()
    paths: Mapping[str, Path] = field(default_factory=dict)
    completed: tuple[str, ...] = ()
    duplicates: tuple[tuple[Path, str], ...] = ()
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[tuple[Path, str], ...] = ()


def add_images(
    paths: Iterable[Path | str],
    known: Sequence[Image],
    iris: ImageIris,
    *,
    project: str | None = None,
    limits: ImageSettings = DEFAULT_LIMITS,
    progress: Callable[[int, int], None] | None = None,
) -> AddedImages:
    """Read photographs, and tell which image each of them is. Nothing is written anywhere.

    In this order: a file with the bytes of a known image, or of a file before it, is that image. A
    file with the name of an imported image that no file has completed yet (see :func:`name_key`)
    completes it: the image keeps its IRI and all that was said of it, and gains the SHA-256 and,
    where it has none, the capture date. Any other file is a new image, of ``project``, with an IRI
    by its SHA-256.

    With ``project`` only that project's images are completed; without, an image of any project,
    where the name fits one only. ``paths`` are files and folders, taken as
    :func:`lithograph.images.scan` does; ``progress`` is told how many files are done, of how many.

    A file is refused, the others not, where it cannot be read, where its name fits images of
    several projects, where its upright size is not the imported one, and where ``project`` already
    has an image of that name with other bytes.
    """
    adding = _Adding(known, iris, project, limits)
    files = list(scan(paths))
    for number, path in enumerate(files, start=1):
        try:
            adding.add(path)
        except ImageError as error:
            reason = str(error).removeprefix(f"{path}: ")
            source = json.dumps({"file_name": path.name}, ensure_ascii=True)
            adding.refusals.append(Refusal(path=str(path), reason=reason, source=source))
        if progress is not None:
            progress(number, len(files))
    return adding.result()


def name_key(name: str) -> tuple[str, ...]:
    """A file name as its folders and base name, comparable: case and Unicode form do not matter.

    ``.jpg`` and ``.jpeg`` are one ending, as are ``.tif`` and ``.tiff``. The base name is last.
    """
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    *folders, base = PurePosixPath(plain.replace("\\", "/")).parts or ("",)
    stem, dot, ending = base.rpartition(".")
    ending = {"jpeg": "jpg", "tiff": "tif"}.get(ending, ending)
    return (*folders, f"{stem}{dot}{ending}")


class _Adding:
    """The state of one call of :func:`add_images`."""

    def __init__(
        self,
        known: Sequence[Image],
        iris: ImageIris,
        project: str | None,
        limits: ImageSettings,
    ) -> None:
        self.iris, self.project, self.limits = iris, project, limits
        self.by_digest = {image.sha256: image for image in known if image.sha256 is not None}
        self.by_name: dict[str, list[Image]] = defaultdict(list)
        for image in known:
            self.by_name[name_key(image.name)[-1]].append(image)
        self.images: dict[str, Image] = {}
        self.paths: dict[str, Path] = {}
        self.completed: list[str] = []
        self.duplicates: list[tuple[Path, str]] = []
        self.refusals: list[Refusal] = []
        self.notes: list[tuple[Path, str]] = []

    def add(self, path: Path) -> None:
        """Read one file and place it. Raises ImageError where it is refused."""
        facts = read_image(path, self.limits)
        same = self.by_digest.get(facts.sha256)
        if same is not None:
            self.duplicates.append((path, same.iri))
            self.paths.setdefault(same.iri, path)
            return
        imported = self._imported(path)
        if imported is None:
            image = Image(
                iri=self.iris.image(facts.sha256),
                name=path.name,
                width=facts.width,
                height=facts.height,
                sha256=facts.sha256,
                captured=facts.captured,
                project=self.project,
            )
        else:
            _check_size(path, facts, imported)
            image = replace(
                imported, sha256=facts.sha256, captured=imported.captured or facts.captured
            )
            self.completed.append(image.iri)
            self.by_name[name_key(imported.name)[-1]].remove(imported)
        if facts.frames > 1:
            self.notes.append((path, f"the first of {facts.frames} frames is used"))
        self.by_name[name_key(image.name)[-1]].append(image)
        self.by_digest[facts.sha256] = image
        self.images[image.iri] = image
        self.paths[image.iri] = path

    def _imported(self, path: Path) -> Image | None:
        """The imported image that this file is, by its name."""
        *folders, base = name_key(path.absolute().as_posix())
        namesakes = [
            image
            for image in self.by_name.get(base, ())
            if self.project is None or image.project == self.project
        ]
        waiting = [image for image in namesakes if image.sha256 is None]
        # A name with folders ("train/0001.jpg") prefers the file that lies in such folders.
        waiting = [image for image in waiting if _lies_in(image, folders)] or waiting
        if len(waiting) > 1:
            where = ", ".join(sorted(f"{image.name!r} of {image.project}" for image in waiting))
            raise ImageError(
                f"{path}: expected a name that fits one imported image, found {len(waiting)} "
                f"({where}); say which project it belongs to",
                subject=path,
            )
        if not waiting and namesakes and self.project is not None:
            raise ImageError(
                f"{path}: expected a new name, found one that project {self.project} already has "
                f"for other bytes ({namesakes[0].iri})",
                subject=path,
            )
        return waiting[0] if waiting else None

    def result(self) -> AddedImages:
        """What was gathered, in the order of the paths."""
        return AddedImages(
            images=tuple(self.images.values()),
            paths=self.paths,
            completed=tuple(self.completed),
            duplicates=tuple(self.duplicates),
            refusals=tuple(self.refusals),
            notes=tuple(self.notes),
        )


def _lies_in(image: Image, folders: Sequence[str]) -> bool:
    wanted = list(name_key(image.name)[:-1])
    return not wanted or list(folders)[-len(wanted) :] == wanted


def _check_size(path: Path, facts: PhotographFacts, imported: Image) -> None:
    if (facts.width, facts.height) == (imported.width, imported.height):
        return
    hint = (
        "; the sides are swapped: the image was not upright in the source"
        if (facts.height, facts.width) == (imported.width, imported.height)
        else ""
    )
    raise ImageError(
        f"{path}: expected {imported.width} × {imported.height} upright pixels, as imported for "
        f"{imported.iri}, found {facts.width} × {facts.height}{hint}",
        subject=path,
    )
