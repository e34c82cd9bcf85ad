"""The graph: what is admitted is in it whole, once, and can be taken back."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest

from lithograph import resources
from lithograph.entities import (
    Agent,
    Annotation,
    Batch,
    Box,
    Image,
    Outline,
    Refusal,
    Region,
    Run,
    RunKind,
    Status,
)
from lithograph.errors import AdmissionError, GraphError, QueryError, VocabularyError
from lithograph.gate import Shapes
from lithograph.graph import Graph
from lithograph.graph.vocabularies import category_numbers, current_versions, read_vocabulary
from lithograph.rdf import Iris, annotation_quads, quarantine_graph, terms
from lithograph.vocabulary import Vocabulary

IRIS = Iris("https://data.example.org/ca19/")
SCHEME = "https://w3id.org/lithograph/notre-dame-alterations/"
TIME = "2026-01-05T10:00:00Z"
MARIE = Agent("Marie", "person")
ANNOTATIONS = "SELECT ?annotation { GRAPH ?g { ?annotation a oa:Annotation } } ORDER BY ?annotation"


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return Vocabulary.read(resources.ontology("notre-dame-alterations"))


@pytest.fixture(params=["memory", "disk"])
def graph(
    request: pytest.FixtureRequest, tmp_path: Path, words: Vocabulary, shapes: Shapes
) -> Graph:
    made = (
        Graph.in_memory(IRIS, shapes=lambda: shapes)
        if request.param == "memory"
        else Graph.open(tmp_path / "graph", IRIS, shapes=lambda: shapes)
    )
    made.load_vocabulary(words)
    return made


IMAGE = Image(IRIS.image("photo"), "photo.jpg", 100, 80, project="test")
REGION = Region(IRIS.region("019934d94efb39fa"), "019934d94efb39fa")


def run(key: str, kind: RunKind = RunKind.IMPORT, **more: object) -> Run:
    made = Run(
        iri=IRIS.run(kind, key),
        kind=kind,
        agent=Agent("file.json", "file"),
        started=TIME,
        software=("lithograph 0.1.0",),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def annotation(number: int, concept: str = "crack", origin: str = "test") -> Annotation:
    ring = ((number, 0.0), (number + 10.0, 0.0), (number + 10.0, 10.0), (number, 10.0))
    shape = Outline(((ring,),))
    return Annotation(
        iri=IRIS.annotation(origin, IMAGE.iri, shape, SCHEME + concept),
        image=IMAGE.iri,
        concept=SCHEME + concept,
        geometry=shape,
        box=Box(number, 0, 10, 10),
        area=100.0,
        created=TIME,
        region=REGION.iri,
    )


def batch(key: str, *annotations: Annotation, **more: object) -> Batch:
    made = Batch(run(key), annotations, (IMAGE,), (REGION,))
    return replace(made, **more)  # type: ignore[arg-type]


def test_what_is_admitted_comes_back(graph: Graph) -> None:
    made = annotation(1)
    admission = graph.admit(batch("a", made))
    assert admission.admitted == (made.iri,)
    assert not admission.violations
    assert graph.annotation(made.iri) == made
    assert graph.images() == (IMAGE,)
    assert graph.run(IRIS.run("import", "a")).ended is not None
    assert [r.iri for r in graph.runs()] == [IRIS.run("import", "a")]
    assert graph.annotation_counts() == {IRIS.run("import", "a"): 1}
    assert not graph.check()


def test_the_same_batch_twice_adds_no_triple(graph: Graph) -> None:
    graph.admit(batch("a", annotation(1)))
    size = len(graph)
    again = graph.admit(batch("a", annotation(1)))
    assert again.known == 1
    assert again.triples_added == 0
    other_run = graph.admit(batch("b", annotation(1)))
    assert other_run.known == 1
    assert len(graph) == size


def test_one_annotation_twice_in_a_batch_is_one(graph: Graph) -> None:
    size = len(graph)
    admission = graph.admit(batch("a", annotation(1), annotation(1)))
    assert (admission.admitted, admission.known) == ((annotation(1).iri,), 1)
    assert admission.triples_added == len(graph) - size


def test_a_second_run_brings_only_what_is_new(graph: Graph) -> None:
    graph.admit(batch("a", annotation(1)))
    admission = graph.admit(batch("b", annotation(1), annotation(2)))
    assert admission.admitted == (annotation(2).iri,)
    assert admission.known == 1


def test_what_a_shape_refuses_is_quarantined_whole_and_the_rest_goes_on(graph: Graph) -> None:
    bad = replace(annotation(2), concept="https://example.org/no-such-concept")
    admission = graph.admit(batch("a", annotation(1), bad))
    assert admission.admitted == (annotation(1).iri,)
    assert [refusal.path for refusal in admission.refusals] == [bad.iri]
    kept = graph.refusals(IRIS.run("import", "a"))
    assert len(kept) == 1
    source = kept.column("source")[0]
    stored = {" ".join(quad[:3]) for quad in annotation_quads(bad, IRIS.run("import", "a"))}
    lines = {line.removesuffix(" .") for line in source.splitlines() if line}
    assert lines == stored
    assert graph.select(ANNOTATIONS).column("annotation") == [annotation(1).iri]
    with pytest.raises(AdmissionError, match="1 refused, 1 admitted"):
        admission.raise_for_refusals()


def test_refused_records_of_a_reader_are_kept_beside(graph: Graph) -> None:
    refusal = Refusal("annotations[3]", "no category 99", '{"id":4}')
    admission = graph.admit(batch("a", annotation(1), refusals=(refusal,)))
    assert admission.refusals == (refusal,)
    row = next(iter(graph.refusals(IRIS.run("import", "a"))))
    assert row == {"path": refusal.path, "reason": refusal.reason, "source": refusal.source}
    size = len(graph)
    graph.admit(batch("a", annotation(1), refusals=(refusal,)))
    assert len(graph) == size


def test_an_open_run_is_gone_on_with_and_then_closed(graph: Graph) -> None:
    first = Batch(run("m", started=TIME), (annotation(1),), (IMAGE,), (REGION,), closed=False)
    graph.admit(first)
    assert graph.run(first.run.iri).ended is None
    later = replace(first.run, started="2026-01-06T10:00:00Z")
    graph.admit(Batch(later, (annotation(2),), closed=False))
    assert graph.run(first.run.iri).started == TIME
    graph.close(first.run.iri)
    closed = graph.admit(Batch(later, (annotation(3),), closed=False))
    assert closed.admitted == ()
    assert graph.annotation_counts() == {first.run.iri: 2}
    assert not graph.check()


def test_undo_leaves_a_tombstone_and_the_run_can_come_back(graph: Graph) -> None:
    before = len(graph)
    refusal = Refusal("annotations[3]", "no category 99", '{"id":4}')
    made = batch("a", annotation(1), refusals=(refusal,))
    graph.admit(made)
    went = graph.undo(made.run.iri, agent=MARIE)
    assert went > 0
    assert graph.select(ANNOTATIONS).column("annotation") == []
    assert graph.runs() == ()
    assert graph.is_undone(made.run.iri)
    assert len(graph.refusals(made.run.iri)) == 0
    who = graph.select(
        "SELECT ?who ?when { GRAPH ?g { ?run a lg:Tombstone ; prov:invalidatedAtTime ?when ;"
        " prov:wasAttributedTo ?who } }"
    )
    assert who.column("who") == [IRIS.agent("Marie")]
    assert len(graph) - before < 10
    graph.admit(made)
    assert not graph.is_undone(made.run.iri)
    assert graph.select(ANNOTATIONS).column("annotation") == [annotation(1).iri]


def test_a_run_that_others_build_on_is_not_undone(graph: Graph) -> None:
    graph.admit(batch("a", annotation(1)))
    revision = replace(
        annotation(1),
        iri=IRIS.annotation("review", "x", annotation(1).geometry, "y"),
        status=Status.ACCEPTED,
        revision_of=annotation(1).iri,
    )
    graph.admit(Batch(run("r", RunKind.REVIEW), (revision,)))
    with pytest.raises(GraphError, match=r"undo first: .*review-r"):
        graph.undo(IRIS.run("import", "a"), agent=MARIE)
    graph.undo(IRIS.run("review", "r"), agent=MARIE)
    graph.undo(IRIS.run("import", "a"), agent=MARIE)


def test_an_unknown_run_is_named(graph: Graph) -> None:
    with pytest.raises(GraphError, match="run/import-zzz"):
        graph.undo(IRIS.run("import", "zzz"), agent=MARIE)
    with pytest.raises(GraphError, match="run/import-zzz"):
        graph.close(IRIS.run("import", "zzz"))
    with pytest.raises(GraphError, match="annotation/zzz"):
        graph.annotation(f"{IRIS.base}annotation/zzz")


def test_no_blank_node_and_nothing_in_the_default_graph(graph: Graph) -> None:
    graph.admit(batch("a", annotation(1)))
    for quad in graph.store:
        assert not isinstance(quad.subject, ox.BlankNode)
        assert not isinstance(quad.object, ox.BlankNode)
        assert isinstance(quad.graph_name, ox.NamedNode)


def test_queries_see_the_union_of_all_graphs(graph: Graph) -> None:
    graph.admit(batch("a", annotation(1)))
    table = graph.query("SELECT ?a WHERE { ?a a oa:Annotation }")
    assert table.column("a") == [annotation(1).iri]
    assert graph.ask("ASK { ?a a oa:Annotation }")
    turtle = graph.construct("CONSTRUCT { ?a lg:status ?s } WHERE { ?a lg:status ?s }")
    assert b"lg:proposed" in turtle


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "select * { service silent <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "LOAD <file:///etc/passwd>",
        "SELECT * FROM <file:///etc/passwd> { ?s ?p ?o }",
        "DROP ALL",
        "INSERT DATA { <http://a> <http://b> <http://c> }",
        "SELECT * {",
    ],
)
def test_a_query_cannot_leave_the_graph_or_change_it(graph: Graph, text: str) -> None:
    size = len(graph)
    with pytest.raises(QueryError):
        graph.query(text)
    assert len(graph) == size


def test_forms_are_not_mixed_up(graph: Graph) -> None:
    with pytest.raises(QueryError, match="expected a SELECT"):
        graph.query("ASK { ?s ?p ?o }")
    with pytest.raises(QueryError, match="expected a CONSTRUCT"):
        graph.construct("SELECT * { ?s ?p ?o }")
    with pytest.raises(QueryError, match="expected an ASK"):
        graph.ask("SELECT * { ?s ?p ?o }")


def test_the_same_vocabulary_twice_adds_nothing_and_a_change_is_a_version(
    graph: Graph, words: Vocabulary, tmp_path: Path
) -> None:
    size = len(graph)
    first = graph.load_vocabulary(words)
    assert len(graph) == size
    text = resources.ontology("notre-dame-alterations").read_text(encoding="utf-8")
    changed_file = tmp_path / "changed.ttl"
    changed_file.write_text(text.replace('"crack"@en', '"fracture line"@en'), encoding="utf-8")
    changed = Vocabulary.read(changed_file)
    second = graph.load_vocabulary(changed)
    assert second != first
    assert current_versions(graph)[words.iri][0] == second
    assert read_vocabulary(graph, words.iri)["crack"].label("en") == "fracture line"
    back = graph.load_vocabulary(words)
    assert back not in {first, second}
    assert current_versions(graph)[words.iri][0] == back
    assert not graph.check()


def test_category_numbers_only_grow(graph: Graph, words: Vocabulary, tmp_path: Path) -> None:
    numbers = category_numbers(graph, words.iri)
    assert numbers[f"{SCHEME}lacuna"] == 8
    text = resources.ontology("notre-dame-alterations").read_text(encoding="utf-8")
    more = tmp_path / "more.ttl"
    more.write_text(
        f"{text}\n<{SCHEME}soot> a skos:Concept ; skos:prefLabel 'Soot'@en, 'Suie'@fr ;"
        f" skos:broader <{SCHEME}chromatic-alteration-and-deposit> ; skos:inScheme <{SCHEME}> .",
        encoding="utf-8",
    )
    graph.load_vocabulary(Vocabulary.read(more))
    grown = category_numbers(graph, words.iri)
    assert {iri: grown[iri] for iri in numbers} == numbers
    assert grown[f"{SCHEME}soot"] > max(numbers.values())
    # Taken out again, it keeps its number, and the next one gets another.
    graph.load_vocabulary(words)
    assert category_numbers(graph, words.iri) == grown


def test_an_unknown_scheme_is_named(graph: Graph) -> None:
    with pytest.raises(VocabularyError, match=r"example\.org/none"):
        read_vocabulary(graph, "https://example.org/none")


def test_renaming_a_concept_changes_no_annotation(
    graph: Graph, words: Vocabulary, tmp_path: Path
) -> None:
    graph.admit(batch("a", annotation(1)))
    node = ox.NamedNode(IRIS.run("import", "a"))
    before = {str(q) for q in graph.store.quads_for_pattern(None, None, None, node)}
    text = resources.ontology("notre-dame-alterations").read_text(encoding="utf-8")
    changed = tmp_path / "changed.ttl"
    changed.write_text(text.replace('"crack"@en', '"fracture line"@en'), encoding="utf-8")
    graph.load_vocabulary(Vocabulary.read(changed))
    after = {str(q) for q in graph.store.quads_for_pattern(None, None, None, node)}
    assert before == after


def test_a_graph_in_use_is_one_clear_error(tmp_path: Path) -> None:
    first = Graph.open(tmp_path / "graph", IRIS)
    with pytest.raises(GraphError, match="another process"):
        Graph.open(tmp_path / "graph", IRIS)
    assert len(first) == 0


def test_a_batch_is_in_the_graph_whole_or_not_at_all(graph: Graph) -> None:
    """A reader beside the writer sees no half batch."""
    counts: set[int] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            counts.add(len(graph.select(ANNOTATIONS)))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        graph.admit(batch("a", *(annotation(n) for n in range(20))))
    finally:
        stop.set()
        reader.join()
    assert counts <= {0, 20}


@pytest.fixture
def quarantined(graph: Graph) -> str:
    graph.admit(batch("a", annotation(1), refusals=(Refusal("x", "y", "{}"),)))
    return quarantine_graph(IRIS.run("import", "a"))


def test_no_query_takes_the_quarantine_for_annotations(graph: Graph, quarantined: str) -> None:
    node = ox.NamedNode(quarantined)
    quads = graph.store.quads_for_pattern(None, terms.TYPE, None, node)
    assert {quad.object for quad in quads} == {terms.term("lg:Refusal")}
