"""A knowledge graph of any size, made through the project's own entities and writers.

Photographs of some walls, imported in ten files, half of them from Aïoli with regions; looked at
by ten model runs, two for each photograph; reviewed by five people; exported three times. Two
vocabularies, one of them in two versions: a label was changed, a concept retired.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Literal

import pyoxigraph as ox

from benchmarks.geometries import Drawn, Pattern, Stencil
from lithograph import resources
from lithograph.entities import (
    Agent,
    Annotation,
    Candidate,
    Dataset,
    Image,
    Model,
    PromptUsed,
    Refusal,
    Region,
    Run,
    RunKind,
    Status,
)
from lithograph.gate import Shapes
from lithograph.graph import Graph
from lithograph.rdf import (
    Iris,
    Quad,
    annotation_quads,
    dataset_quads,
    digest,
    image_quads,
    n_quads,
    refusal_quads,
    region_quads,
    run_quads,
)
from lithograph.vocabulary import Vocabulary

#: Import runs, model runs, and as many blocks of photographs.
BLOCKS = 10
REVIEWERS = ("Marie", "Karim", "Inès", "Paul", "Livia")
#: Annotations that are written at once: what decides the memory.
CHUNK = 10_000
#: Of the photographs: height and width in pixels.
SIZES = ((9504, 6336), (4000, 6000), (6000, 4000), (3456, 5184))
ND = "https://w3id.org/lithograph/notre-dame-alterations/"
#: A concept that the first version of the vocabulary had and the second retired.
RETIRED = f"{ND}black-crust"
_RETIRED = f"""
<{RETIRED}> a skos:Concept ; skos:inScheme <{ND}> ; skos:broader :chromatic-alteration-and-deposit ;
    skos:prefLabel "black crust"@en , "croûte noire"@fr ;
    skos:definition "Dark layer on the stone."@en , "Couche sombre sur la pierre."@fr ;
    lg:visualDescription "a dark layer on the stone"@en , "couche sombre sur la pierre"@fr"""
_BEGIN = datetime(2026, 1, 1, 8, tzinfo=UTC)

_Quads = Iterable[Quad]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Some of what the graph holds, to ask about; regions by their identifier, all else by IRI."""

    image: str
    region: str
    import_run: str
    model_run: str
    preferred: str
    revision: str


def make_graph(
    store: ox.Store,
    annotations: int,
    *,
    seed: int = 0,
    iris: Iris = Iris("https://data.example.org/benchmark/"),  # noqa: B008 - frozen
) -> Landmarks:
    """Fill an empty store with a graph of so many annotations; the same seed, the same graph.

    Only the dates of the vocabulary versions are those of the day. Nothing passes the gate, though
    all of it would. Memory is bounded: annotations are written in chunks.
    """
    if annotations < 100:
        raise ValueError(f"annotations: expected at least 100, found {annotations}")
    random = Random(seed)  # noqa: S311 - no secret
    maker = _Maker(random, iris, Graph(store, iris, Shapes.read), annotations)
    with ThreadPoolExecutor(1) as loader:
        loading: Future[None] | None = None
        # The store loads one chunk while the next one is made: it releases the interpreter.
        for lines in maker.chunks():
            if loading is not None:
                loading.result()
            loading = loader.submit(store.bulk_load, lines, format=ox.RdfFormat.N_QUADS)
        if loading is not None:
            loading.result()
    return maker.landmarks()


class _Words:
    """A vocabulary version, as annotations use it: some concepts often, most seldom."""

    def __init__(self, version: str, vocabulary: Vocabulary) -> None:
        self.version = version
        self.prompts = tuple(
            PromptUsed(p.concept, p.text, p.language)
            for p in vocabulary.prompts(("en", "fr"), vocabulary.leaves)
        )
        self.concepts = [concept.iri for concept in vocabulary.leaves]
        self._weights = list(accumulate(1 / rank for rank in range(1, len(self.concepts) + 1)))

    def some(self, random: Random, count: int) -> list[str]:
        """Different concepts, the first after its share."""
        (first,) = random.choices(self.concepts, cum_weights=self._weights)
        start = random.randrange(len(self.concepts))
        others = self.concepts[start:] + self.concepts[:start]
        return [first, *(iri for iri in others[:count] if iri != first)][:count]


