"""From decision scores to probabilities that mean what they say.

Probabilities are a softmax of scale * score. With few labels the scale that fits them best is
mostly chance, so it is held by a prior; measured, one-vs-rest sigmoids are worse at every size.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from app.core.evaluation import calibration_error
from app.core.types import Floats

_DOUBT = 0.3
"""How far the logarithm of a scale is expected to lie from its prior."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Out-of-fold scores (row, class) with the truth about these rows."""

    scores: NDArray[np.float64]
    y: NDArray[np.int64]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.y)

    def loss(self, scale: float) -> float:
        """Summed negative log probability of the true classes."""
        scaled = self.scores * scale
        own = scaled[np.arange(len(self)), self.y]
        return float((self.weights * (special.logsumexp(scaled, axis=1) - own)).sum())

    def right(self) -> NDArray[np.bool_]:
        right: NDArray[np.bool_] = self.scores.argmax(axis=1) == self.y
        return right

    def error(self, scale: float) -> float:
        """Expected calibration error."""
        probabilities: Floats = special.softmax(self.scores * scale, axis=1).astype(np.float32)
        return calibration_error(self.y, probabilities, self.weights)


@dataclass(frozen=True, slots=True)
class Evidence:
    """How good one way to fit is on labels that it did not see, as probabilities of its scale."""

    judged: Judged
    scale: float

    @property
    def accuracy(self) -> float:
        weights = self.judged.weights
        return float((weights * self.judged.right()).sum() / weights.sum())

    @property
    def log_loss(self) -> float:
        return self.judged.loss(self.scale) / float(self.judged.weights.sum())

    def summary(self) -> dict[str, Any]:
        """In figures, for the round's record."""
        return {
            "labels": len(self.judged),
            "accuracy": self.accuracy,
            "log_loss": self.log_loss,
            "ece": self.judged.error(self.scale),
        }


def fit_scale(judged: Judged, *, prior: float) -> float:
    """The most probable scale: likely under the scores, and log-normal around `prior`."""
    middle = math.log(prior)

    def cost(log_scale: float) -> float:
        pull = (log_scale - middle) / _DOUBT
        return judged.loss(math.exp(log_scale)) + pull * pull / 2

    found = optimize.minimize_scalar(cost, bounds=(middle - 4, middle + 4), method="bounded")
    return math.exp(float(found.x))
