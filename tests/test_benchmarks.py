"""The benchmarks: their workload is what it says, and their harness runs and tells."""

from __future__ import annotations

import gc
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from benchmarks import __main__ as command
from benchmarks import peers, queries
from benchmarks.bench import Bench
from benchmarks.coco_files import PER_IMAGE, write_coco
from benchmarks.page import page
from benchmarks.plans import TINY
from benchmarks.plotting import draw
from benchmarks.processes import TaskFailed, TaskTooLong, run_task, without_paths
from benchmarks.results import Goal, Measurement, Peer, Results
from pycocotools import mask as coco_mask

from lithograph import Workspace
from lithograph.queries import shipped

ROOT = Path(__file__).parents[1]


def read(path: Path) -> Any:
    return json.loads(path.read_bytes())


# -- the workload ------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, again, other = tmp_path / "1.json", tmp_path / "2.json", tmp_path / "3.json"
    write_coco(first, 130)
    write_coco(again, 130)
    write_coco(other, 130, seed=8)
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


def test_a_larger_file_begins_like_a_smaller_one(tmp_path: Path) -> None:
    write_coco(tmp_path / "small.json", 45)
    write_coco(tmp_path / "large.json", 90)
    small, large = read(tmp_path / "small.json"), read(tmp_path / "large.json")
    whole = len(small["annotations"]) // PER_IMAGE * PER_IMAGE
    assert small["annotations"][:whole] == large["annotations"][:whole]
    assert small["images"] == large["images"][: len(small["images"])]


def test_the_file_is_what_it_says(tmp_path: Path) -> None:
    written = write_coco(tmp_path / "facades.json", 2_000)
    content = read(written.path)
    records, images = content["annotations"], content["images"]
    assert written.size == written.path.stat().st_size
    assert (len(records), len(images)) == (2_000, 100)
    assert len({record["id"] for record in records}) == 2_000
    assert {record["image_id"] for record in records} == {image["id"] for image in images}
    assert len(content["categories"]) == 9
    assert 800 < written.size / 2_000 < 1_200
    masks = [r for r in records if isinstance(r["segmentation"], dict)]
    rings = [r["segmentation"] for r in records if isinstance(r["segmentation"], list)]
    assert 0.15 < len(masks) / 2_000 < 0.25
    assert any(len(each) > 1 for each in rings)
    assert all(24 <= len(ring) <= 120 for each in rings for ring in each)
    assert any({image["width"], image["height"]} == {6336, 9504} for image in images)
    assert 0.3 < sum("score" in record for record in records) / 2_000 < 0.5


def test_box_and_area_are_the_geometrys_own(tmp_path: Path) -> None:
    content = read(write_coco(tmp_path / "facades.json", 60).path)
    sizes = {image["id"]: (image["height"], image["width"]) for image in content["images"]}
    for record in content["annotations"]:
        height, width = sizes[record["image_id"]]
        shape = record["segmentation"]
        if isinstance(shape, dict):
            assert coco_mask.area(shape) == record["area"]
            assert coco_mask.toBbox(shape).tolist() == record["bbox"]
        else:
            covered = coco_mask.merge(coco_mask.frPyObjects(shape, height, width))
            assert coco_mask.area(covered) == pytest.approx(record["area"], rel=0.2)
        left, top, across, down = record["bbox"]
        assert 0 <= left < left + across <= width
        assert 0 <= top < top + down <= height


def test_it_imports_without_a_refusal_or_a_finding(tmp_path: Path) -> None:
    written = write_coco(tmp_path / "facades.json", 100)
    workspace = Workspace.create(tmp_path / "workspace", "https://data.example.org/")
    imported, admission = workspace.import_coco(written.path)
    assert len(admission.admitted) == 100
    assert not admission.refusals
    assert not imported.findings


def test_faulty_records_are_refused_and_no_other(tmp_path: Path) -> None:
    written = write_coco(tmp_path / "facades.json", 100, faulty=0.3)
    assert 15 < written.faulty < 45
    workspace = Workspace.create(tmp_path / "workspace", "https://data.example.org/")
    _, admission = workspace.import_coco(written.path)
    assert len(admission.refusals) == written.faulty
    assert len(admission.admitted) == 100 - written.faulty


