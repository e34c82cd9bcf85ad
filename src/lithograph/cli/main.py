"""The command line: its verbs, in the order in which people use them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from lithograph.cli import export, graph, images, vocabulary
from lithograph.cli.output import say
from lithograph.errors import LithographError

app = typer.Typer(
    name="lithograph",
    help="Semantic annotation of heritage images, with a knowledge graph in the middle.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


app.command()(init)
app.add_typer(vocabulary.app, name="vocabulary")
app.add_typer(images.app, name="images")
app.command("import")(images.import_)
app.command()(images.annotate)
app.command()(graph.check)
app.command()(graph.query)
app.add_typer(export.app, name="export")
app.command()(graph.review)
app.command()(graph.runs)
app.command()(graph.undo)


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
