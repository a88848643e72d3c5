"""ProbCover: balls around items, few of which cover as much of the pool as can be."""

import numpy as np
from scipy import sparse

from app.core.diversity.clusters import Labels, weighted_kmeans
from app.core.types import Floats, Rows

PURE = 0.95
PROBE = 1000
MOST_NEIGHBOURS = 500
"""On average; larger balls would cost memory and cover everything at once."""
BLOCK = 1024


def ball_size(vectors: Floats, groups: int, chance: np.random.Generator) -> float:
    """The largest squared radius at which 19 of 20 balls hold one kind of item only.

    What kind an item is says its cluster, there being no labels to ask.
    """
    _, kind = weighted_kmeans(vectors, np.ones(len(vectors), np.float32), groups, chance)
    probe = np.sort(chance.choice(len(vectors), min(PROBE, len(vectors)), replace=False))
    apart = _squared(vectors[probe], vectors)
    foreign = np.where(kind[probe][:, None] == kind[None, :], np.inf, apart).min(axis=1)
    pure = float(np.quantile(foreign, 1 - PURE, method="lower"))
    crowded = float(np.quantile(apart, min(1.0, MOST_NEIGHBOURS / len(vectors))))
    return min(pure, crowded)


def cover(vectors: Floats, labelled: Floats, radius: float, k: int) -> tuple[Rows, Labels]:
    """Up to k items, each covering the most that is not covered yet, and how many it covered."""
    near = _balls(vectors, radius)
    covered = np.zeros(len(vectors), bool)
    if len(labelled):
        for start in range(0, len(vectors), BLOCK):
            apart = _squared(vectors[start : start + BLOCK], labelled)
            covered[start : start + BLOCK] = apart.min(axis=1) <= radius
    gain = near @ (~covered).astype(np.int64)
    chosen: list[int] = []
    counts: list[int] = []
    while len(chosen) < k and (best := int(gain.argmax())) >= 0 and gain[best] > 0:
        chosen.append(best)
        counts.append(int(gain[best]))
        fresh = _row(near, best)
        fresh = fresh[~covered[fresh]]
        covered[fresh] = True
        lost = np.concatenate([_row(near, item) for item in fresh])
        gain -= np.bincount(lost, minlength=len(gain))
    return np.array(chosen, np.int64), np.array(counts, np.int64)


def _row(near: sparse.csr_matrix, item: int) -> Rows:
    return near.indices[near.indptr[item] : near.indptr[item + 1]].astype(np.int64)


def _balls(vectors: Floats, radius: float) -> sparse.csr_matrix:
    """Who lies in whose ball; everybody in their own."""
    rows = []
    for start in range(0, len(vectors), BLOCK):
        inside = _squared(vectors[start : start + BLOCK], vectors) <= radius
        inside[np.arange(len(inside)), start + np.arange(len(inside))] = True
        rows.append(sparse.csr_matrix(inside, dtype=np.int64))
    return sparse.csr_matrix(sparse.vstack(rows))


def _squared(left: Floats, right: Floats) -> Floats:
    ours, theirs = np.square(left).sum(axis=1), np.square(right).sum(axis=1)
    apart: Floats = ours[:, None] + theirs[None, :] - 2 * (left @ right.T)
    return np.maximum(apart, np.float32(0))
