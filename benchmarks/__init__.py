"""Timings of Lithograph side by side with floors and peers: ``python -m benchmarks``."""
