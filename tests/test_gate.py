"""The gate: shapes that mean what they say, violations of the batch alone, whole refusals."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lithograph import resources
from lithograph.entities import Violation
from lithograph.errors import ShapesError
from lithograph.gate import Shapes, partition, validate
from lithograph.rdf import iri_of

BASE = "https://data.example.org/ca19/"
EXAMPLE = tuple(
    ox.parse(path=str(Path(__file__).parent / "data" / "example.trig"), format=ox.RdfFormat.TRIG)
)
IMPORT = f"{BASE}run/import-1f0e9d8c7b6a5948"
MODEL = f"{BASE}run/model-77aa55cc33ee1100"
REVIEW = f"{BASE}run/review-4444333322221111"
VERSION = f"{BASE}vocabulary/notre-dame-alterations/5d1c0f3b9a27"
IMAGE = f"{BASE}image/624c06c2bc7ad-iter_ca_19_04624"
IMPORTED = f"{BASE}annotation/2b7d1f60c4e8a935b1c2d3e4"
PREFERRED = f"{BASE}annotation/aa00bb11cc22dd33ee44ff55"
ALTERNATIVE = f"{BASE}annotation/bb00bb11cc22dd33ee44ff55"
CORRECTED = f"{BASE}annotation/cc00bb11cc22dd33ee44ff55"
Reader = Callable[[str], Shapes]
PREFIXES = """
@prefix ex: <https://example.org/> .
@prefix lg: <https://w3id.org/lithograph/ns#> .
@prefix oa: <http://www.w3.org/ns/oa#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


def graphs(*names: str) -> list[ox.Quad]:
    return [quad for quad in EXAMPLE if quad.graph_name.value in names]


def changed(quads: Iterable[ox.Quad], subject: str, predicate: str, value: object) -> list[ox.Quad]:
    """The quads with one statement's object replaced, or taken away (None)."""
    kept = []
    found = False
    for quad in quads:
        if iri_of(quad.subject) != subject or not quad.predicate.value.endswith(predicate):
            kept.append(quad)
            continue
        found = True
        if value is not None:
            kept.append(ox.Quad(quad.subject, quad.predicate, value, quad.graph_name))  # type: ignore[arg-type]
    assert found, f"{subject} says nothing of {predicate}"
    return kept


def complaint(focus: str, severity: str = "Violation", message: str = "it is wrong") -> Violation:
    return Violation(focus, "lg:x", "XConstraintComponent", severity, message)  # type: ignore[arg-type]


def subjects(quads: Iterable[ox.Quad]) -> set[str]:
    return {iri_of(quad.subject) for quad in quads}


