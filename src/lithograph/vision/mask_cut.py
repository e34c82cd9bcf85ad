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
    """Cut up to ``max_regions`` regions out of a grid of patches, in the order they are found.

    ``features``: (rows × columns, D), row by row. ``likeness``: cosine above which two patches are
    joined (MaskCut: 0.15). ``least_share``: smallest region, as a share of all patches (MaskCut:
    0.01). Regions whose confidence is below ``threshold`` are dropped; regions do not overlap.
    Each cut takes an eigen-decomposition, cubic in the number of patches left.
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
    while len(found) < max_regions and left.sum() > 2 * least:
        nodes = np.flatnonzero(left)
        edges = np.where(unit[nodes] @ unit[nodes].T > likeness, 1.0, _WEAK_EDGE)
        part = _salient_part(edges, nodes, grid)
        confidence = max(0.0, 1.0 - _cut_cost(edges, part))
        region = np.zeros(rows * columns, np.bool_)
        region[nodes[part]] = True
        left &= ~region
        if region.sum() >= least and confidence >= threshold:
            found.append(CutRegion(patches=region.reshape(grid), confidence=confidence))
        elif confidence < threshold:
            break
    return tuple(found)


def _salient_part(
    edges: NDArray[np.float64], nodes: NDArray[np.intp], grid: tuple[int, int]
) -> NDArray[np.bool_]:
    """Nodes of the salient side of the cut that hang together with its strongest node."""
    from scipy import linalg, ndimage

    degrees = edges.sum(axis=1)
    root = 1 / np.sqrt(degrees)
    laplacian = np.eye(len(edges)) - root[:, None] * edges * root[None, :]
    _, vectors = linalg.eigh(laplacian, subset_by_index=[1, 1])
    vector = vectors[:, 0] * root
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
