"""The verbs of the command line."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lithograph.cli.output import (
    fail,
    progress,
    say,
    say_refusals,
    show_admission,
    show_json,
    show_table,
)
from lithograph.cli.vocabulary import app as vocabulary_app
from lithograph.errors import LithographError

if TYPE_CHECKING:
    from lithograph.formats.categories import Level
    from lithograph.workspace import Workspace

app = typer.Typer(
    name="lithograph",
    help="Semantic annotation of heritage images, with a knowledge graph in the middle.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
images_app = typer.Typer(
    help="Photographs: digest, upright size, capture date.", no_args_is_help=True
)
export_app = typer.Typer(help="Files made from queries.", no_args_is_help=True)
app.add_typer(vocabulary_app, name="vocabulary")
app.add_typer(images_app, name="images")
app.add_typer(export_app, name="export")

Folder = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace's folder.", show_default="here")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Params = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of the query."),
]
HERE = Path()


class QueryFormat(StrEnum):
    """How the answer to a query is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    TTL = "ttl"


def _open(folder: Path) -> Workspace:
    from lithograph.workspace import Workspace

    return Workspace.open(folder)


def _parameters(given: list[str] | None) -> dict[str, str]:
    pairs = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"expected NAME=VALUE, found {text!r}", param_hint="--param")
        pairs[name] = value
    return pairs


@app.callback(invoke_without_command=True)
def _version(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from lithograph import __version__

        typer.echo(f"lithograph {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make the workspace in.")],
    base_iri: Annotated[
        str, typer.Option(help="What every IRI of this workspace begins with; ends in '/'.")
    ],
    vocabulary: Annotated[
        Path | None, typer.Option(help="A SKOS file to start from, instead of the shipped scheme.")
    ] = None,
) -> None:
    """Make a workspace.

    Example: lithograph init chantier --base-iri https://data.example.org/ca19/
    """
    from lithograph.workspace import Workspace

    try:
        workspace = Workspace.create(folder, base_iri, vocabulary=vocabulary)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--base-iri") from error
    say(f"made {folder}: {len(workspace.vocabulary.concepts)} concepts, an empty graph")


@images_app.command("add")
def images_add(
    paths: Annotated[list[Path], typer.Argument(help="Image files and folders of them.")],
    project: Annotated[
        str | None, typer.Option(help="Complete only the imported images of this project.")
    ] = None,
    workspace: Folder = HERE,
    json: Json = False,
) -> None:
    """Add photographs; files that cannot be used are refused by name, the rest go on.

    Example: lithograph images add ~/photos/
    """
    opened = _open(workspace)
    with progress("reading") as show:
        added, admission = opened.add_images(paths, project=project, progress=show)
    if json:
        show_json(
            {
                "images": [image.iri for image in added.images],
                "completed": list(added.completed),
                "duplicates": [[str(path), iri] for path, iri in added.duplicates],
                "refused": [{"path": r.path, "reason": r.reason} for r in admission.refusals],
            }
        )
    say_refusals(admission.refusals)
    say(
        f"{len(added.images)} images added, {len(added.completed)} of them completed imported ones; "
        f"{len(added.duplicates)} files known already, {len(admission.refusals)} refused"
    )
    if admission.refusals:
        fail()


@images_app.command("list")
def images_list(workspace: Folder = HERE, json: Json = False) -> None:
    """List the images of the graph, and whether their files are here.

    Example: lithograph images list --json
    """
    opened = _open(workspace)
    paths = opened.image_paths()
    rows = [
        (image.name, image.width, image.height, image.captured or "", image.iri in paths, image.iri)
        for image in opened.graph.images()
    ]
    columns = ("name", "width", "height", "captured", "file", "image")
    if json:
        show_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        show_table(columns, [(*row[:4], "here" if row[4] else "", row[5]) for row in rows])


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A COCO file, or an Aïoli COCO export.")],
    project: Annotated[
        str | None, typer.Option(help="Where the images come from; names are unique in it.")
    ] = None,
    status: Annotated[
        str | None, typer.Option(help="proposed, accepted or rejected, for every annotation.")
    ] = None,
    new_scheme: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Make a SKOS scheme of the file's own categories."),
    ] = None,
    workspace: Folder = HERE,
    json: Json = False,
) -> None:
    """Import annotations; what is refused is listed with its path in the file, and kept.

    Example: lithograph import ca19-aioli-coco.json
    """
    from lithograph.entities import Status

    if status is not None and status not in set(Status):
        raise typer.BadParameter(
            f"expected proposed, accepted or rejected, found {status!r}", param_hint="--status"
        )
    opened = _open(workspace)
    with progress("importing") as show:
        imported, admission = opened.import_coco(
            file,
            project=project,
            status=Status(status) if status else None,
            new_scheme=new_scheme,
            progress=show,
        )
    for finding in imported.findings:
        say(f"note: {finding}")
    show_admission(admission, as_json=json)


