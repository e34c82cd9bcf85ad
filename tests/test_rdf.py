from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithograph.entities import (
    Agent,
    Annotation,
    Box,
    Candidate,
    Dataset,
    Image,
    Mask,
    Model,
    Outline,
    PromptUsed,
    Refusal,
    Region,
    Run,
    RunKind,
    Status,
)
from lithograph.errors import GraphError
from lithograph.rdf import (
    Iris,
    Quad,
    annotation_from_quads,
    annotation_quads,
    dataset_quads,
    image_quads,
    images_from_quads,
    parsed,
    quarantine_graph,
    refusal_quads,
    region_quads,
    run_from_quads,
    run_quads,
    vocabulary_quads,
)
from lithograph.rdf.quads import name

BASE = "https://data.example.org/ca19/"
IRIS = Iris(BASE)
EXAMPLE = Path(__file__).parent / "data" / "example.trig"
ND = "https://w3id.org/lithograph/notre-dame-alterations/"
SCHEME_VERSION = f"{BASE}vocabulary/notre-dame-alterations/5d1c0f3b9a27"


def example(graph: str) -> set[str]:
    """The triples of one graph of the example, doubles in one form."""
    store = ox.Store()
    store.load(path=EXAMPLE, format=ox.RdfFormat.TRIG)
    node = ox.NamedNode(BASE + graph)
    return {str(quad) for quad in store.quads_for_pattern(None, None, None, node)}


def stored(quads: Iterable[Quad]) -> set[str]:
    store = ox.Store()
    store.extend(parsed(quads))
    return {str(quad) for quad in store}


IMAGE = f"{BASE}image/624c06c2bc7ad-iter_ca_19_04624"


def test_an_import_is_written_as_the_model_says() -> None:
    run = Run(
        iri=f"{BASE}run/import-1f0e9d8c7b6a5948",
        kind=RunKind.IMPORT,
        agent=Agent("ca19-aioli-coco.json", "file"),
        started="2026-01-05T10:00:00Z",
        ended="2026-01-05T10:00:02Z",
        name="ca19-aioli-coco.json",
        vocabulary_versions=(SCHEME_VERSION,),
        parameters={
            "source": "624c06c2bc7ad",
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        },
        software=("lithograph 0.1.0",),
    )
    image = Image(
        iri=IMAGE,
        name="ITER_ca_19_04624.jpg",
        width=6336,
        height=9504,
        content_url="https://media.example.org/Images/ITER_ca_19_04624.JPG",
        licence="https://creativecommons.org/licenses/by/4.0/",
        captured="2020-06-11T13:00:50",
        source_id="39435100101575257789575821898628447731927250984",
        project="624c06c2bc7ad",
    )
    region = Region(
        iri=IRIS.region("019934d94efb39fa"),
        identifier="019934d94efb39fa",
        layer=IRIS.layer("0199"),
        layer_name="lacunes",
        barycentre=(1.0, 2.0, 3.0),
        mean_normal=(0.0, 0.0, 1.0),
        geometry_file="https://media.example.org/propagated/019934d94efb39fa/Prop.ply",
    )
    ring = ((4369.5, 5783.5), (4881.7, 5783.5), (4881.7, 6074.2))
    annotation = Annotation(
        iri=f"{BASE}annotation/2b7d1f60c4e8a935b1c2d3e4",
        image=IMAGE,
        concept=f"{ND}lacuna",
        geometry=Outline(((ring,),)),
        box=Box(4369.5, 5783.5, 512.2, 290.7),
        area=74448.0,
        created="2026-01-05T10:00:00Z",
        status=Status.ACCEPTED,
        region=region.iri,
        source_id="6708372542194208765605262249071277104351621160775136",
    )
    written = [
        *run_quads(run, IRIS),
        *image_quads(image, run.iri),
        *region_quads(region, run.iri),
        *annotation_quads(annotation, run.iri),
    ]
    assert stored(written) == example("run/import-1f0e9d8c7b6a5948")
    read = parsed(written)
    assert run_from_quads(run.iri, read) == run
    assert images_from_quads([image.iri], read) == (image,)
    assert annotation_from_quads(annotation.iri, read) == annotation
    refusal = Refusal(
        "annotations[3].segmentation[0]",
        "expected an even count of at least 6 numbers, found 13",
        '{"id": 12, "segmentation": [[1, 2, 3]]}',
    )
    quarantined = stored(refusal_quads(refusal, run.iri, IRIS))
    expected = example("run/import-1f0e9d8c7b6a5948/quarantine")
    # The key of a refusal is a digest; everything else is the same.
    assert {q.split(" ", 1)[1] for q in quarantined} == {q.split(" ", 1)[1] for q in expected}
    assert quarantine_graph(run.iri).endswith("/quarantine")


