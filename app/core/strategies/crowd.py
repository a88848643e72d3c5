"""How many items of the pool a pick stands for."""

import numpy as np

from app.core.diversity.clusters import nearest
from app.core.strategies.pool import Pool
from app.core.types import Rows

CROWD = 8192
"""Items among which is counted; a larger pool is estimated from so many."""
SIMILAR = 0.5
"""Cosine from which two items are called similar."""


def crowd(pool: Pool, chosen: Rows) -> tuple[list[int], bool]:
    """Items similar and nearest to each pick, itself left out. True: counted, not estimated."""
    sample = pool.sample(CROWD, "crowd")
    if not len(chosen) or not len(sample):
        return [0] * len(chosen), True
    owner, distance = nearest(pool.vectors(sample), pool.vectors(chosen))
    similar = distance <= 2 - 2 * SIMILAR
    similar &= ~np.isin(sample, chosen, kind="sort")
    counts = np.bincount(owner[similar], minlength=len(chosen)) * (len(pool) / len(sample))
    return [round(n) for n in counts], len(sample) == len(pool)
