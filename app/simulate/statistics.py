"""What curves of paired repeats say, and how sure that is."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Values = NDArray[np.float64]
Interval = tuple[float, float]
FEWEST = 5
"""Repeats below which no interval is stated."""
DRAWS = 2_000


def labels_to_target(curve: Sequence[Mapping[str, Any]], metric: str, target: float) -> float:
    """The labels at which the curve first reaches the target; infinite if it never does."""
    return next((float(point["labels"]) for point in curve if point[metric] >= target), math.inf)


def area(curve: Sequence[Mapping[str, Any]], metric: str, start: int, end: int) -> float:
    """Mean height of the curve between two numbers of labels; flat beyond its ends."""
    labels = [float(point["labels"]) for point in curve]
    heights = [float(point[metric]) for point in curve]
    inside = [x for x in labels if start < x < end]
    x = np.array([start, *inside, end], np.float64)
    y = np.interp(x, labels, heights)
    return float(np.trapezoid(y, x) / (end - start)) if end > start else float(y[0])


def mean_interval(values: Values, level: float = 0.95) -> Interval | None:
    """Where the mean lies, by Student's t. Honest for few repeats, which a bootstrap is not."""
    if len(values) < FEWEST:
        return None
    error = float(values.std(ddof=1) / math.sqrt(len(values)))
    reach = float(special.stdtrit(len(values) - 1, (1 + level) / 2)) * error
    middle = float(values.mean())
    return middle - reach, middle + reach


def saving(ours: Values, yardstick: Values) -> float | None:
    """Share of the yardstick's labels that is not needed, by the medians of labels to target.

    Minus infinity where only the yardstick gets there; None where neither does, or only we do:
    then there is a saving, but its size is not known.
    """
    mine, theirs = float(np.median(ours)), float(np.median(yardstick))
    if math.isinf(theirs):
        return None
    return -math.inf if math.isinf(mine) else 1 - mine / theirs


def saving_interval(ours: Values, yardstick: Values, seed: int = 0) -> Interval | None:
    """95% of the savings when whole repeats are drawn anew, each with both of its curves.

    None with few repeats, or where a saving has no size in one draw of twenty or more.
    """
    if len(ours) < FEWEST:
        return None
    drawn = np.random.default_rng(seed).integers(0, len(ours), (DRAWS, len(ours)))
    found = [saving(ours[rows], yardstick[rows]) for rows in drawn]
    known = np.array([one for one in found if one is not None])
    if len(known) < 0.95 * DRAWS:
        return None
    low, high = np.quantile(known, [0.025, 0.975], method="nearest")
    return float(low), float(high)
