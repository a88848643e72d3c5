"""What more labels would add: the gain of +50% and of twice as many, with an honest width.

The audit items are judged under classifiers of the past (about seven label sets, each half as
large again as the one before), and two kinds of curve are laid through their error, again and
again over resampled audits. Where the kinds differ, the interval spans both. How many labels would
reach a figure is not asked: no method tried could answer that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from app.core.estimation.intervals import LEVEL, Interval
from app.core.estimation.unsaid import Unsaid

FIRST_FORECAST = 40
"""Audits below which nothing is forecast."""
PAST_SETS = 7
FEWEST_SETS = 4
DRAWS = 200
STEEPNESS = (0.2, 1.2)
STRETCH = 1.5
Array = NDArray[np.float64]
Line = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Accuracy gained when `labels_now` becomes `labels_then`."""

    labels_now: int
    labels_then: int
    gain: Interval


def past_sizes(labels: int, smallest: int) -> list[int]:
    """Sizes of label sets from the first to now, in equal ratios."""
    if labels <= smallest:
        return [labels]
    sizes = np.geomspace(smallest, labels, PAST_SETS).round().astype(int)
    return sorted({int(size) for size in sizes})


def forecast_gain(
    correct: Array, sizes: Sequence[int], factor: float, seed: int
) -> Forecast | Unsaid:
    """`correct` has a row for each past size (the last is now), a column for each audit item."""
    audits = correct.shape[1]
    if audits < FIRST_FORECAST:
        return too_early(audits)
    if len(sizes) < FEWEST_SETS:
        return Unsaid("Too few label sets of different size to see a trend.")
    now, later = float(sizes[-1]), sizes[-1] * factor
    gains = _gains(correct, np.asarray(sizes, dtype=np.float64), now, later, seed)
    return Forecast(int(now), round(later), _union(gains))


def too_early(audits: int) -> Unsaid:
    return Unsaid(
        f"Too few random checks ({audits}) to forecast a gain. "
        f"First forecast after {FIRST_FORECAST}."
    )


def _gains(correct: Array, sizes: Array, now: float, later: float, seed: int) -> Array:
    """A row for each kind of curve, a column for each draw of audit items."""
    draw = np.random.default_rng(seed)
    gains = np.empty((2, DRAWS))
    for number in range(DRAWS):
        items = draw.integers(0, correct.shape[1], correct.shape[1])
        errors = 1 - correct[:, items].mean(axis=1)
        curves = (_power_law(sizes, errors, draw.uniform(*STEEPNESS)), _log_line(sizes, errors))
        gains[:, number] = [curve(now) - curve(later) for curve in curves]
    return gains


def _power_law(sizes: Array, errors: Array, steepness: float) -> Line:
    """Error c + b·L^-a with a given: it can only fall, and never below zero."""
    parts = np.stack([np.ones(len(sizes)), (sizes / sizes[0]) ** -steepness], axis=1)
    (floor, height), _ = nnls(parts, errors)
    return lambda size: floor + height * (size / sizes[0]) ** -steepness


def _log_line(sizes: Array, errors: Array) -> Line:
    slope, start = np.polyfit(np.log(sizes), errors, 1)
    return lambda size: float(start + slope * np.log(size))


def _union(gains: Array) -> Interval:
    """From the outermost ends of both kinds, stretched about the centre."""
    centre = float(np.median(gains, axis=1).mean())
    ends = np.quantile(gains, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
    low = centre + STRETCH * (float(ends[0].min()) - centre)
    high = centre + STRETCH * (float(ends[1].max()) - centre)
    return Interval(centre, low, high)
