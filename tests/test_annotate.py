"""The road, with the shipped tiny models: images and words in, annotations out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from lithograph import Workspace
from lithograph.annotate import Models, Prompt, Road, read_prompts
from lithograph.annotate.views import moved, view_around, views
from lithograph.config import AnnotateSettings
from lithograph.entities import Box, Image, RunKind, Status
from lithograph.errors import FormatError, ImageError, ModelError
from lithograph.masks import mask_iou, mask_to_rle
from lithograph.samples import Facade, render_facade
from lithograph.vision.proposals import make_proposal
from lithograph.vision.protocols import ImageEmbedding
from lithograph.vision.tiles import Tile

BASE = "https://data.example.org/ca19/"
FACADES = [render_facade(seed, height=256, width=256) for seed in (2_000_200, 2_000_201)]
QUICK = """
[annotate]
segmenter = "tiny-sam"
labeller = "tiny-clip"
points_per_side = 8
min_quality = 0.7
device = "cpu"
"""


@pytest.fixture(scope="session")
def models() -> Models:
    import torch

    torch.set_num_threads(1)
    return Models.load("tiny-sam", "tiny-clip", device="cpu")


@pytest.fixture
def place(tmp_path: Path, models: Models, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with two facades; models are loaded once for all tests."""
    monkeypatch.setattr(Models, "load", lambda *names, **options: models)
    made = Workspace.create(tmp_path / "chantier", BASE)
    settings = made.folder / "lithograph.toml"
    settings.write_text(f'base_iri = "{BASE}"\n{QUICK}', encoding="utf-8")
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, facade in enumerate(FACADES):
        PillowImage.fromarray(facade.image).save(photos / f"facade-{number}.png")
    made = Workspace.open(made.folder)
    made.add_images(photos)
    return made


def prompts_file(folder: Path, facade: Facade, name: str) -> Path:
    records = []
    for alteration in facade.alterations:
        rows, columns = np.nonzero(alteration.mask)
        x, y = int(columns.min()), int(rows.min())
        box = [x, y, int(columns.max()) + 1 - x, int(rows.max()) + 1 - y]
        records.append({"image": name, "box": box})
    path = folder / "prompts.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def test_a_run_is_recorded_whole_and_annotating_again_adds_nothing(place: Workspace) -> None:
    said: list[tuple[int, int]] = []
    admission = place.annotate(progress=lambda done, total: said.append((done, total)))
    assert admission.admitted
    assert not admission.refusals
    assert said == [(1, 2), (2, 2)]
    run = next(r for r in place.graph.runs() if r.kind is RunKind.MODEL)
    assert run.ended is not None
    assert len(run.images) == 2
    assert run.vocabulary_versions
    assert {name.split()[0] for name in run.software} >= {"lithograph", "torch", "transformers"}
    by_model = {row["role"]: row for row in place.graph.query("by-model")}
    assert by_model["segmenter"]["model"] == "tiny-sam"
    assert by_model["labeller"]["annotations"] == len(admission.admitted)
    size = len(place.graph)
    assert place.annotate().triples_added == 0
    assert len(place.graph) == size
    assert not [v for v in place.graph.check() if v.severity == "Violation"]


def test_annotations_hold_what_the_models_said(place: Workspace) -> None:
    admission = place.annotate(["facade-0.png"])
    for iri in admission.admitted:
        made = place.graph.annotation(iri)
        assert made.status is Status.PROPOSED
        assert made.confidence is not None
        assert 0 <= made.confidence <= 1
        assert made.mask_quality is not None
        assert 1 <= len(made.candidates) <= 3
        shares = [candidate.confidence for candidate in made.candidates]
        assert shares == sorted(shares, reverse=True)
        assert made.concept != place.vocabulary.background.iri  # type: ignore[union-attr]


def test_boxes_of_a_person_are_outlined_and_named(place: Workspace, tmp_path: Path) -> None:
    """On the models' own kind of pictures a box finds its alteration and, mostly, its name."""
    facade = FACADES[0]
    path = prompts_file(tmp_path, facade, "facade-0.png")
    admission = place.annotate(prompts=path)
    made = [place.graph.annotation(iri) for iri in admission.admitted]
    preferred = [each for each in made if each.alternative_of is None]
    assert len(preferred) == len(facade.alterations)
    others = [each for each in made if each.alternative_of is not None]
    assert {each.alternative_of for each in others} <= {each.iri for each in preferred}
    truth = [mask_to_rle(alteration.mask) for alteration in facade.alterations]
    overlap = mask_iou([each.geometry for each in preferred], truth)  # type: ignore[misc]
    assert overlap.max(axis=0).mean() > 0.7
    named = [facade.alterations[int(best)].concept for best in overlap.argmax(axis=1)]
    right = [each.concept.endswith(name) for each, name in zip(preferred, named, strict=True)]
    assert sum(right) >= len(right) / 2
    exported = place.export_coco(tmp_path / "out.json", parameters={"min_confidence": "0"})
    assert exported.annotations == len(preferred)