@app.command()
def annotate(
    images: Annotated[
        list[str] | None, typer.Argument(help="Names or IRIs of images; all of them by default.")
    ] = None,
    segmenter: Annotated[
        str | None, typer.Option(help="SAM: a model id, a folder, or a .pth file.")
    ] = None,
    labeller: Annotated[
        str | None, typer.Option(help="CLIP or SigLIP: a model id or folder.")
    ] = None,
    detector: Annotated[
        str | None, typer.Option(help="DINO or Grounding DINO: boxes to outline.")
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="A JSON file of points and boxes to outline.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also images that such a run has seen already.")
    ] = False,
    workspace: Folder = HERE,
    json: Json = False,
) -> None:
    """Outline and label images with models; an interrupted run goes on where it stopped.

    Example: lithograph annotate --segmenter facebook/sam-vit-base --labeller openai/clip-vit-base-patch32
    """
    opened = _open(workspace)
    with progress("annotating") as show:
        admission = opened.annotate(
            images or None,
            segmenter=segmenter,
            labeller=labeller,
            detector=detector,
            prompts=prompts,
            device=device,
            again=again,
            progress=show,
            say=say,
        )
    show_admission(admission, as_json=json)


@app.command()
def check(workspace: Folder = HERE, json: Json = False) -> None:
    """Hold the whole graph against the SHACL shapes.

    Example: lithograph check
    """
    found = _open(workspace).graph.check()
    columns = ("severity", "focus", "path", "component", "message")
    rows = [(v.severity, v.focus, v.path or "", v.component, v.message) for v in found]
    if json:
        show_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif rows:
        show_table(columns, rows)
    faults = sum(v.severity == "Violation" for v in found)
    say(f"{faults} violations, {len(found) - faults} warnings and remarks")
    if faults:
        fail()


