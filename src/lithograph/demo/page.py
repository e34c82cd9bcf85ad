"""summary.html: everything the demo did, on one page that needs nothing but the files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from lithograph import __version__
from lithograph.demo.asking import Answer
from lithograph.demo.drawing import Picture
from lithograph.demo.outcome import BASE_IRI, SCORE_COLUMNS, Outcome, score_row, three_digits

_ROWS = 10
"""Rows of an answer that are shown; the CSV file has all."""

_SCHEME = "https://w3id.org/lithograph/notre-dame-alterations/"
_FRACTION = re.compile(r"\d+\.\d{4,}")
_DIGEST = re.compile(r"\b([0-9a-f]{10})[0-9a-f]{14,}\b")

_FILES = {
    "truth.json": "the exact masks, as COCO",
    "aioli-coco.json": "the walls as Aïoli exports them, one ring cut short",
    "prompts.json": "the truth's boxes of the facades, given as prompts",
    "vocabulary.txt": "the vocabulary as a tree",
    "workspace/vocabulary.ttl": "the vocabulary as SKOS: edit it, and the models are asked "
    "otherwise",
    "workspace/lithograph.toml": "the settings",
    "workspace/queries/first-masks.rq": "a query of the workspace's own",
    "exports/automatic-leaves.json": "the automatic run, as COCO",
    "exports/automatic-families.json": "the same, cut at the families",
    "exports/from-boxes-leaves.json": "the run from boxes, as COCO",
    "exports/from-boxes-families.json": "the same, cut at the families",
    "exports/dataset-leaves.json": "the data set: accepted, or proposed with confidence",
    "exports/dataset-families.json": "the same, cut at the families",
}


def write_page(outcome: Outcome, path: Path) -> None:
    """Write the page; pictures and files are linked by paths relative to it."""
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    sections = [
        _section("road", "The road", "Le parcours", _road(outcome)),
        _section("vocabulary", "The vocabulary", "Le vocabulaire", _vocabulary(outcome)),
        _section("figures", "The figures", "Les mesures", _figures(outcome)),
        _section(
            "facades",
            "Truth, automatic, from boxes",
            "Vérité, automatique, à partir de boîtes",
            _facades(outcome),
        ),
        _section(
            "walls", "One region, several views", "Une région, plusieurs vues", _walls(outcome)
        ),
        _section("review", "Reviewed by Marie", "Relu par Marie", _review(outcome)),
        _section("refused", "Refused, and kept", "Refusé, et conservé", _refused(outcome)),
        _section("queries", "Asked of the graph", "Questions au graphe", _queries(outcome)),
        _section("files", "The files", "Les fichiers", _files(outcome)),
    ]
    path.write_text(
        f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lithograph – the whole road on sample photographs</title>
<style>
{style}</style>
</head>
<body>
{_head(outcome)}
<main>
{"".join(sections)}</main>
<footer>Made by <code>python -m lithograph.demo</code>, lithograph {escape(__version__)}.</footer>
</body>
</html>
""",
        encoding="utf-8",
    )


def _head(outcome: Outcome) -> str:
    best = {(s.what, s.level, s.geometry): s for s in outcome.scores}
    automatic = best["automatic", "leaves", "segm"]
    boxes = best["from boxes", "leaves", "segm"]
    numbers = [
        (str(len(outcome.photographs)), "photographs", "photographies"),
        (f"{outcome.triples:,}", "triples in the graph", "triplets dans le graphe"),
        (three_digits(automatic.ap50), "AP50, automatic", "automatique"),
        (three_digits(boxes.ap50), "AP50, from true boxes", "boîtes exactes"),
        (f"{outcome.seconds:.0f} s", "from start to end", "du début à la fin"),
    ]
    tiles = "".join(
        f"<li><b>{escape(number)}</b>{escape(what)}<i lang='fr'>{escape(french)}</i></li>"
        for number, what, french in numbers
    )
    return f"""<header>
<p class="name">Lithograph</p>
<h1>The whole road on sample photographs</h1>
<p lang="fr" class="french">Tout le parcours, sur des photographies d'essai</p>
<ul class="tiles">{tiles}</ul>
<p class="honest"><b>These are drawings.</b> The stone, its alterations and their exact masks were
drawn by a program, and the two models that outline and name them are tiny (about a million
parameters each) and were trained on other drawings of the same program, never on these. The figures
say that every part of the road works and fits the next. They say nothing about real stone.
<span lang="fr">Ces images sont dessinées par un programme ; les chiffres ne disent rien d'une
pierre réelle.</span></p>
</header>"""


