"""Text vectors are made once a model and a set of phrases, and never half written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lithograph.vision import Labeller, ModelCard, load_labeller
from lithograph.vision.text_cache import TextCache

pytest_plugins = ["tiny_models"]

PHRASES = ["a crack", "écaillage", "sound stone", "a crack"]


class Counting:
    """A labeller over another that counts the phrases it is asked to embed."""

    def __init__(self, inner: Labeller, card: ModelCard | None = None) -> None:
        self._inner = inner
        self.card = card or inner.card
        self.scale, self.bias, self.kind = inner.scale, inner.bias, inner.kind
        self.max_tokens = inner.max_tokens
        self.count_tokens = inner.count_tokens
        self.embed_crops = inner.embed_crops
        self.embedded: list[str] = []

    def embed_text(self, phrases: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += phrases
        return self._inner.embed_text(phrases)


@pytest.fixture
def labeller(tiny: Callable[[str], Path]) -> Counting:
    return Counting(load_labeller(str(tiny("clip")), "cpu"))


def test_phrases_are_embedded_once(labeller: Counting, tmp_path: Path) -> None:
    cache = TextCache(tmp_path / "texts")
    first = cache.embed(labeller, PHRASES)
    assert labeller.embedded == sorted(set(PHRASES))
    np.testing.assert_array_equal(first[0], first[3])
    np.testing.assert_allclose(first, labeller._inner.embed_text(PHRASES), atol=1e-6)
    again = TextCache(tmp_path / "texts").embed(labeller, PHRASES[::-1])
    np.testing.assert_array_equal(again[::-1], first)
    assert len(labeller.embedded) == 3


def test_another_phrase_or_model_is_another_entry(labeller: Counting, tmp_path: Path) -> None:
    cache = TextCache(tmp_path)
    cache.embed(labeller, PHRASES)
    cache.embed(labeller, PHRASES[:2])
    assert len(labeller.embedded) == 5
    other = Counting(labeller._inner, replace(labeller.card, sha256="f" * 64))
    cache.embed(other, PHRASES)
    assert len(other.embedded) == 3
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut short", b"\x80\x04."])
def test_a_damaged_entry_is_made_again(labeller: Counting, tmp_path: Path, damage: bytes) -> None:
    cache = TextCache(tmp_path)
    first = cache.embed(labeller, PHRASES)
    (entry,) = tmp_path.iterdir()
    entry.write_bytes(damage)
    np.testing.assert_array_equal(cache.embed(labeller, PHRASES), first)
    assert len(labeller.embedded) == 6
    cache.embed(labeller, PHRASES)
    assert len(labeller.embedded) == 6


def test_an_entry_of_other_phrases_is_made_again(labeller: Counting, tmp_path: Path) -> None:
    cache = TextCache(tmp_path)
    first = cache.embed(labeller, PHRASES)
    (entry,) = tmp_path.iterdir()
    np.savez(entry, vectors=np.zeros((3, 4)), phrases=np.array(["x", "y", "z"]))
    np.testing.assert_array_equal(cache.embed(labeller, PHRASES), first)


def test_nothing_half_written_is_left(
    labeller: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space"):
        TextCache(tmp_path).embed(labeller, PHRASES)
    assert list(tmp_path.iterdir()) == []
