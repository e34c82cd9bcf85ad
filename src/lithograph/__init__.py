"""Lithograph: semantic annotation of heritage images, with a knowledge graph in the middle."""

__version__ = "0.1.0"
