"""What was measured, for people. Where there is nothing yet it is said why, never a number."""

from collections.abc import Mapping
from typing import Any

from app.core.entities import Project
from app.core.estimation import FIRST_ESTIMATE, FIRST_FORECAST
from app.core.tasks import task_type
from app.ports.store import Transaction

NOT_MEASURED = "No closed round has been measured yet."
UNSAID: Mapping[str, Mapping[str, Any]] = {
    "accuracy": {"checks": 0, "estimate": None},
    "forecast": {
        "checks": 0,
        "half": {"said": NOT_MEASURED, "gain": None, "labels": None},
        "twice": {"said": NOT_MEASURED, "gain": None, "labels": None},
    },
}


def estimates(tx: Transaction, project: Project) -> dict[str, Any]:
    """Accuracy and forecast as of the last measured round."""
    found = tx.measurements.newest(project.id)
    accuracy = found.get("accuracy") or {**UNSAID["accuracy"], "said": _first_words()}
    return {
        "accuracy": _with_round(accuracy),
        "forecast": _with_round(found.get("forecast", UNSAID["forecast"])),
        "waiting": tx.measurements.waiting(project.id),
    }


def _with_round(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {"round": None, **figures}


def _first_words() -> str:
    return (
        f"{NOT_MEASURED} Accuracy is stated from {FIRST_ESTIMATE} randomly chosen checks on, the "
        f"gain of more labels from {FIRST_FORECAST} on."
    )


def doubts(tx: Transaction, project: Project) -> dict[str, Any]:
    """The labels that were doubted when the last round was measured, and are still as they were."""
    found = tx.measurements.newest(project.id).get("doubts")
    if found is None:
        return {"round": None, "said": NOT_MEASURED, "labels": 0, "count": 0, "doubts": []}
    kind = task_type(project.task)
    current = tx.measurements.current(project.id, [one["item"] for one in found["doubts"]])

    def stands(one: Mapping[str, Any]) -> bool:
        now = current.get(one["item"], {}).get("value")
        return now is not None and kind.class_of(now) == one["label"]

    kept = [one for one in found["doubts"] if stands(one)]
    return {**found, "doubts": [{**one, "fields": current[one["item"]]["fields"]} for one in kept]}
