"""Regions that stand out, from a vision transformer's patch features: MaskCut, in numpy.

Patches are the nodes of a graph, joined where their features are alike; the graph is cut in two
so that few edges are lost (normalised cut), the part that stands out is kept, and the rest is cut
again. Sources: Shi & Malik, Normalized Cuts and Image Segmentation, TPAMI 2000; Wang et al.,
TokenCut, CVPR 2022 (one object); Wang et al., Cut and Learn (CutLER), CVPR 2023, section 3.2, whose
MaskCut repeats it. Two things differ from MaskCut's published code: patches already found leave
the graph instead of staying in it with weak edges, and each region carries a confidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Weight of an edge between patches that are not alike (TokenCut and MaskCut: 1e-5); above 0 so
# that the graph stays connected and its second eigenvector means something.
_WEAK_EDGE = 1e-5


@dataclass(frozen=True, eq=False)
class CutRegion:
    """A connected set of patches: bool (rows, columns), and how cleanly it was cut off, 0 to 1.

    ``confidence`` is 1 - NCut of the region against the patches left then (0 where that is
    negative): 1 for a region that is like nothing around it, 0 for an arbitrary one.
    """

    patches: NDArray[np.bool_]
    confidence: float


def cut_regions(
    features: NDArray[np.floating],
    grid: tuple[int, int],
    *,
    likeness: float = 0.15,
    max_regions: int = 8,
    least_share: float = 0.01,
    threshold: float = 0.1,
) -> tuple[CutRegion, ...]:
    """Cut a grid of patches up to ``max_regions`` times; the regions, in the order found.

    ``features``: (rows × columns, D), row by row. ``likeness``: cosine above which two patches are
    joined (MaskCut: 0.15). ``least_share``: smallest region, as a share of all patches (MaskCut:
    0.01). The first cut whose confidence is below ``threshold`` ends it: nothing stands out any
    more. Regions do not overlap.
    """
    rows, columns = grid
    if features.ndim != 2 or len(features) != rows * columns:
        raise ValueError(
            f"features must be ({rows * columns}, D) for a grid of {rows}×{columns}, "
            f"not {features.shape}"
        )
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.maximum(norms, 1e-12)
    left = np.ones(rows * columns, np.bool_)
    least = max(1, round(least_share * rows * columns))
    found: list[CutRegion] = []
    for _ in range(max_regions):
        if left.sum() <= 2 * least:
            break
        nodes = np.flatnonzero(left)
        edges = np.where(unit[nodes] @ unit[nodes].T > likeness, 1.0, _WEAK_EDGE)
        if edges.min() == edges.max():
            # A blank wall: every patch is like every other, and there is nothing to cut.
            break
        part = _salient_part(edges, nodes, grid)
        confidence = max(0.0, 1.0 - _cut_cost(edges, part))
        region = np.zeros(rows * columns, np.bool_)
        region[nodes[part]] = True
        left &= ~region
        if confidence < threshold:
            break
        if region.sum() >= least:
            found.append(CutRegion(patches=region.reshape(grid), confidence=confidence))
    return tuple(found)


def _salient_part(
    edges: NDArray[np.float64], nodes: NDArray[np.intp], grid: tuple[int, int]
) -> NDArray[np.bool_]:
    """Nodes of the salient side of the cut that hang together with its strongest node."""
    from scipy import ndimage

    vector = _second_vector(edges)
    side = vector > vector.mean()
    # The side with the peak stands out, unless it fills three corners: then it is the ground.
    salient = side if side[np.abs(vector).argmax()] else ~side
    if _is_ground(salient, nodes, grid):
        salient = ~salient
    seed = int(np.where(salient, np.abs(vector - vector.mean()), -1.0).argmax())
    canvas = np.zeros(grid[0] * grid[1], np.bool_)
    canvas[nodes[salient]] = True
    components, _ = ndimage.label(canvas.reshape(grid))
    labels: NDArray[np.int32] = components.ravel()[nodes]
    return np.asarray(labels == labels[seed])


def _second_vector(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve (D - W) x = λ D x for the second smallest λ: the relaxed normalised cut."""
    from scipy import linalg
    from scipy.sparse.linalg import ArpackError, eigsh

    root = np.sqrt(edges.sum(axis=1))
    likeness = edges / np.outer(root, root)
    # The first solution is known (a constant, here root); without it the second comes first.
    first = root / np.linalg.norm(root)
    likeness -= np.outer(first, first)
    last = len(edges) - 1
    if last < 2:
        _, vectors = linalg.eigh(likeness, subset_by_index=[last, last])
        return np.asarray(vectors[:, 0] / root)
    try:
        # A dense solver takes ten times as long on 1,600 patches; a fixed start makes it repeat.
        start = np.random.default_rng(0).standard_normal(len(edges))
        _, vectors = eigsh(likeness, k=1, which="LA", v0=start, tol=1e-6)
    except ArpackError:
        _, vectors = linalg.eigh(likeness, subset_by_index=[last, last])
    return np.asarray(vectors[:, 0] / root)


def _is_ground(side: NDArray[np.bool_], nodes: NDArray[np.intp], grid: tuple[int, int]) -> bool:
    rows, columns = grid
    corners = {0, columns - 1, (rows - 1) * columns, rows * columns - 1}
    return len(corners.intersection(nodes[side].tolist())) >= 3


def _cut_cost(edges: NDArray[np.float64], part: NDArray[np.bool_]) -> float:
    """Cost of the cut (NCut, 0 to 2): the weight lost, relative to each side's whole weight."""
    degrees = edges.sum(axis=1)
    inside, outside = float(degrees[part].sum()), float(degrees[~part].sum())
    if inside == 0 or outside == 0:
        return 2.0
    lost = float(edges[np.ix_(part, ~part)].sum())
    return lost / inside + lost / outside
