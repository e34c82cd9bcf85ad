"""The command line, as its users call it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import Lithograph

BASE = "https://data.example.org/ca19/"


@pytest.fixture
def place(tmp_path: Path, lithograph: Lithograph, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new workspace, the current folder."""
    done = lithograph("init", tmp_path / "chantier", "--base-iri", BASE)
    assert done.returncode == 0, done.stderr
    monkeypatch.chdir(tmp_path / "chantier")
    return tmp_path / "chantier"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(7)
    for name in ("a.png", "b.jpg"):
        Image.fromarray(rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)).save(folder / name)
    (folder / "broken.jpg").write_bytes((folder / "b.jpg").read_bytes()[:200])
    return folder


def coco(path: Path, *, category: str = "Crack") -> Path:
    ring = [5, 5, 30, 5, 30, 20, 5, 20]
    data = {
        "images": [{"id": 1, "file_name": "a.png", "width": 60, "height": 40}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 7,
                "bbox": [5, 5, 25, 15],
                "area": 375,
                "segmentation": [ring],
                "iscrowd": 0,
            },
            {
                "id": 2,
                "image_id": 1,
                "category_id": 7,
                "bbox": [5, 5, 25, 15],
                "area": 375,
                "segmentation": [ring[:-1]],
                "iscrowd": 0,
            },
        ],
        "categories": [{"id": 7, "name": category}],
    }
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def verbs() -> list[list[str]]:
    return [
        ["init"],
        ["vocabulary", "show"],
        ["vocabulary", "prompts"],
        ["vocabulary", "check"],
        ["images", "add"],
        ["images", "list"],
        ["import"],
        ["annotate"],
        ["check"],
        ["query"],
        ["export", "coco"],
        ["review"],
        ["runs"],
        ["undo"],
    ]


def test_every_verb_has_help_with_an_example() -> None:
    """In one process: what is asked of the help is its text."""
    from typer.testing import CliRunner

    from lithograph.cli.main import app

    runner = CliRunner()
    for verb in verbs():
        done = runner.invoke(app, [*verb, "--help"])
        assert done.exit_code == 0, verb
        assert "Example: lithograph " + " ".join(verb) in " ".join(done.output.split()), verb
    listed = runner.invoke(app, ["--help"]).output
    assert {verb[0] for verb in verbs()} <= set(re.findall(r"^  (\w+)  ", listed, re.MULTILINE))


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom lithograph.cli.main import app\n"
        "CliRunner().invoke(app, ['--help'])\n"
        "print([m for m in ('torch', 'rdflib', 'pyoxigraph', 'PIL', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_misuse_ends_with_two(lithograph: Lithograph, tmp_path: Path) -> None:
    assert lithograph("no-such-verb").returncode == 2
    assert lithograph("init", tmp_path / "x").returncode == 2
    done = lithograph("init", tmp_path / "x", "--base-iri", "data")
    assert done.returncode == 2
    assert "ends in '/'" in " ".join(done.stderr.split())
    assert not (tmp_path / "x").exists()


