"""The shipped segmenter on procedural facades that no training has seen."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lithograph import resources
from lithograph.samples import Facade, render_facade
from lithograph.vision import Segmenter, automatic, load_segmenter
from lithograph.vision.automatic import GridSettings, from_grid
from lithograph.vision.proposals import Proposal
from lithograph.vision.tiles import Tile, tiles

pytest_plugins = ["tiny_models"]

Bool = NDArray[np.bool_]

SIDE, TILE = 512, 160
SETTINGS = GridSettings(
    points_per_side=6, quality=0.6, stability=0.8, tile_size=TILE, whole_view=False
)
SEEDS = range(1_000_300, 1_000_303)


@pytest.fixture(scope="module")
def shipped(tiny: object) -> Segmenter:
    # The fixture ``tiny`` is taken for its offline setting and its one thread.
    if resources.checkpoint("tiny-sam") is None:
        pytest.skip("tiny-sam is not shipped in this checkout")
    loaded = load_segmenter("tiny-sam", "cpu")
    assert isinstance(loaded, Segmenter)
    assert loaded.card.name == "tiny-sam"
    return loaded


def best_overlap(proposals: list[Proposal], mask: Bool) -> float:
    found = (each.mask for each in proposals)
    return max((float((each & mask).sum() / (each | mask).sum()) for each in found), default=0.0)


def held_by(tile: Tile, mask: Bool) -> bool:
    rows, columns = np.nonzero(mask)
    return bool(
        tile.x <= columns.min()
        and columns.max() < tile.right
        and tile.y <= rows.min()
        and rows.max() < tile.bottom
    )


def across_seams(facade: Facade) -> list[Bool]:
    """Alterations that no tile of the search holds whole."""
    views = tiles(SIDE, SIDE, TILE, int(TILE * SETTINGS.tile_overlap))
    return [
        each.mask
        for each in facade.alterations
        if not any(held_by(tile, each.mask) for tile in views)
    ]


@pytest.mark.slow
def test_what_crosses_a_seam_is_found_better_when_it_is_joined(
    shipped: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    facades = [render_facade(seed, height=SIDE, width=SIDE) for seed in SEEDS]
    wanted = [(facade, mask) for facade in facades for mask in across_seams(facade)]
    assert len(wanted) >= 3

    def overlaps() -> list[float]:
        found = {facade.seed: from_grid(shipped, facade.image, SETTINGS) for facade in facades}
        return [best_overlap(found[facade.seed], mask) for facade, mask in wanted]

    joined = overlaps()
    monkeypatch.setattr(
        automatic,
        "join_across_seams",
        lambda tiled, height, width: [each for _, found in tiled for each in found],
    )
    apart = overlaps()
    assert np.mean(joined) > np.mean(apart) + 0.05
