"""Phrases that fit a text encoder: a long one is cut at a sentence, with a warning."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable

# A sentence ends at a full stop, a semicolon, an exclamation or question mark and a space.
_SENTENCE_END = re.compile(r"(?<=[.;!?…])\s+")


def cut_phrase(phrase: str, limit: int, count: Callable[[str], int]) -> str:
    """Return the phrase, or as many of its first sentences as ``count`` says fit in ``limit``.

    Where even the first sentence is too long it is cut at a word. A cut is told by a
    ``UserWarning``; a text encoder left alone would fail, or drop the end without a word.
    """
    if count(phrase) <= limit:
        return phrase
    for parts in (_SENTENCE_END.split(phrase), phrase.split()):
        fitting = _most_that_fit(parts, limit, count)
        if fitting:
            break
    if not fitting:
        raise ValueError(f"not one word of the phrase fits in {limit} tokens: {phrase[:60]!r}")
    warnings.warn(
        f"a phrase of {count(phrase)} tokens was cut to the {limit} the model takes, after "
        f"{fitting[-40:]!r}",
        stacklevel=3,
    )
    return fitting


def _most_that_fit(parts: list[str], limit: int, count: Callable[[str], int]) -> str:
    low, high = 0, len(parts)
    while low < high:
        middle = (low + high + 1) // 2
        if count(" ".join(parts[:middle])) <= limit:
            low = middle
        else:
            high = middle - 1
    return " ".join(parts[:low])
