"""How much two successive classifiers agree on the same items, no labels needed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of one classifier with the one before it."""

    items: int
    kappa: float
    """Cohen's: 1 is agreement everywhere, 0 what chance gives (Bloodgood & Vijay-Shanker 2009)."""
    f_change: float
    """How much F may have changed by, the mean over classes (Altschuler & Bloodgood 2019)."""


def agreement(before: Integers, now: Integers, classes: int) -> Agreement:
    """Of two predictions (class positions) for the same items."""
    both = np.bincount(before * classes + now, minlength=classes * classes)
    table = both.reshape(classes, classes)
    return Agreement(len(before), _kappa(table), _f_change(table))


def _kappa(table: Integers) -> float:
    total = table.sum()
    observed = np.trace(table) / total
    by_chance = float(table.sum(axis=0) @ table.sum(axis=1)) / float(total) ** 2
    # both name one class only: nothing shows that they tell classes apart
    return float((observed - by_chance) / (1 - by_chance)) if by_chance < 1 else 0.0


def _f_change(table: Integers) -> float:
    """1 − 2a / (2a + b + c) of each class that either of them names: a items both give it, b and c
    items only one gives it."""
    named = table.sum(axis=0) + table.sum(axis=1)
    occurring = named > 0
    return float(np.mean(1 - 2 * np.diag(table)[occurring] / named[occurring]))
