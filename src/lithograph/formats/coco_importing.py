"""A COCO file into the graph, in bounded memory: read, checked and written batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from lithograph.entities import Admission, Annotation, Batch, Image, Refusal, Run
from lithograph.formats.coco_reading import CocoReader
from lithograph.graph import Graph
from lithograph.rdf.iris import digest

#: Annotations of a batch: some hundred thousand triples. The engine writes so many at a time about
#: as fast as all at once, in a tenth of the memory, and the gate is quickest with what fits caches.
BATCH: Final = 4096


def import_into(
    graph: Graph,
    reader: CocoReader,
    run: Run,
    *,
    batch: int = BATCH,
    progress: Callable[[int, int], None] | None = None,
) -> Admission:
    """Admit everything that a reader gives, into one run.

    An import that was stopped left its run open; the same file goes on there. ``progress`` is told
    how many annotations are read, of how many.
    """
    return graph.admit_all(batches_of(reader, run, batch, progress))


def import_key(
    reader: CocoReader, known: Iterable[Image], version: str, new_scheme: str | None
) -> str:
    """The key of the run that imports a file.

    ``known`` are the images of the graph. The same file gives the same run, unless the graph has
    got to know other images since: an annotation that was refused for want of its image may be
    admitted then.
    """
    listed = {image.iri for image in reader.images}
    others = sorted(image.iri for image in known if image.iri not in listed)
    return digest(parameters_of(reader, new_scheme), version, digest(others, length=8), length=16)


def parameters_of(reader: CocoReader, new_scheme: str | None) -> dict[str, str | None]:
    """What an import run says of its file."""
    return {
        "sha256": reader.sha256,
        "project": reader.project,
        "format": reader.kind,
        "new_scheme": new_scheme,
        "status": None if reader.status is None else str(reader.status),
    }


def batches_of(
    reader: CocoReader, run: Run, size: int, progress: Callable[[int, int], None] | None = None
) -> Iterator[Batch]:
    """What a reader gives, in batches of about ``size`` records; the last one closes the run."""
    annotations: list[Annotation] = []
    refusals: list[Refusal] = list(reader.refusals)
    given: set[str] = set()
    for item in reader.annotations(progress):
        if isinstance(item, Annotation):
            annotations.append(item)
        else:
            refusals.append(item)
        if len(annotations) + len(refusals) >= size:
            one = _batch(reader, run, annotations, refusals)
            given |= {image.iri for image in one.images}
            yield one
            annotations, refusals = [], []
    last = _batch(reader, run, annotations, refusals)
    given |= {image.iri for image in last.images}
    # Images without an annotation come at the end.
    left = tuple(image for image in reader.images if image.iri not in given)
    yield replace(last, images=last.images + left, closed=True)


def _batch(
    reader: CocoReader,
    run: Run,
    annotations: list[Annotation],
    refusals: list[Refusal],
) -> Batch:
    """Annotations with the images and regions that they name."""
    images = dict.fromkeys(annotation.image for annotation in annotations)
    regions = dict.fromkeys(a.region for a in annotations if a.region is not None)
    return Batch(
        run,
        annotations=tuple(annotations),
        images=tuple(map(reader.image, images)),
        regions=tuple(map(reader.region, regions)),
        refusals=tuple(refusals),
        closed=False,
    )
