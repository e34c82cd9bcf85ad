from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lithograph import resources
from lithograph.demo.__main__ import main
from lithograph.demo.aioli_export import PROJECT, aioli_coco, rings_of
from lithograph.demo.destination import MARKER, prepare
from lithograph.demo.photographs import FIRST_SEED, Photograph, take_facades, take_walls
from lithograph.demo.scoring import detections, perfect, score_export, truth_at
from lithograph.demo.steps import Steps, text_table
from lithograph.demo.truth import prompts_of, truth_coco
from lithograph.entities import Outline
from lithograph.errors import FormatError, LithographError
from lithograph.formats import aioli
from lithograph.formats.coco_evaluation import evaluate_coco
from lithograph.formats.coco_reading import read_coco
from lithograph.images import load_upright, read_image
from lithograph.masks import mask_iou, mask_to_rle, outline_to_rle
from lithograph.rdf.iris import Iris
from lithograph.vocabulary import Vocabulary

VOCABULARY = Vocabulary.read(resources.ontology("notre-dame-alterations"))


@pytest.fixture(scope="module")
def facades(tmp_path_factory: pytest.TempPathFactory) -> tuple[Photograph, ...]:
    return take_facades(tmp_path_factory.mktemp("facades"), 3)


@pytest.fixture(scope="module")
def walls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Photograph, ...]:
    return take_walls(tmp_path_factory.mktemp("walls"), 1, views=3)


# -- photographs ---------------------------------------------------------------------------


def test_a_photograph_is_upright_once_its_orientation_is_applied(
    facades: tuple[Photograph, ...], walls: tuple[Photograph, ...]
) -> None:
    turned = set()
    for photograph in facades + walls:
        upright = load_upright(photograph.path)
        assert upright.shape == photograph.pixels.shape
        assert np.abs(upright.astype(int) - photograph.pixels).mean() < 4
        facts = read_image(photograph.path)
        assert facts.captured is not None
        assert facts.captured.startswith(photograph.captured.isoformat())
        turned.add(photograph.orientation)
    assert len(turned) >= 3


def test_facades_have_the_size_that_was_asked_for(facades: tuple[Photograph, ...]) -> None:
    for photograph in facades:
        assert all(320 <= side <= 512 for side in photograph.pixels.shape[:2])
        assert all(shown.mask.shape == photograph.pixels.shape[:2] for shown in photograph.shown)


def test_the_same_photographs_are_taken_again(
    facades: tuple[Photograph, ...], tmp_path: Path
) -> None:
    again = take_facades(tmp_path, 1)[0]
    assert again.path.read_bytes() == facades[0].path.read_bytes()


def test_the_models_were_never_trained_on_these_seeds() -> None:
    assert FIRST_SEED >= 2_000_000


# -- truth ---------------------------------------------------------------------------------


def test_the_truth_against_itself_scores_1(facades: tuple[Photograph, ...]) -> None:
    truth = truth_coco(facades, VOCABULARY)
    for geometry in ("segm", "bbox"):
        measured = evaluate_coco(truth, perfect(truth), geometry=geometry)
        assert measured["AP"] == pytest.approx(1.0)


def test_wrong_names_score_0_but_the_place_counts(facades: tuple[Photograph, ...]) -> None:
    truth = truth_coco(facades, VOCABULARY)
    wrong = [{**found, "category_id": found["category_id"] % 9 + 1} for found in perfect(truth)]
    assert evaluate_coco(truth, wrong)["AP"] < 0.5
    assert evaluate_coco(truth, wrong, classes=False)["AP"] == pytest.approx(1.0)


def test_the_truth_says_what_was_drawn(facades: tuple[Photograph, ...]) -> None:
    truth = truth_coco(facades, VOCABULARY)
    names = {category["id"]: category["concept_iri"] for category in truth["categories"]}
    drawn = [shown for photograph in facades for shown in photograph.shown]
    assert len(truth["annotations"]) == len(drawn)
    for record, shown in zip(truth["annotations"], drawn, strict=True):
        assert names[record["category_id"]].endswith(f"/{shown.concept}")
        assert record["area"] == shown.mask.sum()


def test_prompts_are_the_boxes_of_the_named_images(facades: tuple[Photograph, ...]) -> None:
    truth = truth_coco(facades, VOCABULARY)
    prompts = prompts_of(truth, [facades[1].path.name])
    assert {prompt["image"] for prompt in prompts} == {facades[1].path.name}
    assert len(prompts) == len(facades[1].shown)
    for prompt, shown in zip(prompts, facades[1].shown, strict=True):
        x, y, width, height = prompt["box"]
        assert shown.mask[y : y + height, x : x + width].sum() == shown.mask.sum()


# -- the Aïoli export ----------------------------------------------------------------------


def test_the_export_looks_like_one_of_aioli(walls: tuple[Photograph, ...]) -> None:
    export = aioli_coco(walls)
    for record, photograph in zip(export["images"], walls, strict=True):
        decoded = aioli.image_id(str(record["id"]))
        assert decoded == aioli.ImageId(PROJECT, photograph.path.stem.lower())
        assert record["width"] == str(photograph.pixels.shape[1])
    assert all("area" not in record for record in export["annotations"])
    regions = [aioli.annotation_id(str(record["id"])) for record in export["annotations"]]
    seen = [found.region for found in regions if found is not None]
    assert len(seen) == len(regions)
    assert len(set(seen)) < len(seen)


