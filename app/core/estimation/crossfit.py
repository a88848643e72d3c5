"""Judging labelled items by classifiers that have not seen their labels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.models.base import TrainedClassifier
from app.core.types import FeatureMatrix, Rows, TrainingSet

Fit = Callable[[TrainingSet], TrainedClassifier]


@dataclass(frozen=True, slots=True)
class Judged:
    """For each item: was the prediction right, and how sure was it?"""

    correct: NDArray[np.float64]
    confidence: NDArray[np.float64]


def cross_fit(training: TrainingSet, held: Rows, folds: int, fit: Fit, seed: int) -> Judged:
    """Judge the rows `held` of the training set: each fold of them by a classifier that was
    fitted on all other labels, so no item speaks in its own favour."""
    return _judged(out_of_fold(training, held, folds, fit, seed), training.y[held])


def out_of_fold(
    training: TrainingSet, held: Rows, folds: int, fit: Fit, seed: int
) -> NDArray[np.float64]:
    """What classifiers that had not seen these labels think of them: (held row, class)."""
    order = np.random.default_rng(seed).permutation(len(held))
    found = np.zeros((len(held), len(training.classes)))
    for fold in np.array_split(order, min(folds, len(held))) if len(held) else ():
        classifier = fit(without(training, held[fold]))
        found[fold] = classifier.predict_proba(training.features.take(held[fold]))
    return found


def judge(
    classifier: TrainedClassifier, features: FeatureMatrix, gold: NDArray[np.int64]
) -> Judged:
    """The same by one classifier that saw none of them."""
    return _judged(classifier.predict_proba(features).astype(np.float64), gold)


def _judged(probabilities: NDArray[np.float64], gold: NDArray[np.int64]) -> Judged:
    return Judged(
        (probabilities.argmax(axis=1) == gold).astype(np.float64), probabilities.max(axis=1)
    )


def without(training: TrainingSet, left_out: Rows) -> TrainingSet:
    """All labels but these."""
    return only(training, np.setdiff1d(np.arange(len(training)), left_out))


def only(training: TrainingSet, rows: Rows) -> TrainingSet:
    """These labels of it."""
    weights = None if training.weights is None else training.weights[rows]
    return TrainingSet(training.features.take(rows), training.y[rows], training.classes, weights)
