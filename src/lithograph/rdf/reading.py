"""Quads → entities: what :mod:`lithograph.rdf.writing` wrote, read back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import orjson
from pyoxigraph import Literal, NamedNode, Quad

from lithograph.entities import (
    Agent,
    Annotation,
    Box,
    Candidate,
    Image,
    Run,
    RunKind,
    Status,
)
from lithograph.errors import GraphError
from lithograph.masks import outline_from_wkt, rle_from_text
from lithograph.rdf import terms as t
from lithograph.rdf.terms import iri_of, shorten, term

_KIND_OF_CLASS = {
    term("lg:ModelRun"): RunKind.MODEL,
    term("lg:ImportRun"): RunKind.IMPORT,
    term("lg:ReviewRun"): RunKind.REVIEW,
    term("lg:EditRun"): RunKind.EDIT,
    term("lg:ExportRun"): RunKind.EXPORT,
}


class _Node:
    """What the quads say of one subject."""

    def __init__(self, iri: str, values: Mapping[NamedNode, list[Any]]) -> None:
        self.iri = iri
        self._values = values

    def all(self, name: str) -> list[Any]:
        """Every value of ``lg:…``, in the order of its text."""
        found = self._values.get(term(name), [])
        return sorted(found, key=str) if len(found) > 1 else found

    def text(self, name: str) -> str | None:
        """The one value's text, None where there is none; GraphError where there are several."""
        values = self.all(name)
        if len(values) > 1:
            raise GraphError(
                f"{self.iri}: expected one {name}, found {len(values)}", subject=self.iri
            )
        return str(values[0].value) if values else None

    def first(self, name: str) -> str | None:
        """The first of the values in the order of their text; shapes report several."""
        values = self.all(name)
        return str(values[0].value) if values else None

    def needed(self, name: str) -> str:
        """The one value's text; GraphError where there is none."""
        value = self.text(name)
        if value is None:
            raise GraphError(f"{self.iri}: expected a {name}, found none", subject=self.iri)
        return value

    def number(self, name: str) -> float | None:
        """The one value as a float."""
        value = self.text(name)
        return None if value is None else float(value)


