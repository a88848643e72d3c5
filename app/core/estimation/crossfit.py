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
    order = np.random.default_rng(seed).permutation(len(held))
    correct, confidence = np.zeros(len(held)), np.zeros(len(held))
    for fold in np.array_split(order, min(folds, len(held))):
        classifier = fit(_without(training, held[fold]))
        judged = judge(classifier, training.features.take(held[fold]), training.y[held[fold]])
        correct[fold], confidence[fold] = judged.correct, judged.confidence
    return Judged(correct, confidence)


def judge(
    classifier: TrainedClassifier, features: FeatureMatrix, gold: NDArray[np.int64]
) -> Judged:
    """The same by one classifier that saw none of them."""
    probabilities = classifier.predict_proba(features).astype(np.float64)
    return Judged(
        (probabilities.argmax(axis=1) == gold).astype(np.float64), probabilities.max(axis=1)
    )


def _without(training: TrainingSet, left_out: Rows) -> TrainingSet:
    kept = np.setdiff1d(np.arange(len(training)), left_out)
    weights = None if training.weights is None else training.weights[kept]
    return TrainingSet(training.features.take(kept), training.y[kept], training.classes, weights)
