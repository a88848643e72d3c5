"""Strategies that put one number on each item and take the highest."""

from collections.abc import Callable, Iterator

import numpy as np

from app.core import reasons, uncertainty
from app.core.strategies.crowd import crowd
from app.core.strategies.pool import Pool
from app.core.strategies.registry import Proposal
from app.core.types import Floats, Rows


def growing(scored: Floats, first: int, chance: np.random.Generator) -> Iterator[Rows]:
    """The best `first`, then ever more of the best, up to all; NaN counts as the worst."""
    if np.isnan(scored).any():
        scored = np.nan_to_num(scored, nan=-np.inf)
    size = max(first, 1)
    while size < len(scored):
        yield uncertainty.best_first(scored, size, chance)
        size *= 4
    yield uncertainty.best_first(scored, len(scored), chance)


def by_measure(
    measure: uncertainty.Measure, explain: Callable[..., list[str]]
) -> Callable[[Pool, int], Proposal]:
    """A strategy that takes the items for which a measure of doubt is highest."""

    def propose(pool: Pool, size: int) -> Proposal:
        scored = pool.scores(measure)
        return Proposal(
            order=growing(scored, size + 16, pool.chance("ties")),
            score=lambda chosen: scored[chosen],
            reasons=lambda chosen: explain(pool.probabilities, chosen, pool.request.classes),
            pool_scores=scored,
        )

    return propose


def by_pool(measure: Callable[[Pool], Floats]) -> Callable[[Pool, int], Proposal]:
    """A strategy that takes the highest by a measure of the whole pool."""

    def propose(pool: Pool, size: int) -> Proposal:
        scored = measure(pool)
        return Proposal(
            order=growing(scored, size + 16, pool.chance("ties")),
            score=lambda chosen: scored[chosen],
            reasons=lambda chosen: reasons.joined(
                reasons.torn_between(pool.probabilities, chosen, pool.request.classes),
                reasons.stands_for(*crowd(pool, chosen)),
            ),
            pool_scores=scored,
        )

    return propose


def at_random(pool: Pool, size: int) -> Proposal:
    """Uniformly at random. Each item has the same, known probability to be drawn."""
    order = pool.chance("random").permutation(len(pool))
    return Proposal(
        order=iter([order]),
        score=lambda chosen: np.zeros(len(chosen), np.float32),
        reasons=lambda chosen: [reasons.RANDOM] * len(chosen),
        hold_back_outliers=False,
        draw_probability=lambda chosen: [size / len(pool)] * len(chosen),
    )
