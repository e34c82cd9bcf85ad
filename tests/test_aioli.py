from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lithograph import resources
from lithograph.entities import Image
from lithograph.formats.aioli import (
    AnnotationId,
    ImageId,
    annotation_id,
    decode,
    encode,
    image_id,
    same_stem,
)
from lithograph.formats.coco_reading import read_coco
from lithograph.formats.imported import FindingKind, Imported
from lithograph.rdf.iris import Iris
from lithograph.vocabulary import Vocabulary

IMAGE = 39435100101575257789575821898628447731927250984
ANNOTATION = 6708372542194208765605262249071277104351621160775136
DECODED = "624c06c2bc7ad-iter_ca_19_04624"
RING = [4400.5, 5800.25, 4800.5, 5800.25, 4800.5, 6000.75, 4400.5, 6000.75]

alphabet = "0123456789abcdefghijklmnopqrstuvwxyz-_"
names = st.text(alphabet, min_size=1, max_size=80)
stems = st.from_regex(r"[a-z1-9_][a-z0-9_-]{0,30}", fullmatch=True)


# -- the ids ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "project", "stem"),
    [
        (39435100101575257789575821898628447731927249727, "624c06c2bc7ad", "iter_ca_19_04571"),
        (39435100101575257789575821898628447731927249728, "624c06c2bc7ad", "iter_ca_19_04572"),
        (IMAGE, "624c06c2bc7ad", "iter_ca_19_04624"),
    ],
)
def test_the_published_image_ids(number: int, project: str, stem: str) -> None:
    assert image_id(str(number)) == ImageId(project, stem)
    assert encode(f"{project}-{stem}") == number


def test_the_published_annotation_id() -> None:
    assert annotation_id(str(ANNOTATION)) == AnnotationId("iter_ca_19_04624", "019934d94efb39fa")
    assert encode("iter_ca_19_04624-019934d94efb39fa") == ANNOTATION


@given(names)
def test_names_survive_but_for_leading_zeros(name: str) -> None:
    assert decode(encode(name)) == (name.lstrip("0") or "0")
    assert encode(name.upper()) == encode(name)


@given(st.integers(min_value=0, max_value=38**60))
def test_numbers_survive(number: int) -> None:
    assert encode(decode(number)) == number


def test_the_digits_after_z() -> None:
    assert [decode(35), decode(36), decode(37), decode(38)] == ["z", "-", "_", "10"]


def test_what_is_no_name_or_number() -> None:
    with pytest.raises(ValueError, match=r"found '\.' in 'a\.jpg'"):
        encode("a.jpg")
    with pytest.raises(ValueError, match="found -1"):
        decode(-1)


@given(st.from_regex(r"[1-9a-f][0-9a-f]{12}|0{0,2}[1-9a-f][0-9a-f]{15}", fullmatch=True), stems)
def test_image_ids_give_project_and_stem(project: str, stem: str) -> None:
    project = project[:16]
    assert image_id(str(encode(f"{project}-{stem}"))) == ImageId(project, stem)


@given(stems, st.from_regex(r"[0-9a-f]{16}", fullmatch=True))
def test_annotation_ids_give_stem_and_region(stem: str, region: str) -> None:
    assert annotation_id(str(encode(f"{stem}-{region}"))) == AnnotationId(stem, region)


@given(st.text("0", max_size=5), st.from_regex(r"[0-9a-f]{16}", fullmatch=True))
def test_zeros_before_a_stem_are_lost_and_do_not_matter(zeros: str, region: str) -> None:
    decoded = annotation_id(str(encode(f"{zeros}17-{region}")))
    assert decoded == AnnotationId("17", region)
    assert same_stem(decoded.stem, f"{zeros}17")
    assert not same_stem(decoded.stem, f"{zeros}170")


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_no_64_bit_id_is_taken_for_aiolis(number: int) -> None:
    assert image_id(str(number)) is None
    assert annotation_id(str(number)) is None


