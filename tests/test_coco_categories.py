from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coco_records import (
    CRACK,
    LACUNA,
    Read,
    a_file,
    a_record,
    kinds,
    reader_in,
    the_refusal,
)
from lithograph.errors import FormatError
from lithograph.formats.coco_reading import coco_categories
from lithograph.formats.imported import FindingKind
from lithograph.rdf.iris import Iris
from lithograph.vocabulary import Vocabulary


@pytest.fixture
def read(tmp_path: Path, iris: Iris) -> Read:
    """Reads a COCO file given as data."""
    return reader_in(tmp_path, iris)


# -- categories ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Crack", "crack", "FISSURE", "Fissure ", "fissure"])
def test_categories_are_known_by_a_label_of_any_language(read: Read, name: str) -> None:
    imported = read(a_file(categories=[{"id": 3, "name": name, "supercategory": "x"}]))
    assert imported.annotations[0].concept == CRACK


@pytest.mark.parametrize(
    ("number", "name", "slug"),
    [
        (2, "Bleaching", "bleaching"),
        (5, "SaltEfflorescence", "salt-efflorescence"),
        (6, "LeadDeposit", "lead-deposit"),
        (1, "Erosion", "erosion"),
        (8, "Lacuna", "lacuna"),
        (7, "Scaling", "scaling"),
        (9, "Flake", "flake"),
        (3, "Crack", "crack"),
        (4, "Humidity", "humidity"),
    ],
)
def test_the_data_sets_nine_categories(read: Read, number: int, name: str, slug: str) -> None:
    imported = read(a_file(a_record(category_id=number), categories=[{"id": number, "name": name}]))
    assert imported.annotations[0].concept.rpartition("/")[2] == slug
    assert not imported.findings


def test_a_number_alone_never_decides_against_a_name(read: Read) -> None:
    """MS COCO's 1 to 9 are a person, a bicycle, a car …"""
    names = ["person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"]
    categories = [{"id": number, "name": name} for number, name in enumerate(names, start=1)]
    records = [a_record(id=number, category_id=number) for number in range(1, 10)]
    imported = read(a_file(*records, categories=categories))
    assert not imported.annotations
    paths = [refusal.path for refusal in imported.refusals]
    assert paths[:9] == [f"categories[{index}].name" for index in range(9)]
    assert paths[9:] == [f"annotations[{index}].category_id" for index in range(9)]


def test_an_unknown_category_names_the_nearest(read: Read) -> None:
    imported = read(a_file(a_record(), a_record(id=2), categories=[{"id": 3, "name": "Crackk"}]))
    category, first, second = imported.refusals
    assert category.path == "categories[0].name"
    assert "found 'Crackk'; the nearest: " in category.reason
    assert CRACK in category.reason
    assert (first.path, second.path) == (
        "annotations[0].category_id",
        "annotations[1].category_id",
    )
    assert first.reason == f"its category was refused: {category.reason}"


def test_name_and_number_disagree(read: Read) -> None:
    imported = read(a_file(a_record(category_id=8), categories=[{"id": 8, "name": "Crack"}]))
    assert imported.annotations[0].concept == CRACK
    assert kinds(imported) == [FindingKind.NUMBER_DIFFERS]
    assert imported.findings[0].examples == ("categories[0]: Crack is 8 here, and 3 there",)


def test_a_category_without_a_name(read: Read) -> None:
    imported = read(a_file(categories=[{"id": 3}]))
    assert imported.annotations[0].concept == CRACK
    assert kinds(imported) == [FindingKind.NUMBER_ALONE]
    refusals = read(a_file(a_record(category_id=77), categories=[{"id": 77}])).refusals
    assert "found number 77" in refusals[0].reason
    refusals = read(a_file(categories=[{"id": 3, "name": 5}])).refusals
    assert refusals[0].path == "categories[0].name"


def test_a_label_of_several_concepts_names_them(read: Read, tmp_path: Path) -> None:
    text = """
    @prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix : <https://x.example/v/> .
    :s a skos:ConceptScheme .
    :a a skos:Concept ; skos:inScheme :s ; skos:prefLabel "écaillage"@fr .
    :b a skos:Concept ; skos:inScheme :s ; skos:prefLabel "écaillage"@fr .
    """
    (tmp_path / "v.ttl").write_text(text, encoding="utf-8")
    ambiguous = Vocabulary.read(tmp_path / "v.ttl")
    imported = read(a_file(categories=[{"id": 3, "name": "Écaillage"}]), vocabulary=ambiguous)
    assert "which several have" in imported.refusals[0].reason
    assert "https://x.example/v/a" in imported.refusals[0].reason
    assert "https://x.example/v/b" in imported.refusals[0].reason


def test_a_category_that_is_not_listed(read: Read) -> None:
    refusal = the_refusal(read(a_file(a_record(category_id=99))))
    assert refusal.path == "annotations[0].category_id"
    assert refusal.reason == "expected a category that the file lists, found 99"


def test_a_concept_named_by_iri_decides(read: Read) -> None:
    categories = [{"id": 3, "name": "Fente", "concept_iri": CRACK}]
    assert read(a_file(categories=categories)).annotations[0].concept == CRACK
    imported = read(a_file(a_record(concept_iri=LACUNA)))
    assert imported.annotations[0].concept == LACUNA
    for strange in ("https://other.example/crack", 5, "Crack", "lacuna"):
        imported = read(a_file(a_record(concept_iri=strange)))
        assert imported.refusals[0].path == "annotations[0].concept_iri"
        categories = [{"id": 3, "name": "Crack", "concept_iri": strange}]
        assert read(a_file(categories=categories)).refusals[0].path == "categories[0].concept_iri"


def test_the_categories_themselves(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    categories: list[Any] = [
        {"id": 2, "name": "b", "supercategory": "x"},
        {"id": 1, "name": "a", "supercategory": ""},
        {"id": 2, "name": "again"},
        {"id": None, "name": "c"},
        {"id": 5},
        "nonsense",
    ]
    path.write_text(json.dumps(a_file(categories=categories)), encoding="utf-8")
    assert coco_categories(path) == ((2, "b", "x"), (1, "a", None))
    others: list[Any] = [[1], {"info": {}}, a_file({"caption": "hello"})]
    for other in others:
        path.write_text(json.dumps(other), encoding="utf-8")
        with pytest.raises(FormatError, match="expected"):
            coco_categories(path)