def _section(name: str, title: str, french: str, body: str) -> str:
    return (
        f'<section id="{name}">\n<h2>{escape(title)} <span lang="fr">{escape(french)}</span></h2>\n'
        f"{body}\n</section>\n"
    )


def _road(outcome: Outcome) -> str:
    longest = max(step.seconds for step in outcome.steps)
    rows = []
    for number, step in enumerate(outcome.steps, start=1):
        notes = "".join(f"<small>{escape(note)}</small>" for note in step.notes)
        rows.append(
            f"<li><span class='number'>{number}</span><span class='what'><b>{escape(step.title)}"
            f"</b><span>{escape(step.result)}</span>{notes}</span>"
            f"<span class='time'><i style='width:{step.seconds / longest * 100:.1f}%'></i>"
            f"{step.seconds:.1f} s</span></li>"
        )
    return f"<ol class='road'>{''.join(rows)}</ol>"


def _vocabulary(outcome: Outcome) -> str:
    swatches = "".join(
        f"<li><i style='background:rgb{colour}'></i>{escape(english)}"
        f"<span lang='fr'>{escape(french)}</span></li>"
        for english, french, colour in outcome.concepts
    )
    return (
        "<p>What the models are asked is read from this SKOS file: labels, descriptions and "
        "templates. Change a label there, and the prompts change with it.</p>"
        f"<div class='two'><pre>{escape(outcome.tree)}</pre><ul class='swatches'>{swatches}</ul>"
        "</div>"
    )


def _figures(outcome: Outcome) -> str:
    body = _table(SCORE_COLUMNS, [score_row(score) for score in outcome.scores])
    return (
        "<p>Average precision as pycocotools' COCOeval gives it, for the exported files against "
        "the exact masks of the facades. <b>AP</b> is the mean over overlaps of 0.50 to 0.95, "
        "<b>AP50</b> at 0.50; both ask for the right category too. The <b>place</b> columns ask "
        "for the place alone, whatever it is called. <b>Leaves</b> are the nine concepts, "
        "<b>families</b> the five above them; annotations that were named by their family only "
        "count as wrong among the leaves.</p>"
        f"{body}<p class='note'>From boxes, the prompts are the truth's own boxes: its "
        "<code>bbox</code> rows say little, its <code>segm</code> rows how well a box is filled "
        "and named. The truth held against itself, as a check of the measure: AP "
        f"{three_digits(outcome.truth_ap)}.</p>"
    )


def _facades(outcome: Outcome) -> str:
    return (
        "<p>Left what was drawn, then what the models found by themselves, then what they made of "
        "the true boxes. Numbers beside the names are confidences of the label; counts in the "
        "legend stand in the order of the pictures.</p>" + _pictures(outcome, outcome.facades)
    )


def _walls(outcome: Outcome) -> str:
    return (
        "<p>The same wall from several places. Outlines were imported from an Aïoli export, whose "
        "ids say which photograph and which region of the wall each annotation is of: the last "
        "four digits of the region stand beside its name. In the last view one alteration has no "
        "outline: its ring was cut short in the file, and refused.</p>"
        + _pictures(outcome, outcome.walls)
    )


