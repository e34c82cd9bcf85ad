"""The SHACL shapes, read and checked before anything is checked with them."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lithograph import resources
from lithograph.errors import ShapesError
from lithograph.gate.soundness import TARGETS, check_file, check_form, check_whole
from lithograph.gate.terms import sh
from lithograph.rdf import shorten

if TYPE_CHECKING:
    from rdflib import Graph
    from rdflib.term import Node

    from lithograph.gate.plan import Plan

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Shapes:
    """SHACL shapes that were checked. ``digest`` is the SHA-256 of their files.

    ``prepared`` holds the SPARQL constraints that pySHACL asks, once they have been parsed.
    """

    graph: Graph = field(repr=False)
    digest: str
    names: tuple[str, ...]
    prepared: dict[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def plan(self) -> Plan:
        """The shapes as they are asked of a batch."""
        from lithograph.gate.plan import Plan

        return Plan.read(self.graph)

    @cached_property
    def left_over(self) -> Shapes | None:
        """The shapes that are left to pySHACL, with all that they point at; None for none.

        Each is named in a warning, with its reason.
        """
        outside = self.plan.outside
        if not outside:
            return None
        for shape, reason in outside.items():
            _LOG.warning("%s is asked by pySHACL, slowly: %s", shorten(str(shape)), reason)
        return Shapes(_part(self.graph, set(outside)), self.digest, self.names)

    @classmethod
    def read(cls, path: Path | None = None) -> Shapes:
        """Read a Turtle file, or every ``.ttl`` of a folder; the shipped shapes by default.

        Raises ShapesError, with the file or the folder as its subject, where one does not parse or
        imports another, uses a term that its vocabulary does not have (in ``sh:``, ``lg:`` and
        every vocabulary of the graph model), names a class of another vocabulary without declaring
        it, holds a pattern that is no regular expression, a query that may not run or a shape that
        nothing can reach, is no well-formed SHACL, or where there is no shape at all.
        """
        place = path or resources.shapes()
        files = sorted(place.glob("*.ttl")) if place.is_dir() else [place]
        whole, digest = _empty(), hashlib.sha256()
        for file in files:
            part, content = _parse(file)
            digest.update(content)
            check_file(part, file)
            whole += part
        check_whole(whole, place)
        if path is not None:
            # It takes seconds; that the shipped shapes are well formed is tested once for all.
            check_form(whole, place)
        return cls(whole, digest.hexdigest(), tuple(file.name for file in files))


def _part(graph: Graph, shapes: set[Node]) -> Graph:
    """These shapes with all that they point at, which keeps no target of its own.

    Constraint components that the shapes define come too, and what declares prefixes for all.
    """
    from rdflib import OWL, RDF

    part, kinds = _empty(), {sh("NodeShape"), sh("PropertyShape")}
    for_all = {*graph.subjects(sh("parameter")), *graph.subjects(RDF.type, OWL.Ontology)}
    waiting = [*shapes, *for_all]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        is_shape = not kinds.isdisjoint(graph.objects(node, RDF.type))
        for triple in graph.triples((node, None, None)):
            # The instances of a shape that is a class are its targets.
            is_class = is_shape and triple[1] == RDF.type and triple[2] not in kinds
            if node in shapes or not (is_class or str(triple[1]) in TARGETS):
                part.add(triple)
            if triple[2] not in seen:
                seen.add(triple[2])
                waiting.append(triple[2])
    return part


def _empty() -> Graph:
    from rdflib import Graph

    return Graph(bind_namespaces="none")


def _parse(file: Path) -> tuple[Graph, bytes]:
    from rdflib import XSD, Literal

    try:
        content = file.read_bytes()
        parsed = _empty().parse(data=content, format="turtle")
    except Exception as error:
        brief = " ".join(str(error).split())[:200]
        raise ShapesError(f"{file}: cannot be read as Turtle: {brief}", subject=file) from error
    graph = _empty()
    for subject, predicate, value in parsed:
        # "a"^^xsd:string is "a" (RDF 1.1), which rdflib tells apart.
        plain = isinstance(value, Literal) and value.datatype == XSD.string
        graph.add((subject, predicate, Literal(str(value)) if plain else value))
    return graph, content
