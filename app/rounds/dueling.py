"""The two sides of the duel: a classifier of random labels and one of as many chosen ones.

Both also learn from what was there before the first choice. They are fitted from the records of the
classifier that the duel's round began with, so choosing and judging see the same two.
"""

from dataclasses import dataclass

import numpy as np

from app.core.errors import Conflict
from app.core.estimation.crossfit import only
from app.core.models import TrainedClassifier, train
from app.core.types import Rows, Slice
from app.rounds import scoring, training
from app.rounds.material import Material, material_for
from app.rounds.work import Work

MOST_A_SIDE = 100


@dataclass(frozen=True, slots=True)
class Sides:
    """Rows of the training set."""

    seeds: Rows
    active: Rows
    random: Rows

    @property
    def labels(self) -> int:
        return len(self.random)


def begun_with(work: Work) -> Material:
    """The classifier that the round began with."""
    with work.store.transaction() as tx:
        version = tx.classifiers.get(work.round.classifier_id) if work.round.classifier_id else None
    material = material_for(work, version) if version else None
    if material is None:
        raise Conflict("There is no classifier, or its pool was not recorded: no duel is possible.")
    return material


def sides_of(material: Material) -> Sides:
    """Of each the first, equally many."""
    active, random = material.rows_in(Slice.ACTIVE), material.rows_in(Slice.AUDIT)
    size = min(len(active), len(random), MOST_A_SIDE)
    rest = [at for at, one in enumerate(material.items) if one.slice in (None, Slice.COLD_START)]
    return Sides(np.array(rest, dtype=np.int64), active[:size], random[:size])


def fit_side(material: Material, seeds: Rows, rows: Rows) -> TrainedClassifier:
    """With all that a fit decides for itself."""
    return train(
        material.work.round.classifier,
        only(material.training, np.concatenate([seeds, rows])),
        unlabelled=material.for_self_training,
        seed=training.classifier_seed(material.work),
        options=material.work.round.settings.classifier_options,
    )


def says(material: Material, side: TrainedClassifier, rows: Rows) -> Rows:
    """The class it gives these rows of the features."""
    check = material.work.check
    found = scoring.predict(side, material.stored.matrix, rows, check)
    said: Rows = found.argmax(axis=1).astype(np.int64)
    return said


def said_by_both(material: Material, rows: Rows) -> tuple[Rows, Rows]:
    """The active side first."""
    sides = sides_of(material)
    both = [fit_side(material, sides.seeds, rows) for rows in (sides.active, sides.random)]
    return says(material, both[0], rows), says(material, both[1], rows)


def apart(work: Work, rows: Rows) -> Rows:
    """Those on which the two disagree."""
    active, random = said_by_both(begun_with(work), rows)
    return rows[np.flatnonzero(active != random)]
