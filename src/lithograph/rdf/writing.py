"""Entities → quads, exactly as the graph model says: no blank node, one named graph per run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple

from lithograph.entities import (
    Agent,
    Annotation,
    Candidate,
    Dataset,
    Image,
    Mask,
    Refusal,
    Region,
    Run,
    RunKind,
)
from lithograph.masks import rle_to_text, wkt_from_outline
from lithograph.rdf import terms as t
from lithograph.rdf.iris import Iris
from lithograph.rdf.terms import term

_RUN_CLASS = {
    RunKind.MODEL: term("lg:ModelRun"),
    RunKind.IMPORT: term("lg:ImportRun"),
    RunKind.REVIEW: term("lg:ReviewRun"),
    RunKind.EDIT: term("lg:EditRun"),
    RunKind.EXPORT: term("lg:ExportRun"),
}
_AGENT_CLASS = {
    "person": term("prov:Person"),
    "software": term("prov:SoftwareAgent"),
    "file": t.ENTITY,
}
_DOUBLE = term("xsd:double")
_INTEGER = term("xsd:integer")


def date_time(value: str) -> Literal:
    """An ``xsd:dateTime`` literal from its lexical form."""
    return Literal(value, datatype=t.DATE_TIME)


def json_literal(value: Mapping[str, Any]) -> Literal:
    """An ``rdf:JSON`` literal, keys sorted, so that equal values are equal literals."""
    return Literal(
        orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode("utf-8"), datatype=t.JSON
    )


def _double(value: float) -> Literal:
    # repr gives the shortest digits that read back as the same float.
    return Literal(repr(float(value)), datatype=_DOUBLE)


def _quads(
    graph: str, subject: str, pairs: Iterable[tuple[NamedNode, NamedNode | Literal | None]]
) -> Iterator[Quad]:
    node, name = NamedNode(subject), NamedNode(graph)
    for predicate, value in pairs:
        if value is not None:
            yield Quad(node, predicate, value, name)


def _text(value: str | None) -> Literal | None:
    return None if value is None else Literal(value)


def _node(value: str | None) -> NamedNode | None:
    return None if value is None else NamedNode(value)


def image_quads(image: Image, graph: str) -> Iterator[Quad]:
    """What a run says of an image. Absent facts give no triple."""
    yield from _quads(
        graph,
        image.iri,
        [
            (t.TYPE, t.IMAGE),
            (t.TYPE, t.ENTITY),
            (t.NAME, Literal(image.name)),
            (term("schema:contentUrl"), _node(image.content_url)),
            (term("schema:width"), Literal(image.width)),
            (term("schema:height"), Literal(image.height)),
            (t.SHA256, _text(image.sha256)),
            (term("schema:license"), _node(image.licence)),
            (
                term("exif:dateTimeOriginal"),
                None if image.captured is None else date_time(image.captured),
            ),
            (t.SOURCE_ID, _text(image.source_id)),
            (term("lg:project"), _text(image.project)),
        ],
    )


def region_quads(region: Region, graph: str) -> Iterator[Quad]:
    """An Aïoli region and its layer."""
    yield from _quads(
        graph,
        region.iri,
        [
            (t.TYPE, term("lg:Region")),
            (t.TYPE, t.ENTITY),
            (t.IDENTIFIER, Literal(region.identifier)),
            (term("lg:layer"), _node(region.layer)),
            (term("lg:barycentre"), _vector(region.barycentre)),
            (term("lg:meanNormal"), _vector(region.mean_normal)),
            (term("lg:geometryFile"), _node(region.geometry_file)),
        ],
    )
    if region.layer is not None:
        yield from _quads(
            graph,
            region.layer,
            [
                (t.TYPE, term("lg:Layer")),
                (t.TYPE, t.ENTITY),
                (t.IDENTIFIER, Literal(region.layer.rpartition("/")[2])),
                (t.NAME, _text(region.layer_name)),
            ],
        )


def _vector(vector: tuple[float, float, float] | None) -> Literal | None:
    return None if vector is None else Literal(" ".join(repr(float(value)) for value in vector))


def annotation_quads(annotation: Annotation, run: str) -> Iterator[Quad]:
    """One annotation with its target, box, geometry and candidates, in its run's graph."""
    iri = annotation.iri
    target, box, geometry = f"{iri}#target", f"{iri}#box", f"{iri}#geometry"
    candidates = [
        (f"{iri}#candidate-{rank}", rank, candidate)
        for rank, candidate in enumerate(annotation.candidates, start=1)
    ]
    yield from _quads(
        run,
        iri,
        [
            (t.TYPE, t.ANNOTATION),
            (t.TYPE, t.ENTITY),
            (term("oa:motivatedBy"), term("oa:classifying")),
            (term("oa:hasBody"), NamedNode(annotation.concept)),
            (term("oa:hasTarget"), NamedNode(target)),
            (
                t.CONFIDENCE,
                None if annotation.confidence is None else _double(annotation.confidence),
            ),
            (
                term("lg:maskQuality"),
                None if annotation.mask_quality is None else _double(annotation.mask_quality),
            ),
            (term("lg:status"), NamedNode(t.STATUS_PREFIX + annotation.status)),
            (term("lg:region"), _node(annotation.region)),
            (term("lg:alternativeOf"), _node(annotation.alternative_of)),
            (t.REVISION_OF, _node(annotation.revision_of)),
            (t.SOURCE_ID, _text(annotation.source_id)),
            (term("lg:crowd"), Literal(True) if annotation.crowd else None),
            (t.GENERATED_BY, NamedNode(run)),
            (t.CREATED, date_time(annotation.created)),
            *((term("lg:candidate"), NamedNode(node)) for node, _, _ in candidates),
        ],
    )
    yield from _quads(
        run,
        target,
        [
            (t.TYPE, term("oa:SpecificResource")),
            (term("oa:hasSource"), NamedNode(annotation.image)),
            (term("oa:hasSelector"), NamedNode(box)),
            (term("oa:hasSelector"), NamedNode(geometry)),
        ],
    )
    x, y, width, height = annotation.box.rounded_outwards()
    # A media fragment knows no negative numbers: what sticks out on the left or the top is cut.
    right, bottom = x + width, y + height
    x, y = max(x, 0), max(y, 0)
    width, height = right - x, bottom - y
    yield from _quads(
        run,
        box,
        [
            (t.TYPE, term("oa:FragmentSelector")),
            (term("dcterms:conformsTo"), t.MEDIA_FRAGMENTS),
            (t.VALUE, Literal(f"xywh=pixel:{x},{y},{width},{height}")),
        ],
    )
    yield from _quads(run, geometry, _geometry_pairs(annotation))
    for node, rank, candidate in candidates:
        yield from _quads(run, node, _candidate_pairs(rank, candidate))


