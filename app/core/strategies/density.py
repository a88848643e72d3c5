"""Density weighting: doubtful items in the thick of the pool rather than at its edge."""

import numpy as np

from app.core import uncertainty
from app.core.strategies.pool import Pool
from app.core.types import Floats


def margin_in_the_thick(pool: Pool) -> Floats:
    """Doubt times mean cosine to the whole pool, `density_power` telling how much that counts."""
    density = np.maximum(_mean_cosine(pool), np.float32(1e-3))
    power = np.float32(pool.option("density_power", 1.0))
    scored: Floats = pool.scores(uncertainty.margin) * np.power(density, power)
    return scored


def _mean_cosine(pool: Pool) -> Floats:
    """With normalised vectors the mean of all cosines is the cosine to the mean: one pass."""
    vectors = pool.all_vectors()
    total = np.zeros(pool.request.features.dense.shape[1], np.float64)
    for _, block in vectors.blocks():
        total += block.sum(axis=0, dtype=np.float64)
    centre = (total / max(len(vectors), 1)).astype(np.float32)
    out = np.empty(len(vectors), np.float32)
    for start, block in vectors.blocks():
        out[start : start + len(block)] = block @ centre
    return out
