"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from lithograph.rdf.iris import Iris


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of test material written by others, ``../shared/data`` beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the test material of ../shared/data is not here")
    return folder


@pytest.fixture
def iris() -> Iris:
    """The IRIs of a workspace."""
    return Iris("https://data.example.org/ca19/")
