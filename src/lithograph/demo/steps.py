"""The steps of the demo: each told in a line with its time as soon as it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Step:
    """One step: its title, the line that says what came of it, and how many seconds it took."""

    title: str
    result: str = ""
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


class Steps:
    """Takes the time of steps, in order, and tells them."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.done: list[Step] = []
        self.say = say

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Time a step; whoever does it fills in ``result``, and ``notes`` that deserve a line."""
        step = Step(title)
        begun = time.perf_counter()
        yield step
        step.seconds = time.perf_counter() - begun
        self.done.append(step)
        self.say(f"{len(self.done):>3}  {title:<34} {step.seconds:>6.1f} s  {step.result}")
        for note in step.notes:
            self.say(f"     {'':<34}           {note}")

    @property
    def seconds(self) -> float:
        """How long all steps took."""
        return sum(step.seconds for step in self.done)


def text_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table as lines of text: the first column to the left, numbers to the right."""
    widths = [
        max(len(column), *(len(row[index]) for row in rows)) if rows else len(column)
        for index, column in enumerate(columns)
    ]

    def line(cells: Sequence[str]) -> str:
        parts = [
            cell.rjust(width) if index and _is_number(cell) else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(parts).rstrip()

    return [line(columns), "  ".join("-" * width for width in widths), *map(line, rows)]


def _is_number(text: str) -> bool:
    return text.replace(".", "").replace("-", "").isdecimal() or text == "–"
