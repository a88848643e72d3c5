"""LightGBM as it comes, on TF-IDF of words: the classifier of the seed case study."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np

from app.core.types import FeatureMatrix, Floats, TrainingSet, Unlabelled

NAME = "lightgbm_as_it_comes.v1"


@dataclass(frozen=True)
class AsItComes:
    """Nothing tuned and nothing calibrated."""

    name: str
    classes: tuple[str, ...]
    report: Mapping[str, Any]
    fitted: lightgbm.LGBMClassifier

    def predict_proba(self, features: FeatureMatrix) -> Floats:
        known = np.asarray(self.fitted.predict_proba(features.words), np.float32)
        out = np.zeros((len(features), len(self.classes)), np.float32)
        out[:, self.fitted.classes_] = known
        return out

    def to_bytes(self) -> bytes:
        return str(self.fitted.booster_.model_to_string()).encode()


def train(
    training: TrainingSet,
    *,
    unlabelled: Unlabelled | None,
    seed: int,
    options: Mapping[str, Any],
) -> AsItComes:
    """Fit on the labels alone."""
    fitted = lightgbm.LGBMClassifier(
        n_jobs=1, random_state=seed % 2**31, deterministic=True, force_col_wise=True, verbosity=-1
    )
    fitted.fit(training.features.words, training.y)
    return AsItComes(NAME, training.classes, {}, fitted)
