"""The folder that the demo writes to: a new one, an empty one, or its own from last time."""

from __future__ import annotations

import shutil
from pathlib import Path

from lithograph.errors import LithographError

MARKER = ".lithograph-demo"
"""A file of this name says that a folder is the demo's own, and may be emptied."""


def prepare(folder: Path) -> None:
    """Make the folder, or empty it where a former demo made it.

    Raises LithographError, and touches nothing, where it is a file, a link, or holds anything that
    no demo made.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise LithographError(
            f"{folder}: expected a folder for the demo, found a file or a link", subject=folder
        )
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).is_file():
            raise LithographError(
                f"{folder}: expected a new or empty folder, or one that a demo made, found others' "
                "files in it; nothing was touched",
                subject=folder,
            )
        _empty(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text(
        "Made by `python -m lithograph.demo`, which empties this folder when it runs again.\n",
        encoding="utf-8",
    )


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.name == MARKER:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