@pytest.mark.parametrize("text", ["", "abc", "-12", "٣", "1" * 4000, "12.5", "²"])
def test_what_is_no_number_is_no_aioli_id(text: str) -> None:
    assert image_id(text) is None
    assert annotation_id(text) is None


# -- the export ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.read(resources.ontology("notre-dame-alterations"))


def an_export(**changes: Any) -> dict[str, Any]:
    """A small export in Aïoli's own manner, its annotated image listed."""
    data: dict[str, Any] = {
        "info": {"description": "IE CH CA19", "contributor": "MAP <map@example.org>"},
        "images": [
            {
                "id": IMAGE,
                "file_name": "ITER_ca_19_04624.jpg",
                "date_captured": "2020-06-11 13:00:50",
                "aioli_url": "https://media.example.org/a b/ITER_ca_19_04624.J",
                "width": "6336",
                "height": "9504",
            }
        ],
        "categories": [{"id": 8, "name": "Lacuna", "supercategory": "MaterialLoss"}],
        "annotations": [
            {
                "id": ANNOTATION,
                "image_id": IMAGE,
                "category_id": 8,
                "bbox": [4400.5, 5800.25, 400.0, 200.5],
                "segmentation": [RING],
            }
        ],
    }
    return data | changes


def reading(
    tmp_path: Path, data: dict[str, Any], vocabulary: Vocabulary, iris: Iris, **options: Any
) -> Imported:
    path = tmp_path / "ca19.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return read_coco(
        path, vocabulary=vocabulary, iris=iris, created="2026-01-05T10:00:00Z", **options
    )


def test_an_export(tmp_path: Path, vocabulary: Vocabulary, iris: Iris) -> None:
    imported = reading(tmp_path, an_export(), vocabulary, iris)
    assert (imported.kind, imported.project) == ("aioli", "624c06c2bc7ad")
    assert imported.images == (
        Image(
            iri=f"https://data.example.org/ca19/image/{DECODED}",
            name="ITER_ca_19_04624.jpg",
            width=6336,
            height=9504,
            content_url="https://media.example.org/a%20b/ITER_ca_19_04624.J",
            captured="2020-06-11T13:00:50",
            source_id=str(IMAGE),
            project="624c06c2bc7ad",
        ),
    )
    (annotation,) = imported.annotations
    assert annotation.image == imported.images[0].iri
    assert annotation.concept == vocabulary["lacuna"].iri
    assert annotation.source_id == str(ANNOTATION)
    assert tuple(annotation.box) == (4400.5, 5800.25, 400.0, 200.5)
    assert abs(annotation.area - 400 * 200.5) < 1200
    (region,) = imported.regions
    assert (
        region.iri == annotation.region == "https://data.example.org/ca19/region/019934d94efb39fa"
    )
    assert region.identifier == "019934d94efb39fa"
    assert imported.refusals == ()
    assert imported.findings == ()
    assert "example.org>" not in repr(imported)


def test_one_region_in_several_images_joins(
    tmp_path: Path, vocabulary: Vocabulary, iris: Iris
) -> None:
    data = an_export()
    other = encode("624c06c2bc7ad-iter_ca_19_04625")
    data["images"].append(data["images"][0] | {"id": other, "file_name": "ITER_ca_19_04625.jpg"})
    again = encode("iter_ca_19_04625-019934d94efb39fa")
    data["annotations"].append(data["annotations"][0] | {"id": again, "image_id": other})
    imported = reading(tmp_path, data, vocabulary, iris)
    assert len(imported.annotations) == 2
    assert len({annotation.image for annotation in imported.annotations}) == 2
    assert len({annotation.region for annotation in imported.annotations}) == 1
    assert len(imported.regions) == 1


