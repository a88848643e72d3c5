"""What the unlabelled pool says: naive Bayes on words, started and held by another classifier.

The linear classifier's scores of pool rows are the start; expectation maximisation then learns
from labels and pool alike which words go with which class. The scores stay in every step as what
is known beforehand, so a row's class is what both views, words and latent space, agree on. The
share of the classes is never taken from the labels: labels that active learning chose are no
random sample of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special

from app.core.features.vocabulary import unit_rows
from app.core.models.linear import only_met
from app.core.types import FeatureMatrix, Floats

_STEPS = 5
_POOL_WEIGHT = 0.5
_SMOOTHING = 0.005
_WORDS_WEIGHT = 3.0
"""Log-likelihood of words of a row of length one, against the scores."""


@dataclass(frozen=True, slots=True)
class CoTrained:
    """What labels and pool say together."""

    probabilities: Floats
    """(pool row, class)"""
    words: Floats
    """(word, class): the logarithm of how often a class uses a word."""


def single_words(features: FeatureMatrix) -> sparse.csr_matrix:
    """TF-IDF of words without pairs, rows of length one again: naive Bayes takes words as
    independent, and a pair is anything but independent of its words."""
    return unit_rows(sparse.csr_matrix(features.words[:, : features.counts.shape[1]]))


def co_train(
    labelled: sparse.csr_matrix,
    classes: NDArray[np.float64],
    pool: sparse.csr_matrix,
    beliefs: Floats,
) -> CoTrained:
    """Words and pool rows divided among the classes.

    `labelled` and `pool` are `single_words`; `classes` holds each label's weight in its class's
    column; `beliefs` are log-probabilities of pool rows, up to a constant each.
    """
    seen = np.asarray(labelled.T @ classes) + _SMOOTHING
    pool, met = only_met(pool)
    fixed, turned = seen[met], sparse.csr_matrix(pool.T)
    probabilities = special.softmax(beliefs, axis=1)
    for _ in range(_STEPS):
        seen[met] = fixed + _POOL_WEIGHT * (turned @ probabilities)
        evidence = np.float32(_WORDS_WEIGHT) * (pool @ _logarithms(seen[met], seen))
        probabilities = special.softmax(evidence + beliefs, axis=1)
    return CoTrained(probabilities, _logarithms(seen, seen))


def _logarithms(some: NDArray[np.float64], seen: NDArray[np.float64]) -> Floats:
    found: Floats = np.log(some / seen.sum(axis=0)).astype(np.float32)
    return found
