"""Sound batches of every kind, small and by chance, as the writers write them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox

from lithograph.entities import (
    Agent,
    Annotation,
    Box,
    Candidate,
    Dataset,
    Geometry,
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
from lithograph.rdf import (
    Iris,
    Quad,
    annotation_quads,
    dataset_quads,
    image_quads,
    number_quads,
    quad_of,
    refusal_quads,
    region_quads,
    run_quads,
    tombstone_quads,
    vocabulary_quads,
)

HERE = Path(__file__).parent
BASE = "https://data.example.org/ca19/"
IRIS = Iris(BASE)
SCHEME = f"{BASE}stone/"
CONCEPTS = tuple(f"{SCHEME}{name}" for name in ("crack", "lacuna", "erosion", "sound"))
WHEN = "2026-01-05T10:00:00Z"
STONE = """
@prefix lg: <https://w3id.org/lithograph/ns#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@base <https://data.example.org/ca19/stone/> .
<> a skos:ConceptScheme ; skos:hasTopConcept <loss> ; lg:backgroundConcept <sound> ;
  lg:promptTemplate "a photograph of {label}"@en .
<loss> a skos:Concept ; skos:prefLabel "Loss"@en, "Perte"@fr ; skos:inScheme <> ;
  skos:topConceptOf <> ; skos:narrower <lacuna> .
<crack> a skos:Concept ; skos:prefLabel "Crack"@en, "Fissure"@fr ; skos:altLabel "split"@en ;
  skos:inScheme <> ; skos:notation "K1" ; lg:visualDescription "a thin dark line"@en .
<lacuna> a skos:Concept ; skos:prefLabel "Lacuna"@en ; skos:hiddenLabel "Lacunae" ;
  skos:broader <loss> ; skos:related <crack> ; lg:confusedWith <erosion> ; skos:inScheme <> ;
  skos:note "a note"@en ; skos:exactMatch <https://example.org/lacuna> ;
  skos:broadMatch <https://example.org/loss> ; dcterms:created "2026-01-05"^^xsd:date .
