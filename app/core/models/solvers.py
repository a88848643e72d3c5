"""Finding the weights of a linear classifier."""

import warnings
from typing import Any

import numpy as np

from app.core.models.labels import Labels
from app.core.models.linear import Linear, from_coefficients, joined
from app.core.one_thread import one_thread


def support_vectors(labels: Labels, seed: int, say: float = 1.0) -> Linear:
    """One against the rest with squared hinge loss; rare classes weigh as much as common ones.

    `say` is what the latent space counts against words of the same length.
    """
    return _fit(_support_vectors(seed, tol=1e-3), labels, say)


def support_vectors_roughly(labels: Labels, seed: int, say: float) -> Linear:
    """The same, stopped early: with thousands of weak labels the last digits cost most of the time
    and change no prediction."""
    return _fit(_support_vectors(seed, tol=0.1), labels, say)


def _support_vectors(seed: int, tol: float) -> Any:
    from sklearn.svm import LinearSVC  # loads slowly, and most commands fit nothing

    return LinearSVC(C=1.0, random_state=seed, tol=tol, max_iter=2000)


def logistic(labels: Labels, seed: int) -> Linear:
    """Multinomial logistic regression; rare classes weigh as much as common ones."""
    from sklearn.linear_model import LogisticRegression

    return _fit(LogisticRegression(C=10.0, random_state=seed, max_iter=300), labels)


def _fit(estimator: Any, labels: Labels, say: float = 1.0) -> Linear:
    rows, columns = joined(labels.features, say)
    estimator.class_weight = _balance(labels)
    with warnings.catch_warnings(), one_thread():
        warnings.simplefilter("ignore")  # of few labels, and of a last digit not reached
        estimator.fit(rows, labels.y, sample_weight=labels.weights)
    offsets = np.atleast_1d(estimator.intercept_)
    width = labels.features.words.shape[1]
    return from_coefficients(estimator.coef_, offsets, columns, width, say)


def _balance(labels: Labels) -> dict[int, float]:
    """A weight for each class, so that all weigh the same together."""
    totals = np.bincount(labels.y, labels.weights)
    return dict(enumerate((totals.mean() / totals).tolist()))
