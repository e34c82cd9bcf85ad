"""``lithograph vocabulary``: the hierarchy, the prompts that it gives, what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lithograph.cli.options import HERE, Folder, Json, opened
from lithograph.cli.output import fail, say, show_json, show_table

if TYPE_CHECKING:
    from lithograph.vocabulary import Vocabulary

app = typer.Typer(help="The SKOS vocabulary that the words come from.", no_args_is_help=True)

File = Annotated[
    Path | None, typer.Argument(help="Any SKOS file, in place of the workspace's vocabulary.")
]
Languages = Annotated[
    list[str] | None, typer.Option("--language", "-l", help="A language; several may be given.")
]


def _read(file: Path | None, folder: Path) -> Vocabulary:
    from lithograph.vocabulary import Vocabulary

    if file is not None:
        return Vocabulary.read(file)
    return opened(folder).vocabulary


@app.command()
def show(
    file: File = None,
    language: Languages = None,
    workspace: Folder = HERE,
    json: Json = False,
) -> None:
    """The hierarchy with its labels and category numbers.

    Example: lithograph vocabulary show --language fr
    """
    vocabulary = _read(file, workspace)
    if json:
        show_json(
            {
                "scheme": vocabulary.iri,
                "digest": vocabulary.digest,
                "concepts": [
                    {
                        "iri": concept.iri,
                        "labels": {k or "und": list(v) for k, v in concept.pref_labels.items()},
                        "broader": list(concept.broader),
                        "category": concept.category_id,
                        "background": concept.is_background,
                        "deprecated": concept.deprecated,
                    }
                    for concept in vocabulary.concepts
                ],
            }
        )
        return
    typer.echo(vocabulary.tree(tuple(language or ("en", "fr"))))


@app.command()
def prompts(
    file: File = None,
    language: Languages = None,
    workspace: Folder = HERE,
    json: Json = False,
) -> None:
    """The sentences that each concept gives to CLIP.

    Example: lithograph vocabulary prompts --language fr
    """
    vocabulary = _read(file, workspace)
    found = vocabulary.prompts(tuple(language or ("en",)))
    columns = ("concept", "language", "kind", "prompt")
    rows = [(p.concept, p.language or "", str(p.kind), p.text) for p in found]
    if json:
        show_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        show_table(columns, rows)


@app.command()
def check(file: File = None, workspace: Folder = HERE, json: Json = False) -> None:
    """What is odd or wrong with the vocabulary; nothing is repaired.

    Example: lithograph vocabulary check thesaurus.rdf
    """
    findings = _read(file, workspace).check()
    columns = ("severity", "kind", "concept", "message")
    rows = [(str(f.severity), str(f.kind), f.concept or "", f.message) for f in findings]
    if json:
        show_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif rows:
        show_table(columns, rows)
    errors = sum(str(f.severity) == "error" for f in findings)
    say(f"{len(findings)} findings, {errors} of them errors")
    if errors:
        fail()
