"""From a training set to a classifier of all its classes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.core.models.classifier import ScoredClassifier
from app.core.models.contest import ALIKE, Fitted, Way, contest
from app.core.models.decision import Decision
from app.core.models.labels import Labels, labels_of
from app.core.models.linear import constant
from app.core.models.unseen import unseen_mass
from app.core.types import TrainingSet, Unlabelled

_NO_CHOICE = {"chosen": "constant", "why": "only one class has a label", "out_of_fold": None}


@dataclass(frozen=True, slots=True)
class PlainTrainer:
    """A classifier that learns from labels only, in one way."""

    name: str
    solver: Callable[[Labels, int], Decision]
    prior_scale: float

    def __call__(
        self,
        training: TrainingSet,
        *,
        unlabelled: Unlabelled | None,
        seed: int,
        options: Mapping[str, Any],
    ) -> ScoredClassifier:
        ways = {"plain": self.way(seed)}
        return finish(
            self.name,
            training,
            lambda labels: contest(
                ways,
                labels,
                seed=seed,
                choose=lambda judged: ("plain", "the only way"),
                alike=options.get(ALIKE),
            ),
        )

    def way(self, seed: int) -> Way:
        return Way(lambda labels, made, final: self.solver(labels, seed), self.prior_scale)


def weights_report(training: TrainingSet) -> dict[str, Any]:
    """How much the labels count, where one counts less than whole."""
    if training.weights is None or float(training.weights.min()) == 1.0:
        return {}
    weights = training.weights
    return {
        "weights": {
            "lowest": round(float(weights.min()), 4),
            "mean": round(float(weights.mean()), 4),
            "below_one": int((weights < 1).sum()),
        }
    }


def finish(name: str, training: TrainingSet, fit: Callable[[Labels], Fitted]) -> ScoredClassifier:
    """Fit on the classes with a label, give the others their share, write the report."""
    labels, seen = labels_of(training)
    if labels.classes > 1:
        fitted = fit(labels)
    else:
        fitted = Fitted(constant(labels.features), 1.0, _NO_CHOICE)
    counts = np.bincount(labels.y)
    mass = unseen_mass(counts, len(training.classes))
    report: dict[str, Any] = {
        "labels": len(labels),
        "class_counts": {training.classes[c]: int(n) for c, n in zip(seen, counts, strict=True)},
        **weights_report(training),
        "scale": fitted.scale,
        "unseen_mass": mass,
        **fitted.report,
    }
    return ScoredClassifier(
        name=name,
        classes=training.classes,
        seen=seen.astype(np.int64),
        decision=fitted.decision,
        scale=fitted.scale,
        unseen_mass=mass,
        report=report,
    )