class _Maker:
    """Makes the graph photograph by photograph."""

    def __init__(self, random: Random, iris: Iris, graph: Graph, annotations: int) -> None:
        self.random, self.iris = random, iris
        self.sizes = _sizes(random, annotations)
        self.words = _load_vocabularies(graph)
        self.patterns = [Pattern(random) for _ in range(100)]
        self.stencils = {
            size: [Stencil(random, height=size[0], width=size[1]) for _ in range(30)]
            for size in SIZES
        }
        self.blocks = [number * BLOCKS // len(self.sizes) for number in range(len(self.sizes))]
        self.photographs = self._run(RunKind.IMPORT, 0, Agent("lithograph"), "photographs")
        self.imports = [
            self._run(RunKind.IMPORT, 1 + b, Agent(f"wall-{b}.json", "file"), f"wall-{b}")
            for b in range(BLOCKS)
        ]
        self.models = [self._model_run(b) for b in range(BLOCKS)]
        self.reviews = [
            self._run(RunKind.REVIEW, 40 + number, Agent(name, "person"), name)
            for number, name in enumerate(REVIEWERS)
        ]
        self.marks: dict[str, str] = {}

    def landmarks(self) -> Landmarks:
        """What was marked on the way."""
        return Landmarks(**self.marks, import_run=self.imports[0].iri, model_run=self.models[0].iri)

    def chunks(self) -> Iterator[bytes]:
        """The graph as N-Quads, in pieces."""
        quads = list(self._frame())
        made = 0
        for number, size in enumerate(self.sizes):
            quads += self._photograph(number, size)
            made += size
            if made >= CHUNK:
                yield n_quads(quads)
                quads, made = [], 0
        yield n_quads(quads)

    # -- runs --------------------------------------------------------------------------------

    def _run(self, kind: RunKind, day: int, agent: Agent, key: str) -> Run:
        started = _BEGIN + timedelta(days=day)
        return Run(
            iri=self.iris.run(kind, digest(key, length=16)),
            kind=kind,
            agent=agent,
            started=_time(started),
            ended=_time(started + timedelta(hours=5)),
            name=key,
            vocabulary_versions=tuple(sorted({words.version for words in self.words})),
            parameters={"key": key},
            software=("lithograph 0.1.0",),
        )

    def _model_run(self, block: int) -> Run:
        words = self._words_of(block)
        seen = [n for n, b in enumerate(self.blocks) if block in (b, (b + 1) % BLOCKS)]
        names = ("facebook/sam-vit-base", "facebook/sam-vit-huge")
        labellers = ("openai/clip-vit-base-patch32", "google/siglip2-base-patch16-256")
        return replace(
            self._run(RunKind.MODEL, 20 + block, Agent("lithograph"), f"model-{block}"),
            vocabulary_versions=(words.version,),
            models=(
                _model(names[block % 2], "segmenter"),
                _model(labellers[block // 2 % 2], "labeller"),
            ),
            prompts=words.prompts,
            images=tuple(map(self._image_iri, seen)),
        )

    def _words_of(self, block: int) -> _Words:
        """The first runs saw the first version, the further ones the second, or other words."""
        return self.words[0] if block == 0 else self.words[1 + block % 2]

    def _frame(self) -> _Quads:
        """Everything but what stands on the photographs."""
        for run in (self.photographs, *self.imports, *self.models, *self.reviews):
            yield from run_quads(run, self.iris)
        for run in self.imports:
            for number in range(20):
                path = f"annotations[{number * 7}].segmentation[0]"
                reason = "expected an even count of at least 6 numbers, found 13"
                refusal = Refusal(path, reason, f'{{"id": {number * 7}}}')
                yield from refusal_quads(refusal, run.iri, self.iris)
        for number in range(3):
            run = self._run(RunKind.EXPORT, 60 + number, Agent("lithograph"), f"export-{number}")
            dataset = Dataset(
                iri=self.iris.dataset(digest(run.iri, length=16)),
                title="accepted-or-confident",
                media_type="application/json",
                query="SELECT ?annotation WHERE { GRAPH ?run { ?annotation a oa:Annotation } }",
                parameters={"min_confidence": 0.5 + number / 10},
                fingerprint=digest(number, length=64),
                sha256=digest(run.iri, length=64),
            )
            yield from run_quads(run, self.iris)
            yield from dataset_quads(dataset, run)

    # -- one photograph ----------------------------------------------------------------------

    def _image_iri(self, number: int) -> str:
        return self.iris.image(f"wall-{self.blocks[number]}-iter_{number:06d}")

    def _photograph(self, number: int, size: int) -> _Quads:
        block = self.blocks[number]
        height, width = SIZES[block % len(SIZES)]
        name = f"ITER_{number:06d}.jpg"
        image = Image(self._image_iri(number), name, width, height, project=f"wall-{block}")
        found = replace(image, project=None, sha256=digest(image.iri, length=64))
        yield from image_quads(found, self.photographs.iri)
        yield from image_quads(image, self.imports[block].iri)
        revised = round(size / 10)
        imported = (size - revised) // 3
        by_first = (size - revised - imported + 1) // 2
        by_second = size - revised - imported - by_first
        first, second = self.models[block], self.models[(block - 1) % BLOCKS]
        made = [
            *self._proposals(image, first, self._words_of(block), by_first),
            *self._proposals(image, second, self._words_of((block - 1) % BLOCKS), by_second),
        ]
        if made and "image" not in self.marks:
            self.marks |= {"image": image.iri, "preferred": made[0].iri}
        for nth in range(imported):
            annotation, region = self._imported(image, number, nth)
            if region is not None:
                yield from region_quads(region, self.imports[block].iri)
            yield from annotation_quads(annotation, self.imports[block].iri)
            if nth == 0:
                made.append(annotation)
        for position, annotation in enumerate(made[: by_first + by_second]):
            run = first if position < by_first else second
            yield from annotation_quads(annotation, run.iri)
        revision: Annotation | None = None
        for old in self.random.sample(made, min(revised, len(made))):
            review = self.random.choice(self.reviews)
            # Now and then the second person corrects the first.
            revised_one = revision if revision and self.random.random() < 0.1 else old
            revision = self._revision(revised_one, review, self._words_of(block))
            self.marks.setdefault("revision", revision.iri)
            yield from annotation_quads(revision, review.iri)

    def _imported(self, image: Image, number: int, nth: int) -> tuple[Annotation, Region | None]:
        """An outline that a person drew; of an Aïoli wall, a region that three images show."""
        block = self.blocks[number]
        words, drawn = self._words_of(block), self._outline(image)
        source_id = str(number * 100 + nth)
        (concept,) = words.some(self.random, 1)
        region = self._region(block, number // 3 * 100 + nth) if block % 2 == 0 else None
        iri = self.iris.annotation(
            f"wall-{block}", image.iri, drawn.geometry, concept, source_id=source_id
        )
        annotation = Annotation(
            iri=iri,
            image=image.iri,
            concept=concept,
            geometry=drawn.geometry,
            box=drawn.box,
            area=drawn.area,
            created=self.imports[block].started,
            status=Status.ACCEPTED,
            region=None if region is None else region.iri,
            source_id=source_id,
        )
        return annotation, region

    def _region(self, block: int, number: int) -> Region:
        identifier = f"{block:04x}{number:012x}"
        self.marks.setdefault("region", identifier)
        return Region(
            iri=self.iris.region(identifier),
            identifier=identifier,
            layer=self.iris.layer(f"{block:04x}"),
            layer_name="alterations",
            barycentre=(float(number), float(block), 1.5),
        )

    def _proposals(self, image: Image, run: Run, words: _Words, count: int) -> Iterator[Annotation]:
        """What a model outlined and named; every tenth is another mask of the prompt before it."""
        preferred: str | None = None
        random = self.random
        for nth in range(count):
            drawn = random.choice(self.stencils[image.height, image.width]).at(
                random.randrange(image.width - 301), random.randrange(image.height - 301)
            )
            named = words.some(random, 3 if random.random() < 0.3 else 1)
            confidence = round(random.betavariate(3, 2), 6)
            shares = [confidence, (1 - confidence) * 0.5, (1 - confidence) * 0.25]
            shares = [min(share, confidence) for share in shares]
            iri = self.iris.annotation(run.iri, image.iri, drawn.geometry, named[0])
            yield Annotation(
                iri=iri,
                image=image.iri,
                concept=named[0],
                geometry=drawn.geometry,
                box=drawn.box,
                area=drawn.area,
                created=run.started,
                confidence=confidence,
                mask_quality=round(random.uniform(0.7, 1.05), 6),
                candidates=tuple(map(Candidate, named, shares)) if len(named) > 1 else (),
                alternative_of=preferred if nth % 10 == 1 else None,
            )
            preferred = preferred if nth % 10 == 1 else iri

    def _revision(self, old: Annotation, review: Run, words: _Words) -> Annotation:
        """A person accepts, rejects or names it otherwise."""
        said = self.random.random()
        concept = words.some(self.random, 1)[0] if said < 0.3 else old.concept
        kept = concept == old.concept
        return replace(
            old,
            iri=self.iris.annotation(
                review.iri, old.image, old.geometry, concept, revision_of=old.iri
            ),
            concept=concept,
            status=Status.REJECTED if said > 0.7 else Status.ACCEPTED,
            confidence=old.confidence if kept else None,
            candidates=old.candidates if kept else (),
            created=review.started,
            alternative_of=None,
            revision_of=old.iri,
        )

    def _outline(self, image: Image) -> Drawn:
        pattern = self.random.choice(self.patterns)
        return pattern.at(
            self.random.randrange(image.width - pattern.columns - 1),
            self.random.randrange(image.height - pattern.rows - 1),
        )


def _sizes(random: Random, annotations: int) -> list[int]:
    """How many annotations each photograph has, some twenty; the last and some more have none."""
    sizes: list[int] = []
    while annotations:
        size = 0 if random.random() < 0.01 else min(annotations, random.randint(8, 32))
        sizes.append(size)
        annotations -= size
    return [*sizes, 0]


def _load_vocabularies(graph: Graph) -> list[_Words]:
    """The first version of the one, its second version, and the other vocabulary."""
    own = resources.ontology("notre-dame-alterations").read_text(encoding="utf-8")
    texts = [
        own.replace('"crack"@en', '"fissuring"@en') + f"{_RETIRED} .\n",
        own + f"{_RETIRED} ;\n    owl:deprecated true ; dcterms:isReplacedBy :lead-deposit .\n",
        resources.ontology("icomos-stone-deterioration").read_text(encoding="utf-8"),
    ]
    vocabularies = [Vocabulary.read(text, format="turtle") for text in texts]
    return [_Words(graph.load_vocabulary(each), each) for each in vocabularies]


def _model(name: str, role: Literal["segmenter", "labeller"]) -> Model:
    return Model(name, "sam" if role == "segmenter" else "clip", digest(name, length=64), role)


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