# --- reading shapes ------------------------------------------------------------------------------


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Shapes from Turtle without its prefixes, in a file of their own."""

    def from_text(text: str) -> Shapes:
        path = tmp_path / "own.ttl"
        path.write_text(PREFIXES + text, encoding="utf-8")
        return Shapes.read(path)

    return from_text


def test_the_shipped_shapes_are_well_formed_shacl() -> None:
    whole = Shapes.read(resources.shapes())
    assert whole.digest == Shapes.read().digest
    assert "annotation.ttl" in whole.names
    assert len(whole.graph) > 1000


def test_own_shapes_are_applied(read: Reader) -> None:
    own = read(
        "ex:sure a sh:NodeShape ; sh:targetClass oa:Annotation ; sh:property ex:confidence ."
        "ex:confidence a sh:PropertyShape ; sh:path lg:confidence ; sh:minCount 1 ;"
        ' sh:severity sh:Warning ; sh:message "how sure?"@en, "à quel point ?"@fr .'
    )
    found = validate(graphs(IMPORT), own)
    assert found == (
        Violation(
            focus=IMPORTED,
            path="lg:confidence",
            component="MinCountConstraintComponent",
            severity="Warning",
            message="how sure?",
            shape="https://example.org/confidence",
        ),
    )


QUERIED = "ex:s a sh:NodeShape ; sh:targetClass oa:Annotation ; sh:sparql [ sh:select"
SHAPE = "ex:s a sh:NodeShape ; sh:targetClass oa:Annotation ; sh:property ex:p . ex:p sh:path "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected SHACL shapes, found none"),
        (f"{SHAPE} oa:hasBody ; sh:minCuont 1 .", "unknown term sh:minCuont; did you mean sh:min"),
        (f"{SHAPE} oa:hasBody ; sh:nodeKind sh:IRIorLiteral .", "did you mean sh:IRIOrLiteral"),
        ("ex:s a sh:NodeShape ; sh:rule ex:r .", "unknown term sh:rule"),
        ("ex:s a sh:NodeShape ; sh:targetClass oa:Anotation .", "oa:Anotation is no term"),
        ("ex:s a sh:NodeShape ; sh:targetClass lg:Regoin .", "lg:Regoin is no term"),
        ("ex:s a sh:NodeShape ; sh:targetClass prov:Activty .", "prov:Activty is no term"),
        ("ex:s a sh:NodeShape ; sh:targetClass ex:Thing .", "expected a class of the graph model"),
        (f"{SHAPE} oa:hasBody ; sh:class ex:Thing .", "expected a class of the graph model"),
        ("ex:s a sh:NodeShape ; sh:targetSubjectsOf lg:cofidence .", "lg:cofidence is no term"),
        (f"{SHAPE} lg:cofidence ; sh:minCount 1 .", "lg:cofidence is no term"),
        (f"{SHAPE} lg:x ; sh:datatype xsd:dubble .", "xsd:dubble is no term"),
        (f"{SHAPE} lg:path ; sh:pattern '(' .", "is no regular expression"),
        (f"{SHAPE} lg:path ; sh:pattern 'a(?=b)' .", "the engine cannot read it"),
        (f"{SHAPE} lg:path . ex:q a sh:NodeShape ; sh:closed true .", "ex.*q has no target"),
        (f"{SHAPE} oa:hasBody ; sh:minCount 'one' .", "not well-formed SHACL: .*p"),
        (f"{SHAPE} oa:hasBody , oa:hasTarget .", "not well-formed SHACL"),
        ("<> owl:imports <https://example.org/shapes> .", "owl:imports is not followed"),
        ("ex:s a sh:NodeShape ; sh:targetClass", "cannot be read as Turtle"),
        (
            f"{QUERIED} 'SELECT $this {{ SERVICE <https://example.org/> {{ $this ?p ?o }} }}' ] .",
            "SERVICE would call another server",
        ),
        (f"{QUERIED} 'SELECT $this {{ $this ?p }}' ] .", "a query is not SPARQL 1.1"),
    ],
)
def test_shapes_that_would_let_everything_pass_are_refused(
    text: str,
    message: str,
    read: Reader,
    tmp_path: Path,
) -> None:
    with pytest.raises(ShapesError, match=message) as caught:
        read(text)
    assert caught.value.subject == str(tmp_path / "own.ttl")


@pytest.mark.parametrize(
    "text",
    [
        "ex:Thing a rdfs:Class . ex:s a sh:NodeShape ; sh:targetClass ex:Thing ; sh:closed true .",
        "ex:Thing a rdfs:Class, sh:NodeShape ; sh:nodeKind sh:IRI .",
        "ex:s a sh:NodeShape ; sh:targetSubjectsOf ex:whatever ; sh:nodeKind sh:IRI .",
        "ex:s a sh:NodeShape ; sh:targetNode ex:one ; sh:not [ sh:class oa:Annotation ] .",
    ],
)
def test_sound_shapes_of_other_vocabularies_are_read(text: str, read: Reader) -> None:
    assert read(text).names == ("own.ttl",)


def test_a_folder_is_read_whole_and_a_fault_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.ttl").write_text(f"{PREFIXES}{SHAPE} oa:hasBody .", encoding="utf-8")
    first = Shapes.read(tmp_path)
    (tmp_path / "b.ttl").write_text(
        f"{PREFIXES} ex:t a sh:NodeShape ; sh:targetClass oa:Anotation .", encoding="utf-8"
    )
    with pytest.raises(ShapesError, match="Anotation") as caught:
        Shapes.read(tmp_path)
    assert caught.value.subject == str(tmp_path / "b.ttl")
    (tmp_path / "b.ttl").write_text("# nothing\n", encoding="utf-8")
    assert Shapes.read(tmp_path).names == ("a.ttl", "b.ttl")
    assert Shapes.read(tmp_path).digest != first.digest


def test_a_missing_file_is_a_shapes_error(tmp_path: Path) -> None:
    with pytest.raises(ShapesError, match="cannot be read"):
        Shapes.read(tmp_path / "none.ttl")


# --- validating ----------------------------------------------------------------------------------


def test_nothing_is_found_in_nothing(shapes: Shapes) -> None:
    assert validate([], shapes) == ()


def test_a_batch_needs_its_context_and_gets_no_complaint_about_it(shapes: Shapes) -> None:
    batch, context = graphs(REVIEW), graphs(VERSION, IMPORT, MODEL)
    alone = validate(batch, shapes)
    assert {(v.path, v.component) for v in alone if v.focus == CORRECTED} == {
        ("oa:hasBody", "ClassConstraintComponent"),
        ("prov:wasRevisionOf", "ClassConstraintComponent"),
    }
    assert validate(batch, shapes, context=context) == ()
    broken = changed(context, IMAGE, "width", ox.Literal("wide"))
    assert validate(batch, shapes, context=broken) == ()
    assert IMAGE in {v.focus for v in validate([*batch, *broken], shapes)}


def test_what_a_context_adds_to_a_node_of_the_batch_counts(shapes: Shapes) -> None:
    """A later run that finds the file says only its digest; the import said its size."""
    later = graphs(f"{BASE}run/images-0f0f0f0f0f0f0f0f")
    assert {v.path for v in validate(later, shapes)} == {
        "schema:name",
        "schema:width",
        "schema:height",
    }
    assert validate(later, shapes, context=graphs(IMPORT)) == ()


def test_violations_come_in_one_order(shapes: Shapes) -> None:
    quads = changed(graphs(MODEL), PREFERRED, "status", None)
    found = validate(quads, shapes)
    assert len(found) > 3
    assert validate(reversed(quads), shapes) == found
    assert list(found) == sorted(found, key=lambda v: (v.focus, v.path or "", v.component))


@pytest.mark.parametrize(
    ("value", "component"),
    [("1.10", "DatatypeConstraintComponent"), ("007.0", "DatatypeConstraintComponent")],
)
def test_lexical_forms_are_kept(value: str, component: str, shapes: Shapes) -> None:
    decimal = ox.Literal(value, datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#decimal"))
    quads = changed(graphs(MODEL), PREFERRED, "confidence", decimal)
    found = [v for v in validate(quads, shapes) if v.path == "lg:confidence"]
    assert [v.value for v in found if v.component == component] == [value]


def test_an_ill_formed_literal_is_reported_without_a_traceback(
    shapes: Shapes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    day = ox.Literal(
        "yesterday", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#dateTime")
    )
    quads = changed(graphs(MODEL), PREFERRED, "created", day)
    found = validate(quads, shapes, context=graphs(VERSION, IMPORT))
    assert [(v.focus, v.path, v.value) for v in found] == [
        (PREFERRED, "dcterms:created", "yesterday")
    ]
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_a_failure_that_pyshacl_returns_is_raised(read: Reader) -> None:
    """SHACL-SPARQL forbids MINUS; pySHACL says so by returning an exception as its report."""
    own = read(f"{QUERIED} 'SELECT $this {{ $this ?p ?o MINUS {{ $this ?q 1 }} }}' ] .")
    with pytest.raises(ShapesError, match="MINUS"):
        validate(graphs(IMPORT), own)


# --- parting -------------------------------------------------------------------------------------


def test_without_violations_everything_is_admitted() -> None:
    quads = graphs(MODEL)
    assert partition(quads, []) == (quads, ())


@pytest.mark.parametrize("severity", ["Warning", "Info"])
def test_warnings_refuse_nothing(severity: str) -> None:
    assert partition(graphs(MODEL), [complaint(PREFERRED, severity)])[1] == ()


def test_a_fault_of_a_part_refuses_its_annotation_whole() -> None:
    admitted, (refusal,) = partition(graphs(MODEL), [complaint(f"{ALTERNATIVE}#box")])
    assert not {s for s in subjects(admitted) if s.startswith(ALTERNATIVE)}
    assert (refusal.path, refusal.reason) == (ALTERNATIVE, "lg:x: it is wrong")
    assert refusal.source_format == "n-triples"
    kept = {quad.triple for quad in ox.parse(refusal.source, format=ox.RdfFormat.N_TRIPLES)}
    assert kept == {q.triple for q in graphs(MODEL) if iri_of(q.subject).startswith(ALTERNATIVE)}
    assert len(admitted) + len(kept) == len(graphs(MODEL))


def test_reasons_are_told_once_and_all() -> None:
    found = [
        complaint(PREFERRED),
        complaint(f"{PREFERRED}#box"),
        complaint(PREFERRED, message="no"),
    ]
    _, (refusal,) = partition(graphs(MODEL), found)
    assert refusal.reason == "lg:x: it is wrong; lg:x: no"


def test_an_alternative_of_a_refused_annotation_only_loses_the_link() -> None:
    admitted, (refusal,) = partition(graphs(MODEL), [complaint(PREFERRED)])
    assert refusal.path == PREFERRED
    assert ALTERNATIVE in subjects(admitted)
    assert not [quad for quad in admitted if quad.predicate.value.endswith("alternativeOf")]
    assert f"<{ALTERNATIVE}> <https://w3id.org/lithograph/ns#alternativeOf>" in refusal.source


def test_a_revision_of_a_refused_annotation_is_refused() -> None:
    admitted, refusals = partition(graphs(MODEL, REVIEW), [complaint(ALTERNATIVE)])
    assert [refusal.path for refusal in refusals] == [ALTERNATIVE, CORRECTED]
    assert refusals[1].reason == (f"it needs {ALTERNATIVE}, which was refused: lg:x: it is wrong")
    assert {PREFERRED, MODEL, REVIEW} <= subjects(admitted)


@pytest.mark.parametrize("node", [IMAGE, f"{BASE}region/019934d94efb39fa", f"{BASE}layer/0199"])
def test_what_stands_on_a_refused_image_or_region_is_refused_the_run_is_not(node: str) -> None:
    admitted, refusals = partition(graphs(IMPORT), [complaint(node)])
    assert {node, IMPORTED} <= {refusal.path for refusal in refusals}
    assert IMPORT in subjects(admitted)
    assert IMPORTED not in subjects(admitted)


def test_annotations_of_an_image_described_elsewhere_stand() -> None:
    """A model run says which images it used, described in another run's graph."""
    admitted, refusals = partition(graphs(MODEL), [complaint(ALTERNATIVE)])
    assert [refusal.path for refusal in refusals] == [ALTERNATIVE]
    assert any(quad.object == ox.NamedNode(IMAGE) for quad in admitted)