@pytest.mark.parametrize(("annotations", "faulty"), [(0, 0.0), (10, 1.5)])
def test_a_senseless_workload_is_refused(tmp_path: Path, annotations: int, faulty: float) -> None:
    with pytest.raises(ValueError, match="expected at least one annotation"):
        write_coco(tmp_path / "facades.json", annotations, faulty=faulty)


# -- the harness -------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_runs_on_a_tiny_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    words = ["--tiny", "--only", "ingest,gate,peers", "--scratch", str(tmp_path)]
    assert command.main([*words, "--output", str(out)]) == 0
    check_output(out, {"ingest", "gate"})
    shown = capsys.readouterr().out
    assert "bulk_load of the same triples" in shown
    # Peers live in environments of their own, which no test needs.
    assert "pyrudof" in shown
    assert "not asked" in shown
    # The gate and pySHACL said the same of the faults that were put in.
    assert "both complain 1 times" in shown


def test_every_shipped_query_has_something_to_ask_for(tmp_path: Path) -> None:
    folder = str(tmp_path / "queried")
    values = run_task("benchmarks.queries:make", {"folder": folder, "annotations": 100})["values"]
    rows = {}
    for name in shipped():
        answer = queries.ask(folder, name, values)
        assert len(answer["seconds"]) == 3, name
        rows[name] = answer["rows"]
        gc.collect()  # closes the graph, which one holds at a time
    assert rows["by-concept"] > 0
    bench = a_bench(tmp_path)
    queries.one(bench, "accepted", folder, values)
    (row,) = bench.results.rows
    assert (row.what, row.verdict) == ("accepted", "met")


