"""The W3C's test suite of SHACL, by the gate's engine and by pySHACL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

from gate_comparison import Said, by_engine, graph_of, quads_of, said, shapes_from, triples_of
from lithograph.errors import ShapesError
from lithograph.gate import Shapes, reference
from lithograph.rdf import Quad, shorten

if TYPE_CHECKING:
    from rdflib import Graph

SH = "http://www.w3.org/ns/shacl#"
MANIFEST = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
TEST = "http://www.w3.org/ns/shacl-test#"

#: Folder → its number of tests, so that one which is not found is noticed.
FOLDERS = {
    "core/complex": 2,
    "core/misc": 5,
    "core/node": 32,
    "core/path": 13,
    "core/property": 38,
    "core/targets": 7,
    "core/validation-reports": 1,
    "sparql/component": 4,
    "sparql/node": 4,
    "sparql/pre-binding": 14,
    "sparql/property": 1,
}
#: What engine and pySHACL both say otherwise than the suite, and why.
NOT_AS_EXPECTED = {
    # They take "1"^^xsd:boolean for true; the suite wants the term `true`.
    "core/property/uniqueLang-002",
}
#: Tests whose shapes are left to pySHACL: (in part) what the engine does not ask, and why.
OUTSIDE = {
    "core/misc/severity-002": "its severity is none of Violation, Warning and Info",
    "sparql/component/nodeValidator-001": "#requiredParam is not asked here",
    "sparql/component/optional-001": "Param is not asked here",
    "sparql/component/propertyValidator-select-001": "#lang is not asked here",
    "sparql/component/validator-001": "#test1 is not asked here",
    "sparql/node/prefixes-001": "a SPARQL constraint is not SPARQL 1.1: Unknown namespace prefix",
    "sparql/pre-binding/pre-binding-001": "needs $this where it is not bound",
    "sparql/pre-binding/pre-binding-002": "needs $this where it is not bound",
    "sparql/pre-binding/pre-binding-003": "needs $this where it is not bound",
    "sparql/pre-binding/pre-binding-004": "needs $this where it is not bound",
    "sparql/pre-binding/pre-binding-005": "needs $this where it is not bound",
    "sparql/pre-binding/pre-binding-006": "needs $this where it is not bound",
    "sparql/pre-binding/pre-binding-007": "needs $this where it is not bound",
    "sparql/pre-binding/shapesGraph-001": "uses $shapesGraph, which is asked node by node",
    "sparql/pre-binding/unsupported-sparql-001": "uses Minus, which is asked node by node",
    "sparql/pre-binding/unsupported-sparql-002": "uses values, which is asked node by node",
    "sparql/pre-binding/unsupported-sparql-003": "uses ServiceGraphPattern",
    "sparql/pre-binding/unsupported-sparql-004": "hides $this in a sub-query",
    "sparql/pre-binding/unsupported-sparql-005": "sets $this",
    "sparql/pre-binding/unsupported-sparql-006": "#lang is not asked here",
    "sparql/property/sparql-001": "uses $PATH, which is asked node by node",
}
#: What pySHACL itself cannot do.
BEYOND_PYSHACL = {
    # The prefixes are declared by an ontology that is only imported.
    "sparql/node/prefixes-001",
    # It has no shapes graph for a query to look into.
    "sparql/pre-binding/shapesGraph-001",
}


class Case:
    """One test: its data, its shapes, and what is expected of them (None for a failure)."""

    def __init__(self, name: str, file: Path) -> None:
        from rdflib import RDF, URIRef

        self.name = name
        triples = triples_of(file)
        manifest = graph_of(triples)
        (entry,) = manifest.subjects(RDF.type, URIRef(f"{TEST}Validate"))
        action: Any = manifest.value(entry, URIRef(f"{MANIFEST}action"))

        def part(kind: str) -> Any:
            place = manifest.value(action, URIRef(TEST + kind))
            other = Path(unquote(urlsplit(str(place)).path))
            # Read once, so that data and results speak of the same blank nodes.
            return triples if other == file else triples_of(other)

        self.quads: list[Quad] = quads_of(part("dataGraph"))
        self.shapes: Shapes = shapes_from(part("shapesGraph"))
        result = manifest.value(entry, URIRef(f"{MANIFEST}result"))
        self.expected: set[Said] | None = None
        if result != URIRef(f"{TEST}Failure"):
            results = manifest.objects(result, URIRef(f"{SH}result"))
            self.expected = {_expected(each, manifest, self.shapes.graph) for each in results}


def _expected(result: Any, manifest: Graph, shapes: Graph) -> Said:
    from rdflib import URIRef

    def one(name: str) -> Any:
        return manifest.value(result, URIRef(SH + name))

    path, value, shape = one("resultPath"), one("value"), one("sourceShape")
    return Said(
        focus=str(one("focusNode")),
        path=None if path is None else reference.path_text(path, manifest, shapes),
        component=shorten(str(one("sourceConstraintComponent"))).rpartition("#")[2],
        severity=str(one("resultSeverity")).removeprefix(SH),
        value=None if value is None else str(value),
        shape=str(shape) if isinstance(shape, URIRef) else None,
    )


def cases(root: Path, folder: str) -> list[Case]:
    files = sorted((root / "shacl/data-shapes-test-suite/tests" / folder).glob("*.ttl"))
    tests = [file for file in files if b"sht:Validate" in file.read_bytes()]
    return [Case(f"{folder}/{file.stem}", file) for file in tests]


def told(case: Case) -> set[Said] | None:
    """What pySHACL says, None where it fails."""
    try:
        return said(reference.validate(case.quads, case.shapes, everywhere=True))
    except ShapesError:
        return None


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_w3c_suite(folder: str, shared_data: Path) -> None:
    """The engine says what pySHACL says, and both say what the suite expects."""
    found = cases(shared_data, folder)
    assert len(found) == FOLDERS[folder]
    for case in found:
        outside = " ".join(case.shapes.plan.outside.values())
        assert bool(outside) == (case.name in OUTSIDE), f"{case.name}: {outside or 'compiled'}"
        assert OUTSIDE.get(case.name, "") in outside, case.name
        theirs = told(case)
        as_expected = case.name not in NOT_AS_EXPECTED | BEYOND_PYSHACL
        assert (theirs == case.expected) == as_expected, case.name
        if not outside:
            ours = said(by_engine(case.quads, case.shapes, everywhere=True))
            assert ours == theirs, case.name
