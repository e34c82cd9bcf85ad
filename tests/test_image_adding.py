"""Photographs become images, new ones or ones that an import described."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from lithograph.config import ImageSettings
from lithograph.entities import Image
from lithograph.images import add_images, load_upright, name_key
from lithograph.images.opening import opened
from lithograph.rdf.iris import Iris
from photograph_files import GPS, save, scene, with_exif

# -- adding ----------------------------------------------------------------------------------------

IMPORTED = Image(
    iri="https://data.example.org/ca19/image/624c06c2bc7ad-iter_ca_19_04624",
    name="ITER_ca_19_04624.jpg",
    width=24,
    height=16,
    content_url="https://media.example.org/ITER_ca_19_04624.JPG",
    source_id="39435100101575257789575821898628447731927250984",
    project="624c06c2bc7ad",
)


def test_a_new_photograph(tmp_path: Path, iris: Iris) -> None:
    path = save(tmp_path / "wall.jpg", exif=with_exif(orientation=6, taken="2020:06:11 13:00:50"))
    added = add_images([path], [], iris, project="ca19")
    (image,) = added.images
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert image == Image(
        iri=f"https://data.example.org/ca19/image/{sha256}",
        name="wall.jpg",
        width=16,
        height=24,
        sha256=sha256,
        captured="2020-06-11T13:00:50",
        project="ca19",
    )
    assert added.paths == {image.iri: path}
    assert not added.completed
    assert not added.refusals


def test_the_same_bytes_are_one_image(tmp_path: Path, iris: Iris) -> None:
    path = save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(path.read_bytes())
    first = add_images([path, tmp_path / "b.png"], [], iris)
    assert [image.name for image in first.images] == ["a.png"]
    assert first.duplicates == ((tmp_path / "b.png", first.images[0].iri),)
    assert first.paths == {first.images[0].iri: path}
    again = add_images([tmp_path / "b.png"], first.images, iris)
    assert again.images == ()
    assert again.duplicates == ((tmp_path / "b.png", first.images[0].iri),)
    assert again.paths == {first.images[0].iri: tmp_path / "b.png"}


@pytest.mark.parametrize(
    "name", ["ITER_ca_19_04624.jpg", "ITER_ca_19_04624.JPG", "iter_CA_19_04624.jpeg"]
)
def test_a_file_completes_the_image_that_bears_its_name(
    tmp_path: Path, iris: Iris, name: str
) -> None:
    path = save(tmp_path / name, exif=with_exif(taken="2020:06:11 13:00:50"))
    added = add_images([path], [IMPORTED], iris)
    (image,) = added.images
    assert added.completed == (IMPORTED.iri,)
    assert (image.iri, image.name) == (IMPORTED.iri, IMPORTED.name)
    assert image.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert image.captured == "2020-06-11T13:00:50"
    assert image.content_url == IMPORTED.content_url
    assert image.source_id == IMPORTED.source_id
    assert image.project == IMPORTED.project


def test_an_imported_capture_date_stays(tmp_path: Path, iris: Iris) -> None:
    path = save(tmp_path / IMPORTED.name, exif=with_exif(taken="2020:06:11 13:00:50"))
    known = replace(IMPORTED, captured="2020-06-11T13:00:50+02:00")
    assert add_images([path], [known], iris).images[0].captured == "2020-06-11T13:00:50+02:00"


def test_the_upright_size_must_be_the_imported_one(tmp_path: Path, iris: Iris) -> None:
    path = save(tmp_path / IMPORTED.name, exif=with_exif(orientation=6))
    added = add_images([path], [IMPORTED], iris)
    (refusal,) = added.refusals
    assert refusal.path == str(path)
    assert "expected 24 × 16" in refusal.reason
    assert "found 16 × 24" in refusal.reason
    assert "not upright in the source" in refusal.reason
    (tmp_path / "b").mkdir()
    other = save(tmp_path / "b" / IMPORTED.name, scene(30, 20))
    (refusal,) = add_images([other], [IMPORTED], iris).refusals
    assert "found 30 × 20" in refusal.reason
    assert "upright in" not in refusal.reason


def test_a_name_in_two_projects_needs_a_project(tmp_path: Path, iris: Iris) -> None:
    path = save(tmp_path / IMPORTED.name)
    other = replace(IMPORTED, iri=IMPORTED.iri + "-b", project="b")
    (refusal,) = add_images([path], [IMPORTED, other], iris).refusals
    assert "624c06c2bc7ad" in refusal.reason
    assert "say which project" in refusal.reason
    added = add_images([path], [IMPORTED, other], iris, project="b")
    assert added.completed == (other.iri,)
    added = add_images([path], [IMPORTED, other], iris, project="c")
    assert added.completed == ()
    assert added.images[0].project == "c"


def test_folders_in_a_name_tell_namesakes_apart(tmp_path: Path, iris: Iris) -> None:
    train = Image(
        iri="https://x.example/train", name="train/1.jpg", width=24, height=16, project="p"
    )
    val = Image(iri="https://x.example/val", name="val/1.jpg", width=24, height=16, project="p")
    for folder in ("train", "val", "flat"):
        (tmp_path / folder).mkdir()
    save(tmp_path / "train" / "1.jpg")
    save(tmp_path / "val" / "1.jpg", scene()[::-1])
    added = add_images([tmp_path], [train, val], iris)
    assert added.completed == (train.iri, val.iri)
    assert added.paths[val.iri] == tmp_path / "val" / "1.jpg"
    flat = save(tmp_path / "flat" / "1.jpg")
    assert (
        "fits one imported image, found 2"
        in add_images([flat], [train, val], iris).refusals[0].reason
    )
    assert add_images([flat], [val], iris).completed == (val.iri,)


def test_an_image_is_completed_once(tmp_path: Path, iris: Iris) -> None:
    (tmp_path / "a").mkdir()
    first = save(tmp_path / IMPORTED.name)
    second = save(tmp_path / "a" / IMPORTED.name, scene()[::-1])
    added = add_images([first, second], [IMPORTED], iris)
    assert added.completed == (IMPORTED.iri,)
    assert added.images[0].iri == IMPORTED.iri
    assert added.images[1].project is None
    strict = add_images([first, second], [IMPORTED], iris, project=IMPORTED.project)
    assert strict.completed == (IMPORTED.iri,)
    assert "already has for other bytes" in strict.refusals[0].reason


def test_one_bad_file_stops_no_other(tmp_path: Path, iris: Iris) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff broken")
    save(tmp_path / "b.jpg")
    save(tmp_path / "c.png", np.zeros((4, 4, 3), np.uint8))
    steps: list[tuple[int, int]] = []
    added = add_images(
        [tmp_path, tmp_path / "missing.jpg"],
        [],
        iris,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert [image.name for image in added.images] == ["b.jpg", "c.png"]
    assert [Path(refusal.path).name for refusal in added.refusals] == ["a.jpg", "missing.jpg"]
    assert added.refusals[0].source == '{"file_name": "a.jpg"}'
    assert str(tmp_path) not in added.refusals[0].reason
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_pages_are_told(tmp_path: Path, iris: Iris) -> None:
    page = Pillow.new("RGB", (4, 3))
    page.save(tmp_path / "a.tif", save_all=True, append_images=[page])
    added = add_images([tmp_path], [], iris)
    assert added.notes == ((tmp_path / "a.tif", "the first of 2 frames is used"),)


@given(st.text(alphabet="aBé.J jpegtif-/\\", min_size=1, max_size=12))
def test_name_keys_ignore_case_and_form(name: str) -> None:
    import unicodedata

    assert name_key(name) == name_key(name.upper()) == name_key(name.lower())
    assert name_key(name) == name_key(unicodedata.normalize("NFD", name))


def test_name_keys() -> None:
    assert name_key("A/B/C.JPEG") == ("a", "b", "c.jpg")
    assert name_key("C.tiff") == ("c.tif",)
    assert name_key("c.png") != name_key("c.jpg")
    assert name_key("") == ("",)


def test_places_and_names_in_exif_are_never_read(tmp_path: Path, iris: Iris) -> None:
    exif = with_exif(taken="2020:06:11 13:00:50")
    exif[0x013B] = "Marie Curie <marie@example.org>"
    exif.get_ifd(GPS)[29] = "2020:06:11"
    path = save(tmp_path / "a.jpg", exif=exif)
    assert b"marie@example.org" in path.read_bytes()
    added = add_images([path], [], iris)
    assert "marie" not in repr(added).lower().replace(str(tmp_path).lower(), "")


def test_masonry_photographs(shared_data: Path, iris: Iris) -> None:
    added = add_images([shared_data / "photographs" / "masonry" / "images"], [], iris)
    assert len(added.images) == 30
    assert {(image.width, image.height) for image in added.images} == {(224, 224)}
    for image in added.images[:5]:
        assert load_upright(added.paths[image.iri], image.sha256).shape == (224, 224, 3)


def test_a_guarded_file_is_closed(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png")
    with opened(path, ImageSettings()) as stream:
        assert not stream.closed
    assert stream.closed
