"""``lithograph export``: what goes out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lithograph.cli.options import HERE, Folder, Json, Parameters, opened, parameters_of
from lithograph.cli.output import progress, say, show_json

if TYPE_CHECKING:
    from lithograph.formats.categories import Level
    from lithograph.workspace import Workspace

app = typer.Typer(help="Files made from queries.")


# Without a second command typer would make `coco` the program itself.
@app.callback()
def _files() -> None:
    """Files made from queries."""


@app.command("coco")
def export_coco(
    file: Annotated[Path, typer.Argument(help="The COCO file to write.")],
    query: Annotated[
        str, typer.Option(help="A named query or .rq file that binds ?annotation.")
    ] = "accepted-or-confident",
    param: Parameters = None,
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

    Example: lithograph export coco cracks.json --query by-concept --param concept=crack
    """
    place = opened(workspace)
    asked = place.query(query)
    with progress("exporting") as show:
        made = place.export_coco(
            file,
            query=asked,
            parameters=place.resolve(asked, parameters_of(param)),
            level=_level(place, level),
            language=language,
            every_image=every_image,
            progress=show,
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
    if text == "leaves":
        return "leaves"
    if text == "families":
        return "families"
    if text.isdecimal():
        return int(text)
    return tuple(workspace.vocabulary[name.strip()].iri for name in text.split(","))
