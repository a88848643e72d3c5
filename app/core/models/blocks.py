"""Scoring in blocks of one fixed size.

A matrix product may round a row differently in a small product than in a large one. Here every
product has the same shape (the last block is filled up), so a row's bits never depend on how many
rows came with it. Scores are kept class by class, which is what everything after them reads fast.
"""

from collections.abc import Callable, Iterator

import numpy as np

from app.core.one_thread import one_thread
from app.core.types import FeatureMatrix, Floats

BLOCK = 4096


def blocks(rows: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each block."""
    return ((begin, min(begin + BLOCK, rows)) for begin in range(0, rows, BLOCK))


def dense_scores(dense: Floats, weights: Floats) -> Floats:
    """weights (class, dimension) times the rows of one block: (class, BLOCK)."""
    if len(dense) < BLOCK:
        dense = np.pad(dense, ((0, BLOCK - len(dense)), (0, 0)))
    scores: Floats = weights @ np.ascontiguousarray(dense, dtype=np.float32).T
    return scores


def softmax(scores: Floats) -> Floats:
    """Over classes, which are the rows; in place."""
    scores -= scores.max(axis=0)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    return scores


def by_block(features: FeatureMatrix, classes: int, score: Callable[[int, int], Floats]) -> Floats:
    """Probabilities (item, class) from a function that gives (class, BLOCK) for a block."""
    out = np.empty((classes, len(features)), dtype=np.float32)
    with one_thread():
        for begin, end in blocks(len(features)):
            out[:, begin:end] = score(begin, end)[:, : end - begin]
    return out.T