def test_the_published_excerpt(shared_data: Path, vocabulary: Vocabulary, iris: Iris) -> None:
    path = shared_data / "aioli-coco-excerpt.json"
    imported = read_coco(path, vocabulary=vocabulary, iris=iris, created="2026-01-05T10:00:00Z")
    assert (imported.kind, imported.project) == ("aioli", "624c06c2bc7ad")
    assert [image.name for image in imported.images] == [
        "ITER_ca_19_04571.jpg",
        "ITER_ca_19_04572.jpg",
    ]
    assert {(image.width, image.height) for image in imported.images} == {(6336, 9504)}
    # Nine categories, all of them recognised: none is refused.
    (refusal,) = imported.refusals
    assert refusal.path == "annotations[0].segmentation[0]"
    assert "cut short" in refusal.reason
    assert DECODED in refusal.reason
    kept = json.loads(refusal.source)
    assert kept == json.loads(path.read_text(encoding="utf-8"))["annotations"][0]
    (finding,) = imported.findings
    assert finding.kind is FindingKind.IMAGE_UNLISTED
    assert DECODED in str(finding)


def test_an_image_that_is_not_listed_is_known_by_its_name(
    tmp_path: Path, vocabulary: Vocabulary, iris: Iris
) -> None:
    data = an_export(images=[])
    (refusal,) = reading(tmp_path, data, vocabulary, iris).refusals
    assert refusal.path == "annotations[0].image_id"
    assert DECODED in refusal.reason
    assert "lithograph images add" in refusal.reason
    photograph = Image(
        iri="https://data.example.org/ca19/image/" + "0" * 64,
        name="ITER_ca_19_04624.JPG",
        width=6336,
        height=9504,
        sha256="0" * 64,
    )
    imported = reading(tmp_path, data, vocabulary, iris, known_images=[photograph])
    assert imported.refusals == ()
    assert imported.images == (photograph,)
    assert imported.annotations[0].image == photograph.iri
    assert (imported.kind, imported.project) == ("aioli", "624c06c2bc7ad")
    # Another project's photograph of that name is another one.
    strange = replace(photograph, project="0123456789abc")
    assert len(reading(tmp_path, data, vocabulary, iris, known_images=[strange]).refusals) == 1
    # An image that an earlier export listed is found by its IRI.
    earlier = replace(photograph, iri=iris.image(DECODED), sha256=None, project="624c06c2bc7ad")
    known = [photograph, earlier]
    imported = reading(tmp_path, data, vocabulary, iris, known_images=known)
    assert imported.annotations[0].image == earlier.iri
    # Two photographs of that name: nobody can tell.
    twins = [photograph, replace(photograph, iri=photograph.iri + "1", name="iter_CA_19_04624.png")]
    (refusal,) = reading(tmp_path, data, vocabulary, iris, known_images=twins).refusals
    assert "found several" in refusal.reason


@pytest.mark.parametrize("count", [7, 13])
def test_a_ring_cut_to_an_odd_count(
    tmp_path: Path, vocabulary: Vocabulary, iris: Iris, count: int
) -> None:
    data = an_export()
    data["annotations"][0]["segmentation"] = [RING, (RING * 2)[:count]]
    (refusal,) = reading(tmp_path, data, vocabulary, iris).refusals
    assert refusal.path == "annotations[0].segmentation[1]"
    assert refusal.reason == f"expected an even count of at least 6 numbers, found {count}"
    assert json.loads(refusal.source) == data["annotations"][0]


def test_a_ring_cut_to_an_even_count_ends_on_its_first_x(
    tmp_path: Path, vocabulary: Vocabulary, iris: Iris
) -> None:
    data = an_export()
    # The closing vertex lost its y, and a vertex before it its x: the sum is even again.
    data["annotations"][0]["segmentation"] = [[*RING[:6], RING[7], RING[0]]]
    (refusal,) = reading(tmp_path, data, vocabulary, iris).refusals
    assert refusal.path == "annotations[0].segmentation[0]"
    assert "ends on its first x" in refusal.reason
    # By itself a y may well equal an x.
    data["annotations"][0] |= {
        "segmentation": [[100.5, 80.5, 200.5, 80.5, 150.5, 100.5]],
        "bbox": [100.5, 80.5, 100.0, 20.0],
    }
    assert reading(tmp_path, data, vocabulary, iris).refusals == ()