def test_a_model_run_is_written_as_the_model_says() -> None:
    iri = f"{BASE}run/model-77aa55cc33ee1100"
    sam, clip = "0a1b2c3d4e5f" * 5 + "0a1b", "f5e4d3c2b1a0" * 5 + "f5e4"
    run = Run(
        iri=iri,
        kind=RunKind.MODEL,
        agent=Agent("lithograph"),
        started="2026-01-06T10:00:00Z",
        ended="2026-01-06T10:10:00Z",
        vocabulary_versions=(SCHEME_VERSION,),
        parameters={"leaf_threshold": 0.5, "segmenter": "facebook/sam-vit-base"},
        software=("lithograph 0.1.0", "torch 2.9.0", "transformers 5.0.0"),
        models=(
            Model(
                "facebook/sam-vit-base",
                "sam",
                sam,
                "segmenter",
                "https://www.apache.org/licenses/LICENSE-2.0",
            ),
            Model("openai/clip-vit-base-patch32", "clip", clip, "labeller"),
        ),
        prompts=(
            PromptUsed(f"{ND}crack", "a photograph of Crack on a stone wall", "en"),
            PromptUsed(f"{ND}lacuna", "a photograph of Lacuna on a stone wall", "en"),
        ),
        images=(IMAGE,),
    )
    crack = Annotation(
        iri=f"{BASE}annotation/aa00bb11cc22dd33ee44ff55",
        image=IMAGE,
        concept=f"{ND}crack",
        geometry=Mask(9504, 6336, "03mX90P^S]i1"),
        box=Box(0, 0, 2, 3),
        area=6.0,
        created="2026-01-06T10:00:00Z",
        confidence=0.81,
        mask_quality=1.02,
        candidates=(Candidate(f"{ND}crack", 0.81), Candidate(f"{ND}lacuna", 0.12)),
    )
    quads = [*run_quads(run, IRIS), *annotation_quads(crack, iri)]
    ours, theirs = stored(quads), example("run/model-77aa55cc33ee1100")
    # The example shortens the keys of models; the other annotation is not made here.
    relevant = {q for q in theirs if "bb00bb11" not in q and "/model/" not in q}
    relevant = {q for q in relevant if "/implementation/" not in q}
    assert relevant <= ours
    assert annotation_from_quads(crack.iri, parsed(quads)) == crack
    names = {value for _, predicate, value, _ in quads if predicate == name("schema:sha256")}
    assert names == {f'"{sam}"', f'"{clip}"'}


def test_an_export_is_written_as_the_model_says() -> None:
    key = "8888777766665555"
    run = Run(
        iri=f"{BASE}run/export-{key}",
        kind=RunKind.EXPORT,
        agent=Agent("lithograph"),
        started="2026-01-08T10:00:00Z",
        ended="2026-01-08T10:00:01Z",
        vocabulary_versions=(SCHEME_VERSION,),
        software=("lithograph 0.1.0",),
    )
    dataset = Dataset(
        iri=IRIS.dataset(key),
        title="accepted-or-confident",
        media_type="application/json",
        query="SELECT ?annotation WHERE { GRAPH ?run { ?annotation a "
        "<http://www.w3.org/ns/oa#Annotation> } }",
        parameters={"min_confidence": 0.6},
        fingerprint="c0ffee00" * 8,
        sha256="00c0ffee" * 8,
    )
    written = stored([*run_quads(run, IRIS), *dataset_quads(dataset, run)])
    assert written == example(f"run/export-{key}")


def test_blank_nodes_of_a_vocabulary_get_iris_of_the_version() -> None:
    node = ox.BlankNode("c14n0")
    triples = [
        ox.Triple(ox.NamedNode(f"{ND}crack"), ox.NamedNode("http://x/note"), node),
        ox.Triple(node, ox.NamedNode("http://x/text"), ox.Literal("hello")),
    ]
    quads = list(
        vocabulary_quads(
            triples,
            version=SCHEME_VERSION,
            scheme=ND,
            sha256="0" * 64,
            created="2026-01-01T00:00:00Z",
        )
    )
    assert not [quad for quad in quads if "_" in {quad[0][0], quad[2][0]}]
    node_iri = f"<{SCHEME_VERSION}#node-c14n0>"
    assert [quad[:3] for quad in quads[:2]] == [
        (f"<{ND}crack>", "<http://x/note>", node_iri),
        (node_iri, "<http://x/text>", '"hello"'),
    ]


