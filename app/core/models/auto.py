"""The classifier that out-of-fold evidence prefers, kept until another is clearly better."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from app.core.models.calibration import Judged
from app.core.models.classifier import ScoredClassifier
from app.core.models.contest import ALIKE, Choice, Fitted, Record, Ways, contest
from app.core.models.labels import Labels
from app.core.models.semi_supervised import Version, choose_way, support_vector_ways, wish_of
from app.core.models.training import PlainTrainer, finish
from app.core.types import TrainingSet, Unlabelled

_ENOUGH = {"logistic.v1": 100, "lightgbm.v1": 500}
"""Below so many labels it is not worth the time to try these."""
_MOST_CLASSES = 50
"""Trees are grown for each class; with more classes that takes too long."""


@dataclass(frozen=True, slots=True)
class AutoTrainer:
    """Option `incumbent`: what was chosen the last time (`report["chosen"]`).

    Another is taken only if it is right on more labels, by more than one standard error of the
    difference, than the incumbent: so the classifier does not change from round to round by chance.
    """

    name: str
    version: Version
    challengers: tuple[PlainTrainer, ...]

    def __call__(
        self,
        training: TrainingSet,
        *,
        unlabelled: Unlabelled | None,
        seed: int,
        options: Mapping[str, Any],
    ) -> ScoredClassifier:
        wish = wish_of(options)
        home = support_vector_ways(self.version, training.features, unlabelled, wish, seed)

        def fit(labels: Labels) -> Fitted:
            ways = {**home, **self._worth_trying(labels, seed)}
            incumbent = options.get("incumbent")

            def choose(judged: Record) -> Choice:
                return _choose(judged, choose_way(judged, home, wish), incumbent, ways)

            fitted = contest(ways, labels, seed=seed, choose=choose, alike=options.get(ALIKE))
            known = {"incumbent": incumbent} if incumbent else {}
            return replace(fitted, report={**fitted.report, **known})

        return finish(self.name, training, fit)

    def _worth_trying(self, labels: Labels, seed: int) -> Ways:
        return {
            one.name: one.way(seed)
            for one in self.challengers
            if len(labels) >= _ENOUGH.get(one.name, 0)
            and (one.name != "lightgbm.v1" or labels.classes <= _MOST_CLASSES)
        }


def _choose(judged: Record, home: Choice, incumbent: str | None, ways: Ways) -> Choice:
    """`home` is what the default classifier would do; another incumbent defends its own place."""
    challengers = [name for name in ways if name not in ("plain", "self_trained")]
    holder = incumbent if incumbent in challengers else home[0]
    if not judged or not challengers:
        return home
    rivals = [name for name in (home[0], *challengers) if name != holder]
    best = max(rivals, key=lambda name: judged[name].accuracy)
    lead, doubt = _lead(judged[best].judged, judged[holder].judged)
    figures = f"{best} is right on {lead:+.1%} of the labels out of fold (± {doubt:.1%})"
    return (best if lead > doubt else holder), f"{figures} against {holder}"


def _lead(one: Judged, other: Judged) -> tuple[float, float]:
    """Difference in accuracy, and its standard error, on the same labels."""
    difference = one.right().astype(np.float64) - other.right()
    weights = one.weights / one.weights.sum()
    lead = float((weights * difference).sum())
    return lead, math.sqrt(float((weights**2 * (difference - lead) ** 2).sum()))
