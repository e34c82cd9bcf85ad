"""The answer to a SPARQL query → a COCO file that pycocotools scores right.

Ids are dense integers from 1 in IRI order, with the IRIs beside them (an id 0 or an id in two
images loses matches in COCOeval). An outline of one part without holes is a polygon; anything with
holes or several parts is run lengths with ``iscrowd`` 0, since a second ring would be filled. Box
and area are the geometry's own. Licences and dates come from the graph, never from here, so the
same graph gives the same bytes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import orjson

from lithograph import __version__
from lithograph.entities import Agent, Annotation, Dataset, Image, Outline, Run, RunKind
from lithograph.errors import ExportError, GraphError
from lithograph.formats.categories import Categories, Level
from lithograph.graph.graph import now
from lithograph.masks import geometry_to_rle, is_simple
from lithograph.rdf.iris import digest

if TYPE_CHECKING:
    from lithograph.graph import Graph
    from lithograph.queries import Query


@dataclass(frozen=True)
class Export:
    """A COCO file that was written: where, what is in it, and what was left out and why."""

    path: Path
    dataset: Dataset
    images: int
    annotations: int
    categories: int
    left_out: Mapping[str, str]


def export_coco(
    graph: Graph,
    path: Path,
    query: Query,
    parameters: Mapping[str, str] | None = None,
    *,
    level: Level = "leaves",
    language: str = "en",
    every_image: bool = False,
) -> Export:
    """Write the annotations that ``query`` binds to ``?annotation`` as a COCO file.

    ``level`` cuts the hierarchy; ``language`` is that of the names; ``every_image`` lists the
    images without annotations too. The file appears whole or not at all, and the export is
    recorded in the graph with its query, parameters, vocabulary versions and fingerprint.

    Raises QueryError, before anything runs, where the query does not bind ``?annotation``, and
    ExportError where it binds something that is no annotation, or where there is nothing to export.
    """
    query.require("annotation")
    table = graph.query(query, parameters)
    iris = sorted({iri for iri in table.column("annotation") if iri is not None})
    if not iris:
        raise ExportError(
            f"query {query.name}: expected annotations, found none; nothing was written",
            subject=query.name,
        )
    annotations = _annotations(graph, iris, query)
    images = {image.iri: image for image in graph.images()}
    categories = Categories.of(graph, {a.concept for a in annotations}, level, language)
    writer = _Writer(annotations, images, categories, every_image=every_image)
    content, fingerprint = writer.content()
    _write_whole(path, content)
    asked = {
        **(parameters or {}),
        "level": list(level) if isinstance(level, tuple) else level,
        "language": language,
        "every_image": every_image,
    }
    dataset = _record(
        graph, query, asked, categories, fingerprint, hashlib.sha256(content).hexdigest()
    )
    return Export(
        path=path,
        dataset=dataset,
        images=len(writer.images),
        annotations=len(writer.kept),
        categories=len(categories.listed),
        left_out=writer.left_out,
    )


def _annotations(graph: Graph, iris: Sequence[str], query: Query) -> list[Annotation]:
    found, strange = [], []
    for iri in iris:
        try:
            found.append(graph.annotation(iri))
        except GraphError as error:
            strange.append(f"{iri} ({error})")
    if strange:
        more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
        raise ExportError(
            f"query {query.name}: expected ?annotation to be bound to annotations, "
            f"found {strange[0]}{more}",
            subject=query.name,
        )
    return found


class _Writer:
    """The records of one export, in their order."""

    def __init__(
        self,
        annotations: Sequence[Annotation],
        images: Mapping[str, Image],
        categories: Categories,
        *,
        every_image: bool,
    ) -> None:
        self.categories = categories
        self.left_out: dict[str, str] = {}
        self.kept: list[tuple[Annotation, int]] = []
        for annotation in annotations:
            category = categories.of_concept[annotation.concept]
            if category is None:
                self.left_out[annotation.iri] = "its concept is outside the cut, or the background"
            elif annotation.image not in images:
                self.left_out[annotation.iri] = f"its image {annotation.image} is not described"
            else:
                self.kept.append((annotation, categories.listed[category]))
        used = {annotation.image for annotation, _ in self.kept}
        self.images = [images[iri] for iri in sorted(images) if every_image or iri in used]
        self.image_ids = {image.iri: number for number, image in enumerate(self.images, start=1)}

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

    def content(self) -> tuple[bytes, str]:
        """The file's bytes, one record a line, and the fingerprint of what went into it."""
        by_iri = {image.iri: image for image in self.images}
        records = [
            self._annotation(number, annotation, category, by_iri[annotation.image])
            for number, (annotation, category) in enumerate(self.kept, start=1)
        ]
        fingerprint = hashlib.sha256()
        for record in records:
            named = {key: value for key, value in record.items() if key not in {"id", "image_id"}}
            fingerprint.update(orjson.dumps(named, option=orjson.OPT_SORT_KEYS))
        parts: list[tuple[str, list[dict[str, Any]]]] = [
            ("licenses", [{"id": n, "name": iri, "url": iri} for iri, n in self.licences.items()]),
            ("images", [self._image(image) for image in self.images]),
            ("categories", self.categories.records()),
            ("annotations", records),
        ]
        info = {
            "description": "Annotations from a Lithograph knowledge graph",
            "version": fingerprint.hexdigest()[:16],
            "contributor": f"lithograph {__version__}",
            "vocabulary_versions": list(self.categories.versions),
            "date_created": max((a.created for a, _ in self.kept), default=""),
        }
        lines = [b'{"info":' + orjson.dumps(info)]
        for name, entries in parts:
            body = b",\n".join(orjson.dumps(entry) for entry in entries)
            lines.append(b'"' + name.encode() + b'":[\n' + body + b"\n]")
        return b",\n".join(lines) + b"}\n", fingerprint.hexdigest()

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

    def _annotation(
        self, number: int, annotation: Annotation, category: int, image: Image
    ) -> dict[str, Any]:
        record: dict[str, Any] = {
            "id": number,
            "image_id": self.image_ids[annotation.image],
            "category_id": category,
            "bbox": [_short(value) for value in annotation.box],
            "area": _short(annotation.area),
            "segmentation": _segmentation(annotation, image),
            "iscrowd": int(annotation.crowd),
            "status": str(annotation.status),
            "concept_iri": annotation.concept,
            "annotation_iri": annotation.iri,
        }
        optional = {
            "score": annotation.confidence,
            "mask_quality": annotation.mask_quality,
            "region_iri": annotation.region,
            "source_id": annotation.source_id,
        }
        return record | {key: value for key, value in optional.items() if value is not None}


