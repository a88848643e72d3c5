"""Groups of vectors, and one item from each.

All functions take row-normalised vectors and give positions into them.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from app.core.types import Floats, Rows

Labels = NDArray[np.int64]
MOST_ROUNDS = 20
AT_ONCE = 256
"""More clusters than this are found in two steps: the cost then grows with the list, not faster."""
BLOCK = 4096


def weighted_kmeans(
    vectors: Floats, weights: Floats, k: int, chance: np.random.Generator
) -> tuple[Floats, Labels]:
    """Centres and the cluster of each vector; k-means++ start, then Lloyd until nothing moves.

    Fewer than k clusters come back only if there are fewer than k different vectors.
    """
    centres = vectors[plus_plus(vectors, weights, k, chance)]
    if not len(centres):
        centres = vectors[:1]
    cluster = nearest(vectors, centres)[0]
    for _ in range(MOST_ROUNDS):
        centres = _means(vectors, weights, cluster, centres)
        moved = nearest(vectors, centres)[0]
        if np.array_equal(moved, cluster):
            break
        cluster = moved
    return centres, cluster


def plus_plus(vectors: Floats, weights: Floats, k: int, chance: np.random.Generator) -> Rows:
    """k-means++: each next one drawn with probability weight × squared distance to those drawn."""
    chosen: list[int] = []
    squared = np.einsum("ij,ij->i", vectors, vectors)
    gap = np.ones(len(vectors), np.float64)
    for _ in range(min(k, len(vectors))):
        mass = np.cumsum(gap * weights)
        if not mass[-1] > 0:
            break
        last = int(np.searchsorted(mass, chance.random() * mass[-1], side="right"))
        chosen.append(min(last, len(vectors) - 1))
        distance = squared + squared[chosen[-1]] - 2 * (vectors @ vectors[chosen[-1]])
        gap = np.minimum(gap, distance) if len(chosen) > 1 else distance.astype(np.float64)
        gap[gap < 1e-6] = 0
    return np.array(chosen, np.int64)


def nearest(vectors: Floats, centres: Floats) -> tuple[Labels, Floats]:
    """Index of the nearest centre and the squared distance to it."""
    half = np.einsum("ij,ij->i", centres, centres) / 2
    index = np.empty(len(vectors), np.int64)
    best = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), BLOCK):
        score = vectors[start : start + BLOCK] @ centres.T
        score -= half
        index[start : start + BLOCK] = top = score.argmax(axis=1)
        best[start : start + BLOCK] = score[np.arange(len(score)), top]
    squared: Floats = np.einsum("ij,ij->i", vectors, vectors) - 2 * best
    return index, np.maximum(squared, np.float32(0))


def clustered(
    vectors: Floats, weights: Floats, k: int, chance: np.random.Generator
) -> tuple[Floats, Labels]:
    """k-means for any k: many clusters are found in two steps, coarse ones first."""
    if k <= AT_ONCE:
        return weighted_kmeans(vectors, weights, k, chance)
    centres: list[Floats] = []
    cluster = np.zeros(len(vectors), np.int64)
    count = 0
    for members, share in _shares(vectors, weights, k, chance):
        found, inner = weighted_kmeans(vectors[members], weights[members], share, chance)
        cluster[members] = inner + count
        count += len(found)
        centres.append(found)
    return np.concatenate(centres), cluster


def _shares(
    vectors: Floats, weights: Floats, k: int, chance: np.random.Generator
) -> Iterator[tuple[Rows, int]]:
    """Parts of the vectors that belong together, and how many of the k each one gets."""
    _, coarse = weighted_kmeans(vectors, weights, -(-k // AT_ONCE) + 1, chance)
    ends = np.floor(np.cumsum(np.bincount(coarse)) / len(vectors) * k + 0.5).astype(int)
    for part, share in enumerate(np.diff(ends, prepend=0).tolist()):
        members = np.flatnonzero(coarse == part)
        pieces = max(1, -(-share // AT_ONCE))
        for piece in range(pieces):
            few = share // pieces + (piece < share % pieces)
            if len(members[piece::pieces]):
                yield members[piece::pieces], max(few, 1)


def medoids(vectors: Floats, weights: Floats, k: int, chance: np.random.Generator) -> Rows:
    """One position for each of about k clusters: the vector nearest to the cluster's centre."""
    centres, cluster = clustered(vectors, weights, k, chance)
    distance = np.square(vectors - centres[cluster]).sum(axis=1)
    order = np.lexsort((distance, cluster))
    first = np.unique(cluster[order], return_index=True)[1]
    return order[first][:k]


def k_centre(vectors: Floats, k: int, first: int) -> Rows:
    """Greedy farthest-first: each next one is the farthest from all chosen before it."""
    chosen = [first]
    squared = np.einsum("ij,ij->i", vectors, vectors)
    gap = np.full(len(vectors), np.inf, np.float32)
    while len(chosen) < min(k, len(vectors)):
        distance = squared + squared[chosen[-1]] - 2 * (vectors @ vectors[chosen[-1]])
        np.minimum(gap, distance, out=gap)
        gap[chosen[-1]] = -np.inf
        chosen.append(int(gap.argmax()))
    return np.array(chosen[:k], np.int64)


def smallest_clusters_first(
    vectors: Floats, value: Floats, k: int, chance: np.random.Generator, size: int = 8
) -> Rows:
    """The best of each cluster, the smallest cluster first, then the second best of each, …"""
    _, cluster = clustered(
        vectors, np.ones(len(vectors), np.float32), max(1, len(vectors) // size), chance
    )
    order = np.lexsort((-np.nan_to_num(value), cluster))
    starts = np.unique(cluster[order], return_index=True)[1]
    turn = np.arange(len(order)) - np.repeat(starts, np.diff([*starts, len(order)]))
    sizes = np.bincount(cluster)[cluster[order]]
    return order[np.lexsort((cluster[order], sizes, turn))][:k]


def closeness(vectors: Floats, sample: Floats, parts: int = 3) -> Floats:
    """How dense the pool is around each vector: the cosine to the nearest of a sample, as the mean
    over a few parts of the sample."""
    out = np.zeros(len(vectors), np.float32)
    pieces = np.array_split(sample, min(parts, max(len(sample), 1)))
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        for piece in pieces:
            out[start : start + BLOCK] += (block @ piece.T).max(axis=1, initial=-1)
    return out / np.float32(len(pieces))


def _means(vectors: Floats, weights: Floats, cluster: Labels, centres: Floats) -> Floats:
    """The weighted mean of each cluster; an empty one keeps its centre."""
    order = np.argsort(cluster, kind="stable")
    present, starts = np.unique(cluster[order], return_index=True)
    heavy = vectors[order] * weights[order, None]
    mass = np.add.reduceat(weights[order], starts)
    moved = centres.copy()
    moved[present] = np.add.reduceat(heavy, starts, axis=0) / np.maximum(mass, 1e-12)[:, None]
    return moved
