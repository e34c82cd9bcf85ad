"""The knowledge graph of a workspace: admit, query, undo a run.

The engine is pyoxigraph, on disk or in memory. What is written is written in one transaction: a
batch is in the graph whole, or not at all. Reading sees the state of its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from lithograph.entities import (
    Admission,
    Agent,
    Annotation,
    Batch,
    Dataset,
    Image,
    Run,
    Violation,
)
from lithograph.errors import GraphError, QueryError
from lithograph.graph import store as engine
from lithograph.graph.admitting import Admitting, now
from lithograph.graph.checking import parts_of
from lithograph.graph.table import Table
from lithograph.rdf import (
    IMAGE_PREDICATES,
    PREFIXES,
    Iris,
    annotation_from_quads,
    dataset_quads,
    images_from_quads,
    iri_of,
    quarantine_graph,
    run_end_quads,
    run_from_quads,
    run_quads,
    tombstone_quads,
)
from lithograph.rdf import terms as t
from lithograph.rdf.terms import term

if TYPE_CHECKING:
    from lithograph.gate import Shapes
    from lithograph.queries import Query
    from lithograph.vocabulary import Vocabulary


class Graph:
    """A knowledge graph in a pyoxigraph store.

    ``Graph.open(path, iris)`` opens it on disk (one process at a time writes),
    ``Graph.in_memory(iris)`` makes an empty one.
    """

    def __init__(
        self, store: ox.Store, iris: Iris, shapes: Callable[[], Shapes], *, on_disk: bool = False
    ) -> None:
        self.store = store
        self.iris = iris
        #: Where the store is: what is quick in memory is not on disk.
        self.on_disk = on_disk
        self._read_shapes = shapes

    @classmethod
    def open(cls, path: Path, iris: Iris, *, shapes: Callable[[], Shapes] | None = None) -> Graph:
        """Open or make the graph on disk at ``path``.

        Raises GraphError where another process holds it or the folder is no store.
        """
        try:
            store = ox.Store(str(path))
        except OSError as error:
            raise GraphError(
                f"graph {path.name}: cannot be opened, perhaps because another process uses it "
                f"({error})",
                subject=path.name,
            ) from error
        return cls(store, iris, shapes or _shipped_shapes, on_disk=True)

    @classmethod
    def in_memory(cls, iris: Iris, *, shapes: Callable[[], Shapes] | None = None) -> Graph:
        """An empty graph in memory."""
        return cls(ox.Store(), iris, shapes or _shipped_shapes, on_disk=False)

    @cached_property
    def shapes(self) -> Shapes:
        """The shapes that decide what enters, read and checked when first needed."""
        return self._read_shapes()

    def __len__(self) -> int:
        """Number of triples, in all graphs."""
        return len(self.store)

    # -- writing ---------------------------------------------------------------------------

    def admit(self, batch: Batch) -> Admission:
        """Let a batch through the gate and write what it admits, all of it or nothing.

        Annotations that the graph already has are counted as known and not written again, nor
        are images and regions that no new annotation needs; a run that brings nothing new leaves
        no triple. What the shapes refuse goes, whole, into the run's quarantine graph. A batch for
        a closed run is all known. Raises ShapesError where the shapes themselves are at fault.
        """
        prepared = self._admitting().prepare(batch)
        engine.write(self.store, prepared.quads, clear=prepared.clear)
        return prepared.admission

    def admit_all(self, batches: Iterable[Batch]) -> Admission:
        """Admit the batches of one run, one after the other; returns the sum of the admissions.

        Each batch is in the graph whole or not at all, as :meth:`admit` has it, and a batch may
        point at what earlier ones brought. The engine writes one while the next is read and
        checked, so the memory is that of two. What stops half way leaves the run open, without
        what came later: admitting the same again goes on where it stopped. When this returns, all
        of it is on disk.
        """
        total: Admission | None = None
        with ThreadPoolExecutor(max_workers=1) as writer:
            waiting: Future[None] | None = None

            def settle() -> None:
                nonlocal waiting
                if waiting is not None:
                    waiting.result()
                    waiting = None

            admitting = self._admitting(settle)
            for batch in batches:
                prepared = admitting.prepare(batch)
                settle()
                if prepared.quads:
                    waiting = writer.submit(
                        engine.write, self.store, prepared.quads, clear=prepared.clear
                    )
                one = prepared.admission
                total = one if total is None else total + one
            settle()
        if total is None:
            raise ValueError("admit_all: expected at least one batch, found none")
        self.store.flush()
        return total

    def _admitting(self, settle: Callable[[], None] = lambda: None) -> Admitting:
        return Admitting(self.store, self.iris, lambda: self.shapes, settle=settle)

    def close(self, run: str, ended: str | None = None) -> None:
        """Close an open run: it never changes again. A closed run stays as it is."""
        if not engine.has_type(self.store, run, term("prov:Activity")):
            raise GraphError(f"{run}: expected a run, found none", subject=run)
        if not self.is_closed(run):
            engine.write(self.store, list(run_end_quads(run, ended or now())))

    def undo(self, run: str, *, agent: Agent) -> int:
        """Take a run out of the graph, with its quarantine; a tombstone says who did it and when.

        Returns the number of triples that went. Raises GraphError where there is no such run, or
        where other runs build on what only this one brought: they are named, to be undone first.
        """
        if not engine.has_type(self.store, run, term("prov:Activity")):
            raise GraphError(f"{run}: expected a run of this graph, found none", subject=run)
        dependants = engine.dependants(self.store, run)
        if dependants:
            listed = ", ".join(dependants)
            raise GraphError(
                f"{run}: cannot be undone while other runs build on it; undo first: {listed}",
                subject=run,
            )
        tombstone = tombstone_quads(run, agent, now(), self.iris)
        return engine.empty(self.store, [run, quarantine_graph(run)], tombstone)

    def load_vocabulary(self, vocabulary: Vocabulary) -> str:
        """Make the vocabulary's version the current one of its scheme; returns the version's IRI.

        The same content as the current version adds nothing. Concepts without a category number
        get one above all that the scheme ever had: numbers only grow.
        """
        from lithograph.graph.vocabularies import version_quads

        version, quads = version_quads(self, vocabulary, created=now())
        engine.write(self.store, quads)
        return version

    def record_export(self, run: Run, dataset: Dataset) -> None:
        """Write an export and its run, in one transaction; one recorded before adds nothing."""
        if not self.is_closed(run.iri):
            engine.write(self.store, [*run_quads(run, self.iris), *dataset_quads(dataset, run)])

    # -- reading ---------------------------------------------------------------------------

    def query(
        self, query: Query | str, parameters: Mapping[str, object] | None = None, **named: object
    ) -> Table:
        """Ask a SELECT: a shipped query by name, a :class:`~lithograph.queries.Query`, or its text.

        Parameters are bound as terms, never put into the text. Queries without ``GRAPH`` see the
        union of all graphs. Raises QueryError where the query is unknown, may not run (SERVICE,
        updates, datasets from outside), or lacks a parameter.
        """
        found = self._query(query)
        results = self._ask(found, {**(parameters or {}), **named})
        if not isinstance(results, ox.QuerySolutions):
            raise QueryError(
                f"query {found.name}: expected a SELECT, found {found.form}; "
                "use construct() or ask()",
                subject=found.name,
            )
        columns = tuple(variable.value for variable in results.variables)
        return Table(columns, [tuple(solution) for solution in results])

    def construct(
        self, query: Query | str, parameters: Mapping[str, object] | None = None
    ) -> bytes:
        """Ask a CONSTRUCT or DESCRIBE; the answer as Turtle, with the usual prefixes."""
        found = self._query(query)
        results = self._ask(found, parameters or {})
        if not isinstance(results, ox.QueryTriples):
            raise QueryError(
                f"query {found.name}: expected a CONSTRUCT or DESCRIBE, found {found.form}",
                subject=found.name,
            )
        triples = sorted(set(results), key=str)
        return ox.serialize(triples, format=ox.RdfFormat.TURTLE, prefixes=PREFIXES) or b""

    def ask(self, query: Query | str, parameters: Mapping[str, object] | None = None) -> bool:
        """Ask an ASK."""
        found = self._query(query)
        results = self._ask(found, parameters or {})
        if not isinstance(results, ox.QueryBoolean):
            raise QueryError(
                f"query {found.name}: expected an ASK, found {found.form}", subject=found.name
            )
        return bool(results)

    def select(self, text: str, **terms: ox.NamedNode | ox.Literal) -> Table:
        """Our own SELECTs, with terms bound to variables; no guard, no parameters declared."""
        from lithograph.queries.binding import bind_terms

        results: Any = self.store.query(bind_terms(text, terms), prefixes=PREFIXES)
        columns = tuple(variable.value for variable in results.variables)
        return Table(columns, [tuple(solution) for solution in results])

    def _query(self, query: Query | str) -> Query:
        from lithograph import queries

        if not isinstance(query, str):
            return query
        return queries.find(query) if queries.is_shipped(query) else queries.Query.parse(query)

    def _ask(self, query: Query, parameters: Mapping[str, object]) -> Any:
        from lithograph import queries

        queries.guard(query.text)
        # A concept, an image, a run stand for their IRIs.
        plain = {name: str(getattr(value, "iri", value)) for name, value in parameters.items()}
        try:
            return self.store.query(
                query.bind(plain), prefixes=PREFIXES, use_default_graph_as_union=True
            )
        except (SyntaxError, ValueError, OSError, RuntimeError) as error:
            raise QueryError(f"query {query.name}: {error}", subject=query.name) from error

    def annotation(self, iri: str) -> Annotation:
        """One annotation, whole. GraphError where there is none."""
        return annotation_from_quads(iri, engine.quads_of(self.store, iri))

    def images(self) -> tuple[Image, ...]:
        """Every image that the graph knows, in IRI order, from what all runs say of it."""
        pattern = self.store.quads_for_pattern
        iris = {iri_of(quad.subject) for quad in pattern(None, t.TYPE, t.IMAGE, None)}
        # Predicate by predicate, where it is almost only images that have it: to search image by
        # image takes three times as long.
        said = (quad for each in IMAGE_PREDICATES for quad in pattern(None, each, None, None))
        named = (q for iri in iris for q in pattern(ox.NamedNode(iri), t.SOURCE_ID, None, None))
        return images_from_quads(iris, chain(said, named))

    def run(self, iri: str) -> Run:
        """One run. GraphError where there is none."""
        return run_from_quads(
            iri, self.store.quads_for_pattern(None, None, None, ox.NamedNode(iri))
        )

    def runs(self) -> tuple[Run, ...]:
        """Every run, oldest first."""
        found = {
            iri_of(quad.subject)
            for quad in self.store.quads_for_pattern(None, t.TYPE, term("prov:Activity"), None)
        }
        return tuple(sorted(map(self.run, found), key=lambda run: (run.started, run.iri)))

    def annotation_counts(self) -> dict[str, int]:
        """Run IRI → how many annotations it brought."""
        table = self.select(
            "SELECT ?run (COUNT(?annotation) AS ?count) WHERE {"
            " GRAPH ?run { ?annotation a oa:Annotation } } GROUP BY ?run"
        )
        return {row["run"]: row["count"] for row in table}

    def refusals(self, run: str) -> Table:
        """What a run refused: path, reason and the refused content."""
        return self.select(
            "SELECT ?path ?reason ?source WHERE { GRAPH ?quarantine { ?refusal a lg:Refusal ;"
            " lg:path ?path ; lg:reason ?reason ; lg:source ?source } } ORDER BY ?path ?refusal",
            quarantine=ox.NamedNode(quarantine_graph(run)),
        )

    def check(self) -> tuple[Violation, ...]:
        """Every complaint of the shapes about the whole graph, run by run, in bounded memory."""
        from lithograph.gate import validate

        found: list[Violation] = []
        for graph in sorted(self.store.named_graphs(), key=str):
            for quads, context in parts_of(self.store, graph):
                found.extend(validate(quads, self.shapes, context=context))
        return tuple(found)

    def is_closed(self, run: str) -> bool:
        """Whether a run has ended."""
        return engine.is_closed(self.store, run)

    def is_undone(self, run: str) -> bool:
        """Whether a run was undone."""
        return engine.is_undone(self.store, run)


def _shipped_shapes() -> Shapes:
    from lithograph.gate import Shapes

    return Shapes.read()
