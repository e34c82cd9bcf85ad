"""What a run of the benchmarks gives: measurements, and rows that hold them against a goal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

import orjson

#: Raised when a key of the JSON changes its meaning.
FORMAT = 1

State = Literal["ran", "not installed", "does not run", "not asked"]


@dataclass(frozen=True)
class Measurement:
    """One thing done ``len(seconds)`` times with so many annotations, each in its own process.

    ``seconds`` are wall-clock, ``peak_bytes`` the peak resident set of each process. ``facts`` is
    whatever else the task told.
    """

    name: str
    annotations: int
    seconds: tuple[float, ...]
    peak_bytes: tuple[int, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """Seconds, the median of the repeats."""
        return median(self.seconds)

    @property
    def peak(self) -> int:
        """Bytes, the largest peak of the repeats."""
        return max(self.peak_bytes)

    @property
    def each(self) -> float:
        """Seconds for one annotation."""
        return self.median / self.annotations

    @property
    def rate(self) -> float:
        """Annotations a second."""
        return self.annotations / self.median


@dataclass(frozen=True)
class Goal:
    """A bound on a number: ``relation`` says on which side it must lie.

    ``at`` is the number of annotations that it speaks of, where it speaks of one; ``least`` the
    number from which on it is judged: below, starting weighs more than what is measured.
    """

    relation: Literal["≤", "≥", "<"]
    bound: float
    unit: str
    at: int | None = None
    least: int = 0

    def speaks_of(self, annotations: int) -> bool:
        """Whether the goal is judged at this size."""
        return annotations >= self.least and self.at in (None, annotations)

    def is_met(self, value: float) -> bool:
        """Whether a value, in the goal's unit, meets it."""
        if self.relation == "≥":
            return value >= self.bound
        return value < self.bound if self.relation == "<" else value <= self.bound

    def __str__(self) -> str:
        at = "" if self.at is None else f" at {self.at:,}"
        return f"{self.relation} {self.bound:g}{self.unit}{at}"


@dataclass(frozen=True)
class Row:
    """A line of the table: a figure, the floor or peer beside it, and how they relate.

    ``value`` is the number that the goal speaks of, in the goal's unit; without a goal the row
    only tells. ``verdict`` is "met", "short", or empty where the goal speaks of another size.
    """

    part: str
    what: str
    annotations: int
    figure: str
    beside: str = ""
    value: float | None = None
    unit: str = "×"
    goal: str = ""
    verdict: Literal["met", "short", ""] = ""

    @property
    def ratio(self) -> str:
        """The value with its unit, where the figure does not say it already."""
        if self.value is None or self.unit not in {"×", " %"}:
            return ""
        return f"{_rounded(self.value)}{self.unit}"


@dataclass(frozen=True)
class Peer:
    """A programme that is measured beside ours: what became of it here."""

    name: str
    version: str
    state: State
    reason: str = ""


@dataclass
class Results:
    """Everything that one run found."""

    plan: str
    date: str
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    measurements: list[Measurement] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def named(self, name: str) -> dict[int, Measurement]:
        """The measurements of a name, by number of annotations, smallest first."""
        found = [each for each in self.measurements if each.name == name]
        return {each.annotations: each for each in sorted(found, key=lambda m: m.annotations)}

    def compare(
        self,
        part: str,
        what: str,
        annotations: int,
        figure: str,
        *,
        beside: str = "",
        value: float | None = None,
        unit: str = "×",
        goal: Goal | None = None,
    ) -> None:
        """Add a row; the goal is judged where it speaks of this size or of any."""
        verdict: Literal["met", "short", ""] = ""
        if goal is not None and value is not None and goal.speaks_of(annotations):
            verdict = "met" if goal.is_met(value) else "short"
        text = "" if goal is None else str(goal)
        self.rows.append(Row(part, what, annotations, figure, beside, value, unit, text, verdict))

    def write(self, path: Path) -> None:
        """Write the results as JSON, with minimum, median and maximum beside the repeats."""
        content = {"format": FORMAT, **asdict(self)}
        for entry, each in zip(content["measurements"], self.measurements, strict=True):
            entry["seconds_min"], entry["seconds_max"] = min(each.seconds), max(each.seconds)
            entry["seconds_median"] = each.median
        path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read what :meth:`write` wrote. ValueError where it is of another format."""
        content = orjson.loads(path.read_bytes())
        if content.pop("format", None) != FORMAT:
            raise ValueError(f"{path.name}: expected results of format {FORMAT}")
        measurements = [
            Measurement(
                entry["name"],
                entry["annotations"],
                tuple(entry["seconds"]),
                tuple(entry["peak_bytes"]),
                entry["facts"],
            )
            for entry in content.pop("measurements")
        ]
        rows = [Row(**entry) for entry in content.pop("rows")]
        peers = [Peer(**entry) for entry in content.pop("peers")]
        return cls(measurements=measurements, rows=rows, peers=peers, **content)


def _rounded(value: float) -> str:
    """Two digits that count, three from a hundred on."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def shown_seconds(seconds: float) -> str:
    """A time as people read it."""
    if seconds >= 100:
        return f"{seconds:,.0f} s"
    if seconds >= 1:
        return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.2f} s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.{0 if seconds >= 0.1 else 1}f} ms"
    return f"{seconds * 1e6:.0f} µs"


def shown_bytes(count: float) -> str:
    """A number of bytes as people read it, in powers of a thousand."""
    if count >= 1e9:
        return f"{count / 1e9:.2f} GB"
    return f"{count / 1e6:.0f} MB"
