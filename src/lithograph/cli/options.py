"""What the verbs share: where the workspace is, and how parameters are given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lithograph.workspace import Workspace

Folder = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace's folder.", show_default="here")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of the query."),
]
HERE = Path()


def opened(folder: Path) -> Workspace:
    """The workspace in a folder."""
    from lithograph.workspace import Workspace

    return Workspace.open(folder)


def parameters_of(given: list[str] | None) -> dict[str, str]:
    """``NAME=VALUE`` strings as a mapping. BadParameter where one is not of that form."""
    pairs = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"expected NAME=VALUE, found {text!r}", param_hint="--param")
        pairs[name] = value
    return pairs
