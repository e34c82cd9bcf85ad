from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from lithograph import resources
from lithograph.demo.outcome import SCORE_COLUMNS, Outcome
from lithograph.demo.scoring import score_export
from lithograph.entities import Outline
from lithograph.masks import geometry_to_rle, rle_to_mask
from lithograph.vocabulary import Vocabulary

VOCABULARY = Vocabulary.read(resources.ontology("notre-dame-alterations"))


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
