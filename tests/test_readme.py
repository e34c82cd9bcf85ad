"""The README's commands, run in the order in which they stand."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lithograph.samples import render_facade

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    block = re.search(r"```console\n(.*?)```", README, re.DOTALL)
    assert block is not None
    lines = [line.removeprefix("$ ") for line in block[1].splitlines()]
    return [line.split("  #")[0].strip() for line in lines]


def prepare(folder: Path) -> None:
    """What the README says lies there: photographs, and annotations of one of them."""
    (folder / "photos").mkdir()
    records, images = [], []
    for number, seed in enumerate((2_000_100, 2_000_101), start=1):
        facade = render_facade(seed, height=320, width=320)
        name = f"facade-{number}.png"
        Image.fromarray(facade.image).save(folder / "photos" / name)
        images.append({"id": number, "file_name": name, "width": 320, "height": 320})
        rows, columns = np.nonzero(facade.alterations[0].mask)
        x, y = int(columns.min()), int(rows.min())
        width, height = int(columns.max()) + 1 - x, int(rows.max()) + 1 - y
        ring = [x, y, x + width, y, x + width, y + height, x, y + height]
        records.append(
            {
                "id": number,
                "image_id": number,
                "category_id": 3,
                "bbox": [x, y, width, height],
                "area": width * height,
                "segmentation": [ring],
                "iscrowd": 0,
            }
        )
    coco = {
        "images": images,
        "annotations": records,
        "categories": [{"id": 3, "name": "Crack", "supercategory": "Discontinuities"}],
    }
    (folder / "coco.json").write_text(json.dumps(coco), encoding="utf-8")


@pytest.mark.slow
def test_the_commands_of_the_readme_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lithograph: object
) -> None:
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    for command in commands():
        words = shlex.split(command)
        if words[0] == "cd":
            monkeypatch.chdir(words[1])
            continue
        assert words[0] == "lithograph"
        done = lithograph(*words[1:])  # type: ignore[operator]
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    exported = json.loads((tmp_path / "chantier" / "dataset.json").read_bytes())
    assert len(exported["annotations"]) >= 2
    families = json.loads((tmp_path / "chantier" / "families.json").read_bytes())
    assert "discontinuités" in {c["name"].lower() for c in families["categories"]}


def test_every_file_that_the_readme_names_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
