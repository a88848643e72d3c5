"""Better than random? Two classifiers of equally many labels, compared only where they disagree.

One learned from randomly drawn labels, one from actively chosen ones. Where they agree there is
nothing to learn, and the share of items where they do not is known without any label. So a few
labels drawn there decide, or say honestly that they cannot. The verdict is given once.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import bdtr, stdtrit

from app.core.estimation.intervals import LEVEL, Interval

LABELS_FOR_A_DUEL = 40
FIRST_DUEL = 60
"""Audits needed before one: the random side learns from them."""
SIGNIFICANT = 0.05


class DuelVerdict(StrEnum):
    ACTIVE = "active"
    RANDOM = "random"
    NOT_SEPARATED = "not_separated"


@dataclass(frozen=True, slots=True)
class Duel:
    """Positive gap: the actively chosen labels were worth more."""

    labels: int
    only_active_right: int
    only_random_right: int
    disagreement: float
    gap: Interval
    p_value: float
    verdict: DuelVerdict


def judge_duel(
    only_active_right: int, only_random_right: int, both_wrong: int, disagreement: float
) -> Duel:
    """From the labels drawn where the two disagree; at least two are needed."""
    n = only_active_right + only_random_right + both_wrong
    if n < 2:
        raise ValueError("a duel needs at least two labels")
    p_value = sign_test(only_active_right, only_random_right)
    return Duel(
        labels=n,
        only_active_right=only_active_right,
        only_random_right=only_random_right,
        disagreement=disagreement,
        gap=_gap(only_active_right, only_random_right, n, disagreement),
        p_value=p_value,
        verdict=_verdict(only_active_right - only_random_right, p_value),
    )


def sign_test(wins: int, losses: int) -> float:
    """Exact and two-sided: how often a fair coin would be as uneven."""
    trials = wins + losses
    if trials == 0:
        return 1.0
    return min(1.0, 2 * float(bdtr(min(wins, losses), trials, 0.5)))


def _verdict(difference: int, p_value: float) -> DuelVerdict:
    if p_value > SIGNIFICANT:
        return DuelVerdict.NOT_SEPARATED
    return DuelVerdict.ACTIVE if difference > 0 else DuelVerdict.RANDOM


def _gap(wins: int, losses: int, n: int, disagreement: float) -> Interval:
    """Difference in accuracy over all unlabelled items; half a win and half a loss are added, so
    that a clean sweep does not look certain."""
    p, q = (wins + 0.5) / (n + 1.5), (losses + 0.5) / (n + 1.5)
    mean = p - q
    reach = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * float(np.sqrt((p + q - mean**2) / n))
    low, high = max(mean - reach, -1.0), min(mean + reach, 1.0)
    return Interval(disagreement * mean, disagreement * low, disagreement * high)
