"""The images that a graph already has, found by what a foreign file may call them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from lithograph.entities import Image
from lithograph.formats import aioli
from lithograph.images import name_key


class KnownImages:
    """The images that the graph already has, found by what a file may call them."""

    def __init__(self, images: Iterable[Image]) -> None:
        self.by_iri = {image.iri: image for image in images}
        self._by_digest = {
            image.sha256: image for image in self.by_iri.values() if image.sha256 is not None
        }
        self._by_name: dict[str, list[Image]] = defaultdict(list)
        for image in self.by_iri.values():
            self._by_name[name_key(image.name)[-1]].append(image)

    def described(self, named: str, iri: str, sha256: str | None) -> Image | None:
        """The image that a record names by IRI, or that has its IRI or its file's SHA-256."""
        found = self.by_iri.get(named) or self.by_iri.get(iri)
        return found or (None if sha256 is None else self._by_digest.get(sha256))

    def namesakes(self, name: str, project: str | None) -> list[Image]:
        """Images of that file name in the project, or else those that belong to none.

        A name with folders is matched by its last part, and by the folders where both have them.
        """
        *folders, base = name_key(name)
        found = [
            image
            for image in self._by_name.get(base, ())
            if _agree(list(name_key(image.name)[:-1]), folders)
        ]
        own = [image for image in found if image.project is not None and image.project == project]
        return own or [image for image in found if image.project is None]

    def with_stem(self, stem: str, project: str) -> list[Image]:
        """Images whose file name without its ending is ``stem``, as :meth:`namesakes`."""
        found = [
            image
            for base, images in self._by_name.items()
            if aioli.same_stem(base.rpartition(".")[0], stem)
            for image in images
        ]
        own = [image for image in found if image.project == project]
        return own or [image for image in found if image.project is None]


def _agree(first: list[str], second: list[str]) -> bool:
    shared = min(len(first), len(second))
    return not shared or first[-shared:] == second[-shared:]
