"""What a fresh audit and the duel came to, once their round is closed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from app.core.estimation import (
    Exchanged,
    clopper_pearson,
    duel_sentence,
    exchange,
    fresh_sentence,
    judge_duel,
)
from app.core.estimation.crossfit import only
from app.core.tasks import task_type
from app.core.types import Rows, Slice
from app.rounds import dueling
from app.rounds.dueling import Sides
from app.rounds.material import Material

Figures = Mapping[str, Any]


def fresh_audit(material: Material, before: Sequence[Figures]) -> Figures:
    """Exact, and of the classifier that the audit began with: it had seen none of them."""
    del before
    with material.work.store.transaction() as tx:
        checked = tx.measurements.checked(material.work.round.id)
    if not checked:
        return {"checks": 0, "said": "Nobody has labelled a random check.", "accuracy": None}
    kind = task_type(material.work.project.task)
    right = sum(
        one.prediction is not None and kind.class_of(one.prediction) == kind.class_of(one.value)
        for one in checked
    )
    told = clopper_pearson(right, len(checked))
    return {
        "checks": len(checked),
        "right": right,
        "accuracy": asdict(told),
        "said": fresh_sentence(right, len(checked), told),
    }


def duel(material: Material, before: Sequence[Figures]) -> Figures:
    """The verdict, given once: by the labels of the duel's own batch."""
    del before
    started = dueling.begun_with(material.work)
    sides = dueling.sides_of(started)
    candidates = started.stored.rows_of(started.pool.candidates)
    active, random = dueling.said_by_both(started, candidates)
    apart = int((active != random).sum())
    rows, gold = _labelled(material)
    if len(rows) < 2:
        said = "Fewer than two items of the duel got a label, so there is no verdict."
        return {"labels": len(rows), "verdict": None, "said": said}
    place = np.searchsorted(candidates, rows)
    wins, losses = (int((one[place] == gold).sum()) for one in (active, random))
    told = judge_duel(
        wins,
        losses,
        len(rows) - wins - losses,
        apart=apart,
        items=len(candidates),
        exchanged=_exchanged(started, sides),
    )
    said = duel_sentence(told, sides.labels)
    return {**asdict(told), "verdict": told.verdict.value, "a_side": sides.labels, "said": said}


def _labelled(material: Material) -> tuple[Rows, Rows]:
    """Rows of the features, and the class that people gave."""
    number = material.work.round.number
    own = material.rows_in(Slice.DUEL)
    own = own[material.round_numbers[own] == number]
    ids = np.array([material.items[row].item_id for row in own], dtype=np.int64)
    return material.stored.rows_of(ids), material.training.y[own]


def _exchanged(started: Material, sides: Sides) -> Exchanged:
    """By the view of the classifier that learned from both sides alike."""
    every = np.arange(len(started.unlabelled))

    def thought_right(rows: Rows) -> float:
        labels = only(started.training, np.concatenate([sides.seeds, rows]))
        said = dueling.says(started, started.fit(labels), started.unlabelled)
        return float(started.view[every, said].mean())

    return exchange(
        (sides.active, sides.random),
        lambda active, random: thought_right(active) - thought_right(random),
        started.seed,
    )
