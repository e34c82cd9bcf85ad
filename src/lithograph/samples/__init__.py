"""Procedural stone facades with exact masks, for training, tests and the demo.

The images are drawn by rule (numpy, scipy, Pillow), are the same for the same seed, and show
nothing but what the rules know of stone: a figure measured on them says nothing about a real wall.
"""

from lithograph.samples.facade import SLUGS, Alteration, Facade, render_facade
from lithograph.samples.views import View, render_views

__all__ = ["SLUGS", "Alteration", "Facade", "View", "render_facade", "render_views"]