def _segmentation(annotation: Annotation, image: Image) -> Any:
    shape = annotation.geometry
    if isinstance(shape, Outline) and is_simple(shape) and not annotation.crowd:
        return [[_short(value) for vertex in shape.polygons[0][0] for value in vertex]]
    rle = geometry_to_rle(shape, image.height, image.width)
    return {"size": [rle.height, rle.width], "counts": rle.counts}


def _short(value: float) -> float | int:
    """Whole numbers without a point, as COCO files have them."""
    return int(value) if float(value).is_integer() else value


def _relative(name: str) -> str:
    """A file name from outside, made safe for those who join it to a folder."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return "/".join(part for part in parts if part not in {"/", ".."}) or "unnamed"


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ExportError(f"{path}: cannot be written: {error}", subject=path) from error


def _record(
    graph: Graph,
    query: Query,
    asked: Mapping[str, Any],
    categories: Categories,
    fingerprint: str,
    sha256: str,
) -> Dataset:
    key = digest(query.text, asked, categories.versions, fingerprint, sha256, length=16)
    dataset = Dataset(
        iri=graph.iris.dataset(key),
        title=query.name,
        media_type="application/json",
        query=query.text,
        parameters=asked,
        fingerprint=fingerprint,
        sha256=sha256,
    )
    time = now()
    run = Run(
        iri=graph.iris.run(RunKind.EXPORT, key),
        kind=RunKind.EXPORT,
        agent=Agent("lithograph"),
        started=time,
        ended=time,
        vocabulary_versions=categories.versions,
        software=(f"lithograph {__version__}",),
    )
    graph.record_export(run, dataset)
    return dataset