def _geometry_pairs(annotation: Annotation) -> list[tuple[NamedNode, NamedNode | Literal | None]]:
    shape = annotation.geometry
    exact = (
        (term("lg:mask"), Literal(rle_to_text(shape), datatype=term("lg:cocoRle")))
        if isinstance(shape, Mask)
        else (term("lg:outline"), Literal(wkt_from_outline(shape), datatype=term("lg:pixelWkt")))
    )
    return [
        (t.TYPE, term("lg:PixelGeometry")),
        exact,
        (term("lg:x"), _double(annotation.box.x)),
        (term("lg:y"), _double(annotation.box.y)),
        (term("lg:width"), _double(annotation.box.width)),
        (term("lg:height"), _double(annotation.box.height)),
        (term("lg:area"), _double(annotation.area)),
    ]


def _candidate_pairs(
    rank: int, candidate: Candidate
) -> list[tuple[NamedNode, NamedNode | Literal | None]]:
    return [
        (t.TYPE, term("lg:Candidate")),
        (term("lg:rank"), Literal(rank)),
        (t.CONCEPT, NamedNode(candidate.concept)),
        (t.CONFIDENCE, _double(candidate.confidence)),
    ]


def run_quads(run: Run, iris: Iris) -> Iterator[Quad]:
    """A run, its agent, its models in their roles and the prompts that it used."""
    agent = iris.agent(run.agent.name)
    prompts = [
        (f"{run.iri}#prompt-{number}", prompt) for number, prompt in enumerate(run.prompts, start=1)
    ]
    yield from _quads(
        run.iri,
        run.iri,
        [
            (t.TYPE, term("prov:Activity")),
            (t.TYPE, _RUN_CLASS[run.kind]),
            (t.TYPE, term("mls:Run") if run.kind is RunKind.MODEL else None),
            (t.NAME, _text(run.name)),
            *((t.USED, NamedNode(version)) for version in run.vocabulary_versions),
            *((t.USED, NamedNode(image)) for image in run.images),
            (term("prov:wasAssociatedWith"), NamedNode(agent)),
            *(
                (term("mls:executes"), NamedNode(iris.implementation(model.role, model.sha256)))
                for model in run.models
            ),
            (term("lg:parameters"), json_literal(run.parameters) if run.parameters else None),
            *((term("lg:softwareVersion"), Literal(version)) for version in run.software),
            *((term("lg:prompt"), NamedNode(node)) for node, _ in prompts),
            (term("prov:startedAtTime"), date_time(run.started)),
            (t.ENDED, None if run.ended is None else date_time(run.ended)),
        ],
    )
    yield from _agent_quads(run.iri, run.agent, agent)
    for model in run.models:
        node = iris.model(model.sha256)
        yield from _quads(
            run.iri,
            iris.implementation(model.role, model.sha256),
            [
                (t.TYPE, term("mls:Implementation")),
                (t.NAME, Literal(model.role)),
                (t.USED, NamedNode(node)),
            ],
        )
        yield from _quads(
            run.iri,
            node,
            [
                (t.TYPE, term("mls:Model")),
                (t.TYPE, t.ENTITY),
                (t.NAME, Literal(model.name)),
                (term("dcterms:type"), Literal(model.family)),
                (t.SHA256, Literal(model.sha256)),
                (term("dcterms:license"), _licence(model.licence)),
            ],
        )
    for node_iri, prompt in prompts:
        yield from _quads(
            run.iri,
            node_iri,
            [
                (t.TYPE, term("lg:Prompt")),
                (t.CONCEPT, NamedNode(prompt.concept)),
                (t.VALUE, Literal(prompt.text, language=prompt.language)),
            ],
        )


