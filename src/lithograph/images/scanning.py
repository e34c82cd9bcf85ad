"""Finding photographs in folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

#: File name endings, in lower case, that a folder is searched for.
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp"})


def scan(paths: Iterable[Path | str]) -> Iterator[Path]:
    """The photographs under these paths, folders walked to the bottom in the order of names.

    A file named outright is given whatever its ending, and even where it is missing: whoever opens
    it can say so; so is a folder that cannot be read. In folders only files with a known ending
    are taken; hidden files and folders are skipped, and links to folders are not followed, so that
    a link cannot lead in circles or out of the folder. No path is given twice.
    """
    given: set[str] = set()
    for path in map(Path, paths):
        for found in _walk(path) if path.is_dir() else [path]:
            place = os.path.abspath(found)  # noqa: PTH100 - resolve() would follow links
            if place not in given:
                given.add(place)
                yield found


def _walk(folder: Path) -> Iterator[Path]:
    try:
        entries = _entries(folder)
    except OSError:
        yield folder
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder / entry.name)
        elif Path(entry.name).suffix.lower() in SUFFIXES and entry.is_file():
            yield folder / entry.name


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)