def test_one_part_makes_what_it_needs(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["--tiny", "--only", "export", "--output", str(out), "--scratch", str(tmp_path)]
    assert command.main(words) == 0
    check_output(out, {"export"})


def check_output(out: Path, parts: set[str]) -> None:
    results = Results.read(out / "results.json")
    assert not results.failures
    assert {row.part for row in results.rows} == parts
    assert all(min(each.seconds) > 0 and each.peak > 1e6 for each in results.measurements)
    assert (out / "scaling.png").read_bytes().startswith(b"\x89PNG")
    assert ET.parse(out / "scaling.svg").getroot().tag.endswith("svg")
    written = (out / "page.md").read_text(encoding="utf-8")
    assert all(f"## {part.capitalize()}" in written for part in parts)
    # No word of the machine's folders or name stands in what is kept.
    kept = (out / "results.json").read_text(encoding="utf-8") + written
    assert str(out.parent) not in kept
    assert str(ROOT) not in kept


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only", "ingest,lunch"], "expected some of ingest,gate,export,queries,peers"),
        (["--quote", "--tiny"], "expected a run of all parts"),
        (["--quote", "--only", "gate"], "expected a run of all parts"),
    ],
)
def test_a_wrong_call_is_told(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(words)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_a_measurement_has_the_memory_of_its_own_process() -> None:
    held = b"x" * 300_000_000
    small = run_task("benchmarks.machine:versions", {})
    assert small["peak_bytes"] < len(held) / 2


def test_a_task_that_fails_says_why_without_paths_of_the_machine() -> None:
    with pytest.raises(TaskFailed, match="No such file") as caught:
        run_task("benchmarks.export:round_trip", {"path": str(ROOT / "there-is-none.json")})
    assert str(ROOT) not in str(caught.value)
    with pytest.raises(TaskTooLong, match=r"longer than 0\.001 s"):
        run_task("benchmarks.machine:versions", {}, limit_s=0.001)


def test_paths_lose_their_folders_and_nothing_else_does() -> None:
    assert without_paths("no file /opt/x/y/z.txt: a/b, 3/4") == "no file z.txt: a/b, 3/4"


def test_what_fails_is_noted_and_the_rest_goes_on(tmp_path: Path) -> None:
    bench = a_bench(tmp_path)
    assert not bench.attempt("reading", bench.measure, "x", 1, "benchmarks.export:no_such", {})
    assert bench.attempt("nothing", list)
    (failure,) = bench.results.failures
    assert failure.startswith("reading: AttributeError")


def test_a_peer_that_does_not_install_is_told_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = tmp_path / "peers.txt"
    pins.write_text(f"# a comment\n{tmp_path}/no-such-peer==1.0 another==2.0\n", encoding="utf-8")
    monkeypatch.setattr(peers, "_PINS", pins)
    monkeypatch.setattr(peers, "_ENVIRONMENTS", tmp_path / "environments")
    bench = a_bench(tmp_path, peers=20)
    asked: list[object] = []
    peers.attempt(bench, f"{tmp_path}/no-such-peer", lambda *given: asked.append(given))
    (peer,) = bench.results.peers
    assert (peer.version, peer.state) == ("1.0", "not installed")
    assert peer.reason
    assert not asked
    assert not bench.results.failures


def test_every_peer_is_pinned() -> None:
    assert set(peers.pins()) == {"fiftyone", "datumaro", "pyrudof", "oxrdflib"}
    for requirements in peers.pins().values():
        assert all(re.fullmatch(r"[\w-]+==[\w.]+", each) for each in requirements)


def a_bench(folder: Path, *, peers: int | None = None) -> Bench:
    from dataclasses import replace

    return Bench(replace(TINY, peers=peers), folder, some_results(), lambda _: None)


# -- what is told ------------------------------------------------------------------------------


def some_results() -> Results:
    return Results("tiny", "2026-11-24", {"cores": "2", "processor": "p", "memory": "1 GB",
                   "load": "0.0",
            "system": "s"}, {"python": "3"})  # fmt: skip


def test_results_come_back_as_they_were_written(tmp_path: Path) -> None:
    results = some_results()
    results.measurements.append(Measurement("ingest", 10, (3.0, 1.0, 2.0), (5, 7), {"triples": 9}))
    results.compare("ingest", "what", 10, "2 s", value=2.5, goal=Goal("≤", 3, "×"))
    results.peers.append(Peer("a", "1", "does not run", "no database"))
    results.write(tmp_path / "r.json")
    assert Results.read(tmp_path / "r.json") == results
    (entry,) = read(tmp_path / "r.json")["measurements"]
    assert (entry["seconds_min"], entry["seconds_median"], entry["seconds_max"]) == (1, 2, 3)
    (tmp_path / "r.json").write_text('{"format": 0}', encoding="utf-8")
    with pytest.raises(ValueError, match="expected results of format 1"):
        Results.read(tmp_path / "r.json")


@pytest.mark.parametrize(
    ("goal", "value", "verdict"),
    [
        (Goal("≤", 3, "×"), 3.0, "met"),
        (Goal("≤", 3, "×"), 3.01, "short"),
        (Goal("≥", 100, "×"), 99.0, "short"),
        (Goal("<", 2, " GB", at=10), 1.9, "met"),
        (Goal("<", 2, " GB", at=11), 1.9, ""),
        (Goal("<", 2, " GB", least=10), 2.1, "short"),
        (Goal("<", 2, " GB", least=11), 2.1, ""),
    ],
)
def test_a_goal_is_judged_at_its_own_size(goal: Goal, value: float, verdict: str) -> None:
    results = some_results()
    results.compare("ingest", "what", 10, "figure", value=value, goal=goal)
    (row,) = results.rows
    assert row.verdict == verdict
    assert row.goal == str(goal)


def test_the_page_tells_what_did_not_run() -> None:
    results = some_results()
    results.compare("gate", "a | b", 1_000, "1 s", beside="2 s", value=0.5, goal=Goal("≥", 1, "×"))
    results.peers.append(Peer("fiftyone", "1", "does not run", "no database"))
    results.failures.append("query x: took too long")
    text = page(results, source="r.json", picture=None)
    assert "| a / b | 1,000 | 1 s | 2 s | 0.50× | ≥ 1× | **short** |" in text
    assert "- fiftyone 1: does not run: no database" in text
    assert "- query x: took too long" in text


def test_the_plot_is_the_same_for_the_same_results(tmp_path: Path) -> None:
    results = some_results()
    assert draw(results, tmp_path) == ()
    for size in (10, 100):
        results.measurements.append(Measurement("ingest", size, (size / 10,), (10**8,)))
    _, drawn = draw(results, tmp_path)
    first = drawn.read_bytes()
    _, again = draw(results, tmp_path)
    assert again.read_bytes() == first


def test_the_documentation_quotes_its_results() -> None:
    docs = ROOT / "docs"
    written = (docs / "benchmarks.md").read_text(encoding="utf-8")
    named = re.search(r"\(\.\./benchmarks/results/([\w.-]+\.json)\)", written)
    assert named
    path = ROOT / "benchmarks" / "results" / named[1]
    assert written == command.quoted_page(path, drawn=(docs / "benchmarks-scaling.svg").exists())
