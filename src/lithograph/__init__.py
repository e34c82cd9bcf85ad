"""Lithograph: semantic annotation of heritage images, with a knowledge graph in the middle.

The names below are the public face; each is loaded when first used, so that importing the package
costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lithograph.annotate import annotate
    from lithograph.config import Settings
    from lithograph.entities import (
        Admission,
        Annotation,
        Batch,
        Box,
        Image,
        Mask,
        Outline,
        Refusal,
        Region,
        Run,
        Status,
        Violation,
    )
    from lithograph.errors import LithographError
    from lithograph.formats.coco_evaluation import evaluate_coco
    from lithograph.gate import Shapes
    from lithograph.graph import Graph, Table
    from lithograph.queries import Query
    from lithograph.vocabulary import Concept, Vocabulary
    from lithograph.workspace import Workspace

__version__ = "0.1.0"

_HOME = {
    "Admission": "lithograph.entities",
    "Annotation": "lithograph.entities",
    "Batch": "lithograph.entities",
    "Box": "lithograph.entities",
    "Concept": "lithograph.vocabulary",
    "Graph": "lithograph.graph",
    "Image": "lithograph.entities",
    "LithographError": "lithograph.errors",
    "Mask": "lithograph.entities",
    "Outline": "lithograph.entities",
    "Query": "lithograph.queries",
    "Refusal": "lithograph.entities",
    "Region": "lithograph.entities",
    "Run": "lithograph.entities",
    "Settings": "lithograph.config",
    "Shapes": "lithograph.gate",
    "Status": "lithograph.entities",
    "Table": "lithograph.graph",
    "Violation": "lithograph.entities",
    "Vocabulary": "lithograph.vocabulary",
    "Workspace": "lithograph.workspace",
    "annotate": "lithograph.annotate",
    "evaluate_coco": "lithograph.formats.coco_evaluation",
}

__all__ = [
    "Admission",
    "Annotation",
    "Batch",
    "Box",
    "Concept",
    "Graph",
    "Image",
    "LithographError",
    "Mask",
    "Outline",
    "Query",
    "Refusal",
    "Region",
    "Run",
    "Settings",
    "Shapes",
    "Status",
    "Table",
    "Violation",
    "Vocabulary",
    "Workspace",
    "__version__",
    "annotate",
    "evaluate_coco",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        import importlib

        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
