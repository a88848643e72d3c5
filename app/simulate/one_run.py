"""One contestant's way through one repeat: train, measure, select, ask, again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.errors import SelectionUnhealthy
from app.core.evaluation import evaluate
from app.core.models import TrainedClassifier, resolve_classifier
from app.core.strategies import cold_start, needs_committee, resolve_strategy, select_round
from app.core.types import Rows, Selection, SelectionRequest
from app.rounds.identity import derived_seed
from app.simulate.asking import Answered, ask
from app.simulate.experiment import Experiment
from app.simulate.learning import Learner
from app.simulate.named import named
from app.simulate.oracles import Known, Oracle, cost_of, misspelled_by
from app.simulate.preparing import Arena
from app.simulate.results import Run, RunKey

DIGITS = 6
"""Figures are kept to that many decimals."""


class Over(Exception):
    """The run cannot go on; says why."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A strategy with a classifier and an oracle, on the stage of one repeat."""

    experiment: Experiment
    arena: Arena
    key: RunKey
    oracle: Oracle

    def play(self) -> Run:
        """Every round of the experiment, or as many as the pool and the strategy allow."""
        answered, stopped = self._seeds(), None
        fitted = self._fit(answered, None)
        curve = [self._point(answered, fitted)] if fitted else []
        for number in range(1, self.experiment.iterations + 1):
            try:
                batch = self._batch(answered, fitted, number)
            except Over as reason:
                stopped = f"round {number}: {reason}"
                break
            answered = answered.and_also(ask(self.oracle, self.arena, batch))
            fitted = self._fit(answered, fitted)
            curve += [self._point(answered, fitted)] if fitted else []
        return self._result(answered, curve, stopped)

    def _seeds(self) -> Answered:
        """The seeds are labelled by the oracle, or by the truth where the experiment says so."""
        known = self.experiment.seed_labels == "truth"
        return ask(Known(self.arena.data.y) if known else self.oracle, self.arena, self.arena.seeds)

    @property
    def _learner(self) -> Learner:
        return Learner(self.arena, named(self.key.classifier))

    def _fit(
        self, answered: Answered, before: TrainedClassifier | None
    ) -> TrainedClassifier | None:
        return self._learner.fit(answered, before) if len(answered.rows) else None

    def _point(self, answered: Answered, fitted: TrainedClassifier) -> Mapping[str, Any]:
        """A point of the curve: the classifier on the test items."""
        test, data = self.arena.division.test, self.arena.data
        found = evaluate(data.y[test], self._learner.predict(fitted, test), data.classes)
        return {
            "labels": len(answered.rows),
            "accuracy": round(found.accuracy, DIGITS),
            "macro_f1": round(found.macro_f1, DIGITS),
            "log_loss": round(found.log_loss, DIGITS),
            "ece": round(found.ece, DIGITS),
            "classes_seen": len(np.unique(answered.y)),
            "fitted": fitted.report.get("chosen", fitted.name),
        }

    def _batch(self, answered: Answered, fitted: TrainedClassifier | None, number: int) -> Rows:
        seed = derived_seed(self.arena.seed, "round", number)
        try:
            picks = self._selection(answered, fitted, seed).picks
        except SelectionUnhealthy as problem:
            raise Over(problem.message) from None
        if not picks:
            raise Over("the pool is empty")
        return np.array([pick.row for pick in picks], np.int64)

    def _selection(
        self, answered: Answered, fitted: TrainedClassifier | None, seed: int
    ) -> Selection:
        """As in a project: a cold start until two classes have a label."""
        request = self._request(answered, seed)
        if fitted is None or len(np.unique(answered.y)) < 2:
            return cold_start(request)
        strategy = resolve_strategy(named(self.key.strategy).name)
        candidates, committee = request.candidates, None
        if needs_committee(strategy, request.options):
            committee = self._learner.committee(answered, candidates)
        seen = replace(
            request,
            probabilities=self._learner.predict(fitted, candidates),
            committee=committee,
        )
        return select_round(strategy, seen, audit_fraction=self.experiment.audit_fraction)

    def _request(self, answered: Answered, seed: int) -> SelectionRequest:
        return SelectionRequest(
            features=self.arena.features,
            candidates=self.arena.candidates(answered.asked),
            occupied=np.sort(answered.asked),
            batch_size=self.experiment.query_size,
            seed=seed,
            classes=self.arena.data.classes,
            labelled_y=dict(zip(answered.rows.tolist(), answered.y.tolist(), strict=True)),
            options=named(self.key.strategy).options,
        )

    def _result(
        self, answered: Answered, curve: Sequence[Mapping[str, Any]], stopped: str | None
    ) -> Run:
        data, division = self.arena.data, self.arena.division
        asked = self._asked_of_the_oracle(answered)
        rows = answered.rows[asked]
        right = answered.y[asked] == data.y[rows]
        spelled = ~np.isin(rows, list(misspelled_by(self.oracle)))
        return Run(
            key=self.key,
            strategy_version=resolve_strategy(named(self.key.strategy).name),
            classifier_version=resolve_classifier(named(self.key.classifier).name),
            pool=len(division.pool),
            test=len(division.test),
            label_agreement=_share(right),
            strict_agreement=_share(right & spelled),
            unanswered=len(answered.asked) - len(answered.rows),
            stopped=stopped,
            curve=tuple(curve),
            answers=tuple(
                (data.ids[row], data.classes[label])
                for row, label in zip(answered.rows.tolist(), answered.y.tolist(), strict=True)
            ),
            cost=cost_of(self.oracle),
        )

    def _asked_of_the_oracle(self, answered: Answered) -> Rows:
        """Positions of answers that it gave: without seeds that the truth labelled."""
        first = len(self.arena.seeds) if self.experiment.seed_labels == "truth" else 0
        return np.arange(first, len(answered.rows))


def _share(flags: NDArray[np.bool_]) -> float | None:
    return round(float(flags.mean()), DIGITS) if len(flags) else None
