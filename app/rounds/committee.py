"""Several classifiers of the same labels, for strategies that go by where they differ."""

import numpy as np

from app.core.models import train
from app.core.strategies import bootstrap
from app.core.types import Floats, Rows, TrainingSet
from app.ports.feature_store import StoredFeatures
from app.rounds import scoring, training
from app.rounds.identity import derived_seed
from app.rounds.pools import Pool
from app.rounds.work import Work

MEMBERS = 5


def committee_of(work: Work, stored: StoredFeatures, pool: Pool) -> Floats:
    """(member, candidate, class), in memory: members are fitted on other draws of the labels, of
    which every class keeps as many as it has."""
    whole = training.training_set(work, stored, pool.labels)
    rest = training.unlabelled(work, stored, pool.candidates).copied()
    seed = training.classifier_seed(work)
    rows = stored.rows_of(pool.candidates)

    def between_blocks() -> None:
        work.check()
        stored.release()

    def views(drawn: Rows) -> Floats:
        fitted = train(
            work.round.classifier,
            _some_of(whole, drawn),
            unlabelled=rest,
            seed=seed,
            options=work.round.settings.classifier_options,
        )
        return scoring.predict(fitted, stored.matrix, rows, between_blocks)

    draws = bootstrap(whole.y, MEMBERS, derived_seed(seed, "committee"))
    return np.stack([views(drawn) for drawn in draws])


def _some_of(whole: TrainingSet, rows: Rows) -> TrainingSet:
    weights = None if whole.weights is None else whole.weights[rows]
    return TrainingSet(whole.features.take(rows), whole.y[rows], whole.classes, weights)