def test_only_the_ring_that_was_cut_is_refused(
    walls: tuple[Photograph, ...], tmp_path: Path
) -> None:
    path = tmp_path / "aioli-coco.json"
    export = aioli_coco(walls)
    path.write_text(json.dumps(export), encoding="utf-8")
    imported = read_coco(
        path,
        vocabulary=VOCABULARY,
        iris=Iris("https://data.example.org/demo/"),
        created="2026-01-01T00:00:00Z",
    )
    last = len(export["annotations"]) - 1
    assert imported.kind == "aioli"
    assert [refusal.path for refusal in imported.refusals] == [
        f"annotations[{last}].segmentation[0]"
    ]
    assert len(imported.annotations) == last
    assert imported.findings == ()


def test_the_outlines_are_those_of_the_masks(walls: tuple[Photograph, ...]) -> None:
    for photograph in walls:
        for shown in photograph.shown:
            rings = rings_of(shown.mask)
            if not rings:
                continue
            outline = Outline(tuple((tuple(map(tuple, ring.tolist())),) for ring in rings))
            drawn = outline_to_rle(outline, *shown.mask.shape)
            least = 0.5 if shown.concept == "crack" else 0.8
            assert mask_iou([drawn], [mask_to_rle(shown.mask)])[0, 0] > least


def test_rings_of_a_square_are_its_corners() -> None:
    mask = np.zeros((20, 30), np.bool_)
    mask[5:15, 10:20] = True
    (ring,) = rings_of(mask)
    assert {tuple(xy) for xy in ring.tolist()} == {(10, 5), (20, 5), (20, 15), (10, 15)}


# -- scores --------------------------------------------------------------------------------


def export_of(truth: dict[str, Any], level: str) -> dict[str, Any]:
    """The truth as an export of ours would hold it, other ids and other order."""
    numbers = {
        concept.iri: number for number, concept in enumerate(VOCABULARY.families, start=20)
    } | {concept.iri: int(concept.category_id or 0) for concept in VOCABULARY.leaves}
    concepts = {record["id"]: record["concept_iri"] for record in truth["categories"]}

    def cut(iri: str) -> str:
        return VOCABULARY.top_ancestor(iri).iri if level == "families" else iri

    listed = sorted({cut(iri) for iri in concepts.values()})
    images = list(reversed(truth["images"]))
    ids = {image["file_name"]: number for number, image in enumerate(images, start=1)}
    names = {image["id"]: image["file_name"] for image in truth["images"]}
    return {
        "images": [{**image, "id": ids[image["file_name"]]} for image in images],
        "categories": [{"id": numbers[iri], "concept_iri": iri} for iri in listed],
        "annotations": [
            {
                **record,
                "image_id": ids[names[record["image_id"]]],
                "category_id": numbers[cut(concepts[record["category_id"]])],
                "score": 0.9,
            }
            for record in truth["annotations"]
        ],
    }


@pytest.mark.parametrize("level", ["leaves", "families"])
def test_a_perfect_export_scores_1_at_every_level(
    facades: tuple[Photograph, ...], level: str
) -> None:
    truth = truth_coco(facades, VOCABULARY)
    names = [photograph.path.name for photograph in facades]
    scores = score_export(
        truth, export_of(truth, level), VOCABULARY, what="truth", level=level, names=names
    )
    assert [score.geometry for score in scores] == ["segm", "bbox"]
    for score in scores:
        assert score.found == len(truth["annotations"])
        assert (score.ap, score.ap50, score.any_ap) == pytest.approx((1.0, 1.0, 1.0))


def test_only_the_named_images_are_scored(facades: tuple[Photograph, ...]) -> None:
    truth = truth_coco(facades, VOCABULARY)
    export = export_of(truth, "leaves")
    wanted = truth_at(truth, export["categories"], VOCABULARY, [facades[0].path.name])
    assert len(wanted["images"]) == 1
    assert len(wanted["annotations"]) == len(facades[0].shown)
    assert len(detections(export, wanted)) == len(facades[0].shown)


def test_an_export_without_a_concept_of_the_truth_is_refused(
    facades: tuple[Photograph, ...],
) -> None:
    truth = truth_coco(facades, VOCABULARY)
    with pytest.raises(FormatError, match="or a concept above it, found none"):
        truth_at(truth, [], VOCABULARY, [facades[0].path.name])


# -- the folder ----------------------------------------------------------------------------


def test_a_folder_of_a_former_demo_is_emptied(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    prepare(folder)
    (folder / "old").mkdir()
    (folder / "old" / "file").write_text("x")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    (folder / "link").symlink_to(outside, target_is_directory=True)
    prepare(folder)
    assert [entry.name for entry in folder.iterdir()] == [MARKER]
    assert (outside / "precious").exists()


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(LithographError, match="nothing was touched") as caught:
        prepare(tmp_path)
    assert caught.value.subject == str(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_file_or_a_link_is_no_folder(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "demo"
    if kind == "file":
        path.write_text("x")
    else:
        path.symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(LithographError, match="found a file or a link"):
        prepare(path)


def test_misuse_and_refusal_have_their_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 2
    assert main(["--help"]) == 2
    assert "usage" in capsys.readouterr().err
    (tmp_path / "thesis.txt").write_text("years of work")
    assert main([str(tmp_path)]) == 1
    assert "nothing was touched" in capsys.readouterr().err


# -- the steps -----------------------------------------------------------------------------


def test_steps_are_told_with_their_time_and_notes() -> None:
    lines: list[str] = []
    steps = Steps(lines.append)
    with steps.step("add images") as step:
        step.result = "3 images"
        step.notes.append("refused: one.txt")
    assert re.fullmatch(r" +1  add images +\d+\.\d s  3 images", lines[0])
    assert lines[1].strip() == "refused: one.txt"
    assert steps.seconds == steps.done[0].seconds >= 0


def test_a_text_table_is_aligned() -> None:
    lines = text_table(("what", "AP"), [["automatic", "0.5"], ["x", "–"]])
    assert lines == ["what       AP", "---------  ---", "automatic  0.5", "x            –"]
