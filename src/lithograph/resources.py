"""Where the ontology, the shapes, the queries and the checkpoints that we ship lie.

A wheel carries the top-level folders ``ontology``, ``shapes`` and ``queries`` under
``lithograph/_data``; an editable install reads them where they stand in the checkout.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    packaged = _PACKAGE / "_data" / name
    return packaged if packaged.is_dir() else _PACKAGE.parents[1] / name


def ontology(name: str) -> Path:
    """Path of a shipped ontology file, by its stem (``notre-dame-alterations``)."""
    return _folder("ontology") / f"{name}.ttl"


def shapes() -> Path:
    """Folder of the shipped SHACL shapes."""
    return _folder("shapes")


def queries() -> Path:
    """Folder of the shipped queries."""
    return _folder("queries")


def checkpoint(name: str) -> Path | None:
    """Folder or file of a shipped checkpoint by its short name, or None where there is none.

    ``tiny-clip`` and ``tiny-sam`` are folders; ``tiny-sam.pth`` is the same SAM in the
    segment-anything package's own form.
    """
    folder = _PACKAGE / "checkpoints"
    if not folder.is_dir():
        return None
    known = {entry.name: entry for entry in folder.iterdir() if entry.is_dir()}
    known |= {entry.name: entry for entry in folder.glob("*/*.pth")}
    return known.get(name)
