"""Accuracy of the current classifier from a small uniform audit that is trained on.

The audit items are judged by cross-fitting. The classifier's own confidence, known for every
unlabelled item, takes part of the chance out (a control variate), as far as it is correlated with
being right; the interval is exact for a share, on a number of trials that says how much that
helped. Constants and their coverage: BENCHMARKS.md, "Coverage".
"""

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from app.core.estimation.crossfit import Judged
from app.core.estimation.intervals import LEVEL, Interval, clopper_pearson
from app.core.estimation.unsaid import Unsaid

FIRST_ESTIMATE = 12
"""Audits below which accuracy is not stated."""
AUDIT_FOLDS = 40
ACTIVE_FOLDS = 10
FEWEST_OF_A_KIND = 5
"""Right and wrong answers below which confidence is not trusted to help."""
DEFLATION = 1.2
"""How many fewer trials we claim than counted, for what cross-fitting leaves dependent."""
THIN, THIN_DEFLATION = 10, 1.5
"""With fewer labels a class than these, leaving one out weakens its class: what is then judged is
a little worse than the classifier, and the interval must reach farther."""
PRIOR_TRIALS = 20
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Checks:
    """Items with a label from people, judged by cross-fitting, and the round each came in."""

    judged: Judged
    rounds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rounds)


@dataclass(frozen=True, slots=True)
class Rest:
    """What is unlabelled: how many, and how sure the current classifier is on average."""

    items: int
    mean_confidence: float
    labels_a_class: float = inf
    """That the classifier learned from, on average."""

    @property
    def deflation(self) -> float:
        return THIN_DEFLATION if self.labels_a_class < THIN else DEFLATION


@dataclass(frozen=True, slots=True)
class AccuracyEstimate:
    """From `checks` randomly chosen items."""

    checks: int
    remaining: Interval
    """On the items that are unlabelled now."""
    new_items: Interval
    """On new items of this kind: the pool as it was before the picks."""


def estimate_accuracy(
    audit: Checks, active: Checks, rest: Rest, level: float = LEVEL
) -> AccuracyEstimate | Unsaid:
    """Accuracy on the remainder and on new items; refused while there are too few audits."""
    if (unsaid := too_early(len(audit), rest.items)) is not None:
        return unsaid
    return estimated(audit, active, rest, level)


def too_early(checks: int, left: int) -> Unsaid | None:
    """Why accuracy cannot be stated, if it cannot."""
    if checks < FIRST_ESTIMATE:
        return Unsaid(
            f"Too few random checks ({checks}) to state accuracy. "
            f"First estimate after {FIRST_ESTIMATE}."
        )
    if left == 0:
        return Unsaid("Every item is labelled: there is nothing left to be right or wrong about.")
    return None


def estimated(audit: Checks, active: Checks, rest: Rest, level: float) -> AccuracyEstimate:
    """The figures, however few the checks; only a look that shows none of them may ask so early."""
    correct, confidence = audit.judged.correct, audit.judged.confidence
    share = _share_explained(correct, confidence)
    left = correct - share * confidence
    trials = len(audit) / _variance_left(correct, left, share) / rest.deflation
    explained = share * rest.mean_confidence
    new_items = _interval(explained + float(left.mean()), trials, level)
    left_active = active.judged.correct - share * active.judged.confidence
    picked_since = audit.rounds[:, None] <= active.rounds[None, :]
    stretch = 1 + picked_since.sum(axis=1) / rest.items
    taken = picked_since @ left_active / rest.items
    centre = explained + float((stretch * left - taken).mean())
    remaining = _moved(new_items, centre, float(stretch.mean()))
    return AccuracyEstimate(len(audit), remaining, new_items)


def _share_explained(correct: Array, confidence: Array) -> float:
    """How much of being right the confidence tells; nothing while few are right or few wrong."""
    right = correct.sum()
    if min(right, len(correct) - right) < FEWEST_OF_A_KIND or np.ptp(confidence) == 0:
        return 0.0
    slope = np.cov(correct, confidence)[0, 1] / confidence.var(ddof=1)
    return float(np.clip((len(correct) - 2) / len(correct) * slope, 0, 1))


def _variance_left(correct: Array, left: Array, share: float) -> float:
    """Share of the variance that stays, drawn towards 1 while there are few audits."""
    if share == 0:
        return 1.0
    n, ratio = len(correct), float(left.var(ddof=2) / correct.var(ddof=1))
    return float(np.clip((n * ratio + PRIOR_TRIALS) / (n + PRIOR_TRIALS), 0.5, 1))


def _interval(value: float, trials: float, level: float) -> Interval:
    inside = float(np.clip(value, 0, 1))
    return clopper_pearson(inside * trials, trials, level)


def _moved(around: Interval, centre: float, stretch: float) -> Interval:
    low = centre + stretch * (around.low - around.value)
    high = centre + stretch * (around.high - around.value)
    value, low, high = np.clip([centre, low, high], 0, 1)
    return Interval(float(value), float(low), float(high))
