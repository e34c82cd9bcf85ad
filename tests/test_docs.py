"""What the documentation says is so."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import fields
from pathlib import Path

import pytest

from lithograph.config import AnnotateSettings

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))


def test_the_page_of_queries_is_what_their_headers_say() -> None:
    path = ROOT / "docs" / "make_queries.py"
    spec = importlib.util.spec_from_file_location("make_queries", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "queries.md").read_text(encoding="utf-8") == module.page()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_setting_of_annotating_is_described() -> None:
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    for entry in fields(AnnotateSettings):
        assert f"`{entry.name}`" in text, entry.name
