"""Requests for selection tests: any shape, random but seeded."""

import numpy as np
from scipy import sparse

from app.core.types import FeatureMatrix, SelectionRequest


def vectors(n: int, dimensions: int, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(n, dimensions)).astype(np.float32)
    return drawn / np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), 1e-12)


def features(dense: np.ndarray, words: sparse.csr_matrix | None = None) -> FeatureMatrix:
    """Dense vectors with (or without) word counts beside them."""
    if words is None:
        words = sparse.csr_matrix((len(dense), 0), dtype=np.float32)
    return FeatureMatrix(words=words, counts=words, dense=np.asarray(dense, np.float32))


def word_sets(*texts: str) -> sparse.csr_matrix:
    """Unigram counts of some texts."""
    vocabulary = {w: i for i, w in enumerate(sorted({w for t in texts for w in t.split()}))}
    counts = np.zeros((len(texts), len(vocabulary)), np.float32)
    for row, text in enumerate(texts):
        for word in text.split():
            counts[row, vocabulary[word]] += 1
    return sparse.csr_matrix(counts)


def random_words(n: int, vocabulary: int, seed: int) -> sparse.csr_matrix:
    return sparse.csr_matrix(
        sparse.random(n, vocabulary, density=0.1, random_state=seed, dtype=np.float32)
    )


def probabilities(n: int, classes: int, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).dirichlet(np.ones(classes), size=n)
    return drawn.astype(np.float32)


def request(
    n: int = 300,
    *,
    classes: int = 4,
    batch: int = 20,
    seed: int = 0,
    dimensions: int = 8,
    occupied: int = 30,
    words: sparse.csr_matrix | None = None,
    p: np.ndarray | None = None,
    **more: object,
) -> SelectionRequest:
    """`n` candidates behind `occupied` labelled rows, with probabilities unless told otherwise."""
    total = n + occupied
    given: dict[str, object] = {
        "features": features(vectors(total, dimensions, seed), words),
        "candidates": np.arange(occupied, total),
        "occupied": np.arange(occupied),
        "batch_size": batch,
        "seed": seed,
        "classes": tuple(f"class-{c}" for c in range(classes)),
        "probabilities": probabilities(n, classes, seed) if p is None else p,
        "committee": np.stack([probabilities(n, classes, seed + m) for m in range(3)]),
        "boosts": np.where(np.arange(n) % 5, 1, 2).astype(np.float32),
        "options": {"expert_rows": [occupied + at for at in range(0, n, 3)]},
        "labelled_y": {row: row % classes for row in range(occupied)},
    }
    return SelectionRequest(**(given | more))  # type: ignore[arg-type]
