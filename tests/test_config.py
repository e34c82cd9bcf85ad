from __future__ import annotations

from pathlib import Path

import pytest

from lithograph.config import AnnotateSettings, Settings, write_new
from lithograph.errors import SettingsError

BASE = "https://data.example.org/ca19/"


def settings(folder: Path, text: str) -> Settings:
    (folder / "lithograph.toml").write_text(text, encoding="utf-8")
    return Settings.read(folder)


def test_a_new_file_reads_back(tmp_path: Path) -> None:
    write_new(tmp_path, BASE)
    read = Settings.read(tmp_path)
    assert read.base_iri == BASE
    assert read.annotate == AnnotateSettings()


def test_every_setting_can_be_set(tmp_path: Path) -> None:
    read = settings(
        tmp_path,
        f'base_iri = "{BASE}"\nagent = "Marie"\nshapes = "own"\n'
        "[images]\nmax_pixels = 5\n"
        '[annotate]\nlanguages = ["fr", "en"]\nleaf_threshold = 1\ndetector_threshold = 0.5\n',
    )
    assert read.agent == "Marie"
    assert read.shapes == "own"
    assert read.images.max_pixels == 5
    assert read.annotate.languages == ("fr", "en")
    assert read.annotate.leaf_threshold == 1.0
    assert read.annotate.detector_threshold == 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected base_iri, found none"),
        (f'base_iri = "{BASE}"\nvocabullary = "x"', "'vocabullary'; did you mean vocabulary"),
        (f'base_iri = "{BASE}"\n[annotate]\nleaf = "x"', "unknown setting 'leaf'"),
        (f'base_iri = "{BASE}"\n[annotate]\ntile = "big"', "annotate: tile: expected int"),
        (f'base_iri = "{BASE}"\n[annotate]\ntile = true', "expected int, found True"),
        (f'base_iri = "{BASE}"\n[annotate]\nlanguages = "en"', "expected a list of strings"),
        (f'base_iri = "{BASE}"\nannotate = 3', "expected a table, found 3"),
        ("base_iri = ", "cannot be read"),
        ("base_iri = 3", "expected str, found 3"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, text)
    assert message in str(caught.value)


def test_a_folder_without_settings_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="lithograph init"):
        Settings.read(tmp_path)