def test_outside_a_workspace_one_line_says_so(
    lithograph: Lithograph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = lithograph("runs")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "lithograph init" in done.stderr


def test_from_photographs_to_a_coco_file(
    place: Path, photos: Path, tmp_path: Path, lithograph: Lithograph
) -> None:
    added = lithograph("images", "add", photos, "--json")
    assert added.returncode == 1
    assert "broken.jpg" in added.stderr
    assert len(json.loads(added.stdout)["images"]) == 2

    imported = lithograph("import", coco(tmp_path / "coco.json"), "--json")
    assert imported.returncode == 1
    report = json.loads(imported.stdout)
    assert report["admitted"] == 1
    assert [r["path"] for r in report["refused"]] == ["annotations[1].segmentation[0]"]
    again = lithograph("import", tmp_path / "coco.json", "--json")
    assert json.loads(again.stdout)["triples_added"] == 0

    assert lithograph("check").returncode == 0
    listed = lithograph("query")
    assert "by-concept" in listed.stdout
    found = lithograph("query", "by-concept", "--param", "concept=fissure", "--format", "json")
    assert found.returncode == 0, found.stderr
    rows = json.loads(found.stdout)["results"]["bindings"]
    assert len(rows) == 1
    iri = rows[0]["annotation"]["value"]

    reviewed = lithograph("review", iri, "--concept", "Lacune", "--by", "Marie")
    assert reviewed.returncode == 0, reviewed.stderr
    after = lithograph("query", "by-concept", "-p", "concept=lacuna", "--format", "csv")
    assert len(after.stdout.splitlines()) == 2

    exported = lithograph(
        "export", "coco", "out.json", "--query", "accepted-or-confident", "--json"
    )
    assert exported.returncode == 0, exported.stderr
    assert json.loads(exported.stdout)["annotations"] == 1
    data = json.loads((place / "out.json").read_bytes())
    assert data["annotations"][0]["category_id"] == 8

    runs = json.loads(lithograph("runs", "--json").stdout)
    assert [run["kind"] for run in runs] == ["import", "import", "review", "export"]
    review = next(run for run in runs if run["kind"] == "review")
    assert review["by"] == "Marie"
    undone = lithograph("undo", review["run"].rpartition("/")[2], "--by", "Marie")
    assert undone.returncode == 0, undone.stderr
    assert len(json.loads(lithograph("runs", "--json").stdout)) == 3


def test_queries_of_the_user(place: Path, lithograph: Lithograph) -> None:
    text = "SELECT ?scheme WHERE { ?scheme a skos:ConceptScheme }"
    (place / "queries" / "schemes.rq").write_text(text, encoding="utf-8")
    assert lithograph("vocabulary", "check").returncode == 0
    assert lithograph("query", "schemes", "--format", "csv").stdout == "scheme\n"
    piped = lithograph("query", "/dev/stdin", "--format", "csv", stdin=text)
    assert piped.stdout == "scheme\n", piped.stderr
    refused = lithograph("query", "/dev/stdin", stdin="SELECT * { SERVICE <http://x/> {} }")
    assert refused.returncode == 1
    assert "SERVICE" in refused.stderr
    unknown = lithograph("query", "by-concpt")
    assert unknown.returncode == 1
    assert "by-concept" in unknown.stderr
    missing = lithograph("query", "by-concept")
    assert missing.returncode == 1
    assert "concept" in missing.stderr
    assert lithograph("query", "by-concept", "--param", "concept").returncode == 2
    assert lithograph("query", "by-concept", "-p", "concept=crack", "-f", "ttl").returncode == 2


def test_an_unknown_category_names_the_nearest_and_can_become_a_scheme(
    place: Path, tmp_path: Path, lithograph: Lithograph
) -> None:
    path = coco(tmp_path / "coco.json", category="Krack")
    refused = lithograph("import", path, "--json")
    assert refused.returncode == 1
    assert "crack" in refused.stderr.lower()
    assert json.loads(refused.stdout)["admitted"] == 0
    own = lithograph("import", path, "--new-scheme", "Krack words", "--json")
    assert json.loads(own.stdout)["admitted"] == 1, own.stderr
    done = lithograph("export", "coco", "out.json", "--query", "all-current")
    assert done.returncode == 0, done.stderr
    data = json.loads((place / "out.json").read_bytes())
    assert [c["name"] for c in data["categories"]] == ["Krack"]


def test_editing_the_vocabulary_changes_the_prompts(place: Path, lithograph: Lithograph) -> None:
    before = lithograph("vocabulary", "prompts").stdout
    path = place / "vocabulary.ttl"
    text = path.read_text(encoding="utf-8").replace('"crack"@en', '"fracture line"@en')
    path.write_text(text, encoding="utf-8")
    after = lithograph("vocabulary", "prompts").stdout
    assert "fracture line" not in before
    assert "fracture line" in after or "fracture line" in after


def test_a_wrong_shape_file_is_refused(place: Path, tmp_path: Path, lithograph: Lithograph) -> None:
    shapes = place / "own"
    shapes.mkdir()
    (shapes / "wrong.ttl").write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix oa: <http://www.w3.org/ns/oa#> .\n"
        "[] a sh:NodeShape ; sh:targetClass oa:Annotation ;"
        " sh:property [ sh:path oa:hasBody ; sh:minCuont 1 ] .",
        encoding="utf-8",
    )
    settings = place / "lithograph.toml"
    # A key of the top level stands before the tables.
    settings.write_text('shapes = "own"\n' + settings.read_text(encoding="utf-8"), encoding="utf-8")
    done = lithograph("import", coco(tmp_path / "coco.json"))
    assert done.returncode == 1
    assert "minCuont" in done.stderr


def test_a_missing_model_says_what_to_get(
    place: Path, photos: Path, lithograph: Lithograph
) -> None:
    lithograph("images", "add", photos)
    none = lithograph("annotate")
    assert none.returncode == 1
    assert "--segmenter" in none.stderr
    done = lithograph("annotate", "--segmenter", "nobody/no-such-sam", "--labeller", "tiny-clip")
    assert done.returncode == 1
    assert "nobody/no-such-sam" in done.stderr
    assert "internet" in done.stderr or "HF_HUB_OFFLINE" in done.stderr


def test_the_readers_end_of_a_pipe_may_close(place: Path) -> None:
    command = f"{sys.executable} -m lithograph vocabulary prompts | head -n 1"
    done = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, check=False, cwd=place
    )
    assert "Traceback" not in done.stderr
