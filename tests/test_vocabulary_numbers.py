"""Category numbers that only grow, and schemes made from a file's own categories."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithograph.errors import VocabularyError
from lithograph.resources import ontology
from lithograph.vocabulary import Severity, Vocabulary, assign_category_ids, scheme_from_categories
from vocabulary_texts import EX, vocabulary

BASE = "https://data.example.org/ca19/"


def concepts(*names: str, **numbers: int) -> Vocabulary:
    """A flat vocabulary of these concepts; those with a number state it."""
    stated = {name: f' ; skos:notation "{n}"^^lg:categoryId' for name, n in numbers.items()}
    return vocabulary(
        "".join(
            f':{name} a skos:Concept ; skos:prefLabel "{name}"@en {stated.get(name, "")} .\n'
            for name in (*names, *numbers)
        )
    )


def test_the_data_sets_numbers_stay_and_families_come_after() -> None:
    read = Vocabulary.read(ontology("notre-dame-alterations"))
    numbers = assign_category_ids(read, {})
    assert [numbers[c.iri] for c in read.leaves] == [c.category_id for c in read.leaves]
    assert sorted(numbers[c.iri] for c in read.families) == [10, 11, 12, 13, 14]
    assert read.background is not None
    assert read.background.iri not in numbers
    assert list(numbers.values()) == list(range(1, 15))


def test_a_retired_concept_keeps_its_number() -> None:
    numbers = assign_category_ids(concepts("a", "c"), {f"{EX}a": 1, f"{EX}b": 2})
    assert numbers == {f"{EX}a": 1, f"{EX}b": 2, f"{EX}c": 3}


def test_stated_numbers_are_kept_and_skipped() -> None:
    assert assign_category_ids(concepts("a", z=7), {}) == {f"{EX}a": 8, f"{EX}z": 7}
    assert assign_category_ids(concepts(zero=0), {}) == {f"{EX}zero": 0}


def test_numbers_never_change_nor_change_hands() -> None:
    with pytest.raises(VocabularyError, match="expected the category number 1 that it had before"):
        assign_category_ids(concepts(a=2), {f"{EX}a": 1})
    with pytest.raises(VocabularyError, match=r"found 1, which https://example\.org/v/gone has or"):
        assign_category_ids(concepts(a=1), {f"{EX}gone": 1})
    with pytest.raises(VocabularyError, match="expected a category number of its own") as error:
        assign_category_ids(concepts(a=1, b=1), {})
    assert error.value.subject == f"{EX}b"


@pytest.mark.parametrize("previous", [{"x": -1}, {"x": 1, "y": 1}])
def test_previous_numbers_are_checked(previous: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="previous: expected"):
        assign_category_ids(concepts("a"), previous)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True), min_size=1, max_size=5
    ),
    st.dictionaries(st.sampled_from("xyz"), st.integers(0, 20), max_size=2).filter(
        lambda numbers: len(set(numbers.values())) == len(numbers)
    ),
)
def test_numbers_only_grow(versions: list[list[str]], stated: dict[str, int]) -> None:
    """Over any history of concepts that come, go and come back."""
    numbers: dict[str, int] = {}
    for names in versions:
        read = concepts(*names, **stated)
        later = assign_category_ids(read, numbers)
        assert numbers.items() <= later.items()
        assert {c.iri for c in read} <= set(later)
        assert len(set(later.values())) == len(later)
        fresh = [n for iri, n in later.items() if iri not in numbers and iri[-1] not in stated]
        assert not numbers or all(n > max(numbers.values()) for n in fresh)
        assert assign_category_ids(read, later) == later
        numbers = later


# -- schemes from categories -----------------------------------------------------------------------


def test_a_scheme_of_the_aioli_categories() -> None:
    categories = [
        (2, "Bleaching", "ChromaticAlteration&Deposit"),
        (5, "SaltEfflorescence", "ChromaticAlteration&Deposit"),
        (3, "Crack", "Discontinuities"),
    ]
    read = scheme_from_categories("Chapel CA 19", BASE, categories)
    assert read.iri == f"{BASE}scheme/chapel-ca-19/"
    assert read.title_in() == "Chapel CA 19"
    assert {c.slug: c.category_id for c in read.leaves} == {
        "bleaching": 2,
        "salt-efflorescence": 5,
        "crack": 3,
    }
    assert read.top_ancestor("SaltEfflorescence").label() == "ChromaticAlteration&Deposit"
    assert read["SaltEfflorescence"].iri.endswith("/salt-efflorescence")
    assert [p.text for p in read.prompts(concepts=["SaltEfflorescence"])] == [
        "SaltEfflorescence",
        "salt efflorescence",
    ]
    for number, name, above in categories:
        match = read.match_category(name, number, above).concept
        assert match is not None
        assert (match.category_id, match.label()) == (number, name)
    assert Severity.ERROR not in {finding.severity for finding in read.check()}
    assert scheme_from_categories("Chapel CA 19", BASE, reversed(categories)) == read


def test_a_category_that_is_its_own_supercategory_or_anothers() -> None:
    read = scheme_from_categories(
        "s",
        BASE,
        [(0, "stone", "stone"), (1, "crack", "Stone"), (2, "brick", "none"), (3, "x", "")],
    )
    assert {c.slug: [a.slug for a in read.path(c)] for c in read} == {
        "stone": ["stone"],
        "crack": ["stone", "crack"],
        "brick": ["brick"],
        "x": ["x"],
    }
    assert read["stone"].category_id == 0


def test_names_that_make_one_slug_get_iris_of_their_own() -> None:
    read = scheme_from_categories("s", BASE, [(1, "石", None), (2, "煉瓦", None), (3, "c++", "c")])
    assert len(read) == 4
    assert len({c.iri for c in read}) == 4
    assert all(" " not in c.iri for c in read)
    assert {c.label() for c in read} == {"石", "煉瓦", "c++", "c"}


def test_one_name_below_two_supercategories_is_two_concepts() -> None:
    categories = [(1, "crack", "wall"), (2, "crack", "roof"), (3, "hair crack", "crack")]
    read = scheme_from_categories("s", BASE, categories)
    for number, name, above in categories:
        match = read.match_category(name, number, above).concept
        assert match is not None
        assert match.category_id == number
        assert read.top_ancestor(match).label() == above
    assert len({c.iri for c in read}) == len(read) == 6
    assert scheme_from_categories("s", BASE, reversed(categories)) == read


def test_supercategories_in_a_ring_are_reported_not_hung() -> None:
    read = scheme_from_categories("s", BASE, [(1, "a", "b"), (2, "b", "a")])
    assert [c.slug for c in read.path("b")] == ["a", "b"]
    assert Severity.ERROR in {finding.severity for finding in read.check()}


@pytest.mark.parametrize(
    "categories",
    [
        [],
        [(1, "a", None), (1, "b", None)],
        [(1, "Crack", None), (2, "crack ", "")],
        [(10**15, "a", None)],
        [(1, "  ", None)],
        [(-1, "a", None)],
    ],
)
def test_categories_that_make_no_scheme(categories: list[tuple[int, str, str | None]]) -> None:
    with pytest.raises(VocabularyError, match="expected"):
        scheme_from_categories("s", BASE, categories)


@pytest.mark.parametrize(
    ("name", "base"), [("s", "https://example.org"), (" ", BASE), ("s", "x y/")]
)
def test_a_base_that_makes_no_iri(name: str, base: str) -> None:
    with pytest.raises(ValueError, match="expected a scheme name and a base IRI"):
        scheme_from_categories(name, base, [(1, "a", None)])


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8).filter(lambda s: s.strip() and s.isprintable()),
        st.none() | st.text(max_size=8).filter(str.isprintable),
        min_size=1,
        max_size=6,
    )
)
def test_any_names_make_a_scheme_or_a_reason(names: dict[str, str | None]) -> None:
    categories = [(number, name, above) for number, (name, above) in enumerate(names.items(), 1)]
    try:
        read = scheme_from_categories("s", BASE, categories)
    except VocabularyError:
        # Only names that differ in case and spaces alone are refused.
        assert len({" ".join(name.split()).casefold() for name in names}) < len(names)
        return
    numbered = {c.category_id: c for c in read if c.category_id is not None}
    assert set(numbered) == set(range(1, len(names) + 1))
    for number, name, _ in categories:
        assert numbered[number].label() == " ".join(name.split())
