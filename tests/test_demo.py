from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lithograph import resources
from lithograph.demo.__main__ import main
from lithograph.demo.aioli_export import PROJECT, aioli_coco, rings_of
from lithograph.demo.destination import MARKER, prepare
from lithograph.demo.outcome import SCORE_COLUMNS, Outcome
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
from lithograph.masks import geometry_to_rle, mask_iou, mask_to_rle, outline_to_rle, rle_to_mask
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


# -- from end to end -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Outcome, list[str]]]:
    import torch

    from lithograph.demo import run_demo

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    lines: list[str] = []
    folder = tmp_path_factory.mktemp("demo") / "output"
    outcome = run_demo(folder, lines.append, facades=3, walls=1, views=2)
    yield outcome, lines
    torch.set_num_threads(threads)


class Links(HTMLParser):
    """Gathers what a page points to, and checks that its tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in {"href", "src"} and value]
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.slow
def test_the_demo_tells_every_step_and_the_figures(demo: tuple[Outcome, list[str]]) -> None:
    outcome, lines = demo
    told = [line for line in lines if re.match(r" +\d+  ", line)]
    assert len(told) == len(outcome.steps) >= 12
    head = next(index for index, line in enumerate(lines) if line.startswith(SCORE_COLUMNS[0]))
    rows = lines[head + 2 : head + 10]
    assert len(outcome.scores) == len(rows) == 8
    for row in rows:
        assert len(re.findall(r"\d\.\d{3}", row)) == 4


@pytest.mark.slow
def test_the_figures_are_what_the_exports_say(demo: tuple[Outcome, list[str]]) -> None:
    outcome, _ = demo
    truth = json.loads((outcome.folder / "truth.json").read_text())
    names = {p.path.name for p in outcome.photographs if p.wall.startswith("facade")}
    assert outcome.truth_ap == pytest.approx(1.0)
    for level in ("leaves", "families"):
        export = json.loads((outcome.folder / f"exports/automatic-{level}.json").read_text())
        measured = score_export(
            truth, export, VOCABULARY, what="automatic", level=level, names=names
        )
        assert measured == [
            score for score in outcome.scores if (score.what, score.level) == ("automatic", level)
        ]


@pytest.mark.slow
def test_the_models_do_better_than_chance(demo: tuple[Outcome, list[str]]) -> None:
    outcome, _ = demo
    for score in outcome.scores:
        if score.geometry == "segm":
            assert score.ap50 > 0.5
            assert score.any_ap50 > 0.5


@pytest.mark.slow
def test_the_demo_leaves_its_files(demo: tuple[Outcome, list[str]]) -> None:
    folder = demo[0].folder
    for name in ("truth.json", "aioli-coco.json", "prompts.json", "exports/dataset-leaves.json"):
        assert json.loads((folder / name).read_text(encoding="utf-8"))
    assert len(list((folder / "photographs").rglob("*.jpg"))) == 5
    assert (folder / "workspace" / "lithograph.toml").is_file()
    overlays = list((folder / "overlays").glob("*.png"))
    assert len(overlays) == 4 + len(demo[0].reviewed)
    for path in overlays:
        with Image.open(path) as picture:
            picture.load()
    assert len(list((folder / "queries").glob("*.csv"))) == len(demo[0].answers) >= 11


@pytest.mark.slow
def test_the_page_is_whole_and_all_its_links_lead_somewhere(
    demo: tuple[Outcome, list[str]],
) -> None:
    folder = demo[0].folder
    text = (folder / "summary.html").read_text(encoding="utf-8")
    page = Links()
    page.feed(text)
    assert page.open == []
    assert len(page.found) > 20
    for link in page.found:
        assert (folder / link).is_file(), link
    assert "http" not in " ".join(page.found)
    for label in ("fissure", "écaillage", "efflorescence saline"):
        assert label in text


@pytest.mark.slow
def test_the_cut_ring_is_shown_and_nothing_else_is_refused(
    demo: tuple[Outcome, list[str]],
) -> None:
    outcome, lines = demo
    (refusal,) = outcome.refusals
    assert refusal.path.endswith(".segmentation[0]")
    assert any(refusal.path in line for line in lines)
    assert refusal.path in (outcome.folder / "summary.html").read_text(encoding="utf-8")
    assert any(
        answer.question.query == "refused" and len(answer.table) for answer in outcome.answers
    )


@pytest.mark.slow
def test_the_exported_masks_are_those_of_the_graph(demo: tuple[Outcome, list[str]]) -> None:
    export = json.loads((demo[0].folder / "exports/dataset-leaves.json").read_text())
    sizes = {image["id"]: (image["height"], image["width"]) for image in export["images"]}
    statuses = {record["status"] for record in export["annotations"]}
    assert statuses == {"accepted", "proposed"}
    assert [record["id"] for record in export["annotations"]] == list(
        range(1, len(export["annotations"]) + 1)
    )
    for record in export["annotations"]:
        if isinstance(record["segmentation"], dict):
            assert tuple(record["segmentation"]["size"]) == sizes[record["image_id"]]


@pytest.mark.slow
def test_marie_decided_as_the_truth_says(demo: tuple[Outcome, list[str]]) -> None:
    outcome, _ = demo
    assert outcome.reviewed
    assert {verdict for verdict, _ in outcome.reviewed} <= {"accepted", "corrected", "rejected"}
    runs = next(answer for answer in outcome.answers if answer.question.query == "runs")
    assert "Marie" in {cell for row in runs.table.shown() for cell in row}


@pytest.mark.slow
def test_a_region_is_seen_in_several_views(demo: tuple[Outcome, list[str]]) -> None:
    answers = {answer.question.query: answer.table for answer in demo[0].answers}
    assert len(answers["regions"]) > 0
    assert len(set(answers["by-region"].column("name"))) == 2


@pytest.mark.slow
def test_an_imported_outline_lies_on_what_was_drawn(demo: tuple[Outcome, list[str]]) -> None:
    """Photographs that a camera held sideways are annotated upright."""
    outcome, _ = demo
    walls = [p for p in outcome.photographs if p.wall.startswith("wall")]
    export = json.loads((outcome.folder / "exports/dataset-leaves.json").read_text())
    by_name = {image["file_name"]: image["id"] for image in export["images"]}
    for photograph in walls:
        height, width = photograph.pixels.shape[:2]
        drawn = np.zeros((height, width), np.bool_)
        for shown in photograph.shown:
            drawn |= shown.mask
        for record in export["annotations"]:
            if record["image_id"] != by_name[photograph.path.name] or "score" in record:
                continue
            rings = record["segmentation"]
            if isinstance(rings, dict):
                continue
            ring = tuple((rings[0][i], rings[0][i + 1]) for i in range(0, len(rings[0]), 2))
            mask = rle_to_mask(geometry_to_rle(Outline(((ring,),)), height, width))
            assert (mask & drawn).sum() > 0.8 * mask.sum()
