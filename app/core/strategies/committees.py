"""Strategies that ask a committee: classifiers that are each fitted on another draw of labels."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.core import reasons, uncertainty
from app.core.strategies.pool import Pool
from app.core.strategies.ranking import growing
from app.core.strategies.registry import Proposal
from app.core.types import Floats, Rows


def bootstrap(y: NDArray[np.int64], members: int, seed: int) -> Sequence[Rows]:
    """Rows for each member: drawn with replacement within each class, so that none is ever lost."""
    chance = np.random.default_rng([seed, 0xC0])
    return [
        np.concatenate(
            [chance.choice(own, len(own)) for own in (np.flatnonzero(y == c) for c in np.unique(y))]
            or [np.empty(0, np.int64)]
        )
        for _ in range(members)
    ]


def disagreement(measure: Callable[[Floats], Floats]) -> Callable[[Pool, int], Proposal]:
    """A strategy: what the committee disagrees on most, by a measure of the members' views."""

    def propose(pool: Pool, size: int) -> Proposal:
        scored = _by_block(measure, pool.committee)
        return Proposal(
            order=growing(scored, size + 16, pool.chance("ties")),
            score=lambda chosen: scored[chosen],
            reasons=lambda chosen: _split_votes(pool, chosen),
            pool_scores=scored,
        )

    return propose


def _by_block(measure: Callable[[Floats], Floats], committee: Floats) -> Floats:
    out = np.empty(committee.shape[1], np.float32)
    for start in range(0, len(out), uncertainty.MOST):
        part = slice(start, start + uncertainty.MOST)
        out[part] = measure(np.asarray(committee[:, part], np.float32))
    return out


def _split_votes(pool: Pool, chosen: Rows) -> list[str]:
    votes = np.stack([uncertainty.predicted(member[chosen]) for member in pool.committee])
    return reasons.split_votes(votes.T, pool.request.classes)
