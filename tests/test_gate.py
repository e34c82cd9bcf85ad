"""The gate: shapes that mean what they say, violations of the batch alone, whole refusals."""

from __future__ import annotations

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
from lithograph.rdf import Quad, parsed, quad_of
from lithograph.rdf.quads import name, text_term, typed_term, value_of

BASE = "https://data.example.org/ca19/"
EXAMPLE = tuple(
    map(
        quad_of,
        ox.parse(
            path=str(Path(__file__).parent / "data" / "example.trig"), format=ox.RdfFormat.TRIG
        ),
    )
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


def graphs(*names: str) -> list[Quad]:
    return [quad for quad in EXAMPLE if value_of(quad[3]) in names]


def changed(quads: Iterable[Quad], subject: str, predicate: str, value: str | None) -> list[Quad]:
    """The quads with one statement's object replaced, or taken away (None)."""
    kept = []
    found = False
    for quad in quads:
        if value_of(quad[0]) != subject or quad[1] != name(predicate):
            kept.append(quad)
            continue
        found = True
        if value is not None:
            kept.append((*quad[:2], value, quad[3]))
    assert found, f"{subject} says nothing of {predicate}"
    return kept


def complaint(focus: str, severity: str = "Violation", message: str = "it is wrong") -> Violation:
    return Violation(focus, "lg:x", "XConstraintComponent", severity, message)  # type: ignore[arg-type]


def subjects(quads: Iterable[Quad]) -> set[str]:
    return {value_of(quad[0]) for quad in quads}


def statements(quads: Iterable[Quad]) -> list[str]:
    """Quads as lines of N-Triples, sorted; their graphs are left out."""
    return sorted(f"{' '.join(quad[:3])} .\n" for quad in quads)


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
    broken = changed(context, IMAGE, "schema:width", text_term("wide"))
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
    quads = changed(graphs(MODEL), PREFERRED, "lg:status", None)
    found = validate(quads, shapes)
    assert len(found) > 3
    assert validate(reversed(quads), shapes) == found
    assert list(found) == sorted(found, key=lambda v: (v.focus, v.path or "", v.component))


@pytest.mark.parametrize(
    ("value", "component"),
    [("1.10", "DatatypeConstraintComponent"), ("007.0", "DatatypeConstraintComponent")],
)
def test_lexical_forms_are_kept(value: str, component: str, shapes: Shapes) -> None:
    decimal = typed_term(value, "xsd:decimal")
    quads = changed(graphs(MODEL), PREFERRED, "lg:confidence", decimal)
    found = [v for v in validate(quads, shapes) if v.path == "lg:confidence"]
    assert [v.value for v in found if v.component == component] == [value]


@pytest.mark.parametrize(
    ("node", "predicate", "lexical", "datatype"),
    [
        (IMAGE, "schema:width", "6_336", "xsd:integer"),
        (IMAGE, "schema:width", " 6336 ", "xsd:integer"),
        (IMAGE, "schema:width", "\u0663", "xsd:integer"),
        (IMAGE, "exif:dateTimeOriginal", "2020-06-11", "xsd:dateTime"),
        (IMAGE, "exif:dateTimeOriginal", "2020-06-11 13:00:50", "xsd:dateTime"),
        (IMAGE, "exif:dateTimeOriginal", "20200611T130050", "xsd:dateTime"),
        (f"{IMPORTED}#geometry", "lg:x", "4_369.5", "xsd:double"),
        (f"{IMPORTED}#geometry", "lg:x", "inf", "xsd:double"),
    ],
)
def test_what_only_python_reads_is_no_lexical_form(
    node: str, predicate: str, lexical: str, datatype: str, shapes: Shapes
) -> None:
    """rdflib takes these, and pySHACL with it; the engine that stores them does not."""
    quads = changed(graphs(IMPORT), node, predicate, typed_term(lexical, datatype))
    found = [v for v in validate(quads, shapes, context=graphs(VERSION)) if v.focus == node]
    assert "DatatypeConstraintComponent" in {v.component for v in found if v.path == predicate}


@pytest.mark.parametrize("end", ["_:b", "<https://example.org/>", '"x"'])
def test_what_cannot_be_compared_is_refused_and_stops_nothing(end: str, shapes: Shapes) -> None:
    quads = changed(graphs(MODEL), MODEL, "prov:endedAtTime", end)
    found = validate(quads, shapes, context=graphs(VERSION, IMPORT))
    assert {(v.focus, v.path, v.component) for v in found} == {
        (MODEL, "prov:endedAtTime", "DatatypeConstraintComponent"),
        (MODEL, "prov:startedAtTime", "LessThanOrEqualsConstraintComponent"),
    }


def test_quads_that_are_no_text_are_refused(shapes: Shapes) -> None:
    """Nothing would be found in them."""
    with pytest.raises(TypeError, match="expected a quad of four terms as text, found <Quad"):
        validate(parsed(graphs(MODEL)), shapes)  # type: ignore[arg-type]


def test_an_ill_formed_literal_is_reported_without_a_traceback(
    shapes: Shapes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    day = typed_term("yesterday", "xsd:dateTime")
    quads = changed(graphs(MODEL), PREFERRED, "dcterms:created", day)
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


@pytest.mark.parametrize(("value", "found"), [("abc", 0), ("abc\n", 1), ("ab\nc", 1)])
def test_a_pattern_ends_at_the_end(read: Reader, value: str, found: int) -> None:
    """Python's $ is content with a last line end behind it; SPARQL's, which SHACL means, is not."""
    own = read(f"{SHAPE} lg:sourceId ; sh:pattern '^[a-z]+$' .")
    node = "<https://example.org/1>"
    quads = [
        (node, name("rdf:type"), name("oa:Annotation"), node),
        (node, name("lg:sourceId"), text_term(value), node),
    ]
    assert len(validate(quads, own)) == found


def test_a_triple_term_is_no_iri(read: Reader) -> None:
    own = read(f"{SHAPE} oa:hasBody ; sh:nodeKind sh:IRI .")
    node, triple = "<https://example.org/1>", "<<( <urn:a> <urn:b> <urn:c> )>>"
    quads = [
        (node, name("rdf:type"), name("oa:Annotation"), node),
        (node, name("oa:hasBody"), triple, node),
    ]
    assert [v.component for v in validate(quads, own)] == ["NodeKindConstraintComponent"]


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
    of_it = [quad for quad in graphs(MODEL) if value_of(quad[0]).startswith(ALTERNATIVE)]
    assert kept == {quad.triple for quad in parsed(of_it)}
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
    assert name("lg:alternativeOf") in {quad[1] for quad in graphs(MODEL)}
    assert name("lg:alternativeOf") not in {quad[1] for quad in admitted}
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
    assert f"<{IMAGE}>" in {quad[2] for quad in admitted}


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
    refused = [line for r in refusals for line in r.source.splitlines(keepends=True)]
    assert sorted([*statements(admitted), *refused]) == statements(quads)
    assert not (nodes & subjects(admitted))
    # Nothing that is admitted has lost a part, or points at what was refused as its ground.
    for quad in admitted:
        assert value_of(quad[0]).partition("#")[0] not in {r.path for r in refusals}
    assert partition(reversed(quads), [complaint(node) for node in nodes & here])[1] == refusals
