"""How good predictions are against gold labels of a held-out split."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.errors import WrongInput
from app.core.types import CalibrationBin, ClassScore, Evaluation, Floats

CALIBRATION_BINS = 15
_SURE = 1e-6
"""Probabilities are kept that far from 0, so that one sure mistake does not cost infinitely."""

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]


def evaluate(gold: Integers, probabilities: Floats, classes: Sequence[str]) -> Evaluation:
    """Score probabilities (item, class) against gold class positions.

    Macro F1 is the mean over the classes that occur in gold or among the predictions: a class that
    nobody has and nobody predicts says nothing, but predicting a class that does not occur counts
    as 0. Ties go to the first class.
    """
    _check(gold, probabilities, classes)
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(gold, predicted, len(classes))
    per_class = [_class_score(confusion, position, name) for position, name in enumerate(classes)]
    occurring = np.flatnonzero(confusion.sum(axis=0) + confusion.sum(axis=1))
    accuracy = float(np.trace(confusion) / len(gold))
    return Evaluation(
        n=len(gold),
        accuracy=accuracy,
        macro_f1=float(np.mean([per_class[position].f1 for position in occurring])),
        micro_f1=accuracy,  # a miss is one false positive and one false negative
        log_loss=log_loss(gold, probabilities),
        ece=calibration_error(gold, probabilities),
        per_class=per_class,
        confusion=confusion.tolist(),
        classes=tuple(classes),
        calibration=calibration_curve(gold, probabilities),
    )


def evaluation_as_dict(evaluation: Evaluation) -> dict[str, Any]:
    """Plain JSON values."""
    return {**asdict(evaluation), "classes": list(evaluation.classes)}


def confusion_matrix(gold: Integers, predicted: Integers, classes: int) -> Integers:
    """Rows are gold, columns predicted."""
    cells = np.bincount(gold * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes)


def log_loss(gold: Integers, probabilities: Floats) -> float:
    """Mean negative log probability of the gold class, clipped."""
    own = probabilities[np.arange(len(gold)), gold].astype(np.float64)
    return float(-np.log(np.clip(own, _SURE, 1)).mean())


def calibration_error(
    gold: Integers, probabilities: Floats, weights: NDArray[np.floating[Any]] | None = None
) -> float:
    """Expected calibration error of the predicted class over 15 bins of equal width."""
    confidence, right, bins = _binned(gold, probabilities)
    weights = np.ones(len(gold)) if weights is None else weights.astype(np.float64)
    gaps = np.bincount(bins, weights * (confidence - right), CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / weights.sum())


def calibration_curve(gold: Integers, probabilities: Floats) -> list[CalibrationBin]:
    """Of each of the bins of the calibration error that holds something, what it holds."""
    confidence, right, bins = _binned(gold, probabilities)
    items = np.bincount(bins, minlength=CALIBRATION_BINS)
    sure, hits = np.bincount(bins, confidence), np.bincount(bins, right)
    return [
        CalibrationBin(
            low=int(one) / CALIBRATION_BINS,
            high=(int(one) + 1) / CALIBRATION_BINS,
            items=int(items[one]),
            confidence=float(sure[one] / items[one]),
            accuracy=float(hits[one] / items[one]),
        )
        for one in np.flatnonzero(items)
    ]


def _binned(gold: Integers, probabilities: Floats) -> tuple[Reals, Reals, Integers]:
    """Of each item: how sure the prediction is, 1.0 where it is right, and its bin."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = (probabilities.argmax(axis=1) == gold).astype(np.float64)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    return confidence, right, bins


def _class_score(confusion: Integers, position: int, label: str) -> ClassScore:
    hits = int(confusion[position, position])
    predicted, support = int(confusion[:, position].sum()), int(confusion[position].sum())
    return ClassScore(
        label=label,
        precision=hits / predicted if predicted else 0.0,
        recall=hits / support if support else 0.0,
        f1=2 * hits / (predicted + support) if predicted + support else 0.0,
        support=support,
    )


def _check(gold: Integers, probabilities: Floats, classes: Sequence[str]) -> None:
    if not len(gold):
        raise WrongInput("There is nothing to evaluate: the held-out split has no labelled item.")
    if probabilities.shape != (len(gold), len(classes)):
        raise WrongInput(
            f"{len(gold)} gold labels and {len(classes)} classes do not fit probabilities of shape "
            f"{probabilities.shape}."
        )
    if gold.min() < 0 or gold.max() >= len(classes):
        raise WrongInput("A gold label is not one of the classes.")
    if not np.isfinite(probabilities).all():
        raise WrongInput("The probabilities hold values that are not numbers.")
