"""COCO in, graph, COCO out: what pycocotools measures stays the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conftest import Lithograph
from lithograph import Workspace
from lithograph.formats.coco_evaluation import evaluate_coco

BASE = "https://data.example.org/ca19/"


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "chantier", BASE)


def moved(detections: list[dict[str, Any]], exported: dict[str, Any]) -> list[dict[str, Any]]:
    """The same detections under the export's image ids; category numbers are kept by the graph."""
    ids = {image["source_id"]: image["id"] for image in exported["images"]}
    return [
        {**found, "image_id": ids[str(found["image_id"])]}
        for found in detections
        if str(found["image_id"]) in ids
    ]


@pytest.mark.parametrize("geometry", ["bbox", "segm"])
def test_a_real_coco_file_keeps_its_twelve_numbers(
    place: Workspace, tmp_path: Path, shared_data: Path, geometry: Any
) -> None:
    folder = shared_data / "coco" / "mscoco-100"
    truth = json.loads((folder / "gt_dataset.json").read_bytes())
    found = json.loads((folder / "dt_dataset.json").read_bytes())
    _, admission = place.import_coco(folder / "gt_dataset.json", new_scheme="COCO")
    assert not admission.refusals
    assert len(admission.admitted) == len(truth["annotations"])
    size = len(place.graph)
    _, again = place.import_coco(folder / "gt_dataset.json", new_scheme="COCO")
    assert again.triples_added == 0
    assert len(place.graph) == size

    path = tmp_path / "out.json"
    place.export_coco(path, query="all-current", every_image=True)
    exported = json.loads(path.read_bytes())
    before = evaluate_coco(truth, found, geometry=geometry)
    after = evaluate_coco(exported, moved(found, exported), geometry=geometry)
    assert after == pytest.approx(before, abs=1e-9)


def test_an_export_imports_again_as_the_same_annotations(
    place: Workspace, tmp_path: Path, shared_data: Path
) -> None:
    """An export's own keys bring concept, status and crowd back into another workspace."""
    folder = shared_data / "coco" / "mscoco-100"
    place.import_coco(folder / "gt_dataset.json", new_scheme="COCO")
    first = tmp_path / "first.json"
    place.export_coco(first, query="all-current")
    other = Workspace.create(tmp_path / "other", BASE)
    other.import_coco(first, new_scheme="COCO")
    second = tmp_path / "second.json"
    other.export_coco(second, query="all-current")
    one, two = (json.loads(path.read_bytes()) for path in (first, second))

    def shapes_of(data: dict[str, Any]) -> list[tuple[Any, ...]]:
        names = {c["id"]: c["name"] for c in data["categories"]}
        return sorted(
            (names[r["category_id"]], json.dumps(r["segmentation"]), r["area"], r["iscrowd"])
            for r in data["annotations"]
        )

    assert shapes_of(one) == shapes_of(two)


def test_the_excerpt_of_the_degradation_data_set(
    place: Workspace, shared_data: Path, lithograph: Lithograph
) -> None:
    """Nine categories are concepts; the cut ring is refused with its path, and kept."""
    path = shared_data / "aioli-coco-excerpt.json"
    reader, admission = place.import_coco(path)
    assert reader.kind == "aioli"
    assert {image.name for image in place.graph.images()} == {
        "ITER_ca_19_04571.jpg",
        "ITER_ca_19_04572.jpg",
    }
    for category in json.loads(path.read_bytes())["categories"]:
        match = place.vocabulary.match_category(category["name"], category["id"])
        assert match.concept is not None, category["name"]
        assert match.concept.category_id == category["id"]
    (refusal,) = admission.refusals
    assert refusal.path == "annotations[0].segmentation[0]"
    assert "cut short" in refusal.reason
    said = " ".join([refusal.reason, *map(str, reader.findings)])
    assert "624c06c2bc7ad-iter_ca_19_04624" in said
    kept = place.graph.refusals(admission.run)
    assert "6708372542194208765605262249071277104351621160775136" in kept.column("source")[0]
    # The graph is in use by this process: the command line gets a copy of the file only.
    other = place.folder.parent / "by-hand"
    assert lithograph("init", other, "--base-iri", BASE).returncode == 0
    done = lithograph("import", path, "--workspace", other)
    assert done.returncode == 1
    assert "annotations[0].segmentation[0]" in done.stderr
