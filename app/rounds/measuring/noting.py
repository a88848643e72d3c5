"""The program's own notes on the round, from everything that was measured of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.core.failure_notes import Picture, notes
from app.core.tasks import task_type
from app.ports.store import Transaction
from app.rounds.material import Material


def measure(material: Material, before: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    del before
    with material.work.store.transaction() as tx:
        picture = _picture(tx, material)
    return {"notes": [asdict(one) for one in notes(picture)]}


def _picture(tx: Transaction, material: Material) -> Picture:
    project, number = material.work.project, material.work.round.number
    counts = tx.items.counts(project.id)
    found = tx.measurements.of_round(material.work.round.id)
    measured = [
        one["metrics"]
        for one in tx.views.metrics(project.id)
        if one["kind"] == "held_out" and one["round"] <= number
    ]
    now = measured[-1] if measured else {}
    agreed = tx.views.agreement(project.id)
    alphas = [one["alpha"]["value"] for one in agreed if one["round"] <= number]
    return Picture(
        pool=counts.pool,
        duplicates=counts.duplicates,
        repeated=found["pool"].get("repeated"),
        labels_of=_labels_of(material),
        accuracies=[one["accuracy"] for one in measured],
        alphas=[one for one in alphas if one is not None],
        classes=now.get("classes", ()),
        confusion=now.get("confusion", ()),
        ece=now.get("ece"),
        held_out=now.get("n", 0),
        duel=tx.measurements.newest(project.id, "duel").get("duel"),
        drift_of_new=found["pool"].get("drift", {}).get("new_from_pool"),
    )


def _labels_of(material: Material) -> Mapping[str, int]:
    kind = task_type(material.work.project.task)
    found = Counter(kind.class_of(one.value) for one in material.items)
    return {name: found[name] for name in material.classifier.classes}
