"""The command line: a few lines per verb over the library."""

from lithograph.cli.main import main

__all__ = ["main"]
