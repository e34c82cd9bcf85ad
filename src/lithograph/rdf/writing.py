"""Entities → quads, exactly as the graph model says: no blank node, one named graph per run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from lithograph.entities import Agent, Dataset, Image, Refusal, Region, Run, RunKind
from lithograph.rdf.iris import Iris
from lithograph.rdf.quads import Quad, iri_term, name, text_term, typed_term

_RUN_CLASS: Final = {
    RunKind.MODEL: "lg:ModelRun",
    RunKind.IMPORT: "lg:ImportRun",
    RunKind.REVIEW: "lg:ReviewRun",
    RunKind.EDIT: "lg:EditRun",
    RunKind.EXPORT: "lg:ExportRun",
}
_AGENT_CLASS: Final = {
    "person": "prov:Person",
    "software": "prov:SoftwareAgent",
    "file": "prov:Entity",
}


def date_time(value: str) -> str:
    """An ``xsd:dateTime`` literal from its lexical form."""
    return typed_term(value, "xsd:dateTime")


def _json(value: Mapping[str, Any]) -> str:
    """An ``rdf:JSON`` literal, keys sorted, so that equal values are equal literals."""
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode("utf-8")
    return typed_term(text, "rdf:JSON")


def _quads(graph: str, subject: str, pairs: Iterable[tuple[str, str | None]]) -> Iterator[Quad]:
    """Pairs of a predicate (``lg:status``) and an object; absent objects give no quad."""
    node, place = iri_term(subject), iri_term(graph)
    for predicate, value in pairs:
        if value is not None:
            yield node, name(predicate), value, place


def _text(value: str | None) -> str | None:
    return None if value is None else text_term(value)


def _node(value: str | None) -> str | None:
    return None if value is None else iri_term(value)


def _whole(value: int) -> str:
    return typed_term(str(value), "xsd:integer")


def image_quads(image: Image, graph: str) -> Iterator[Quad]:
    """What a run says of an image. Absent facts give no quad."""
    return _quads(
        graph,
        image.iri,
        [
            ("rdf:type", name("schema:ImageObject")),
            ("rdf:type", name("prov:Entity")),
            ("schema:name", text_term(image.name)),
            ("schema:contentUrl", _node(image.content_url)),
            ("schema:width", _whole(image.width)),
            ("schema:height", _whole(image.height)),
            ("schema:sha256", _text(image.sha256)),
            ("schema:license", _node(image.licence)),
            (
                "exif:dateTimeOriginal",
                None if image.captured is None else date_time(image.captured),
            ),
            ("lg:sourceId", _text(image.source_id)),
            ("lg:project", _text(image.project)),
        ],
    )


def region_quads(region: Region, graph: str) -> Iterator[Quad]:
    """An Aïoli region and its layer."""
    yield from _quads(
        graph,
        region.iri,
        [
            ("rdf:type", name("lg:Region")),
            ("rdf:type", name("prov:Entity")),
            ("dcterms:identifier", text_term(region.identifier)),
            ("lg:layer", _node(region.layer)),
            ("lg:barycentre", _vector(region.barycentre)),
            ("lg:meanNormal", _vector(region.mean_normal)),
            ("lg:geometryFile", _node(region.geometry_file)),
        ],
    )
    if region.layer is not None:
        yield from _quads(
            graph,
            region.layer,
            [
                ("rdf:type", name("lg:Layer")),
                ("rdf:type", name("prov:Entity")),
                ("dcterms:identifier", text_term(region.layer.rpartition("/")[2])),
                ("schema:name", _text(region.layer_name)),
            ],
        )


def _vector(vector: tuple[float, float, float] | None) -> str | None:
    return None if vector is None else text_term(" ".join(repr(float(each)) for each in vector))


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
            ("rdf:type", name("prov:Activity")),
            ("rdf:type", name(_RUN_CLASS[run.kind])),
            ("rdf:type", name("mls:Run") if run.kind is RunKind.MODEL else None),
            ("schema:name", _text(run.name)),
            *(("prov:used", iri_term(version)) for version in run.vocabulary_versions),
            *(("prov:used", iri_term(image)) for image in run.images),
            ("prov:wasAssociatedWith", iri_term(agent)),
            *(
                ("mls:executes", iri_term(iris.implementation(model.role, model.sha256)))
                for model in run.models
            ),
            ("lg:parameters", _json(run.parameters) if run.parameters else None),
            *(("lg:softwareVersion", text_term(version)) for version in run.software),
            *(("lg:prompt", iri_term(node)) for node, _ in prompts),
            ("prov:startedAtTime", date_time(run.started)),
            ("prov:endedAtTime", None if run.ended is None else date_time(run.ended)),
        ],
    )
    yield from _agent_quads(run.iri, run.agent, agent)
    for model in run.models:
        node = iris.model(model.sha256)
        yield from _quads(
            run.iri,
            iris.implementation(model.role, model.sha256),
            [
                ("rdf:type", name("mls:Implementation")),
                ("schema:name", text_term(model.role)),
                ("prov:used", iri_term(node)),
            ],
        )
        yield from _quads(
            run.iri,
            node,
            [
                ("rdf:type", name("mls:Model")),
                ("rdf:type", name("prov:Entity")),
                ("schema:name", text_term(model.name)),
                ("dcterms:type", text_term(model.family)),
                ("schema:sha256", text_term(model.sha256)),
                ("dcterms:license", _licence(model.licence)),
            ],
        )
    for node, prompt in prompts:
        yield from _quads(
            run.iri,
            node,
            [
                ("rdf:type", name("lg:Prompt")),
                ("lg:concept", iri_term(prompt.concept)),
                ("rdf:value", text_term(prompt.text, language=prompt.language)),
            ],
        )


def _licence(licence: str | None) -> str | None:
    """A licence as an IRI where it is one, else as the text that the model's card gives."""
    if licence is None:
        return None
    return iri_term(licence) if "://" in licence else text_term(licence)


