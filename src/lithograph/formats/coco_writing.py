"""The answer to a SPARQL query → a COCO file that pycocotools scores right.

Ids are dense integers from 1 in IRI order, with the IRIs beside them (an id 0 or an id in two
images loses matches in COCOeval). An outline without holes is polygons; one with a hole is run
lengths with ``iscrowd`` 0, since a second ring would be filled. Box and area are the geometry's
own. Licences and dates come from the graph, never from here, so the same graph gives the same
bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import pyoxigraph as ox

from lithograph import __version__
from lithograph.entities import Agent, Dataset, Image, Run, RunKind
from lithograph.errors import ExportError, GraphError
from lithograph.formats.categories import Categories, Level
from lithograph.formats.coco_assembling import Assembly, Progress, Written
from lithograph.formats.coco_chosen import read_chosen, write_chosen
from lithograph.formats.coco_columns import Columns
from lithograph.formats.coco_facts import Facts
from lithograph.graph import now
from lithograph.graph.columns import Join, count_of
from lithograph.rdf.iris import digest

if TYPE_CHECKING:
    from lithograph.graph import Graph
    from lithograph.queries import Query

#: So few annotations are read one by one, whatever else is in the graph.
FEW: Final = 200
#: Reading one annotation by itself costs as much as the rows of so many in the columns.
ROWS_FOR_ONE: Final = 5
#: Up to so many annotations the engine may hold tables of them, or write them for nothing.
TABLES: Final = 250_000


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
    progress: Progress | None = None,
) -> Export:
    """Write the annotations that ``query`` binds to ``?annotation`` as a COCO file.

    ``level`` cuts the hierarchy; ``language`` is that of the names; ``every_image`` lists the
    images without annotations too. ``progress`` hears how many annotations are written, of how
    many. The file appears whole or not at all, and the export is recorded in the graph with its
    query, parameters, vocabulary versions and fingerprint. Geometries that are too many for the
    memory wait in files beside the target.

    Raises QueryError, before anything runs, where the query does not bind ``?annotation``, and
    ExportError where it binds something that is no annotation, or where there is nothing to export.
    """
    query.require("annotation")
    with _folder_beside(path) as folder, ThreadPoolExecutor(2) as pool:
        choosing = pool.submit(write_chosen, graph, query, parameters or {}, folder / "chosen.tsv")
        describing = pool.submit(graph.images)
        with closing(_Reading(graph, folder)) as reading:
            choosing.result()
            iris = read_chosen(folder / "chosen.tsv")
            images = {image.iri: image for image in describing.result()}
            facts = reading.facts(iris, images, query)
        categories = Categories.of(graph, facts.concepts.used(), level, language)
        assembly = Assembly(facts, images, categories, every_image=every_image)
        written = assembly.write(folder / "whole", progress)
        (folder / "whole").replace(path)
    asked = {
        **(parameters or {}),
        "level": list(level) if isinstance(level, tuple) else level,
        "language": language,
        "every_image": every_image,
    }
    return Export(
        path=path,
        dataset=_record(graph, query, asked, categories, written),
        images=len(assembly.images),
        annotations=len(assembly.kept),
        categories=len(categories.listed),
        left_out=assembly.left_out,
    )


class _Reading:
    """How the facts of an export are read: as columns, or annotation by annotation.

    To read one by itself costs as much as many rows of columns, so that it depends on how much of
    the graph is chosen. The engine begins with the columns while that is not known, unless there
    are too many to write them for nothing.
    """

    def __init__(self, graph: Graph, folder: Path) -> None:
        self.graph, self.folder = graph, folder
        self._total = count_of(graph, "oa:Annotation")
        self._columns = self._begin() if FEW < self._total <= TABLES else None

    def close(self) -> None:
        """Write no further columns."""
        if self._columns is not None:
            self._columns.close()

    def facts(self, iris: Sequence[bytes], images: Mapping[str, Image], query: Query) -> Facts:
        """What the graph says of them. ExportError where there is none, or what is none."""
        if not iris:
            raise ExportError(
                f"query {query.name}: expected annotations, found none; nothing was written",
                subject=query.name,
            )
        facts = Facts(iris, images, self.folder)
        if len(iris) > FEW and len(iris) * ROWS_FOR_ONE > self._total:
            self._columns = self._columns or self._begin()
            by_itself: Sequence[int] = self._columns.fill(facts)
        else:
            self.close()
            by_itself = range(len(iris))
        strange = []
        for place in by_itself:
            iri = iris[place].decode()
            try:
                ox.NamedNode(iri)
            except ValueError:
                strange.append(f"{iri!r} (expected an IRI)")
                continue
            try:
                facts.set_apart(place, self.graph.annotation(iri))
            except GraphError as error:
                strange.append(f"{iri} ({error})")
        if strange:
            more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
            raise ExportError(
                f"query {query.name}: expected ?annotation to be bound to annotations, "
                f"found {strange[0]}{more}",
                subject=query.name,
            )
        return facts

    def _begin(self) -> Columns:
        """Let the engine write columns, joined as it does it best."""
        join: Join | None = "look up"
        if self.graph.on_disk:
            join = "tables" if self._total <= TABLES else None
        return Columns(self.graph, self.folder, join)


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    try:
        with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise ExportError(f"{path}: cannot be written: {error}", subject=path) from error


def _record(
    graph: Graph,
    query: Query,
    asked: Mapping[str, Any],
    categories: Categories,
    written: Written,
) -> Dataset:
    key = digest(
        query.text,
        asked,
        categories.versions,
        written.fingerprint,
        written.sha256,
        length=16,
    )
    dataset = Dataset(
        iri=graph.iris.dataset(key),
        title=query.name,
        media_type="application/json",
        query=query.text,
        parameters=asked,
        fingerprint=written.fingerprint,
        sha256=written.sha256,
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
