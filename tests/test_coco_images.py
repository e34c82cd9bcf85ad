from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyoxigraph
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coco_records import (
    Read,
    a_file,
    a_record,
    an_image,
    kinds,
    reader_in,
    without,
)
from lithograph.entities import Image
from lithograph.formats.imported import FindingKind
from lithograph.rdf.iris import Iris


@pytest.fixture
def read(tmp_path: Path, iris: Iris) -> Read:
    """Reads a COCO file given as data."""
    return reader_in(tmp_path, iris)


# -- images ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [("100", "80"), (100.0, 80.0), (" 100", "80 ")])
def test_sizes_as_strings_and_floats(read: Read, width: Any, height: Any) -> None:
    (image,) = read(a_file(images=[an_image(width=width, height=height)])).images
    assert (image.width, image.height) == (100, 80)


@pytest.mark.parametrize("width", [0, -100, "wide", 10.5, True, None, "1" * 5000, 10**30, "٣"])
def test_sizes_that_are_none(read: Read, width: Any) -> None:
    imported = read(a_file(images=[an_image(width=width)]))
    image, annotation = imported.refusals
    assert image.path == "images[0]"
    assert annotation.path == "annotations[0].image_id"
    assert "its image was refused (images[0]: " in annotation.reason


def test_a_size_beyond_every_mask(read: Read) -> None:
    imported = read(a_file(images=[an_image(width=2**20, height=2**11)]))
    assert "expected at most 1073741824 pixels" in imported.refusals[0].reason


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a b/é.jpg", "c:\\x.jpg", "<script>.jpg", "%2e"]
)
def test_a_file_name_is_data(read: Read, name: str) -> None:
    (image,) = read(a_file(images=[an_image(file_name=name)])).images
    assert image.name == name
    key = image.iri.removeprefix("https://data.example.org/ca19/image/")
    assert key.isascii()
    assert not set(key) & set(" <>\"'/\\%")


@pytest.mark.parametrize("name", [5, "\ud800.jpg", ["a.jpg"], "  "])
def test_what_is_no_file_name_is_refused(read: Read, name: Any) -> None:
    imported = read(a_file(images=[an_image(file_name=name)]))
    assert imported.refusals[0].path == "images[0].file_name"
    assert json.loads(imported.refusals[0].source)["file_name"] == name


def test_an_image_without_a_name_is_named_after_its_address(read: Read) -> None:
    image = without(an_image(coco_url="http://images.example.org/val/0001.jpg"), "file_name")
    imported = read(a_file(images=[image]))
    assert imported.images[0].name == "0001.jpg"
    assert kinds(imported) == [FindingKind.NAME_MISSING]
    image |= {"aioli_url": "file:///a.jpg"}
    assert [finding.count for finding in read(a_file(images=[image])).findings] == [1, 1]
    imported = read(a_file(images=[without(an_image(), "file_name")]))
    assert imported.refusals[0].reason == "expected a name, found none"


def test_one_name_for_two_images_is_told(read: Read) -> None:
    imported = read(a_file(images=[an_image(), an_image(id=8)]))
    assert len({image.iri for image in imported.images}) == 2
    assert kinds(imported) == [FindingKind.NAME_TWICE]


