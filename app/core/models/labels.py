"""Labelled rows, with what fitting on them needs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.errors import WrongInput
from app.core.types import FeatureMatrix, TrainingSet


@dataclass(frozen=True, slots=True)
class Labels:
    """Classes are numbered 0 … K-1 and each occurs."""

    features: FeatureMatrix
    y: NDArray[np.int64]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.y)

    @property
    def classes(self) -> int:
        return int(self.y.max()) + 1

    def take(self, rows: NDArray[np.int64]) -> tuple["Labels", NDArray[np.int64]]:
        """Some of the rows, with the classes they have numbered anew; and which these were."""
        known, y = np.unique(self.y[rows], return_inverse=True)
        return Labels(self.features.take(rows), y.astype(np.int64), self.weights[rows]), known

    def and_also(self, others: "Labels") -> "Labels":
        """These rows and others of the same classes."""
        features = FeatureMatrix.stacked([self.features, others.features])
        y = np.concatenate([self.y, others.y])
        return Labels(features, y, np.concatenate([self.weights, others.weights]))

    def table(self) -> NDArray[np.float64]:
        """Weights in the column of each row's class."""
        table = np.zeros((len(self), self.classes))
        table[np.arange(len(self)), self.y] = self.weights
        return table


def labels_of(training: TrainingSet) -> tuple[Labels, NDArray[np.int64]]:
    """Labels that count for something; and the positions of the classes that have one.

    Weights are brought to a mean of one, so that their unit does not matter.
    """
    weights = np.ones(len(training)) if training.weights is None else training.weights
    rows = np.flatnonzero(weights > 0)
    if not len(rows):
        raise WrongInput("There is no label to train on yet, or every label has weight 0.")
    seen, y = np.unique(training.y[rows], return_inverse=True)
    kept: NDArray[np.float64] = weights[rows].astype(np.float64)
    features = training.features if len(rows) == len(training) else training.features.take(rows)
    return Labels(features, y.astype(np.int64), kept / float(kept.mean())), seen
