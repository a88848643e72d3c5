"""Strategies that look at every item of the pool, not at a short list."""

from collections.abc import Iterator

import numpy as np

from app.core import reasons, uncertainty
from app.core.diversity.coreset import FarthestFirst
from app.core.diversity.gradients import GradientSampler, outer_lengths
from app.core.strategies.crowd import crowd
from app.core.strategies.fill import SLACK
from app.core.strategies.pool import Pool
from app.core.strategies.ranking import growing
from app.core.strategies.registry import Proposal
from app.core.types import Rows


def badge(pool: Pool, size: int) -> Proposal:
    """k-means++ over the gradients that labels could cause: doubtful and different at once."""
    lengths = outer_lengths(pool.probabilities)

    def order() -> Iterator[Rows]:
        vectors = pool.all_vectors()
        sampler = GradientSampler(
            pool.probabilities, vectors.take, pool.is_free(), vectors.longest(), lengths=lengths
        )
        yield sampler.sample(size + SLACK, pool.chance("badge"))
        yield from growing(lengths, 4 * size, pool.chance("ties"))

    def explain(chosen: Rows) -> list[str]:
        doubts = reasons.torn_between(pool.probabilities, chosen, pool.request.classes)
        return reasons.joined(doubts, reasons.stands_for(*crowd(pool, chosen)))

    return Proposal(
        order=order(),
        score=lambda chosen: uncertainty.margin(pool.probabilities[chosen]),
        reasons=explain,
        pool_scores=lengths,
        rank_by_score=True,
    )


def core_set(pool: Pool, size: int) -> Proposal:
    """Farthest-first: after it no item of the pool is far from a labelled one."""
    gaps = np.zeros(len(pool), np.float32)

    def order() -> Iterator[Rows]:
        centres = pool.dense(pool.away_from)
        free = pool.is_free()
        search = FarthestFirst(pool.all_vectors(), centres, free, pool.chance("ties"))
        first = int(pool.chance("first").choice(np.flatnonzero(free))) if free.any() else 0
        for batch in (size, size + SLACK, 4 * size):
            picks, apart = search.pick(batch, first)
            gaps[picks] = apart
            yield picks

    return Proposal(
        order=order(),
        score=lambda chosen: np.minimum(gaps[chosen] / 2, np.float32(1)),
        reasons=lambda chosen: reasons.far_from_labelled(gaps[chosen]),
    )
