"""Learning from the unlabelled pool: the rows that two views are surest of count as weak labels.

One round only: more of them were useless or harmful wherever they were measured.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from app.core.models.co_training import co_train, single_words
from app.core.models.decision import decide
from app.core.models.labels import Labels
from app.core.models.linear import Linear
from app.core.types import FeatureMatrix, Floats, Unlabelled

Integers = NDArray[np.int64]

MOST_POOL = 10_000
_PER_LABEL = 30
_WEIGHT = 0.2
_BELIEF = 4.0
"""Log-probability a score of the plain classifier stands for."""
_MOST_FINAL, _COST_FINAL = 5_000, 400_000
_MOST_FOLD, _COST_FOLD = 1_500, 100_000
"""The most weak labels, alone and times classes: what a fit costs grows with both."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A sample of the unlabelled rows, and their words made ready once."""

    features: FeatureMatrix
    words: sparse.csr_matrix

    @classmethod
    def sample(cls, unlabelled: Unlabelled, seed: int) -> "Pool":
        rows = np.arange(len(unlabelled))
        if len(rows) > MOST_POOL:
            rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_POOL, replace=False))
        features = unlabelled.take(rows)
        return cls(features, single_words(features))


def self_trained(
    solver: Callable[[Labels], Linear],
    plain: Linear,
    labels: Labels,
    pool: Pool,
    *,
    hearing: float,
    final: bool,
) -> Linear:
    """Fit again with weak labels; `hearing` is what naive Bayes counts in the scores themselves."""
    beliefs = decide(plain, pool.features) * np.float32(_BELIEF)
    found = co_train(single_words(labels.features), labels.table(), pool.words, beliefs)
    most, cost = (_MOST_FINAL, _COST_FINAL) if final else (_MOST_FOLD, _COST_FOLD)
    most = min(most, cost // labels.classes)
    rows, y, weight = weak_labels(found.probabilities, len(labels), most)
    if not len(rows):
        return plain
    weak = Labels(pool.features.take(rows), y, np.full(len(rows), weight))
    fitted = solver(labels.and_also(weak))
    return fitted.hearing(found.words, hearing) if hearing else fitted


def weak_labels(sure: Floats, labels: int, most: int) -> tuple[Integers, Integers, float]:
    """Pool rows, the class of each, and their weight.

    Meant are the surest half of the rows predicted to be of a class, and no more than thirty a
    label in all. If these are more than `most`, evenly spaced ones of them stand for all, with the
    more weight: so a fit that may cost little is still a fit of the same thing.
    """
    predicted, confidence = sure.argmax(axis=1), sure.max(axis=1)
    found = np.bincount(predicted, minlength=sure.shape[1])
    meant = np.minimum(found // 2, max(_PER_LABEL * labels // len(found), 1))
    kept = np.minimum(meant, max(most // len(found), 1))
    if not kept.any():
        return np.zeros(0, np.int64), np.zeros(0, np.int64), 0.0
    surest_first = np.lexsort((-confidence, predicted))
    starts = np.cumsum(found) - found
    places = [starts[k] + np.arange(kept[k]) * meant[k] // kept[k] for k in np.flatnonzero(kept)]
    rows = np.sort(surest_first[np.concatenate(places)]).astype(np.int64)
    weight = min(_WEIGHT * float(meant.sum() / kept.sum()), 1.0)
    return rows, predicted[rows].astype(np.int64), weight