def run_end_quads(run: str, ended: str) -> Iterator[Quad]:
    """The one quad that closes a run."""
    return _quads(run, run, [("prov:endedAtTime", date_time(ended))])


def quarantine_graph(run: str) -> str:
    """The named graph that holds what a run refused."""
    return f"{run}/quarantine"


def refusal_quads(refusal: Refusal, run: str, iris: Iris) -> Iterator[Quad]:
    """A refused record, whole. It is a literal, so that no query takes it for an annotation."""
    json = refusal.source_format == "json"
    return _quads(
        quarantine_graph(run),
        iris.refusal(run, refusal.path, refusal.source),
        [
            ("rdf:type", name("lg:Refusal")),
            ("prov:wasGeneratedBy", iri_term(run)),
            ("lg:path", text_term(refusal.path)),
            ("lg:reason", text_term(refusal.reason)),
            (
                "lg:source",
                typed_term(refusal.source, "rdf:JSON") if json else text_term(refusal.source),
            ),
        ],
    )


def dataset_quads(dataset: Dataset, run: Run) -> Iterator[Quad]:
    """An export, in the graph of its run."""
    return _quads(
        run.iri,
        dataset.iri,
        [
            ("rdf:type", name("dcat:Dataset")),
            ("rdf:type", name("prov:Entity")),
            ("dcterms:title", text_term(dataset.title)),
            ("dcterms:format", text_term(dataset.media_type)),
            ("prov:wasGeneratedBy", iri_term(run.iri)),
            *(("prov:wasDerivedFrom", iri_term(version)) for version in run.vocabulary_versions),
            ("lg:queryText", text_term(dataset.query)),
            ("lg:parameters", _json(dataset.parameters) if dataset.parameters else None),
            ("lg:fingerprint", text_term(dataset.fingerprint)),
            ("schema:sha256", text_term(dataset.sha256)),
            ("dcterms:created", date_time(run.started)),
        ],
    )


def vocabulary_quads(
    triples: Iterable[Any],
    *,
    version: str,
    scheme: str,
    sha256: str,
    created: str,
    previous: str | None = None,
) -> Iterator[Quad]:
    """A vocabulary version: its triples as they were read, and what it is a version of.

    ``triples`` are pyoxigraph's. Blank nodes get an IRI within the version from their label,
    which is expected to be canonical (RDFC-1.0), so that equal files give equal IRIs.
    """
    graph = iri_term(version)

    def named(node: Any) -> str:
        text = str(node)
        return iri_term(f"{version}#node-{text[2:]}") if text.startswith("_:") else text

    for triple in triples:
        yield named(triple.subject), str(triple.predicate), named(triple.object), graph
    yield from _quads(
        version,
        version,
        [
            ("rdf:type", name("lg:VocabularyVersion")),
            ("rdf:type", name("prov:Entity")),
            ("dcterms:isVersionOf", iri_term(scheme)),
            ("schema:sha256", text_term(sha256)),
            ("dcterms:created", date_time(created)),
            ("prov:wasRevisionOf", _node(previous)),
        ],
    )


def number_quads(numbers: Mapping[str, int], version: str) -> Iterator[Quad]:
    """Concept IRI → its category number, said by a vocabulary version."""
    for concept, number in numbers.items():
        value = typed_term(str(number), "lg:categoryId")
        yield from _quads(version, concept, [("skos:notation", value)])


def tombstone_quads(run: str, agent: Agent, undone: str, iris: Iris) -> Iterator[Quad]:
    """What stays of an undone run: that it was, who undid it and when."""
    node = iris.agent(agent.name)
    yield from _quads(
        run,
        run,
        [
            ("rdf:type", name("lg:Tombstone")),
            ("prov:wasAttributedTo", iri_term(node)),
            ("prov:invalidatedAtTime", date_time(undone)),
        ],
    )
    yield from _agent_quads(run, agent, node)


def _agent_quads(graph: str, agent: Agent, node: str) -> Iterator[Quad]:
    return _quads(
        graph,
        node,
        [
            ("rdf:type", name("prov:Agent")),
            ("rdf:type", name(_AGENT_CLASS[agent.kind])),
            ("schema:name", text_term(agent.name)),
        ],
    )
