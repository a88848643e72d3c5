"""Strategies that need no classifier: the cold start."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from app.core import health, reasons
from app.core.coldstart import Choose, typical
from app.core.diversity.clusters import closeness
from app.core.diversity.coverage import ball_size, cover
from app.core.strategies.crowd import crowd
from app.core.strategies.fill import SLACK
from app.core.strategies.pool import Pool
from app.core.strategies.registry import Proposal
from app.core.types import Floats, HealthFinding, Rows

SAMPLE = 20_000
"""Clusters are found in this many items drawn from the pool; more change little and cost much."""
COVER_SAMPLE = 8_000


def clusters_first(choose: Choose) -> Callable[[Pool, int], Proposal]:
    """A strategy: cluster the pool, then one item from each cluster."""

    def propose(pool: Pool, size: int) -> Proposal:
        return _explained(pool, _by_clusters(pool, size, choose))

    return propose


def most_covered(pool: Pool, size: int) -> Proposal:
    """ProbCover; once everything is covered, by clusters."""

    def order() -> Iterator[Rows]:
        sample, vectors, labelled = _sampled(pool, COVER_SAMPLE)
        if len(sample) > 1:
            chance = pool.chance("cover")
            radius = ball_size(vectors, max(2, len(pool.request.classes)), chance)
            yield sample[cover(vectors, labelled, radius, size + SLACK)[0]]
        yield from _by_clusters(pool, size, typical)

    return _explained(pool, order())


def expert_list(pool: Pool, size: int) -> Proposal:
    """The rows that an expert named, in their order (`expert_rows`); typical items after them."""
    named = _named(pool)
    findings: Sequence[HealthFinding] = ()
    if len(pool.free(named)) < size:
        why = f"the list names {len(pool.free(named))} items that can be picked, of {size} wanted."
        findings = [health.fallback("expert_list.v1", "typiclust.v1", why)]

    def order() -> Iterator[Rows]:
        yield named
        yield from _by_clusters(pool, size, typical)

    def explain(chosen: Rows) -> list[str]:
        others = reasons.typical_of(*crowd(pool, chosen))
        listed = np.isin(chosen, named)
        return [
            reasons.EXPERT if known else other for known, other in zip(listed, others, strict=True)
        ]

    return Proposal(
        order=order(),
        score=lambda chosen: np.isin(chosen, named).astype(np.float32),
        reasons=explain,
        hold_back_outliers=False,
        findings=findings,
    )


def _named(pool: Pool) -> Rows:
    """Positions of the expert's rows among the candidates, in the expert's order."""
    rows = np.array(pool.request.options.get("expert_rows", ()), np.int64)
    found = pool.positions_of(rows)
    return found[np.sort(np.unique(found, return_index=True)[1])]


def _by_clusters(pool: Pool, size: int, choose: Choose) -> Iterator[Rows]:
    sample, vectors, labelled = _sampled(pool, SAMPLE)
    if len(sample):
        yield sample[choose(vectors, labelled, size, pool.chance("clusters"))]
        yield sample[choose(vectors, labelled, 2 * size, pool.chance("clusters"))]


def _sampled(pool: Pool, at_most: int) -> tuple[Rows, Floats, Floats]:
    """Free positions, their vectors, and the vectors of what is labelled or in the batch."""
    sample = pool.free(pool.sample(at_most, "clusters"))
    labelled = pool.dense(pool.away_from)
    return sample, pool.vectors(sample), labelled


def _explained(pool: Pool, order: Iterator[Rows]) -> Proposal:
    return Proposal(
        order=order,
        score=lambda chosen: _typicality(pool, chosen),
        reasons=lambda chosen: reasons.typical_of(*crowd(pool, chosen)),
    )


def _typicality(pool: Pool, chosen: Rows) -> Floats:
    sample = pool.vectors(pool.sample(2048, "density"))
    return np.clip(closeness(pool.vectors(chosen), sample), 0, 1)
