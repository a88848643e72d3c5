"""What was measured, for people. Where there is nothing yet it is said why, never a number."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.core import resampling
from app.core.entities import Project
from app.core.errors import Conflict, WrongInput
from app.core.estimation import FIRST_ESTIMATE, FIRST_FORECAST, pooled, pooled_sentence
from app.core.tasks import task_type
from app.ports.store import Transaction
from app.rounds import purposes
from app.rounds.measuring.holding_out import unpacked

MOST_AGAIN = 500
NOT_MEASURED = "No closed round has been measured yet."
UNSAID: Mapping[str, Mapping[str, Any]] = {
    "accuracy": {"checks": 0, "active": 0, "estimate": None},
    "forecast": {
        "checks": 0,
        "half": {"said": NOT_MEASURED, "gain": None, "labels": None},
        "twice": {"said": NOT_MEASURED, "gain": None, "labels": None},
    },
}


def estimates(tx: Transaction, project: Project) -> dict[str, Any]:
    """Accuracy and forecast as of the last measured round."""
    found = tx.measurements.newest(project.id, "accuracy", "forecast", "fresh_audit", "duel")
    accuracy = found.get("accuracy") or {**UNSAID["accuracy"], "said": _first_words()}
    return {
        "accuracy": _with_round(accuracy),
        "forecast": _with_round(found.get("forecast", UNSAID["forecast"])),
        "fresh_audit": _with_round(found["fresh_audit"]) if "fresh_audit" in found else None,
        "duel": _duel(tx, project, found.get("duel"), accuracy),
        "waiting": tx.measurements.waiting(project.id),
    }


def _duel(
    tx: Transaction, project: Project, fought: Mapping[str, Any] | None, now: Mapping[str, Any]
) -> dict[str, Any]:
    """The verdict, or whether it may be asked for; and what all projects here say together."""
    standing = purposes.standing_of(tx, project, checks=now["checks"], active=now["active"])
    others = [one for one in tx.measurements.everywhere("duel") if one["verdict"] is not None]
    together = pooled([one["gap"]["value"] for one in others])
    return {
        "said": fought["said"] if fought else standing.said,
        "offered": standing.offered,
        "verdict": fought["verdict"] if fought else None,
        "gap": fought.get("gap") if fought else None,
        "round": fought["round"] if fought else None,
        "pooled": {
            "projects": len(others),
            "said": pooled_sentence(together, len(others)),
            "gap": asdict(together.gap) if together else None,
        },
    }


def _with_round(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {"round": None, **figures}


def _first_words() -> str:
    return (
        f"{NOT_MEASURED} Accuracy is stated from {FIRST_ESTIMATE} randomly chosen checks on, the "
        f"gain of more labels from {FIRST_FORECAST} on."
    )


def compare(tx: Transaction, project: Project, first: int, second: int) -> dict[str, Any]:
    """Two rounds on the held-out items, item by item. Conflict says why they cannot be."""
    known = {one["round"]: one for one in tx.measurements.history(project.id, "held_out")}
    pair = [_held_out(known, number) for number in (first, second)]
    if pair[0]["of"] != pair[1]["of"]:
        raise Conflict(
            f"Rounds {first} and {second} were measured on different held-out items. Compare "
            "rounds that have closed since the last import of held-out items."
        )
    items = pair[0]["items"]
    before, after = (unpacked(one["right"], items) for one in pair)
    told = resampling.compare(before, after, seed=0)
    gain = told.gain
    size = f"{100 * gain.value:+.1f} points ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
    said = (
        f"Round {second} is {'better' if gain.value > 0 else 'worse'} than round {first} by {size} "
        f"on {items:,} held-out items."
        if told.differs
        else f"{items:,} held-out items cannot tell rounds {first} and {second} apart: {size}."
    )
    return {"first": first, "second": second, "said": said, **asdict(told)}


def _held_out(known: Mapping[int, Mapping[str, Any]], number: int) -> Mapping[str, Any]:
    if not known.get(number, {}).get("items"):
        raise Conflict(
            f"Round {number} has no figure on held-out items: it is not closed, or not measured "
            "yet, or there are none."
        )
    return known[number]


def doubts(tx: Transaction, project: Project) -> dict[str, Any]:
    """The labels that were doubted when the last round was measured, and are still as they were."""
    found = tx.measurements.newest(project.id, "doubts").get("doubts")
    if found is None:
        return {"round": None, "said": NOT_MEASURED, "labels": 0, "count": 0, "doubts": []}
    return {**found, "doubts": _standing(tx, project, found["doubts"])}


def _standing(
    tx: Transaction, project: Project, doubts: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Those whose label is what it was."""
    kind = task_type(project.task)
    current = tx.measurements.current(project.id, [one["item"] for one in doubts])

    def stands(one: Mapping[str, Any]) -> bool:
        now = current.get(one["item"], {}).get("value")
        return now is not None and kind.class_of(now) == one["label"]

    kept = [one for one in doubts if stands(one)]
    return [{**one, **_of_item(current[one["item"]])} for one in kept]


def _of_item(now: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"id": now["id"], "fields": now["fields"]}


def doubted(tx: Transaction, project: Project, items: Sequence[str] | None) -> Sequence[int]:
    """Ids of doubted items: those named, or a batch of the clearest."""
    standing = {one["item"]: one["id"] for one in doubts(tx, project)["doubts"]}
    if not standing:
        raise Conflict("No label is doubted, so none need be decided again.")
    wanted = list(standing)[: project.settings.batch_size] if items is None else list(items)
    if not wanted or len(wanted) > MOST_AGAIN:
        raise WrongInput(f"Name 1 to {MOST_AGAIN} items, or none at all.", field="items")
    if strange := [one for one in wanted if one not in standing]:
        raise WrongInput(f"The label of {strange[0][:60]!r} is not doubted.", field="items")
    return [standing[one] for one in dict.fromkeys(wanted)]
