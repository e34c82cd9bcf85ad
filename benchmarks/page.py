"""docs/benchmarks.md, written from the results of one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.results import Results, Row

_HEAD = """# Benchmarks

Every figure stands beside a floor or a peer that was measured in the same run, on the same
machine, minutes apart. The ratio is what to look at: seconds say as much about the machine as
about the code. This page is written by the harness; [its results]({results})
keep every repeat.

```
make bench                          # some minutes on two cores
make bench BENCH="--full"           # up to a million annotations, within an hour
make bench BENCH="--only gate"      # one part, or several: gate,ingest,export,queries,peers
```

[On a million annotations](benchmarks-million.md) has the queries at that size, and says where the
time goes.
"""

_READING = """## How to read it

- **A floor** does the least that could give the same result. An ingest cannot be faster than the
  engine's own `bulk_load` of the triples that it ends up with; an export cannot be faster than
  parsing and writing the same JSON. *2 ×* beside a floor means: everything that Lithograph adds
  costs as much as the floor.
- **A peer** is another programme that does a comparable thing; *100 ×* beside it means that the
  peer takes a hundred times as long. What peers do is not the same. FiftyOne and Datumaro only
  convert: no shape is checked, no provenance kept, no triple written. pySHACL and pyrudof are
  whole SHACL processors, where the gate is made for the shapes that a graph of annotations needs;
  they get the same batch and the same shapes.
- **met** and **short** say whether a figure reaches the goal that was set for it. A goal that
  speaks of another size than the one measured is shown and not judged.
- Times are wall-clock medians, each repeat in a process of its own, from the first call until the
  result is on disk. The ingest reads the vocabulary and the shapes in that time, which weighs on
  small files. Memory is the process's peak resident set, with the interpreter in it.
- The data are procedural (`benchmarks/coco_files.py`): about 1 KB an annotation, 20 annotations
  an image, polygons of 12 to 60 vertices, one mask in five as run lengths. The queries are asked
  of a richer graph (`benchmarks/graphs.py`) with model runs, reviews and regions.
"""

_TITLES = {
    "gate": "Gate",
    "ingest": "Ingest",
    "export": "Export",
    "queries": "Queries",
    "peers": "Peers",
}
_ABOUT = {
    "gate": "SHACL validation of a batch with one hop of context around it.",
    "ingest": "A COCO file into the graph on disk, and what a reviewer waits for.",
    "export": "The default query's answer as a COCO file.",
    "queries": "Each shipped query, three times; those that take longer than a second are short.",
    "peers": "Other programmes with the same file or the same graph.",
}


def page(results: Results, *, source: str, picture: str | None) -> str:
    """The whole page. ``source`` and ``picture`` are where the JSON and the plot lie, as links."""
    parts = [_HEAD.format(results=source), _measured(results)]
    if picture is not None:
        parts.append(
            f"![Time and peak memory against the number of annotations, log-log]({picture})\n\n"
            "Thick lines are ours, dashed ones the floors; dotted is what linear looks like.\n"
        )
    judged = [row for row in results.rows if row.verdict and row.part != "queries"]
    if judged:
        slow = sum(row.part == "queries" and row.verdict == "short" for row in results.rows)
        asked = sum(row.part == "queries" for row in results.rows)
        queries = (
            f"\n{slow} of {asked} shipped queries take longer than a second.\n" if asked else ""
        )
        parts.append(f"## Goals\n\n{table(judged)}\n{queries}")
    for part, title in _TITLES.items():
        rows = [row for row in results.rows if row.part == part]
        if rows:
            parts.append(f"## {title}\n\n{_ABOUT[part]}\n\n{table(rows)}\n")
    parts.append("\n".join(_peers(results)))
    if results.failures:
        listed = "\n".join(f"- {failure}" for failure in results.failures)
        parts.append(f"## What could not be measured\n\n{listed}\n")
    parts.append(_READING)
    return "\n".join(filter(None, parts))


def _measured(results: Results) -> str:
    """When, on what and with what."""
    machine = results.machine
    busy = f", load {machine['load']} before it began" if "load" in machine else ""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    return (
        f"Measured {results.date}, plan *{results.plan}*, on {machine['cores']} cores of "
        f"{machine['processor']} with {machine['memory']}, {machine['system']}{busy}; {versions}.\n"
    )


def table(rows: Sequence[Row]) -> str:
    """Rows as a Markdown table."""
    lines = [
        "| what | annotations | figure | beside it | ratio | goal | |",
        "|---|--:|---|---|--:|---|---|",
    ]
    for row in rows:
        verdict = f"**{row.verdict}**" if row.verdict == "short" else row.verdict
        cells = (row.what, f"{row.annotations:,}", row.figure, row.beside, row.ratio, row.goal)
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} | {verdict} |")
    return "\n".join(lines)


def _peers(results: Results) -> Iterator[str]:
    if not results.peers:
        return
    yield "## Which peers ran\n"
    for peer in results.peers:
        reason = f": {peer.reason}" if peer.reason else ""
        yield f"- {peer.name} {peer.version}: {peer.state}{reason}"
    yield ""