@pytest.mark.parametrize(
    ("urls", "expected", "told"),
    [
        ({"coco_url": "http://x.org/a.jpg"}, "http://x.org/a.jpg", 0),
        ({"flickr_url": "http://f.org/b", "coco_url": "https://c.org/a"}, "https://c.org/a", 0),
        (
            {"aioli_url": "https://a.org/x y.J", "coco_url": "https://c.org"},
            "https://a.org/x%20y.J",
            0,
        ),
        ({"coco_url": "javascript:alert(1)"}, None, 1),
        ({"coco_url": "file:///etc/passwd", "flickr_url": "http://f.org/b"}, "http://f.org/b", 1),
        ({"coco_url": "https://marie:secret@x.org/a.jpg"}, None, 1),
        ({"coco_url": "https://x.org/marie@example.org/a.jpg"}, None, 1),
        ({"coco_url": "http://[::1/a"}, None, 1),
        ({"coco_url": 'https://x.org/"><a'}, "https://x.org/%22%3E%3Ca", 0),
        ({"coco_url": "https://x.org/100%/é"}, "https://x.org/100%25/é", 0),
        ({"coco_url": ""}, None, 0),
        ({"coco_url": 5}, None, 1),
    ],
)
def test_addresses(read: Read, urls: dict[str, Any], expected: str | None, told: int) -> None:
    imported = read(a_file(images=[an_image(**urls)]))
    assert imported.images[0].content_url == expected
    assert kinds(imported) == [FindingKind.ADDRESS_DROPPED] * told
    assert "secret" not in str(imported.findings)
    if expected is not None:
        assert pyoxigraph.NamedNode(expected).value == expected


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2013-11-14 17:02:52", "2013-11-14T17:02:52"),
        ("2013/11/14 17:02:52", "2013-11-14T17:02:52"),
        ("2020:06:11 13:00:50", "2020-06-11T13:00:50"),
        ("2020-06-11T13:00:50.25Z", "2020-06-11T13:00:50.25Z"),
        ("2020-06-11T13:00:50+0200", "2020-06-11T13:00:50+02:00"),
        ("2020-06-11 13:00:50 -03:30", "2020-06-11T13:00:50-03:30"),
    ],
)
def test_dates(read: Read, date: str, expected: str) -> None:
    imported = read(a_file(images=[an_image(date_captured=date)]))
    assert imported.images[0].captured == expected
    assert not imported.findings


@pytest.mark.parametrize(
    "date",
    [
        "2024-05-29",
        "2013-13-14 17:02:52",
        "yesterday",
        "0000-01-01 00:00:00",
        1591880450,
        [1],
        "2020-06-11T13:00:50+15:00",
        "2020-06-11T25:00:50",
    ],
)
def test_a_date_is_never_made_up(read: Read, date: Any) -> None:
    imported = read(a_file(images=[an_image(date_captured=date)]))
    assert imported.images[0].captured is None
    assert kinds(imported) == [FindingKind.DATE_DROPPED]


@pytest.mark.parametrize("date", [0, "", None])
def test_a_placeholder_for_a_date_is_not_told(read: Read, date: Any) -> None:
    imported = read(a_file(images=[an_image(date_captured=date)]))
    assert imported.images[0].captured is None
    assert not imported.findings


def test_licences_come_from_the_file_alone(read: Read) -> None:
    data = a_file(
        images=[
            an_image(license=1),
            an_image(id=8, file_name="b.jpg", license=2),
            an_image(id=9, file_name="c.jpg", license=3),
            an_image(id=10, file_name="d.jpg"),
            an_image(id=11, file_name="e.jpg", license=0),
        ],
        licenses=[  # after the images that name them
            {"id": 1, "url": "http://creativecommons.org/licenses/by/2.0/", "name": "CC BY"},
            {"id": 2, "name": "All rights reserved", "url": ""},
            {"id": 0, "name": "", "url": ""},
        ],
    )
    imported = read(data)
    assert [image.licence for image in imported.images] == [
        "http://creativecommons.org/licenses/by/2.0/",
        None,
        None,
        None,
        None,
    ]
    (finding,) = imported.findings
    assert finding.kind is FindingKind.LICENCE_UNKNOWN
    assert finding.examples == (
        "licenses[1]: 'All rights reserved'",
        "images[2].license: 3 is not in the file's licenses",
    )


