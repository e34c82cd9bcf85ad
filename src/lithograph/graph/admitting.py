"""A run's batches → what is written of each: known, checked, parted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from lithograph.entities import Admission, Annotation, Batch, Image, Refusal, Region, Run
from lithograph.graph import store as engine
from lithograph.rdf import (
    Iris,
    Quad,
    annotation_quads,
    image_quads,
    refusal_quads,
    region_quads,
    run_end_quads,
    run_quads,
)
from lithograph.rdf import terms as t
from lithograph.rdf.quads import TYPE, iri_term
from lithograph.rdf.terms import term

if TYPE_CHECKING:
    from lithograph.gate import Shapes


def now() -> str:
    """The time as an ``xsd:dateTime`` in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Prepared:
    """What one batch brings: quads to write, the graph to empty before, and what became of it."""

    quads: Collection[Quad]
    clear: str
    admission: Admission


class Admitting:
    """The admission of one run's batches, one after the other.

    What earlier batches brought need not be in the store yet when a later one is prepared:
    ``settle`` is called where a batch points at such a node, and must return once it is.
    """

    def __init__(
        self,
        store: ox.Store,
        iris: Iris,
        shapes: Callable[[], Shapes],
        *,
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._iris = store, iris
        self._shapes, self._settle = shapes, settle
        self._run: Run | None = None
        self._begun = self._closed = False
        self._clear = ""
        #: Images and regions that an earlier batch wrote.
        self._sent: set[str] = set()
        #: The nodes of the last batch, which may not be in the store yet, and what it said beside
        #: its annotations.
        self._last: set[str] = set()
        self._counted: set[Quad] = set()

    def prepare(self, batch: Batch) -> Prepared:
        """Hold a batch against the store and the shapes. Raises ShapesError."""
        from lithograph.gate import partition, validate

        run = self._started(batch.run)
        if self._closed:
            closed = Admission(run.iri, known=len(batch.annotations), refusals=batch.refusals)
            return Prepared((), "", closed)
        new, spoken_of = self._new(batch.annotations)
        known = len(batch.annotations) - len(new)
        images, regions = self._needed(batch, new)
        unheard = [refusal for refusal in batch.refusals if not self._was_refused(run, refusal)]
        # A model's run is worth its triples even where it found nothing: it saw the image. One
        # that was begun is ended, also where its last batch brings nothing more.
        ends = batch.closed and self._begun
        if not (new or images or unheard or run.images or ends):
            nothing = Admission(run.iri, known=known, refusals=batch.refusals)
            return Prepared((), "", nothing)
        own = [quad for annotation in new for quad in annotation_quads(annotation, run.iri)]
        beside = [
            *run_quads(replace(run, ended=None), self._iris),
            *(quad for image in images for quad in image_quads(image, run.iri)),
            *(quad for region in regions for quad in region_quads(region, run.iri)),
        ]
        quads = beside + own
        context = self._context(batch, beside, new, spoken_of)
        violations = validate(quads, self._shapes(), context=context)
        admitted, refused = partition(quads, violations)
        refusals = (*batch.refusals, *refused)
        # Where nothing is refused, what was made is what is written: millions need no set.
        kept: Collection[Quad] = admitted
        written = {quad[0] for quad in admitted}
        if refused and iri_term(run.iri) not in written:
            # The run itself was refused: only the quarantine may speak of it.
            kept, written = (), set()
        extra = [
            quad for refusal in refusals for quad in refusal_quads(refusal, run.iri, self._iris)
        ]
        if batch.closed and kept:
            extra += run_end_quads(run.iri, run.ended or now())
        added = self._count(kept, own, extra)
        brought = [image.iri for image in images] + [region.iri for region in regions]
        self._sent |= {iri for iri in brought if iri_term(iri) in written}
        self._last = written
        self._begun = self._begun or bool(kept)
        clear, self._clear = self._clear, ""
        return Prepared(
            [*kept, *extra],
            clear,
            Admission(
                run=run.iri,
                admitted=tuple(a.iri for a in new if iri_term(a.iri) in written),
                known=known,
                refusals=refusals,
                violations=violations,
                triples_added=added,
            ),
        )

    def _started(self, run: Run) -> Run:
        """The run, with the start that the graph knows of it where it was begun before."""
        if self._run is None:
            node = ox.NamedNode(run.iri)
            self._closed = engine.is_closed(self._store, run.iri)
            # What an undone run left behind goes when the run comes back.
            if engine.is_undone(self._store, run.iri):
                self._clear = run.iri
            started: Any = next(
                iter(self._store.quads_for_pattern(node, t.STARTED, None, node)), None
            )
            self._begun = started is not None
            self._run = run if started is None else replace(run, started=started.object.value)
        return replace(run, started=self._run.started)

    def _new(self, annotations: Iterable[Annotation]) -> tuple[list[Annotation], list[str]]:
        """The annotations that are not there yet, and those of them that something is said of.

        An annotation's IRI is a digest of what it is, and its parts come with it: where nothing is
        said of the annotation, nothing is said of its parts.
        """
        new, spoken_of = [], []
        met: set[str] = set()
        look = self._store.quads_for_pattern
        for annotation in annotations:
            iri = annotation.iri
            if iri in met or f"<{iri}>" in self._last:
                continue
            met.add(iri)
            if next(iter(look(ox.NamedNode(iri), None, None, None)), None) is not None:
                if engine.has_type(self._store, iri, t.ANNOTATION):
                    continue
                spoken_of.append(iri)
            new.append(annotation)
        return new, spoken_of

    def _needed(self, batch: Batch, new: list[Annotation]) -> tuple[list[Image], list[Region]]:
        """The images and regions to write: those of new annotations, and those that say more.

        What an earlier batch wrote is not written again; what was refused is refused again, with
        what stands on it.
        """
        used = {a.image for a in new} | {a.region for a in new}
        run = batch.run.iri

        def needed(iri: str, quads: Iterable[Quad]) -> bool:
            if iri in self._sent:
                return False
            return iri in used or not engine.says_all(self._store, quads)

        images = [each for each in batch.images if needed(each.iri, image_quads(each, run))]
        regions = [each for each in batch.regions if needed(each.iri, region_quads(each, run))]
        return images, regions

    def _was_refused(self, run: Run, refusal: Refusal) -> bool:
        iri = self._iris.refusal(run.iri, refusal.path, refusal.source)
        return engine.has_type(self._store, iri, term("lg:Refusal"))

    def _context(
        self,
        batch: Batch,
        beside: list[Quad],
        new: list[Annotation],
        spoken_of: Iterable[str],
    ) -> list[Quad]:
        """What is known of the nodes that the batch is about or points at: one hop."""
        run = batch.run.iri
        pointed_at = {iri for annotation in new for iri in _pointed_at(annotation)}
        # What an earlier batch wrote is known, whether the store has it yet or not.
        earlier = pointed_at & self._sent
        again = [q for each in batch.images if each.iri in earlier for q in image_quads(each, run)]
        again += [
            q for each in batch.regions if each.iri in earlier for q in region_quads(each, run)
        ]
        inside = {iri_term(annotation.iri) for annotation in new} | {quad[0] for quad in again}
        described = {quad[0] for quad in beside}
        around = {quad[2] for quad in beside if quad[2][0] == "<" and quad[1] != TYPE}
        around |= set(map(iri_term, pointed_at))
        around -= inside
        if not self._last.isdisjoint(around - described):
            self._settle()
            self._last = set()
        around |= described | set(map(iri_term, spoken_of))
        without = iri_term(self._clear) if self._clear else ""
        found = engine.neighbourhood(self._store, around, graphs=(iri_term(run),), without=without)
        return again + found

    def _count(self, kept: Collection[Quad], own: list[Quad], extra: Iterable[Quad]) -> int:
        """The quads that the store gains. Those of new annotations are all new."""
        inside = {quad[0] for quad in own}
        new = sum(quad[0] in inside for quad in kept)
        others = {quad for quad in kept if quad[0] not in inside} | set(extra)
        added = engine.count_new(self._store, others - self._counted)
        self._counted = others
        return new + added


def _pointed_at(annotation: Annotation) -> Iterator[str]:
    """The nodes outside of an annotation that it points at, its run aside."""
    yield annotation.concept
    yield annotation.image
    for other in (annotation.region, annotation.alternative_of, annotation.revision_of):
        if other is not None:
            yield other
    for candidate in annotation.candidates:
        yield candidate.concept
