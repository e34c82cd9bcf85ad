"""rdflib, with its own store and with oxrdflib's. Runs in an environment that has both."""

from __future__ import annotations

from typing import Any

from benchmarks.processes import timed


def load_and_ask(nquads: str, query: str, store: str) -> dict[str, Any]:
    """Load a dump into a store in memory, and ask the union of its graphs a query, three times."""
    import rdflib

    seconds: list[float] = []
    asked: list[float] = []
    data = rdflib.Dataset(store=store, default_union=True)
    with timed(seconds):
        data.parse(nquads, format="ox-nquads" if store == "Oxigraph" else "nquads")
    rows = 0
    for _ in range(3):
        with timed(asked):
            rows = len(list(data.query(query)))
    return {"seconds": seconds, "query_seconds": sorted(asked)[1], "rows": rows}
