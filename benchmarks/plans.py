"""How much is measured: a look, the default of some minutes, or all of it within an hour."""

from __future__ import annotations

from dataclasses import dataclass

#: From this many annotations on, a run is long enough to be measured fewer times.
_LONG = 50_000
_VERY_LONG = 500_000


@dataclass(frozen=True, slots=True)
class Plan:
    """Numbers of annotations, and of repeats.

    ``sizes`` are what ingest, export and gate are measured at; ``gate`` the batch for our gate,
    ``reference`` the one for pySHACL; ``graph`` the graph that is queried; ``peers`` the COCO file
    and the graph that the peers get, None where no peer is asked.
    """

    name: str
    sizes: tuple[int, ...]
    gate: int
    reference: int
    graph: int
    peers: int | None
    repeats: int = 3
    long_repeats: int = 1

    def repeats_at(self, annotations: int) -> int:
        """How often something of this size is measured."""
        if annotations >= _VERY_LONG:
            return 1
        return self.long_repeats if annotations >= _LONG else self.repeats


TINY = Plan("tiny", (40, 120), gate=40, reference=20, graph=100, peers=None, repeats=1)
DEFAULT = Plan(
    "default", (1_000, 10_000, 100_000), gate=10_000, reference=1_000, graph=20_000, peers=1_000
)
FULL = Plan(
    "full",
    (1_000, 10_000, 100_000, 1_000_000),
    gate=10_000,
    reference=10_000,
    graph=100_000,
    peers=2_000,
    long_repeats=2,
)