def test_an_interrupted_run_goes_on_where_it_stopped(
    place: Workspace, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        place.annotate(progress=stop)
    (open_run,) = [r for r in place.graph.runs() if r.kind is RunKind.MODEL]
    assert open_run.ended is None
    assert len(open_run.images) == 1
    seen: list[int] = []
    encode = models.segmenter.encode

    def counted(self: object, image: NDArray[np.uint8]) -> ImageEmbedding:
        seen.append(1)
        return encode(image)

    monkeypatch.setattr(type(models.segmenter), "encode", counted)
    place.annotate()
    assert len(seen) == 1
    (closed,) = [r for r in place.graph.runs() if r.kind is RunKind.MODEL]
    assert closed.iri == open_run.iri
    assert closed.ended is not None
    assert len(closed.images) == 2


def test_an_image_that_fails_is_told_and_the_rest_go_on(place: Workspace, tmp_path: Path) -> None:
    broken = tmp_path / "photos" / "facade-0.png"
    content = broken.read_bytes()
    broken.write_bytes(content[:-20])
    admission = place.annotate()
    assert [refusal.path for refusal in admission.refusals] == ["facade-0.png"]
    assert "changed since it was added" in admission.refusals[0].reason
    assert admission.admitted
    # Once it is whole again, only it is waiting.
    broken.write_bytes(content)
    again = place.annotate()
    assert not again.refusals
    assert again.admitted
    assert again.known == 0


def test_words_make_the_recipe_and_no_line_of_python(place: Workspace, models: Models) -> None:
    first = Road(place.vocabulary, models, place.iris, cache=place.cache)
    path = place.folder / "vocabulary.ttl"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"crack"@en', '"fracture line"@en'), encoding="utf-8")
    changed = Workspace.open(place.folder)
    second = Road(changed.vocabulary, models, place.iris, cache=place.cache)
    assert "fracture line" in " ".join(prompt.text for prompt in second.prompts)
    assert first.recipe != second.recipe
    french = AnnotateSettings(languages=("fr",))
    third = Road(place.vocabulary, models, place.iris, french, cache=place.cache)
    assert "fissure" in " ".join(prompt.text for prompt in third.prompts)


def test_without_words_nothing_can_be_named(place: Workspace, models: Models) -> None:
    with pytest.raises(ModelError, match="labeller: expected one"):
        Road(place.vocabulary, Models(models.segmenter), place.iris, cache=place.cache)


def test_an_image_that_is_not_there_is_named(place: Workspace) -> None:
    with pytest.raises(ImageError, match=r"nowhere\.png"):
        place.annotate(["nowhere.png"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "expected a JSON list"),
        ("{}", "expected a list of prompts, found dict"),
        ("[3]", r"p.json\[0\]: expected an object with an image"),
        ('[{"image": "a"}]', "expected either a box or points"),
        ('[{"image": "a", "box": [1, 2, 3]}]', r"\[0\].box: expected 4 numbers"),
        ('[{"image": "a", "box": [1, 2, 0, 4]}]', "positive width and height"),
        ('[{"image": "a", "box": [1, 2, NaN, 4]}]', "expected 4 numbers"),
        ('[{"image": "a", "points": []}]', r"expected a list of \[x, y\]"),
        ('[{"image": "a", "points": [[1]]}]', r"points\[0\]: expected 2 numbers"),
        ('[{"image": "a", "points": [[1, 2]], "labels": [2]}]', "expected 1 times 1"),
    ],
)
def test_a_wrong_prompts_file_is_one_clear_error(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "p.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FormatError, match=message):
        read_prompts(path)


def test_prompts_are_read(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(
        '[{"image": "a", "box": [1, 2, 3, 4]}, {"image": "a", "points": [[5, 6], [9, 9]]}]',
        encoding="utf-8",
    )
    box, points = read_prompts(path)["a"]
    assert box == Prompt(box=Box(1, 2, 3, 4))
    assert points.labels == (1, 1)
    assert points.extent == Box(5, 6, 4, 3)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (5900, 9400), (3000, 20)])
def test_a_large_photograph_is_seen_around_its_prompt(x: int, y: int) -> None:
    view = view_around(Box(x, y, 40, 60), 9504, 6336, 1024)
    assert (view.width, view.height) == (1024, 1024)
    assert view.x <= x
    assert view.y <= y
    assert view.right >= x + 40
    assert view.bottom >= y + 60
    assert view.right <= 6336
    assert view.bottom <= 9504
    assert view_around(Box(x, y, 40, 60), 1500, 1500, 1024) == Tile(0, 0, 1500, 1500)
    assert len(views(9504, 6336, 1024, 0.25)) > 60
    assert views(500, 400, 256, 0.25) == (Tile(0, 0, 400, 500),)


def test_a_proposal_moves_from_its_view_to_the_image() -> None:
    mask = np.zeros((20, 30), dtype=bool)
    mask[4:9, 7:21] = True
    found = make_proposal(mask, height=20, width=30, quality=1, stability=1, prompt=0, group=0)
    assert found is not None
    there = moved(found, Tile(100, 50, 30, 20), 400, 300)
    whole = np.zeros((400, 300), dtype=bool)
    whole[54:59, 107:121] = True
    assert np.array_equal(there.mask, whole)
    assert there.box == Box(107, 54, 14, 5)


def test_a_prompt_outside_the_image_refuses_the_image_alone(
    place: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "p.json"
    boxes = [
        {"image": "facade-0.png", "box": [9000, 9000, 10, 10]},
        {"image": "facade-1.png", "box": [20, 20, 100, 100]},
    ]
    path.write_text(json.dumps(boxes), encoding="utf-8")
    admission = place.annotate(prompts=path)
    assert [refusal.path for refusal in admission.refusals] == ["facade-0.png"]
    assert admission.admitted


def test_an_image_is_found_by_name_key_and_iri(place: Workspace) -> None:
    image: Image = place.image_of("facade-0.png")
    assert place.image_of(image.iri) == image
    assert place.image_of(image.iri.rpartition("/")[2]) == image
