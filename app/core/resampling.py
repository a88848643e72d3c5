"""What held-out figures would have been with other items, and whether two rounds really differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from app.core.estimation.intervals import LEVEL, Interval
from app.core.evaluation import CALIBRATION_BINS, confusion_matrix
from app.core.types import Floats

DRAWS = 1000
Integers = NDArray[np.int64]
Array = NDArray[np.float64]


def accuracy_interval(gold: Integers, predicted: Integers, classes: int, seed: int) -> Interval:
    cells, draws = _drawn(gold, predicted, classes, seed)
    return _spread(float((gold == predicted).mean()), draws[:, _diagonal(cells, classes)].sum(1)
                   / len(gold))  # fmt: skip


def macro_f1_interval(gold: Integers, predicted: Integers, classes: int, seed: int) -> Interval:
    cells, draws = _drawn(gold, predicted, classes, seed)
    now = confusion_matrix(gold, predicted, classes).reshape(-1)[cells].astype(np.float64)
    return _spread(float(_macro_f1(now[None], cells, classes)[0]), _macro_f1(draws, cells, classes))


def _drawn(gold: Integers, predicted: Integers, classes: int, seed: int) -> tuple[Integers, Array]:
    """The cells of the confusion matrix that occur, and how often in each draw of the items: to
    draw items anew is to draw these counts."""
    counts = confusion_matrix(gold, predicted, classes).reshape(-1)
    cells = np.flatnonzero(counts)
    drawn = np.random.default_rng(seed).multinomial(
        len(gold), counts[cells] / len(gold), size=DRAWS
    )
    return cells, drawn.astype(np.float64)


def _diagonal(cells: Integers, classes: int) -> NDArray[np.bool_]:
    right: NDArray[np.bool_] = cells // classes == cells % classes
    return right


def _macro_f1(counts: Array, cells: Integers, classes: int) -> Array:
    """Of each draw: the mean over the classes that occur in it."""
    hits, either = np.zeros((2, len(counts), classes))
    for at, cell in enumerate(cells.tolist()):
        true, said = divmod(cell, classes)
        either[:, true] += counts[:, at]
        either[:, said] += counts[:, at]
        if true == said:
            hits[:, true] += counts[:, at]
    f1 = np.divide(2 * hits, either, out=np.zeros_like(hits), where=either > 0)
    mean: Array = f1.sum(axis=1) / (either > 0).sum(axis=1)
    return mean


def _spread(value: float, draws: Array) -> Interval:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))


def calibration_curve(gold: Integers, probabilities: Floats) -> list[Mapping[str, Any]]:
    """By how sure the classifier was: how sure on average, how often right, how many items."""
    sure = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == gold
    bins = np.minimum((sure * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    return [
        {
            "confidence": float(sure[bins == one].mean()),
            "accuracy": float(right[bins == one].mean()),
            "n": int((bins == one).sum()),
        }
        for one in np.unique(bins)
    ]


@dataclass(frozen=True, slots=True)
class Paired:
    """Two rounds on the same held-out items. Positive: the second is better."""

    items: int
    only_first_right: int
    only_second_right: int
    p_value: float
    """Exact and two-sided (McNemar)."""
    gain: Interval

    @property
    def differs(self) -> bool:
        return self.p_value <= 1 - LEVEL


def compare(first: NDArray[np.bool_], second: NDArray[np.bool_], seed: int) -> Paired:
    """From which items each has right."""
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    discordant, n = only_first + only_second, len(first)
    p_value = 1.0
    if discordant:
        p_value = min(1.0, 2 * float(bdtr(min(only_first, only_second), discordant, 0.5)))
    shares = np.array([only_first, only_second, n - discordant]) / n
    drawn = np.random.default_rng(seed).multinomial(n, shares, size=DRAWS)
    gain = _spread((only_second - only_first) / n, (drawn[:, 1] - drawn[:, 0]) / n)
    return Paired(n, only_first, only_second, p_value, gain)
