"""Labels that the classifier doubts: what it thinks of each, had it not seen that label.

The idea of confident learning (Northcutt, Jiang & Chuang 2021): a class is believed of an item
when its probability is at least what items of that class get on average; so a class that the
classifier is never sure of is not doubted for that alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_LABELS = 20
FOLDS = 5
Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Doubt:
    """Row of the labels, and the class that is believed instead; both with their probability."""

    row: int
    label: int
    label_probability: float
    believed: int
    believed_probability: float


def doubts(probabilities: Array, y: Integers) -> Sequence[Doubt]:
    """From out-of-fold probabilities (row, class), the clearest first."""
    believed = _believed(probabilities, y)
    rows = np.flatnonzero((believed >= 0) & (believed != y))
    lead = probabilities[rows, believed[rows]] - probabilities[rows, y[rows]]
    return [
        Doubt(
            row=int(row),
            label=int(y[row]),
            label_probability=float(probabilities[row, y[row]]),
            believed=int(believed[row]),
            believed_probability=float(probabilities[row, believed[row]]),
        )
        for row in rows[np.argsort(-lead, kind="stable")]
    ]


def _believed(probabilities: Array, y: Integers) -> Integers:
    """The likeliest class of those that are believed of a row; -1 if none is."""
    usual = np.array([_usual(probabilities, y, k) for k in range(probabilities.shape[1])])
    sure = np.where(probabilities >= usual, probabilities, -1.0)
    best = sure.argmax(axis=1)
    return np.where(sure.max(axis=1) > 0, best, -1)


def _usual(probabilities: Array, y: Integers, k: int) -> float:
    """What items of the class get on average; a class without an item is never believed."""
    own = probabilities[y == k, k]
    return float(own.mean()) if len(own) else np.inf
