"""The IRIs of a workspace: deterministic, percent-encoded, all under its base."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import orjson

from lithograph.entities import Geometry, Mask, RunKind
from lithograph.masks import rle_to_text, wkt_from_outline


def digest(*parts: object, length: int = 24) -> str:
    """The first ``length`` hex digits of the SHA-256 of the parts, as canonical JSON.

    Twenty-four digits (96 bits) make an accidental collision among a billion annotations a matter
    of 1 in 10^11 (birthday bound).
    """
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:length]


def slug(name: str) -> str:
    """A name in lower-case letters, digits, ``-`` and ``_``, for people to recognise an IRI by."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^a-z0-9_]+", "-", plain.lower()).strip("-")[:60] or "unnamed"


def key_of(iri: str) -> str:
    """The last part of an IRI: what tells it from others of its kind."""
    return iri.rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Iris:
    """Makes the IRIs of one workspace. ``base`` ends in ``/`` or ``#`` and holds no space."""

    base: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.base)
        forbidden = set(' <>"{}|\\^`')
        if (
            parts.scheme not in {"http", "https"}
            or not parts.netloc
            or not self.base.endswith(("/", "#"))
            or forbidden & set(self.base)
        ):
            raise ValueError(
                "base IRI: expected an http(s) IRI that ends in '/', such as "
                f"'https://data.example.org/ca19/', found {self.base!r}"
            )

    def _iri(self, kind: str, key: str) -> str:
        return f"{self.base}{kind}/{quote(key, safe='-_.~')}"

    def image(self, key: str) -> str:
        """An image, by its source key or its SHA-256 (64 hex digits)."""
        return self._iri("image", key)

    def image_of_source(self, source: str, name: str, source_id: str) -> str:
        """An image that a foreign file describes: by the source, its name and its id there."""
        return self.image(
            f"{slug(source)}-{slug(name)}-{digest(source, name, source_id, length=10)}"
        )

    def region(self, identifier: str) -> str:
        """An Aïoli region, by its identifier."""
        return self._iri("region", identifier)

    def layer(self, identifier: str) -> str:
        """An Aïoli layer, by its identifier."""
        return self._iri("layer", identifier)

    def annotation(
        self,
        origin: str,
        image: str,
        geometry: Geometry,
        concept: str,
        *,
        source_id: str | None = None,
        revision_of: str | None = None,
    ) -> str:
        """An annotation, by everything that makes it this one and no other.

        ``origin`` is the run's key for a model's or a person's annotation, and the source for an
        imported one, so that a later file of the same source repeats no annotation.
        """
        exact = rle_to_text(geometry) if isinstance(geometry, Mask) else wkt_from_outline(geometry)
        key = digest(origin, image, exact, concept, source_id, revision_of)
        return f"{self.base}annotation/{key}"

    def run(self, kind: RunKind | str, key: str) -> str:
        """A run, by its kind and key."""
        return self._iri("run", f"{kind}-{key}")

    def vocabulary(self, name: str, content_digest: str, previous: str | None) -> str:
        """A version of a vocabulary: by its content and by the version that it follows.

        The predecessor takes part so that going back to an earlier content is a version of its
        own, and "the version that no other revises" stays one.
        """
        return f"{self.base}vocabulary/{slug(name)}/{digest(content_digest, previous, length=16)}"

    def model(self, sha256: str) -> str:
        """A model, by the digest of its weights."""
        return self._iri("model", sha256[:16])

    def implementation(self, role: str, sha256: str) -> str:
        """A model in a role: segmenter, detector or labeller."""
        return self._iri("implementation", f"{role}-{sha256[:16]}")

    def agent(self, name: str) -> str:
        """A person, a programme or a file that a run is attributed to, by name."""
        return self._iri("agent", name)

    def dataset(self, key: str) -> str:
        """An export."""
        return self._iri("dataset", key)

    def refusal(self, run: str, path: str, source: str) -> str:
        """A refused record, by the run that met it, its path and its content."""
        return self._iri("refusal", digest(run, path, source))
