"""Fixtures that every test may use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from lithograph.gate import Shapes
from lithograph.rdf.iris import Iris

# How long one example takes says more about the machine than about the code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of test material written by others, ``../shared/data`` beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the test material of ../shared/data is not here")
    return folder


@pytest.fixture(scope="session")
def shapes() -> Shapes:
    """The shipped shapes, read once."""
    return Shapes.read()


@pytest.fixture
def iris() -> Iris:
    """The IRIs of a workspace."""
    return Iris("https://data.example.org/ca19/")


Lithograph = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def lithograph() -> Lithograph:
    """The command line, in a process of its own, in the current folder."""

    def run(*words: object, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lithograph", *map(str, words)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            input=stdin,
            check=False,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONIOENCODING": "utf-8"},
        )

    return run
