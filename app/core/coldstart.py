"""Which items to label first, when there is no classifier to ask: typical ones, well spread."""

from collections.abc import Callable

import numpy as np

from app.core.diversity.clusters import Labels, clustered, nearest
from app.core.types import Floats, Rows

Choose = Callable[[Floats, Floats, int, np.random.Generator], Rows]
"""From (vectors, labelled vectors, how many, chance) to positions, the most valuable first."""

NEIGHBOURS = 20
MOST_CLUSTERS = 300


def cluster(vectors: Floats, k: int, chance: np.random.Generator) -> tuple[Floats, Labels]:
    """Clusters of the vectors, all weighing the same."""
    return clustered(vectors, np.ones(len(vectors), np.float32), k, chance)


def nearest_to_centres(
    vectors: Floats, labelled: Floats, k: int, chance: np.random.Generator
) -> Rows:
    """One item for each of k clusters, nearest to its centre; the largest unlabelled first."""
    centres, owner = cluster(vectors, min(k + len(labelled), max(k, MOST_CLUSTERS)), chance)
    distance = np.square(vectors - centres[owner]).sum(axis=1)
    return _one_a_cluster(-distance, owner, _covered(labelled, centres), k)


def typical(vectors: Floats, labelled: Floats, k: int, chance: np.random.Generator) -> Rows:
    """TypiClust: the densest item of each cluster, the largest cluster without a label first."""
    centres, owner = cluster(vectors, min(k + len(labelled), max(k, MOST_CLUSTERS)), chance)
    typicality = np.empty(len(vectors), np.float32)
    for c in range(len(centres)):
        members = np.flatnonzero(owner == c)
        if len(members):
            typicality[members] = _typicality(vectors[members])
    return _one_a_cluster(typicality, owner, _covered(labelled, centres), k)


def _typicality(vectors: Floats) -> Floats:
    """Mean cosine to the nearest few of its own cluster."""
    few = min(NEIGHBOURS, len(vectors) - 1)
    if few < 1:
        return np.zeros(len(vectors), np.float32)
    out = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), 2048):
        cosine = vectors[start : start + 2048] @ vectors.T
        top = np.partition(cosine, len(vectors) - few - 1, axis=1)[:, -few - 1 :]
        out[start : start + 2048] = (top.sum(axis=1) - top.max(axis=1)) / few
    return out


def _covered(labelled: Floats, centres: Floats) -> Labels:
    """How many labelled items lie in each cluster."""
    if not len(labelled):
        return np.zeros(len(centres), np.int64)
    return np.bincount(nearest(labelled, centres)[0], minlength=len(centres))


def _one_a_cluster(value: Floats, owner: Labels, covered: Labels, k: int) -> Rows:
    """The best item of each cluster, least covered and then largest clusters first."""
    sizes = np.bincount(owner, minlength=len(covered))
    clusters = np.lexsort((-sizes, covered))
    order = np.lexsort((-value, owner))
    present, first = np.unique(owner[order], return_index=True)
    best = np.full(len(covered), -1, np.int64)
    best[present] = order[first]
    return best[clusters][best[clusters] >= 0][:k]