@app.command()
def query(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A named query, or a .rq file (/dev/stdin too); lists them if left out."
        ),
    ] = None,
    param: Params = None,
    format_: Annotated[
        QueryFormat, typer.Option("--format", "-f", help="How the answer is written.")
    ] = QueryFormat.TABLE,
    workspace: Folder = HERE,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Ask the graph.

    Example: lithograph query by-concept --param concept=crack --format csv
    """
    opened = _open(workspace)
    if name is None:
        rows = [
            (q.name, q.title, ", ".join(p.name for p in q.parameters)) for q in opened.queries()
        ]
        show_table(("query", "answers", "parameters"), rows)
        return
    form = QueryFormat.JSON if json else format_
    asked = opened.query(name)
    parameters = opened.resolve(asked, _parameters(param))
    if asked.form in {"CONSTRUCT", "DESCRIBE"}:
        if form not in {QueryFormat.TTL, QueryFormat.TABLE}:
            raise typer.BadParameter(f"{asked.form} queries answer in ttl", param_hint="--format")
        typer.echo(opened.graph.construct(asked, parameters).decode("utf-8"))
    elif asked.form == "ASK":
        answer = opened.graph.ask(asked, parameters)
        if form is QueryFormat.JSON:
            show_json({"head": {}, "boolean": answer})
        else:
            typer.echo("true" if answer else "false")
    else:
        table = opened.graph.query(asked, parameters)
        if form is QueryFormat.JSON:
            typer.echo(table.to_json().decode("utf-8"))
        elif form is QueryFormat.CSV:
            typer.echo(table.to_csv(), nl=False)
        elif form is QueryFormat.TTL:
            raise typer.BadParameter(
                "a SELECT answers in table, csv or json", param_hint="--format"
            )
        else:
            show_table(table.columns, table.shown())


@export_app.command("coco")
def export_coco(
    file: Annotated[Path, typer.Argument(help="The COCO file to write.")],
    query: Annotated[
        str, typer.Option(help="A named query or .rq file that binds ?annotation.")
    ] = "accepted-or-confident",
    param: Params = None,
    level: Annotated[
        str,
        typer.Option(
            help="leaves, families, a depth (0 is the top), or concepts, comma-separated."
        ),
    ] = "leaves",
    language: Annotated[str, typer.Option(help="Language of the category names.")] = "en",
    every_image: Annotated[
        bool, typer.Option("--every-image", help="List the images without annotations too.")
    ] = False,
    workspace: Folder = HERE,
    json: Json = False,
) -> None:
    """Write the annotations of a query as a COCO file, and record the export in the graph.

    Example: lithograph export coco dataset.json --query accepted-or-confident --param min_confidence=0.6
    """
    opened = _open(workspace)
    asked = opened.query(query)
    made = opened.export_coco(
        file,
        query=asked,
        parameters=opened.resolve(asked, _parameters(param)),
        level=_level(opened, level),
        language=language,
        every_image=every_image,
    )
    if json:
        show_json(
            {
                "file": str(made.path),
                "images": made.images,
                "annotations": made.annotations,
                "categories": made.categories,
                "dataset": made.dataset.iri,
                "fingerprint": made.dataset.fingerprint,
                "sha256": made.dataset.sha256,
                "left_out": made.left_out,
            }
        )
    for iri, why in made.left_out.items():
        say(f"left out: {iri}: {why}")
    say(
        f"{made.path}: {made.annotations} annotations on {made.images} images in "
        f"{made.categories} categories; recorded as {made.dataset.iri}"
    )


def _level(workspace: Workspace, text: str) -> Level:
    if text == "leaves" or text == "families":
        return text
    if text.isdecimal():
        return int(text)
    return tuple(workspace.vocabulary[name.strip()].iri for name in text.split(","))


@app.command()
def review(
    annotations: Annotated[list[str], typer.Argument(help="IRIs of annotations.")],
    accept: Annotated[bool, typer.Option("--accept", help="They are right.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="They are wrong.")] = False,
    concept: Annotated[
        str | None, typer.Option(help="Accept them as this concept: a slug, label or IRI.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who says so.")] = None,
    workspace: Folder = HERE,
    json: Json = False,
) -> None:
    """Accept or reject annotations; a correction is a new annotation, nothing is overwritten.

    Example: lithograph review https://data.example.org/ca19/annotation/1f0e9d --concept Fissure --by Marie
    """
    from lithograph.entities import Status

    if (accept and reject) or not (accept or reject or concept):
        raise typer.BadParameter("expected one of --accept, --reject, --concept")
    if reject and concept:
        raise typer.BadParameter("--reject and --concept exclude each other")
    status = Status.REJECTED if reject else Status.ACCEPTED
    admission = _open(workspace).review(annotations, status, concept=concept, agent=by)
    show_admission(admission, as_json=json)


@app.command()
def runs(workspace: Folder = HERE, json: Json = False) -> None:
    """List the runs of the graph, oldest first.

    Example: lithograph runs --json
    """
    opened = _open(workspace)
    counts = opened.graph.annotation_counts()
    columns = ("started", "kind", "name", "by", "annotations", "state", "run")
    rows = [
        (
            run.started,
            str(run.kind),
            run.name or "",
            run.agent.name,
            counts.get(run.iri, 0),
            "closed" if run.ended else "open",
            run.iri,
        )
        for run in opened.graph.runs()
    ]
    if json:
        show_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        show_table(columns, rows)


@app.command()
def undo(
    run: Annotated[str, typer.Argument(help="The run's IRI, or the last part of it.")],
    by: Annotated[str | None, typer.Option(help="Who undoes it.")] = None,
    workspace: Folder = HERE,
) -> None:
    """Take a run out of the graph; a tombstone says who did it and when.

    Example: lithograph undo model-77aa55cc33ee1100 --by Marie
    """
    opened = _open(workspace)
    iri = run if "://" in run else f"{opened.settings.base_iri}run/{run}"
    say(f"{iri}: undone, {opened.undo(iri, agent=by)} triples went")


def main() -> None:
    """Run the command line. Ends with 0 well, 1 something refused or failed, 2 misuse."""
    try:
        app()
    except LithographError as error:
        typer.echo(f"error: {' '.join(str(error).split())}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not our failure, nothing to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
