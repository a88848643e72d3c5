"""Class balance: doubtful items of the classes that have the fewest labels."""

from collections.abc import Iterator
from heapq import heapify, heapreplace

import numpy as np
from numpy.typing import NDArray

from app.core import reasons, uncertainty
from app.core.strategies.fill import SLACK
from app.core.strategies.pool import Pool
from app.core.strategies.ranking import growing
from app.core.strategies.registry import Proposal
from app.core.types import Rows

Counts = NDArray[np.int64]


def level_classes(pool: Pool, size: int) -> Proposal:
    """Each next pick comes from the predicted class with the fewest labels, the most doubtful."""
    scored = pool.scores(uncertainty.margin)
    guess = uncertainty.predicted(pool.probabilities)
    counts = np.bincount(
        np.fromiter(pool.request.labelled_y.values(), np.int64), minlength=len(pool.request.classes)
    )

    def order() -> Iterator[Rows]:
        yield _levelled(pool, scored, guess, counts, size + SLACK)
        yield from growing(scored, 4 * size, pool.chance("ties"))

    def explain(chosen: Rows) -> list[str]:
        doubts = reasons.torn_between(pool.probabilities, chosen, pool.request.classes)
        few = reasons.few_labels(counts.tolist(), guess[chosen].tolist(), pool.request.classes)
        return reasons.joined(doubts, few)

    return Proposal(
        order=order(), score=lambda chosen: scored[chosen], reasons=explain, pool_scores=scored
    )


def _levelled(pool: Pool, scored: np.ndarray, guess: Counts, counts: Counts, size: int) -> Rows:
    """Class by class, always the one that has the fewest labels and picks together."""
    queues = {}
    for c in np.unique(guess):
        own = pool.free(np.flatnonzero(guess == c))
        best = uncertainty.best_first(np.nan_to_num(scored[own]), size, pool.chance(f"class {c}"))
        queues[int(c)] = iter(own[best].tolist())
    turns = [(int(counts[c]), c) for c in queues]
    heapify(turns)
    chosen: list[int] = []
    while turns and len(chosen) < size:
        have, c = turns[0]
        item = next(queues[c], None)
        if item is None:
            turns.remove((have, c))
            heapify(turns)
            continue
        chosen.append(item)
        heapreplace(turns, (have + 1, c))
    return np.array(chosen, np.int64)
