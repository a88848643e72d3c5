"""Every label judged by a fit that never saw it."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from app.core.models.calibration import Judged
from app.core.models.decision import Decision, decide
from app.core.models.labels import Labels

Integers = NDArray[np.int64]
Fit = Callable[[Labels], Mapping[str, Decision]]
"""Several ways to fit the same labels, by name."""


def judge(fit: Fit, labels: Labels, count: int, seed: int) -> dict[str, Judged]:
    """Out-of-fold scores of every way to fit; all judge the same rows. Empty if none can be."""
    scores: dict[str, NDArray[np.float64]] = {}
    for fitted, judged in folds(labels.y, count, seed):
        part, known = labels.take(fitted)
        rows = labels.features.take(judged)
        for name, decision in fit(part).items():
            table = scores.setdefault(name, np.full((len(labels), labels.classes), np.nan))
            table[np.ix_(judged, known)] = decide(decision, rows)
    return {name: _judged(table, labels) for name, table in scores.items()}


def _judged(scores: NDArray[np.float64], labels: Labels) -> Judged:
    """A class that a fold did not know gets the lowest score of the row."""
    rows = np.flatnonzero(~np.isnan(scores).all(axis=1))
    found = scores[rows]
    filled = np.where(np.isnan(found), np.nanmin(found, axis=1, keepdims=True), found)
    return Judged(filled, labels.y[rows], labels.weights[rows])


def folds(y: Integers, count: int, seed: int) -> Iterator[tuple[Integers, Integers]]:
    """Rows to fit on and rows to judge, `count` times, each class spread evenly.

    A row whose class would have no example left to fit on is never judged: in the classifier that
    is finally used this class does have one.
    """
    fold = _assign(y, count, seed)
    for number in range(count):
        fitted, judged = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        judged = judged[np.isin(y[judged], y[fitted])]
        if len(judged) and len(np.unique(y[fitted])) > 1:
            yield fitted, judged


def _assign(y: Integers, count: int, seed: int) -> Integers:
    shuffled = np.random.default_rng(seed).permutation(len(y))
    by_class = shuffled[np.argsort(y[shuffled], kind="stable")]
    fold = np.empty(len(y), dtype=np.int64)
    fold[by_class] = np.arange(len(y)) % count
    return fold
