"""Phrases that are too long are cut where a sentence ends, with a warning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lithograph.vision.phrases import cut_phrase


def words(text: str) -> int:
    return len(text.split())


def test_a_phrase_that_fits_is_left_as_it_is() -> None:
    phrase = "A crack. Thin and  dark."
    assert cut_phrase(phrase, 5, words) == phrase


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        (10, "A dark crack; it branches. It follows the joint!"),
        (5, "A dark crack; it branches."),
        (4, "A dark crack;"),
        (3, "A dark crack;"),
        (2, "A dark"),
    ],
)
def test_a_long_one_is_cut_at_a_sentence_and_else_at_a_word(limit: int, left: str) -> None:
    phrase = "A dark crack; it branches. It follows the joint! Seen on limestone."
    with pytest.warns(UserWarning, match=f"was cut to the {limit}"):
        assert cut_phrase(phrase, limit, words) == left


def test_not_one_word_that_fits_is_an_error() -> None:
    with pytest.raises(ValueError, match="not one word"):
        cut_phrase("unpronounceable", 3, len)


@given(
    st.lists(st.sampled_from(["crack", "joint.", "dark;", "on", "stone!"]), min_size=1),
    st.integers(1, 9),
)
def test_what_is_left_fits_and_is_the_beginning(parts: list[str], limit: int) -> None:
    phrase = " ".join(parts)
    if words(phrase) <= limit:
        assert cut_phrase(phrase, limit, words) == phrase
    else:
        with pytest.warns(UserWarning, match="was cut"):
            left = cut_phrase(phrase, limit, words)
        assert phrase.startswith(left)
        assert 0 < words(left) <= limit
