"""Time and memory against the number of annotations, both on logarithmic axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log10
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from benchmarks.results import Measurement, Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True)
class Line:
    """A measurement by its name, and how it is drawn."""

    name: str
    label: str
    colour: str
    marker: str


#: Colours of Okabe and Ito, told apart by the colour-blind; the markers tell them apart too.
_LINES: Final = (
    Line("ingest", "ingest", "#0072B2", "o"),
    Line("export-disk", "export", "#D55E00", "s"),
    Line("gate", "gate, one batch", "#009E73", "^"),
)
_FLOORS: Final = (
    Line("bulk_load", "floor: bulk_load", "#0072B2", ""),
    Line("orjson", "floor: orjson", "#D55E00", ""),
)
_INK, _FAINT = "#333333", "#8a8a8a"
_THICK: Final[dict[str, Any]] = {
    "linewidth": 2,
    "markersize": 6.5,
    "markeredgecolor": "white",
    "markeredgewidth": 0.8,
}
_THIN: Final[dict[str, Any]] = {"linewidth": 1.1, "linestyle": (0, (4, 3)), "alpha": 0.8}
_GUIDE: Final[dict[str, Any]] = {"color": _FAINT, "linewidth": 1.2, "linestyle": ":"}
_STYLE: Final = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "svg.hashsalt": "lithograph",
    "svg.fonttype": "path",
}


def draw(results: Results, folder: Path, name: str = "scaling") -> tuple[Path, ...]:
    """Draw the plot of a run as ``name.png`` and ``name.svg`` in ``folder``.

    Nothing is drawn, and no path returned, where no line has two points.
    """
    if not any(len(results.named(line.name)) > 1 for line in _LINES):
        return ()
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with mpl.rc_context(cast("Any", _STYLE)):
        figure = Figure(figsize=(11, 4.8), layout=ConstrainedLayoutEngine(w_pad=0.12, wspace=0.08))
        time, memory = figure.subplots(1, 2)
        _panel(time, results, lambda each: each.median)
        _finish(time, "Time", _seconds)
        _panel(memory, results, lambda each: each.peak)
        _finish(memory, "Peak memory of the process", _bytes)
        written = []
        for ending, options in (("png", {"dpi": 160}), ("svg", {"metadata": {"Date": None}})):
            path = folder / f"{name}.{ending}"
            figure.savefig(path, **options)
            written.append(path)
    return tuple(written)


def _panel(axes: Axes, results: Results, value: Callable[[Measurement], float]) -> None:
    """The lines, the thin dashed floors, and below them all what linear looks like."""
    ends: list[tuple[float, float, str, str]] = []
    steepness: list[float] = []
    for line in (*_FLOORS, *_LINES):
        points = results.named(line.name)
        if not points:
            continue
        xs, ys = list(points), [value(each) for each in points.values()]
        look = _THIN if line in _FLOORS else _THICK | {"marker": line.marker}
        axes.plot(xs, ys, color=line.colour, **look)
        ends.append((xs[-1], ys[-1], line.label, line.colour))
        steepness.append(ys[-1] / xs[-1])
    axes.set_xscale("log")
    axes.set_yscale("log")
    low, high = axes.get_xlim()
    level = min(steepness) / 2.5
    bottom, top = axes.get_ylim()
    last = max(x for x, *_ in ends)
    axes.plot([low, last], [level * low, level * last], **_GUIDE)
    axes.set_xlim(low, high)
    axes.set_ylim(min(bottom, level * last / 1.5), top)
    _label_ends(axes, [*ends, (last, level * last, "linear", _FAINT)])


def _label_ends(axes: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """The name of each line at its end, moved apart at the edge, where two would meet."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=3, foreground="white")]
    low, high = map(log10, axes.get_ylim())
    edge = max(x for x, *_ in ends)
    at_edge = sorted((end for end in ends if end[0] == edge), key=lambda end: end[1])
    heights = _moved_apart([log10(y) for _, y, *_ in at_edge], 0.06 * (high - low))
    placed = {end[2]: height for end, height in zip(at_edge, heights, strict=True)}
    for x, y, label, colour in ends:
        if label in placed:
            place: dict[str, Any] = {"xy": (x, 10 ** placed[label]), "xytext": (9, 0)}
            place["va"] = "center"
        else:
            place = {"xy": (x, y), "xytext": (-5, 8), "ha": "right"}
        axes.annotate(
            label,
            **place,
            textcoords="offset points",
            color=colour,
            annotation_clip=False,
            path_effects=halo,
        )


def _moved_apart(heights: Sequence[float], apart: float) -> list[float]:
    """Ascending heights, moved as little as leaves them ``apart`` from each other."""
    groups: list[tuple[float, int]] = []
    for height in heights:
        centre, count = height, 1
        while groups and centre - groups[-1][0] < apart * (count + groups[-1][1]) / 2:
            before, many = groups.pop()
            centre, count = (before * many + centre * count) / (many + count), many + count
        groups.append((centre, count))
    return [
        centre + apart * (index - (count - 1) / 2)
        for centre, count in groups
        for index in range(count)
    ]


def _finish(axes: Axes, title: str, shown: Callable[[float], str]) -> None:
    from matplotlib.ticker import LogLocator

    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes.set_xlabel("annotations")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_formatter(lambda value, _: shown(value))
    axes.yaxis.set_minor_formatter(lambda *_: "")
    axes.xaxis.set_minor_formatter(lambda *_: "")
    low, high = axes.get_ylim()
    # Where only a decade or two is seen, more than its ends is named.
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,)))
    axes.grid(visible=True, which="major", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="minor", length=2, color=_FAINT)


def _seconds(value: float) -> str:
    if value >= 60:
        return f"{value:,.0f} s"
    return f"{value:g} s" if value >= 1 else f"{value * 1e3:g} ms"


def _bytes(value: float) -> str:
    return f"{value / 1e9:g} GB" if value >= 1e9 else f"{value / 1e6:g} MB"
