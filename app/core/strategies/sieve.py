"""What is held back from a batch: near-duplicates, and items far from everything.

A near-duplicate teaches nothing new. An outlier often tops a list of doubtful items, since nothing
like it was ever labelled, and teaches nothing about any other item.
"""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from app.core.diversity.clusters import closeness
from app.core.duplicates import Likeness, first_of_each
from app.core.strategies.pool import Pool
from app.core.types import Floats, Rows

SAMPLE = 1024
"""Items that stand for the pool when asking how dense it is somewhere."""
PROBE = 256
PARTS = 3
"""Neighbours asked, so few that a rare class, whose items have only each other, is no outlier."""
SMALLEST = 50
"""In a smaller pool nothing can be called unusual."""
FAR = 2.0
"""An outlier lies below the median closeness this many times as far as the lowest tenth does."""

OUTLIERS = "outliers"
NEAR_DUPLICATES = "near_duplicates"


class Sieve:
    """Holds back near-duplicates and, unless told otherwise, outliers; remembers which and why.

    `sound` are positions that went through together before and need no second look.
    """

    def __init__(self, pool: Pool, *, outliers: bool = True, sound: Rows | None = None) -> None:
        self._pool = pool
        self._likeness = Likeness.from_options(pool.request.options)
        self._damp = outliers and pool.request.options.get("outliers", True) is not False
        self._sound = np.sort(sound) if sound is not None else np.empty(0, np.int64)
        self._outlying: set[int] = set()

    def keep(self, batch: Rows, kept: Rows) -> NDArray[np.bool_]:
        """Which of the batch go through, given what was kept before."""
        if self._known_sound(batch) and self._known_sound(kept):
            return np.ones(len(batch), bool)
        far = self._far(batch)
        self._outlying.update(batch[far].tolist())
        keep = ~far
        keep[keep] = self._unlike(batch[keep], kept)
        return keep

    def _known_sound(self, positions: Rows) -> bool:
        if not len(self._sound):
            return not len(positions)
        place = np.minimum(np.searchsorted(self._sound, positions), len(self._sound) - 1)
        return bool((self._sound[place] == positions).all())

    def causes(self, held: Rows) -> Mapping[str, int]:
        """How many of these were held back for what."""
        far = sum(int(position) in self._outlying for position in held)
        counts = {NEAR_DUPLICATES: len(held) - far, OUTLIERS: far}
        return {cause: count for cause, count in counts.items() if count}

    def _far(self, batch: Rows) -> NDArray[np.bool_]:
        if not self._damp or len(self._pool) < SMALLEST:
            return np.zeros(len(batch), bool)
        sample, bar = self._usual
        far: NDArray[np.bool_] = closeness(self._pool.vectors(batch), sample, PARTS) < bar
        return far

    @cached_property
    def _usual(self) -> tuple[Floats, float]:
        """Vectors that stand for the pool, and the closeness to them below which an item is far."""
        chance = self._pool.chance("density")
        sample = self._pool.vectors(chance.permutation(self._pool.sample(SAMPLE, "density")))
        few = min(PROBE, len(sample) // 2)
        low, middle = np.quantile(closeness(sample[:few], sample[few:], PARTS), [0.1, 0.5])
        return sample, float(middle - FAR * (middle - low))

    def _unlike(self, batch: Rows, kept: Rows) -> NDArray[np.bool_]:
        if self._likeness is None or not len(batch):
            return np.ones(len(batch), bool)
        pool = self._pool
        against = np.concatenate([pool.away_from, pool.rows(kept)])
        rows = np.concatenate([against, pool.rows(batch)])
        return first_of_each(pool.dense(rows), pool.counts(rows), len(against), self._likeness)