@pytest.mark.parametrize(
    "node",
    [
        MODEL,
        f"{MODEL}#prompt-1",
        f"{BASE}agent/lithograph",
        f"{BASE}implementation/labeller-f5e4d3c2b1a0",
        f"{BASE}model/0a1b2c3d4e5f",
    ],
)
def test_a_fault_of_a_run_or_of_what_it_needs_refuses_everything(node: str) -> None:
    admitted, refusals = partition(graphs(MODEL), [complaint(node)])
    assert admitted == []
    assert {MODEL, PREFERRED, ALTERNATIVE} <= {refusal.path for refusal in refusals}
    assert {refusal.path for refusal in refusals} <= {MODEL, PREFERRED, ALTERNATIVE, node}


def test_images_of_a_refused_run_are_kept_too() -> None:
    _, refusals = partition(graphs(IMPORT), [complaint(IMPORT)])
    assert {IMAGE, IMPORTED, IMPORT} <= {refusal.path for refusal in refusals}
    assert sum(refusal.source.count("\n") for refusal in refusals) == len(graphs(IMPORT))


def test_a_vocabulary_version_is_refused_whole() -> None:
    crack = "https://w3id.org/lithograph/notre-dame-alterations/crack"
    admitted, (refusal,) = partition(graphs(VERSION), [complaint(crack)])
    assert admitted == []
    assert refusal.path == VERSION
    assert refusal.source.count("\n") == len(graphs(VERSION))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sets(st.sampled_from(sorted(subjects(EXAMPLE))), max_size=4),
    st.sets(st.sampled_from([IMPORT, MODEL, REVIEW, VERSION]), min_size=1),
)
def test_every_quad_is_admitted_or_refused_never_both(nodes: set[str], runs: set[str]) -> None:
    quads = graphs(*runs)
    here = subjects(quads)
    admitted, refusals = partition(quads, [complaint(node) for node in sorted(nodes & here)])
    sources = [ox.parse(r.source, format=ox.RdfFormat.N_TRIPLES) for r in refusals]
    refused = [quad.triple for quad in itertools.chain.from_iterable(sources)]
    whole = sorted(str(quad.triple) for quad in quads)
    assert sorted(str(t) for t in [*(quad.triple for quad in admitted), *refused]) == whole
    assert not (nodes & subjects(admitted))
    # Nothing that is admitted has lost a part, or points at what was refused as its ground.
    for quad in admitted:
        assert iri_of(quad.subject).partition("#")[0] not in {r.path for r in refusals}
    assert partition(reversed(quads), [complaint(node) for node in nodes & here])[1] == refusals
