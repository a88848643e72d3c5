"""Strategies that take the doubtful, but spread over what the items are about."""

from collections.abc import Callable, Iterator

import numpy as np

from app.core import reasons, uncertainty
from app.core.diversity.clusters import k_centre, medoids, smallest_clusters_first
from app.core.strategies.crowd import crowd
from app.core.strategies.fill import Filled, fill
from app.core.strategies.pool import Pool
from app.core.strategies.ranking import growing
from app.core.strategies.registry import Proposal
from app.core.types import Floats, Rows

BETA = 10
"""Times the batch size: how many of the most doubtful make the short list."""
LONGEST_LIST = 20_000
"""Beyond this a larger batch gets a shorter list in proportion, but never under twice the batch."""

Doubt = Callable[[Pool], Floats]
Spread = Callable[[Pool, Rows, Floats, int], Rows]
"""From the pool, a short list and its doubts to `size` places in the short list."""


def margin_of(pool: Pool) -> Floats:
    return pool.scores(uncertainty.margin)


def boosted_margin_of(pool: Pool) -> Floats:
    """Doubt times what the user's rules say, within 0 … 1."""
    boosts = pool.request.boosts
    if boosts is None:
        return margin_of(pool)
    raised: Floats = margin_of(pool) * (boosts / max(float(boosts.max(initial=1)), 1e-9))
    return raised.astype(np.float32)


def doubtful_and(spread: Spread, doubt: Doubt = margin_of) -> Callable[[Pool, int], Proposal]:
    """A strategy: short-list the doubtful, then spread the batch over the list."""

    def propose(pool: Pool, size: int) -> Proposal:
        scored = doubt(pool)
        found = _short_list(pool, scored, size)
        listed = found.positions[: len(found.positions) - found.let_in]
        return Proposal(
            order=_order(pool, scored, listed, size, spread),
            score=lambda chosen: scored[chosen],
            reasons=lambda chosen: _reasons(pool, chosen),
            pool_scores=scored,
            rank_by_score=True,
            sound=listed,
            held_back=found.held_back,
        )

    return propose


def _short_list(pool: Pool, scored: Floats, size: int) -> Filled:
    """The most doubtful that are no outliers and unlike each other."""
    wanted = int(max(1.0, pool.option("beta", BETA)) * size)
    wanted = min(wanted, max(LONGEST_LIST, 2 * size))
    return fill(pool, growing(scored, wanted + 16, pool.chance("ties")), wanted)


def _order(pool: Pool, scored: Floats, listed: Rows, size: int, spread: Spread) -> Iterator[Rows]:
    if len(listed) > size:
        yield listed[spread(pool, listed, scored[listed], size)]
    yield listed
    yield from growing(scored, 2 * len(listed) + size, pool.chance("ties"))


def by_kmeans(pool: Pool, listed: Rows, doubt: Floats, size: int) -> Rows:
    """The item nearest to the centre of each of `size` clusters, doubt weighing on the centres."""
    weights = np.maximum(np.nan_to_num(doubt), np.float32(1e-3))
    return medoids(pool.vectors(listed), weights, size, pool.chance("kmeans"))


def by_k_centre(pool: Pool, listed: Rows, doubt: Floats, size: int) -> Rows:
    """Farthest-first from the most doubtful on: the fast path."""
    vectors = pool.vectors(listed)
    return k_centre(vectors, size, first=int(np.nan_to_num(doubt).argmax()))


def by_small_clusters(pool: Pool, listed: Rows, doubt: Floats, size: int) -> Rows:
    """Cluster-Margin: round and round the clusters, the smallest first, so none takes over."""
    return smallest_clusters_first(pool.vectors(listed), doubt, size, pool.chance("clusters"))


def _reasons(pool: Pool, chosen: Rows) -> list[str]:
    doubts = reasons.torn_between(pool.probabilities, chosen, pool.request.classes)
    raised = reasons.raised_by_rules(pool.request.boosts, chosen)
    return reasons.joined(doubts, raised, reasons.stands_for(*crowd(pool, chosen)))