def _by_subject(quads: Iterable[Quad]) -> dict[str, _Node]:
    grouped: dict[str, dict[NamedNode, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for quad in quads:
        values = grouped[iri_of(quad.subject)][quad.predicate]
        if quad.object not in values:
            values.append(quad.object)
    return {iri: _Node(iri, values) for iri, values in grouped.items()}


def annotation_from_quads(iri: str, quads: Iterable[Quad]) -> Annotation:
    """The annotation ``iri`` from the quads of it and of its parts (``iri#…``).

    Raises GraphError where a part is missing or doubled.
    """
    nodes = _by_subject(quads)

    def node(part: str) -> _Node:
        if iri + part not in nodes:
            raise GraphError(f"{iri}: expected a node {part or iri}, found none", subject=iri)
        return nodes[iri + part]

    main, target, shape = node(""), node("#target"), node("#geometry")
    mask, outline = shape.text("lg:mask"), shape.text("lg:outline")
    if mask is not None:
        geometry: Any = rle_from_text(mask)
    elif outline is not None:
        geometry = outline_from_wkt(outline)
    else:
        raise GraphError(f"{iri}: expected an outline or a mask, found neither", subject=iri)
    candidates = sorted(
        (nodes[value.value] for value in main.all("lg:candidate")),
        key=lambda candidate: int(candidate.needed("lg:rank")),
    )
    return Annotation(
        iri=iri,
        image=target.needed("oa:hasSource"),
        concept=main.needed("oa:hasBody"),
        geometry=geometry,
        box=Box(*(float(shape.needed(f"lg:{name}")) for name in ("x", "y", "width", "height"))),
        area=float(shape.needed("lg:area")),
        created=main.needed("dcterms:created"),
        status=Status(main.needed("lg:status").removeprefix(t.STATUS_PREFIX)),
        confidence=main.number("lg:confidence"),
        mask_quality=main.number("lg:maskQuality"),
        candidates=tuple(
            Candidate(candidate.needed("lg:concept"), float(candidate.needed("lg:confidence")))
            for candidate in candidates
        ),
        region=main.text("lg:region"),
        alternative_of=main.text("lg:alternativeOf"),
        revision_of=main.text("prov:wasRevisionOf"),
        source_id=main.text("lg:sourceId"),
        crowd=main.text("lg:crowd") == "true",
    )


#: What is said of images, and of few other nodes. Their classes and source ids are not: every
#: annotation has such.
IMAGE_PREDICATES: Final = (
    t.NAME,
    term("schema:width"),
    term("schema:height"),
    t.SHA256,
    term("schema:contentUrl"),
    term("schema:license"),
    term("exif:dateTimeOriginal"),
    term("lg:project"),
)


def images_from_quads(iris: Collection[str], quads: Iterable[Quad]) -> tuple[Image, ...]:
    """Images in IRI order, from what every run says of them: several may complete each other.

    The quads may be of other nodes too. Raises GraphError where an image lacks its name or size.
    """
    nodes = _by_subject(quad for quad in quads if iri_of(quad.subject) in iris)
    for iri in iris:
        nodes.setdefault(iri, _Node(iri, {}))
    return tuple(_image(nodes[iri]) for iri in sorted(iris))


def _image(node: _Node) -> Image:
    return Image(
        iri=node.iri,
        name=node.first("schema:name") or node.needed("schema:name"),
        width=int(node.needed("schema:width")),
        height=int(node.needed("schema:height")),
        sha256=node.text("schema:sha256"),
        content_url=node.first("schema:contentUrl"),
        licence=node.first("schema:license"),
        captured=node.first("exif:dateTimeOriginal"),
        source_id=node.first("lg:sourceId"),
        project=node.first("lg:project"),
    )


def run_from_quads(iri: str, quads: Iterable[Quad]) -> Run:
    """The run ``iri`` from its own graph: what it was, when, by whom and with which parameters.

    Its models and prompts are left to queries.
    """
    nodes = _by_subject(quads)
    if iri not in nodes:
        raise GraphError(f"{iri}: expected a run, found nothing", subject=iri)
    node = nodes[iri]
    kinds = [_KIND_OF_CLASS[value] for value in node.all("rdf:type") if value in _KIND_OF_CLASS]
    if len(kinds) != 1:
        found = ", ".join(shorten(value.value) for value in node.all("rdf:type")) or "none"
        raise GraphError(f"{iri}: expected one class of run, found {found}", subject=iri)
    agent = nodes[node.needed("prov:wasAssociatedWith")]
    classes = agent.all("rdf:type")
    parameters = node.text("lg:parameters")
    used = [value.value for value in node.all("prov:used")]
    versions = [value for value in used if "/vocabulary/" in value]
    return Run(
        iri=iri,
        kind=kinds[0],
        agent=Agent(
            agent.needed("schema:name"),
            "person"
            if term("prov:Person") in classes
            else "software"
            if term("prov:SoftwareAgent") in classes
            else "file",
        ),
        started=node.needed("prov:startedAtTime"),
        ended=node.text("prov:endedAtTime"),
        name=node.text("schema:name"),
        vocabulary_versions=tuple(versions),
        parameters=orjson.loads(parameters) if parameters else {},
        software=tuple(value.value for value in node.all("lg:softwareVersion")),
        images=tuple(value for value in used if value not in versions),
    )


def literal_value(node: Any) -> Any:
    """A term as the plain Python value people expect: int, float, bool, else its text."""
    if not isinstance(node, Literal):
        return None if node is None else node.value
    kind = shorten(node.datatype.value)
    if kind in {"xsd:integer", "xsd:int", "xsd:long"}:
        return int(node.value)
    if kind in {"xsd:double", "xsd:float", "xsd:decimal"}:
        return float(node.value)
    if kind == "xsd:boolean":
        return node.value in {"true", "1"}
    return node.value
