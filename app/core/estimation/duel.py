"""Better than random? Two classifiers of equally many labels, compared only where they disagree.

One learned from randomly drawn labels, one from actively chosen ones. Where they agree there is
nothing to learn, and the share of items where they do not is known without any label. So a few
labels drawn there decide, or say honestly that they cannot. The verdict is given once.

Two random label sets differ too, in most projects by enough for those labels to show. So a
difference counts only if exchanging labels between the two sides at random seldom gives one as
large; that is seen without any further label (`exchange`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import bdtr, stdtrit

from app.core.estimation.intervals import LEVEL, Interval
from app.core.types import Rows

LABELS_FOR_A_DUEL = 40
FIRST_DUEL = 60
"""Audits needed before one: the random side learns from them."""
FEWEST_APART = 6
"""Items of disagreement below which not even a clean sweep could decide."""
SIGNIFICANT = 0.05
EXCHANGES = 79
"""Random exchanges of labels between the two sides."""
SELDOM = 0.0375
"""The share of them that may give as large a difference, to either side: three of eighty, the one
that was found counted."""


class DuelVerdict(StrEnum):
    ACTIVE = "active"
    RANDOM = "random"
    NOT_SEPARATED = "not_separated"
    BY_CHANCE = "by_chance"
    """These labels differ, but no more than two random sets of them may."""


@dataclass(frozen=True, slots=True)
class Duel:
    """Positive gap: the actively chosen labels were worth more."""

    labels: int
    only_active_right: int
    only_random_right: int
    disagreement: float
    gap: Interval
    p_value: float
    exchanged: "Exchanged"
    verdict: DuelVerdict


@dataclass(frozen=True, slots=True)
class Exchanged:
    """How often labels exchanged at random gave a difference at least as large."""

    in_favour: float
    """As much in favour of the active side."""
    against: float


def labels_for(apart: int) -> int:
    """How many labels decide it, drawn from so many items on which the two disagree: all of them,
    if they are few. 0: too few to decide anything."""
    return min(apart, LABELS_FOR_A_DUEL) if apart >= FEWEST_APART else 0


def judge_duel(
    only_active_right: int,
    only_random_right: int,
    both_wrong: int,
    *,
    apart: int,
    items: int,
    exchanged: Exchanged,
) -> Duel:
    """From the labels drawn where the two disagree, which is on `apart` of the unlabelled `items`;
    at least two labels are needed."""
    n = only_active_right + only_random_right + both_wrong
    if n < 2:
        raise ValueError("a duel needs at least two labels")
    p_value = sign_test(only_active_right, only_random_right)
    disagreement = apart / items
    whole = n >= apart
    return Duel(
        labels=n,
        only_active_right=only_active_right,
        only_random_right=only_random_right,
        disagreement=disagreement,
        gap=_counted(only_active_right - only_random_right, items)
        if whole
        else _gap(only_active_right, only_random_right, n, disagreement),
        p_value=p_value,
        exchanged=exchanged,
        verdict=_verdict(only_active_right - only_random_right, p_value, exchanged),
    )


FEWEST_POOLED = 3
"""Duels of different projects below which nothing is said of the methods."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """What the duels of several projects come to together: now of the methods, not of two label
    sets."""

    projects: int
    active_ahead: int
    gap: Interval
    """The mean over projects like these."""


def pooled(gaps: Sequence[float]) -> Pooled | None:
    """From the gap of each project's duel; None from too few."""
    n = len(gaps)
    if n < FEWEST_POOLED:
        return None
    mean, spread = float(np.mean(gaps)), float(np.std(gaps, ddof=1))
    reach = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * spread / n**0.5
    return Pooled(n, sum(gap > 0 for gap in gaps), Interval(mean, mean - reach, mean + reach))


def sign_test(wins: int, losses: int) -> float:
    """Exact and two-sided: how often a fair coin would be as uneven."""
    trials = wins + losses
    if trials == 0:
        return 1.0
    return min(1.0, 2 * float(bdtr(min(wins, losses), trials, 0.5)))


def _verdict(difference: int, p_value: float, exchanged: Exchanged) -> DuelVerdict:
    if p_value > SIGNIFICANT:
        return DuelVerdict.NOT_SEPARATED
    if difference > 0:
        return DuelVerdict.ACTIVE if exchanged.in_favour <= SELDOM else DuelVerdict.BY_CHANCE
    return DuelVerdict.RANDOM if exchanged.against <= SELDOM else DuelVerdict.BY_CHANCE


def _counted(difference: int, items: int) -> Interval:
    """Every item of disagreement has a label, so nothing is left to chance."""
    gap = difference / items
    return Interval(gap, gap, gap)


def _gap(wins: int, losses: int, n: int, disagreement: float) -> Interval:
    """Difference in accuracy over all unlabelled items; half a win and half a loss are added, so
    that a clean sweep does not look certain."""
    p, q = (wins + 0.5) / (n + 1.5), (losses + 0.5) / (n + 1.5)
    mean = p - q
    reach = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * float(np.sqrt((p + q - mean**2) / n))
    low, high = max(mean - reach, -1.0), min(mean + reach, 1.0)
    return Interval(disagreement * mean, disagreement * low, disagreement * high)


def exchange(
    sides: tuple[Rows, Rows], gap_of: Callable[[Rows, Rows], float], seed: int
) -> Exchanged:
    """`sides` are the active and the random labels; `gap_of` says by how much a classifier of the
    first is thought better than one of the second, by a view that does not depend on which label
    lies on which side. If picks are no better than random ones all exchanges are alike, so the
    shares are right whatever that view is worth."""
    pooled, first = np.concatenate(sides), len(sides[0])
    found = gap_of(*sides)
    draw = np.random.default_rng(seed)
    mixed = [draw.permutation(pooled) for _ in range(EXCHANGES)]
    gaps = np.array([gap_of(np.sort(one[:first]), np.sort(one[first:])) for one in mixed])
    return Exchanged(_share((gaps >= found).sum()), _share((gaps <= found).sum()))


def _share(as_large: int) -> float:
    return float(1 + as_large) / (EXCHANGES + 1)