numbers = st.floats(-1e5, 1e5, allow_nan=False)
shares = st.floats(0, 1)
rings = st.lists(st.tuples(numbers, numbers), min_size=3, max_size=6).map(tuple)
outlines = st.lists(st.lists(rings, min_size=1, max_size=2).map(tuple), min_size=1, max_size=2)
iri_texts = st.text("abcdef0123456789", min_size=1, max_size=8)


@st.composite
def any_annotation(draw: st.DrawFn) -> Annotation:
    iri = f"{BASE}annotation/{draw(iri_texts)}"
    maybe_iri = st.none() | iri_texts.map(lambda text: f"{BASE}annotation/x{text}")
    return Annotation(
        iri=iri,
        image=IMAGE,
        concept=f"{ND}{draw(iri_texts)}",
        geometry=draw(
            outlines.map(lambda polygons: Outline(tuple(polygons)))
            | st.sampled_from([Mask(3, 4, "04T1"), Mask(9504, 6336, "03mX90P^S]i1")])
        ),
        box=Box(
            draw(numbers), draw(numbers), draw(st.floats(0.001, 1e5)), draw(st.floats(0.001, 1e5))
        ),
        area=draw(st.floats(0, 1e9)),
        created="2026-01-06T10:00:00Z",
        status=draw(st.sampled_from(Status)),
        confidence=draw(st.none() | shares),
        mask_quality=draw(st.none() | st.floats(0, 2)),
        candidates=tuple(
            Candidate(f"{ND}{name}", share)
            for name, share in draw(st.lists(st.tuples(iri_texts, shares), max_size=12))
        ),
        region=draw(st.none() | iri_texts.map(IRIS.region)),
        alternative_of=draw(maybe_iri),
        revision_of=draw(maybe_iri),
        source_id=draw(st.none() | st.text(max_size=10).filter(lambda t: "\x00" not in t)),
        crowd=draw(st.booleans()),
    )


@settings(max_examples=60)
@given(any_annotation())
def test_any_annotation_comes_back_from_the_store(annotation: Annotation) -> None:
    store = ox.Store()
    store.extend(parsed(annotation_quads(annotation, f"{BASE}run/x")))
    assert not [q for q in store if isinstance(q.subject, ox.BlankNode)]
    assert annotation_from_quads(annotation.iri, store) == annotation


def test_the_key_of_an_annotation_is_everything_that_makes_it_one() -> None:
    shape = Outline((((((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))),),))
    other = Outline((((((0.0, 0.0), (2.0, 0.0), (1.0, 1.0))),),))
    first = IRIS.annotation("run", IMAGE, shape, f"{ND}crack")
    assert first == IRIS.annotation("run", IMAGE, shape, f"{ND}crack")
    others = {
        IRIS.annotation("other", IMAGE, shape, f"{ND}crack"),
        IRIS.annotation("run", f"{IMAGE}2", shape, f"{ND}crack"),
        IRIS.annotation("run", IMAGE, other, f"{ND}crack"),
        IRIS.annotation("run", IMAGE, shape, f"{ND}erosion"),
        IRIS.annotation("run", IMAGE, shape, f"{ND}crack", source_id="1"),
        IRIS.annotation("run", IMAGE, shape, f"{ND}crack", revision_of=first),
    }
    assert len(others | {first}) == 7


@given(st.text(min_size=1, max_size=30))
def test_no_name_breaks_an_iri(name: str) -> None:
    for iri in (IRIS.agent(name), IRIS.image(name), IRIS.image_of_source(name, name, name)):
        ox.NamedNode(iri)
        assert iri.startswith(BASE)
        assert " " not in iri
        assert "/../" not in iri


@pytest.mark.parametrize(
    "base", ["", "data.example.org/", "https://x", "ftp://x/", "https://x/a b/", "file:///tmp/"]
)
def test_a_base_must_be_an_http_iri_that_ends_in_a_slash(base: str) -> None:
    with pytest.raises(ValueError, match="base IRI"):
        Iris(base)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(GraphError, match="04624: expected a schema:name, found none"):
        images_from_quads([IMAGE], [])
    with pytest.raises(GraphError, match="expected a run, found nothing"):
        run_from_quads(f"{BASE}run/x", [])
    with pytest.raises(GraphError, match="expected a node"):
        annotation_from_quads(f"{BASE}annotation/x", [])
