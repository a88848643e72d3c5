"""Whether an LLM's confidence means anything: before it may route labels, it is measured."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

FEWEST = 100
"""Items with an answer of both a person and the LLM."""
HIGHEST_ERROR = 0.1
DRAWS = 1_000
FOLDS = 5
UNCHANGED = np.array([1.0, 0.0])
"""Slope and intercept that leave a confidence as it is."""
PULL = np.array([1.0, 0.1])
"""How strongly a line is drawn to these: as much as a few items would."""
Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Trust:
    """How far confidence is from being right, and whether it may decide who answers."""

    n: int
    accuracy: float | None
    calibration_error: float | None
    low: float | None
    high: float | None
    threshold: float
    may_route: bool
    reason: str
    recalibrated: bool = False


@dataclass(frozen=True, slots=True)
class Recalibration:
    """What a stated confidence is worth: a straight line on the scale of log odds."""

    slope: float
    intercept: float

    def of(self, confidence: Values) -> Values:
        return _sigmoid(self.slope * _log_odds(confidence) + self.intercept)


def judge_trust(
    confidence: Values, right: Flags, *, threshold: float = HIGHEST_ERROR, seed: int = 0
) -> Trust:
    """Confidence may route once 100 items or more show that its error lies under the threshold:
    the upper end of the interval, not the middle."""
    n = len(right)
    accuracy = float(right.mean()) if n else None
    if n < FEWEST:
        reason = f"{FEWEST - n} more items with an answer of both are needed ({n} of {FEWEST})."
        return Trust(n, accuracy, None, None, None, threshold, may_route=False, reason=reason)
    error = calibration_error(confidence, right)
    low, high = _interval(confidence, right, error, seed)
    may = high < threshold
    return Trust(n, accuracy, error, low, high, threshold, may, _reason(error, high, threshold))


def _reason(error: float, high: float, threshold: float) -> str:
    if high < threshold:
        return f"The calibration error is {error:.3f}, surely under {threshold:g}."
    if error < threshold:
        return (
            f"The calibration error is {error:.3f}, but may be as high as {high:.3f}; more items "
            f"with both answers would tell whether it is under {threshold:g}."
        )
    return f"The calibration error is {error:.3f}, not under {threshold:g}."


def calibration_error(confidence: Values, right: Flags) -> float:
    """Mean distance between what was promised and what came true, in bins of equal numbers. What
    chance alone would make of a perfect confidence is taken off, or few items would look bad."""
    order = np.argsort(confidence, kind="stable")
    total = 0.0
    for members in np.array_split(order, _bins(len(right))):
        promised, true = confidence[members], right[members]
        gap = true.mean() - promised.mean()
        noise = (promised * (1 - promised)).sum() / len(members) ** 2
        total += len(members) * np.sqrt(max(0.0, gap**2 - noise))
    return float(total / len(right))


def _bins(n: int) -> int:
    return int(np.clip(n // 40, 2, 15))


def _interval(confidence: Values, right: Flags, error: float, seed: int) -> tuple[float, float]:
    """The upper end by drawing the items anew, which makes them look noisier than they are; the
    lower as far below, since an error near 0 is never drawn."""
    chance = np.random.default_rng(seed)
    n = len(right)
    drawn = np.empty(DRAWS)
    for position in range(DRAWS):
        rows = chance.integers(0, n, n)
        drawn[position] = calibration_error(confidence[rows], right[rows])
    high = max(error, float(np.quantile(drawn, 0.975)))
    return max(0.0, 2 * error - high), min(1.0, high)


def recalibrate(confidence: Values, right: Flags) -> Recalibration:
    """The line that fits best, drawn a little towards changing nothing; never a falling one."""
    x = np.column_stack([_log_odds(confidence), np.ones(len(right))])

    def loss(line: Values) -> tuple[float, Values]:
        scores, moved = x @ line, line - UNCHANGED
        value = (np.logaddexp(0, scores) - right * scores).sum() + (PULL * moved**2).sum() / 2
        return float(value), x.T @ (_sigmoid(scores) - right) + PULL * moved

    slope, intercept = minimize(loss, UNCHANGED, jac=True, bounds=[(0, None), (None, None)]).x
    return Recalibration(float(slope), float(intercept))


def recalibrated(confidence: Values, right: Flags, seed: int = 0) -> Values:
    """Every item's confidence after a recalibration that was fitted on other items."""
    fold = np.random.default_rng(seed).permutation(len(right)) % FOLDS
    found = np.empty(len(right))
    for one in range(FOLDS):
        own = fold == one
        found[own] = recalibrate(confidence[~own], right[~own]).of(confidence[own])
    return found


def _log_odds(confidence: Values) -> Values:
    inside = np.clip(confidence, 0.01, 0.99)
    return np.log(inside / (1 - inside))


def _sigmoid(values: Values) -> Values:
    return 1 / (1 + np.exp(-np.clip(values, -30, 30)))