def _licence(licence: str | None) -> NamedNode | Literal | None:
    """A licence as an IRI where it is one, else as the text that the model's card gives."""
    if licence is None:
        return None
    return NamedNode(licence) if "://" in licence else Literal(licence)


def run_end_quads(run: str, ended: str) -> Iterator[Quad]:
    """The one triple that closes a run."""
    yield from _quads(run, run, [(t.ENDED, date_time(ended))])


def quarantine_graph(run: str) -> str:
    """The named graph that holds what a run refused."""
    return f"{run}/quarantine"


def refusal_quads(refusal: Refusal, run: str, iris: Iris) -> Iterator[Quad]:
    """A refused record, whole. It is a literal, so that no query takes it for an annotation."""
    json = refusal.source_format == "json"
    yield from _quads(
        quarantine_graph(run),
        iris.refusal(run, refusal.path, refusal.source),
        [
            (t.TYPE, term("lg:Refusal")),
            (t.GENERATED_BY, NamedNode(run)),
            (term("lg:path"), Literal(refusal.path)),
            (term("lg:reason"), Literal(refusal.reason)),
            (
                term("lg:source"),
                Literal(refusal.source, datatype=t.JSON) if json else Literal(refusal.source),
            ),
        ],
    )


def dataset_quads(dataset: Dataset, run: Run) -> Iterator[Quad]:
    """An export, in the graph of its run."""
    yield from _quads(
        run.iri,
        dataset.iri,
        [
            (t.TYPE, term("dcat:Dataset")),
            (t.TYPE, t.ENTITY),
            (term("dcterms:title"), Literal(dataset.title)),
            (term("dcterms:format"), Literal(dataset.media_type)),
            (t.GENERATED_BY, NamedNode(run.iri)),
            *(
                (term("prov:wasDerivedFrom"), NamedNode(version))
                for version in run.vocabulary_versions
            ),
            (term("lg:queryText"), Literal(dataset.query)),
            (
                term("lg:parameters"),
                json_literal(dataset.parameters) if dataset.parameters else None,
            ),
            (term("lg:fingerprint"), Literal(dataset.fingerprint)),
            (t.SHA256, Literal(dataset.sha256)),
            (t.CREATED, date_time(run.started)),
        ],
    )


def vocabulary_quads(
    triples: Iterable[Triple],
    *,
    version: str,
    scheme: str,
    sha256: str,
    created: str,
    previous: str | None = None,
) -> Iterator[Quad]:
    """A vocabulary version: its triples as they were read, and what it is a version of.

    Blank nodes become IRIs under the version (``#node-…``, after RDF 1.1 skolemization): the
    triples are expected to be canonical (RDFC-1.0), so that equal files give equal IRIs.
    """
    graph = NamedNode(version)

    def named(node: Any) -> Any:
        return NamedNode(f"{version}#node-{node.value}") if isinstance(node, BlankNode) else node

    for triple in triples:
        yield Quad(named(triple.subject), triple.predicate, named(triple.object), graph)
    yield from _quads(
        version,
        version,
        [
            (t.TYPE, term("lg:VocabularyVersion")),
            (t.TYPE, t.ENTITY),
            (term("dcterms:isVersionOf"), NamedNode(scheme)),
            (t.SHA256, Literal(sha256)),
            (t.CREATED, date_time(created)),
            (t.REVISION_OF, _node(previous)),
        ],
    )


def tombstone_quads(run: str, agent: Agent, undone: str, iris: Iris) -> Iterator[Quad]:
    """What stays of an undone run: that it was, who undid it and when."""
    node = iris.agent(agent.name)
    yield from _quads(
        run,
        run,
        [
            (t.TYPE, term("lg:Tombstone")),
            (term("prov:wasAttributedTo"), NamedNode(node)),
            (term("prov:invalidatedAtTime"), date_time(undone)),
        ],
    )
    yield from _agent_quads(run, agent, node)


def _agent_quads(graph: str, agent: Agent, node: str) -> Iterator[Quad]:
    yield from _quads(
        graph,
        node,
        [
            (t.TYPE, term("prov:Agent")),
            (t.TYPE, _AGENT_CLASS[agent.kind]),
            (t.NAME, Literal(agent.name)),
        ],
    )
