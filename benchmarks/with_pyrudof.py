"""pyrudof: SHACL in Rust. Runs in pyrudof's own environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.processes import timed


def validate(triples: str, shapes: list[str], times: int) -> dict[str, Any]:
    """Check triples against shapes several times; reading both is not counted."""
    import pyrudof

    rudof = pyrudof.Rudof(pyrudof.RudofConfig())
    rudof.read_data(triples, pyrudof.RDFFormat.NTriples)
    rudof.read_shacl("\n".join(Path(path).read_text(encoding="utf-8") for path in shapes))
    seconds: list[float] = []
    complaints = 0
    for _ in range(times):
        with timed(seconds):
            complaints = len(rudof.validate_shacl())
    return {"seconds": seconds, "complaints": complaints}
