"""The gate's engine and pySHACL say the same of batches that are broken by chance."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from faulty_batches import BREAKS, faulty
from gate_comparison import QUERIED, by_engine, differences, is_not_computed_with, one_by_one
from lithograph.gate import Shapes, validate
from lithograph.rdf import Quad
from lithograph.rdf.quads import value_of
from sound_batches import Written, from_files

# rdflib warns of a boolean that is neither true nor false, which the gate refuses.
pytestmark = pytest.mark.filterwarnings("ignore:Parsing weird boolean")

QUICK = range(200)
SLOW = range(len(QUICK), 4000)
#: Batches that pySHACL is asked about at once, each in a namespace of its own.
TOGETHER = 15
BASE = "<https://data.example.org/"


def moved(quads: list[Quad], number: int) -> list[Quad]:
    """The batch in a namespace of its own."""

    def term(text: str) -> str:
        if text[0] == "_":
            return f"{text}n{number}"
        return text.replace(BASE, f"{BASE}n{number}/", 1) if text[0] == "<" else text

    return [(term(s), predicate, term(o), term(graph)) for s, predicate, o, graph in quads]


def check(numbers: Sequence[int], shapes: Shapes) -> None:
    """The engine is held to pySHACL, and to the same queries asked node by node."""
    computed_with: dict[bool, list[int]] = {False: [], True: []}
    for number in numbers:
        batch, context = faulty(number)
        check_queries(batch, context, shapes, number)
        # Of some batches pySHACL cannot be asked the queries: they go together.
        odd = any(map(is_not_computed_with, [*batch, *context]))
        computed_with[odd].append(number)
    for group in computed_with.values():
        for start in range(0, len(group), TOGETHER):
            check_together(group[start : start + TOGETHER], shapes)


def check_together(numbers: Sequence[int], shapes: Shapes) -> None:
    parts = [(number, *faulty(number)) for number in numbers]
    batch = [quad for number, quads, _ in parts for quad in moved(quads, number)]
    context = [quad for number, _, quads in parts for quad in moved(quads, number)]
    only_ours, only_theirs = differences(batch, shapes, context)
    assert not only_ours, f"one of the batches {numbers}"
    assert not only_theirs, f"one of the batches {numbers}"


def check_queries(batch: list[Quad], context: list[Quad], shapes: Shapes, number: int) -> None:
    queried = {
        (violation.focus, violation.shape, violation.value)
        for violation in by_engine(batch, shapes, context)
        if violation.component == QUERIED
    }
    blank = {value_of(quad[0]) for quad in batch if quad[0][0] == "_"}
    named = {each for each in queried if each[0] not in blank}
    assert named == one_by_one(batch, shapes, context), f"batch {number}"


def test_the_engine_says_what_pyshacl_says_of_some_batches(shapes: Shapes) -> None:
    check(QUICK, shapes)


@pytest.mark.slow
@pytest.mark.parametrize("tenth", range(10))
def test_the_engine_says_what_pyshacl_says_of_thousands_of_batches(
    tenth: int, shapes: Shapes
) -> None:
    check(SLOW[tenth::10], shapes)


@pytest.mark.parametrize("number", range(0, 100, 5))
def test_batches_are_sound_before_they_are_broken(number: int, shapes: Shapes) -> None:
    for each in range(number, number + 5):
        batch, context = Written(random.Random(each)).batch()
        faults = [v for v in validate(batch, shapes, context=context) if v.severity == "Violation"]
        assert faults == [], f"batch {each}"


def test_valid_files_are_sound_too(shapes: Shapes) -> None:
    found = list(from_files())
    assert len(found) == 1 + len(list((Path(__file__).parent / "shapes").glob("valid-*.ttl")))
    assert not [validate(quads, shapes) for quads in found if validate(quads, shapes)]


def test_most_batches_are_faulty_and_break_most_components(shapes: Shapes) -> None:
    """A generator that no longer breaks anything would prove nothing."""
    broken, components, left_to_one_by_one = 0, set(), 0
    for number in range(400):
        batch, context = faulty(number)
        found = by_engine(batch, shapes, context)
        broken += bool(found)
        components |= {v.component.removesuffix("ConstraintComponent") for v in found}
        left_to_one_by_one += any(map(is_not_computed_with, [*batch, *context]))
    assert broken > 300
    assert left_to_one_by_one < 140
    # The longest literals are left to the counter-examples: a megabyte takes pySHACL a while.
    assert components >= {
        *("Class", "Closed", "Datatype", "Disjoint", "HasValue", "In", "LessThanOrEquals"),
        *("MaxCount", "MaxExclusive", "MaxInclusive", "MinCount", "MinExclusive", "MinInclusive"),
        *("MinLength", "NodeKind", "Or", "Pattern", "QualifiedMinCount", "SPARQL", "Xone"),
    }


@pytest.mark.parametrize("way", BREAKS, ids=lambda way: way.__name__)
def test_every_way_to_break_a_batch_breaks_some(way: object) -> None:
    assert callable(way)
    quads = next(from_files())
    changed = [way(quads, random.Random(number)) for number in range(20)]
    assert [each for each in changed if set(each) != set(quads) or len(each) != len(quads)]