def test_the_lattices_tolerance(tmp_path: Path, vocabulary: Vocabulary, iris: Iris) -> None:
    data = an_export()
    data["annotations"][0]["bbox"] = [4399.1, 5801.6, 402.8, 197.7]
    imported = reading(tmp_path, data, vocabulary, iris)
    assert imported.findings == ()
    assert tuple(imported.annotations[0].box) == (4399.1, 5801.6, 402.8, 197.7)
    data["annotations"][0]["bbox"] = [4398.9, 5800.25, 402.0, 200.5]
    imported = reading(tmp_path, data, vocabulary, iris)
    assert [finding.kind for finding in imported.findings] == [FindingKind.BOX_DIFFERS]
    assert tuple(imported.annotations[0].box) == (4400.5, 5800.25, 400.0, 200.5)


def test_an_id_that_names_another_image_is_told(
    tmp_path: Path, vocabulary: Vocabulary, iris: Iris
) -> None:
    data = an_export()
    data["annotations"][0]["id"] = encode("iter_ca_19_04571-019934d94efb39fa")
    imported = reading(tmp_path, data, vocabulary, iris)
    assert [finding.kind for finding in imported.findings] == [FindingKind.REGION_DIFFERS]
    assert imported.annotations[0].region is not None


def test_ids_that_do_not_decode_are_kept_as_they_are(
    tmp_path: Path, vocabulary: Vocabulary, iris: Iris
) -> None:
    data = an_export()
    huge = 10**46 + 1
    data["images"].append({"id": huge, "file_name": "b.jpg", "width": 10, "height": 20})
    data["annotations"].append(
        data["annotations"][0]
        | {"id": huge, "image_id": huge, "segmentation": [[1, 1, 8, 1, 8, 9]], "bbox": [1, 1, 7, 8]}
    )
    imported = reading(tmp_path, data, vocabulary, iris)
    second = imported.annotations[1]
    assert second.source_id == str(huge)
    assert second.region is None
    image = next(image for image in imported.images if image.iri == second.image)
    assert (image.source_id, image.project) == (str(huge), "ca19")
    assert len(imported.regions) == 1


def test_ids_that_lost_digits_are_refused(
    tmp_path: Path, vocabulary: Vocabulary, iris: Iris
) -> None:
    data = an_export()
    data["annotations"][0]["image_id"] = float(IMAGE)
    (refusal,) = reading(tmp_path, data, vocabulary, iris).refusals
    assert refusal.path == "annotations[0].image_id"
    assert "expected a whole number, found 3.94351" in refusal.reason


def test_the_same_export_twice_and_a_later_one(
    tmp_path: Path, vocabulary: Vocabulary, iris: Iris
) -> None:
    first = reading(tmp_path, an_export(), vocabulary, iris)
    data = an_export()
    data["images"][0]["date_captured"] = "2020-06-11 15:00:50"
    data["images"][0]["license"] = 1
    data["licenses"] = [{"id": 1, "url": "https://creativecommons.org/licenses/by/4.0/"}]
    again = reading(tmp_path, data, vocabulary, iris, known_images=first.images)
    assert [a.iri for a in again.annotations] == [a.iri for a in first.annotations]
    (image,) = again.images
    # One image has one date: what the graph says stays, what it lacks is added.
    assert image == replace(first.images[0], licence=data["licenses"][0]["url"])
    assert [finding.kind for finding in again.findings] == [FindingKind.DIFFERS_FROM_GRAPH]


def test_a_project_given_by_name(tmp_path: Path, vocabulary: Vocabulary, iris: Iris) -> None:
    imported = reading(tmp_path, an_export(), vocabulary, iris, project="nave")
    assert imported.project == imported.images[0].project == "nave"
    assert imported.images[0].iri == iris.image(DECODED)
