"""Fitting a contestant's classifier as a round of a project does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.core.models import TrainedClassifier, resolve_classifier, train
from app.core.strategies import bootstrap
from app.core.types import Floats, Rows, SomeRows, TrainingSet
from app.rounds.committee import MEMBERS
from app.rounds.identity import derived_seed
from app.rounds.scoring import predict
from app.rounds.training import MOST_UNLABELLED
from app.simulate.asking import Answered
from app.simulate.named import Named
from app.simulate.preparing import Arena


@dataclass(frozen=True, slots=True)
class Learner:
    """One kind of classifier in one repeat. The seed of a fit stays the same over all rounds."""

    arena: Arena
    classifier: Named

    @property
    def seed(self) -> int:
        return derived_seed(self.arena.seed, "classifier")

    def fit(self, answered: Answered, before: TrainedClassifier | None) -> TrainedClassifier:
        """On every answer so far. What was chosen before may defend its place."""
        chosen = {"incumbent": before.report["chosen"]} if before and _chose(before) else {}
        return self._fit(answered, np.arange(len(answered.rows)), chosen)

    def committee(self, answered: Answered, candidates: Rows) -> Floats:
        """What each of some classifiers, fitted on different draws of the answers, thinks."""
        draws = bootstrap(answered.y, MEMBERS, derived_seed(self.arena.seed, "committee"))
        return np.stack(
            [self.predict(self._fit(answered, drawn, {}), candidates) for drawn in draws]
        )

    def predict(self, fitted: TrainedClassifier, rows: Rows) -> Floats:
        return predict(fitted, self.arena.features, rows, lambda: None)

    def _fit(
        self, answered: Answered, among: Rows, options: Mapping[str, Any]
    ) -> TrainedClassifier:
        features = self.arena.features.take(answered.rows[among])
        return train(
            resolve_classifier(self.classifier.name),
            TrainingSet(features, answered.y[among], self.arena.data.classes),
            unlabelled=self._unlabelled(answered),
            seed=self.seed,
            options={**options, **self.classifier.options},
        )

    def _unlabelled(self, answered: Answered) -> SomeRows:
        """What a project's classifier may learn from besides labels: the rest of the pool."""
        rest = self.arena.candidates(answered.asked)
        if len(rest) > MOST_UNLABELLED:
            chance = np.random.default_rng(self.seed)
            rest = np.sort(chance.choice(rest, MOST_UNLABELLED, replace=False))
        return SomeRows(self.arena.features, rest)


def _chose(fitted: TrainedClassifier) -> bool:
    return fitted.name.startswith("auto.") and "chosen" in fitted.report
