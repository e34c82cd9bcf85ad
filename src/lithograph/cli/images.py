"""``lithograph images``, ``import``, ``annotate``: what comes in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lithograph.cli.options import HERE, Folder, Json, opened
from lithograph.cli.output import (
    fail,
    progress,
    say,
    say_refusals,
    show_admission,
    show_json,
    show_table,
)

app = typer.Typer(help="Photographs: digest, upright size, capture date.", no_args_is_help=True)


@app.command("add")
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
    place = opened(workspace)
    with progress("reading") as show:
        added, admission = place.add_images(paths, project=project, progress=show)
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
        f"{len(added.images)} images added, {len(added.completed)} of them completed imports; "
        f"{len(added.duplicates)} files known already, {len(admission.refusals)} refused"
    )
    if admission.refusals:
        fail()


@app.command("list")
def images_list(workspace: Folder = HERE, json: Json = False) -> None:
    """List the images of the graph, and whether their files are here.

    Example: lithograph images list --json
    """
    place = opened(workspace)
    paths = place.image_paths()
    rows = [
        (image.name, image.width, image.height, image.captured or "", image.iri in paths, image.iri)
        for image in place.graph.images()
    ]
    columns = ("name", "width", "height", "captured", "file", "image")
    if json:
        show_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        show_table(columns, [(*row[:4], "here" if row[4] else "", row[5]) for row in rows])


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
    place = opened(workspace)
    with progress("importing") as show:
        reader, admission = place.import_coco(
            file,
            project=project,
            status=Status(status) if status else None,
            new_scheme=new_scheme,
            progress=show,
        )
    for finding in reader.findings:
        say(f"note: {finding}")
    show_admission(admission, as_json=json)


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

    Example: lithograph annotate --segmenter sam_vit_b.pth --labeller clip-vit-base-patch32/
    """
    place = opened(workspace)
    _quiet_loading()
    with progress("annotating") as show:
        admission = place.annotate(
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


def _quiet_loading() -> None:
    """No progress bars of the model library's own, which it draws in pipes and logs too."""
    import contextlib

    with contextlib.suppress(ImportError):
        from transformers.utils import logging

        logging.disable_progress_bar()
