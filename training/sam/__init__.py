"""Training of the tiny SAM on procedural facades: `python -m training.sam --help`."""
