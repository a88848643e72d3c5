"""Measuring one closed round: what is measured, in which order, and what it was made from.

Each figure is recorded as soon as it is there, so whoever takes up the work after a kill goes on
with the next. All of them are made from records alone and are the same however often they are made.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.core.entities import MeasuringTask
from app.rounds.material import Material, material_of
from app.rounds.measuring import (
    accuracy,
    doubting,
    extras,
    forecasting,
    holding_out,
    noting,
    pooling,
)
from app.rounds.training import libraries
from app.rounds.work import Parts

Figures = Mapping[str, Any]
Measure = Callable[[Material, Sequence[Figures]], Figures]
MEASURES: Mapping[str, Measure] = {
    "pool": pooling.measure,
    "held_out": holding_out.measure,
    "doubts": doubting.measure,
    "accuracy": accuracy.measure,
    "forecast": forecasting.measure,
    "notes": noting.measure,
}
"""By kind: from the round and what earlier rounds were found to be."""
EXTRAS: Mapping[str, Sequence[tuple[str, Measure]]] = {
    "audit": [("fresh_audit", extras.fresh_audit)],
    "duel": [("duel", extras.duel)],
}
"""What a round was asked for comes first, so that the notes know of it."""


def measure_round(parts: Parts, task: MeasuringTask, check: Callable[[], None]) -> None:
    """Everything that is not recorded yet of this round."""
    material = material_of(parts, task, check)
    if material is None:
        return
    with parts.store.transaction() as tx:
        known = tx.measurements.of_round(task.round_id)
    for kind, measure in (*EXTRAS.get(material.work.round.purpose, ()), *MEASURES.items()):
        if kind not in known:
            check()
            _record(parts, task, material, kind, measure(material, _before(material, kind)))


def _before(material: Material, kind: str) -> Sequence[Figures]:
    number = material.work.round.number
    with material.work.store.transaction() as tx:
        found = tx.measurements.history(material.work.project.id, kind)
    return [one for one in found if one["round"] < number]


def _record(
    parts: Parts, task: MeasuringTask, material: Material, kind: str, figures: Figures
) -> None:
    with parts.store.transaction() as tx:
        tx.measurements.guard(task)
        tx.measurements.add(
            material.work.round,
            kind,
            classifier_id=material.version.id,
            made_from=made_from(material),
            figures=figures,
        )


def made_from(material: Material) -> Figures:
    return {
        "classifier": material.version.agent,
        "sha256": material.version.sha256,
        "labels": len(material.items),
        "seed": material.seed,
        "libraries": dict(libraries()),
    }
