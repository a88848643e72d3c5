"""A batch of doubtful items that are all predicted one class gets some of the others.

Such a batch is what a collapsed classifier makes, and it can repeat itself round after round: the
labels it brings are then of one class as well. In an imbalanced project it can also be honest, so
the round is mended rather than stopped, and what was done is recorded. Whoever wants the round to
fail instead sets the strategy option `one_class_batch` to `fail`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from app.core import health, uncertainty
from app.core.strategies.fill import fill
from app.core.strategies.pool import Pool
from app.core.strategies.ranking import growing
from app.core.types import HealthFinding, Rows

SHARE = 5
"""One pick in so many goes to the other classes."""


def mend(pool: Pool, chosen: Rows) -> tuple[Rows, Sequence[HealthFinding]]:
    """The batch, its last picks exchanged for the most doubtful of other predicted classes."""
    only = health.one_class(pool.probabilities, chosen)
    if only is None:
        return chosen, ()
    if pool.request.options.get("one_class_batch") == "fail":
        return chosen, [health.one_class_batch(pool.request.classes[only], len(chosen), 0)]
    others = _others(pool, chosen, only, max(1, len(chosen) // SHARE))
    if not len(others):
        return chosen, ()
    mended = np.concatenate([chosen[: len(chosen) - len(others)], others])
    return mended, [health.one_class_batch(pool.request.classes[only], len(chosen), len(others))]


def _others(pool: Pool, chosen: Rows, only: int, count: int) -> Rows:
    """The most doubtful free items of other predicted classes, like nothing in the batch."""
    elsewhere = np.flatnonzero(uncertainty.predicted(pool.probabilities) != only)
    around = replace(pool, taken=np.concatenate([pool.taken, chosen]))
    return fill(around, _doubtful(pool, elsewhere), count).positions


def _doubtful(pool: Pool, among: Rows) -> Iterator[Rows]:
    scored = uncertainty.margin(pool.probabilities[among])
    for places in growing(scored, 64, pool.chance("repair")):
        yield among[places]