<erosion> a skos:Concept ; skos:prefLabel "Erosion"@en ; skos:broader <loss> ; skos:inScheme <> .
<sound> a skos:Concept ; skos:prefLabel "Sound stone"@en ; skos:inScheme <> .
"""


def from_files() -> Iterator[list[Quad]]:
    """The valid files of the shapes, and the example of the graph model."""
    place = ox.NamedNode(f"{BASE}graph")
    for file in sorted((HERE / "shapes").glob("valid-*.ttl")):
        parsed = ox.parse(path=str(file), format=ox.RdfFormat.TURTLE)
        yield [quad_of(ox.Quad(q.subject, q.predicate, q.object, place)) for q in parsed]
    example = HERE / "data" / "example.trig"
    yield list(map(quad_of, ox.parse(path=str(example), format=ox.RdfFormat.TRIG)))


class Written:
    """What the writers make of random entities; the same for the same numbers."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def _maybe(self, share: float = 0.5) -> bool:
        return self._chance.random() < share

    def _digest(self) -> str:
        return f"{self._chance.getrandbits(256):064x}"

    def vocabulary(self) -> list[Quad]:
        """A version of a vocabulary, with or without category numbers."""
        previous = f"{BASE}vocabulary/stone/1"
        parsed = ox.parse(STONE, format=ox.RdfFormat.TURTLE)
        version = f"{BASE}vocabulary/stone/2"
        quads = list(
            vocabulary_quads(
                [quad.triple for quad in parsed],
                version=version,
                scheme=SCHEME,
                sha256=self._digest(),
                created=WHEN,
                previous=previous,
            )
        )
        quads += vocabulary_quads(
            (), version=previous, scheme=SCHEME, sha256=self._digest(), created=WHEN
        )
        if self._maybe():
            quads += number_quads({each: n for n, each in enumerate(CONCEPTS, start=1)}, version)
        return quads

    def run(self) -> Run:
        """A run of any kind."""
        kind = self._chance.choice(list(RunKind))
        person = kind in {RunKind.REVIEW, RunKind.EDIT}
        model = kind is RunKind.MODEL
        return Run(
            iri=IRIS.run(kind, "1"),
            kind=kind,
            agent=Agent("Marie", "person") if person else Agent("lithograph"),
            started=WHEN,
            ended="2026-01-05T10:10:00Z" if self._maybe() else None,
            name="a run" if self._maybe() else None,
            vocabulary_versions=(f"{BASE}vocabulary/stone/2",),
            parameters={"threshold": 0.5} if model or self._maybe() else {},
            software=("lithograph 0.1.0",),
            models=(
                Model("sam", "sam", self._digest(), "segmenter", "Apache-2.0"),
                Model("clip", "clip", self._digest(), "labeller", "https://example.org/licence"),
            )
            if model
            else (),
            prompts=(PromptUsed(CONCEPTS[0], "a photograph of Crack", "en"),) if model else (),
            images=(f"{BASE}image/1",) if model else (),
        )

    def image(self) -> Image:
        """An image."""
        return Image(
            iri=f"{BASE}image/1",
            name="1.jpg",
            width=100,
            height=80,
            sha256=self._digest() if self._maybe() else None,
            content_url="https://media.example.org/1.jpg" if self._maybe() else None,
            licence="https://example.org/licence" if self._maybe() else None,
            captured="2020-06-11T13:00:50" if self._maybe() else None,
            source_id="39435100101575257789" if self._maybe() else None,
            project="624c06c2bc7ad" if self._maybe() else None,
        )

    def region(self) -> Region:
        """A region of a layer."""
        return Region(
            iri=IRIS.region("0199"),
            identifier="0199",
            layer=IRIS.layer("1"),
            layer_name="lacunes",
            barycentre=(1.0, -2.5, 3.0e-5) if self._maybe() else None,
            mean_normal=(0.0, 0.0, 1.0) if self._maybe() else None,
            geometry_file="https://media.example.org/Prop.ply" if self._maybe() else None,
        )

    def _geometry(self) -> tuple[Geometry, Box]:
        if self._maybe(0.3):
            return Mask(80, 100, "03mX90"), Box(0.0, 0.0, 2.0, 3.0)
        x, y = self._chance.choice([0.0, 4.5, 10.0]), self._chance.choice([0.0, 7.25, 20.0])
        width, height = self._chance.choice([2.0, 30.5]), self._chance.choice([3.0, 40.75])
        ring = ((x, y), (x + width, y), (x + width, y + height))
        return Outline(((ring,),)), Box(x, y, width, height)

    def annotation(self, number: int, run: Run, region: Region | None) -> Annotation:
        """An annotation, perhaps with candidates, an alternative or a revision of the last."""
        geometry, box = self._geometry()
        before = f"{BASE}annotation/{number - 1}" if number > 1 else None
        candidates = self._chance.sample(CONCEPTS[:3], self._chance.randint(0, 3))
        return Annotation(
            iri=f"{BASE}annotation/{number}",
            image=f"{BASE}image/1",
            concept=self._chance.choice(CONCEPTS[:3]),
            geometry=geometry,
            box=box,
            area=6.0,
            created=WHEN,
            status=self._chance.choice(list(Status)),
            confidence=0.75 if self._maybe() else None,
            mask_quality=1.02 if self._maybe() else None,
            candidates=tuple(
                Candidate(concept, share)
                for concept, share in zip(candidates, (0.75, 0.2, 0.1), strict=False)
            ),
            region=region.iri if region and self._maybe() else None,
            alternative_of=before if self._maybe() else None,
            revision_of=before if self._maybe() else None,
            source_id="6708372542194208765605262249071" if self._maybe() else None,
            crowd=self._maybe(0.1),
        )

    def batch(self) -> tuple[list[Quad], list[Quad]]:
        """A run, an image, what else the run brings, perhaps the vocabulary; and its context."""
        run = self.run()
        region = self.region() if self._maybe(0.4) else None
        quads, context = (self.vocabulary(), []) if self._maybe(0.3) else ([], _concepts())
        quads += run_quads(run, IRIS)
        quads += image_quads(self.image(), run.iri)
        if region is not None:
            quads += region_quads(region, run.iri)
        for number in range(1, self._chance.choice([1, 1, 1, 2, 3]) + 1):
            quads += annotation_quads(self.annotation(number, run, region), run.iri)
        if run.kind is RunKind.EXPORT:
            quads += dataset_quads(self._dataset(), run)
        if self._maybe(0.2):
            record = Refusal("annotations[3]", "expected numbers, found none", '{"id": 12}')
            quads += refusal_quads(record, run.iri, IRIS)
        if self._maybe(0.2):
            quads += tombstone_quads(f"{BASE}run/import-0", Agent("Marie", "person"), WHEN, IRIS)
        return quads, context

    def _dataset(self) -> Dataset:
        return Dataset(
            iri=IRIS.dataset("1"),
            title="accepted-or-confident",
            media_type="application/json",
            query="SELECT ?annotation {}",
            parameters={"min_confidence": 0.6} if self._maybe() else {},
            fingerprint=self._digest(),
            sha256=self._digest(),
        )


def _concepts() -> list[Quad]:
    """Of a vocabulary only what the context of a batch tells: that the concepts are some."""
    kind = "<http://www.w3.org/2004/02/skos/core#Concept>"
    what = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
    version = f"<{BASE}vocabulary/stone/2>"
    named = "<https://w3id.org/lithograph/ns#VocabularyVersion>"
    return [
        *((f"<{concept}>", what, kind, version) for concept in CONCEPTS),
        (version, what, named, version),
    ]
