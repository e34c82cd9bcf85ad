"""The whole road on sample photographs, with no download: ``python -m lithograph.demo DEST``.

Procedural facades are drawn, photographed, annotated by the shipped tiny models, reviewed, queried,
exported, and held against the exact masks that they were painted with. The pictures are drawn by
rule and the models are tiny: the figures say that the road works, and nothing about real stone.
"""

from lithograph.demo.outcome import Outcome
from lithograph.demo.road import run_demo

__all__ = ["Outcome", "run_demo"]