@given(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()),
    st.sampled_from(["id", "file_name", "width", "license", "date_captured", "coco_url"])
    | st.sampled_from(["image_iri", "sha256", "project", "source_id"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_in_an_image_gives_an_image_or_a_refusal(
    read: Read, value: Any, key: str
) -> None:
    changed = an_image(id=8, image_iri="https://x.example/image/1") | {key: value}
    imported = read(a_file(images=[an_image(), changed]))
    assert len(imported.annotations) == 1
    assert len(imported.images) + len(imported.refusals) == 2
    for image in imported.images:
        for iri in (image.iri, image.content_url, image.licence):
            if iri is not None:
                assert pyoxigraph.NamedNode(iri).value == iri


# -- images that the graph knows -------------------------------------------------------------------

PHOTOGRAPH = Image(
    iri="https://data.example.org/ca19/image/" + "a" * 64,
    name="Wall.JPEG",
    width=100,
    height=80,
    sha256="a" * 64,
    captured="2020-06-11T13:00:50+02:00",
)


def test_photographs_may_be_added_before_the_import(read: Read) -> None:
    image = an_image(date_captured="2020-06-11 13:00:50", coco_url="http://x.org/wall.jpg")
    imported = read(a_file(images=[image]), known_images=[PHOTOGRAPH])
    completed = replace(
        PHOTOGRAPH, project="site", source_id="7", content_url="http://x.org/wall.jpg"
    )
    assert imported.images == (completed,)
    assert imported.annotations[0].image == PHOTOGRAPH.iri
    assert kinds(imported) == [FindingKind.DIFFERS_FROM_GRAPH]  # the date, without its zone
    again = read(a_file(images=[image]), known_images=[completed])
    assert again.images == (completed,)
    assert again.annotations == imported.annotations


def test_a_photograph_of_another_size_is_another(read: Read) -> None:
    known = replace(PHOTOGRAPH, width=80, height=100)
    imported = read(a_file(), known_images=[known])
    assert imported.images[0].iri != known.iri
    assert kinds(imported) == [FindingKind.SIZE_OF_NAMESAKE]
    assert "not upright in the source" in str(imported.findings[0])
    # Within one project a name is one image: there it cannot be another.
    imported = read(a_file(), known_images=[replace(known, project="site")])
    assert imported.refusals[0].path == "images[0]"
    assert "expected 80 × 100 upright pixels" in imported.refusals[0].reason
    imported = read(a_file(), known_images=[replace(PHOTOGRAPH, project="elsewhere")])
    assert imported.images[0].iri != PHOTOGRAPH.iri
    assert not imported.findings


def test_two_photographs_of_one_name_and_size(read: Read) -> None:
    twins = [PHOTOGRAPH, replace(PHOTOGRAPH, iri=PHOTOGRAPH.iri + "b", sha256="b" * 64)]
    imported = read(a_file(), known_images=twins)
    assert imported.refusals[0].path == "images[0].file_name"


def test_a_size_may_come_from_the_photograph(read: Read) -> None:
    imported = read(a_file(images=[an_image(width=None, height=0)]), known_images=[PHOTOGRAPH])
    assert (imported.images[0].width, imported.images[0].height) == (100, 80)
    assert kinds(imported) == [FindingKind.SIZE_FROM_GRAPH]
    assert len(imported.annotations) == 1


def test_an_image_that_another_file_of_the_project_listed(read: Read) -> None:
    first = read(a_file(), project="p")
    renumbered = a_file(a_record(image_id=1), images=[an_image(id=1, license=None)])
    again = read(renumbered, project="p", known_images=first.images)
    assert again.images == first.images
    assert again.annotations[0].iri == first.annotations[0].iri


def test_our_own_image_is_known_again(read: Read, iris: Iris) -> None:
    record = an_image(image_iri=PHOTOGRAPH.iri, file_name="3f/renamed.jpg", sha256="a" * 64)
    imported = read(a_file(images=[record]), known_images=[PHOTOGRAPH])
    assert imported.images == (PHOTOGRAPH,)
    by_digest = record | {"image_iri": "https://elsewhere.example.org/image/1"}
    assert read(a_file(images=[by_digest]), known_images=[PHOTOGRAPH]).images == (PHOTOGRAPH,)
    record = an_image(image_iri="https://x.example/i", project="p", source_id="99")
    (image,) = read(a_file(images=[record])).images
    assert image.iri == iris.image_of_source("p", "wall.jpg", "99")
    assert (image.project, image.source_id) == ("p", "99")
    record = an_image(image_iri="https://x.example/i", sha256="../../x")
    assert read(a_file(images=[record])).refusals[0].path == "images[0].sha256"