def _review(outcome: Outcome) -> str:
    if not outcome.reviewed:
        return "<p>Nothing waited for a decision.</p>"
    cards = "".join(
        f"<figure class='{verdict}'><img loading='lazy' src='{_link(outcome, picture.path)}' "
        f"alt='{escape(picture.caption)}'><figcaption>{escape(picture.caption)}</figcaption>"
        "</figure>"
        for verdict, picture in outcome.reviewed
    )
    return (
        "<p>The proposals of the automatic run that were least sure. Nothing is overwritten: each "
        "decision is a new annotation that revises the proposal. No person took part here: the "
        f"decisions are read from the truth.</p><div class='cards'>{cards}</div>"
    )


def _refused(outcome: Outcome) -> str:
    if not outcome.refusals:
        return "<p>Nothing was refused.</p>"
    rows = [(refusal.path, refusal.reason, refusal.source) for refusal in outcome.refusals]
    return (
        "<p>One bad record never stops the others. It is kept whole, outside the graph that "
        "exports and queries read. This one was cut short on purpose.</p>"
        + _table(("where in the file", "why", "the record"), rows)
    )


def _queries(outcome: Outcome) -> str:
    return "".join(_answer(outcome, answer) for answer in outcome.answers)


def _answer(outcome: Outcome, answer: Answer) -> str:
    question, table = answer.question, answer.table
    given = "".join(
        f" <code>{escape(name)}={escape(_short(value))}</code>"
        for name, value in question.parameters.items()
    )
    rows = table.shown()[:_ROWS]
    more = len(table) - len(rows)
    rest = f"{more} more {'row' if more == 1 else 'rows'} in " if more > 0 else "As a file: "
    body = _table(table.columns, rows) if rows else "<p class='note'>No rows.</p>"
    return (
        f"<article><h3>{escape(answer.title)} <code>{escape(question.query)}</code>{given}</h3>"
        f"<p>{escape(question.english)} <span lang='fr'>{escape(question.french)}</span></p>{body}"
        f"<p class='note'>{rest}<a href='{_link(outcome, answer.path)}'>"
        f"{escape(answer.path.name)}</a></p></article>"
    )


def _files(outcome: Outcome) -> str:
    entries = "".join(
        f"<li><a href='{escape(name)}'>{escape(name)}</a> {escape(what)}</li>"
        for name, what in _FILES.items()
        if (outcome.folder / name).is_file()
    )
    return (
        f"<ul class='files'>{entries}</ul><p>The graph itself lies in <code>workspace/graph</code>:"
        " <code>lithograph query -w workspace by-concept -p concept=fissure</code> asks it.</p>"
    )


def _pictures(outcome: Outcome, pictures: Iterable[Picture]) -> str:
    return "".join(
        f"<figure><a href='{_link(outcome, picture.path)}'><img loading='lazy' "
        f"src='{_link(outcome, picture.path)}' alt='{escape(picture.caption)}'></a>"
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
        for picture in pictures
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; long cells are shortened, and whole where the pointer rests on them."""
    numeric = [all(_is_number(row[index]) for row in rows) for index in range(len(columns))]
    kinds = [" class='number'" if yes else "" for yes in numeric]
    head = "".join(
        f"<th{kind}>{escape(column)}</th>" for column, kind in zip(columns, kinds, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{kind}><span title='{escape(cell)}'>{escape(_short(cell))}</span></td>"
            for cell, kind in zip(row, kinds, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div class='wide'>{table}</div>"


def _short(cell: str) -> str:
    """A cell as it is read: IRIs by their last parts, digests by their beginning, three digits."""
    if _FRACTION.fullmatch(cell):
        return f"{float(cell):.3f}"
    for base in (BASE_IRI, _SCHEME):
        cell = cell.removeprefix(base)
    return _DIGEST.sub(r"\1…", cell)


def _is_number(cell: str) -> bool:
    return cell in {"", "–"} or cell.replace(".", "", 1).isdecimal()


def _link(outcome: Outcome, path: Path) -> str:
    return escape(path.relative_to(outcome.folder).as_posix())
