"""What a project has cost so far, and the price of going on beside what it would bring."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.core import ledger
from app.core.entities import Project
from app.core.llm.money import in_dollars
from app.core.pace import IDLE
from app.ports.store import Transaction
from app.rounds import agreeing


def read(tx: Transaction, project: Project) -> dict[str, Any]:
    """Plain JSON values; a figure that cannot be had is null beside its reason."""
    people = _people(tx, project)
    llm = list(tx.llm_calls.costs(project.id))
    spent = ledger.Spent(
        labels=tx.figures.sources(project.id).get("human", 0),
        hours=sum(one["minutes"] for one in people) / 60,
        price_per_hour=project.settings.stopping.price_per_hour,
        llm=in_dollars(sum(one["cost"] for one in llm)),
    )
    coming = ledger.next_half(spent)
    return {
        "labels": spent.labels,
        "minutes": 60 * spent.hours,
        "price_per_hour": spent.price_per_hour,
        "dollars": {"people": spent.people, "llm": spent.llm, "total": spent.total},
        "people": people,
        "llm": [{**one, "dollars": in_dollars(one["cost"])} for one in llm],
        "per_label": asdict(ledger.per_label(spent)),
        "per_point": asdict(ledger.per_point(spent, _curve(tx, project))),
        "next_half": asdict(coming) if coming else None,
        "gain": _gain(tx, project),
        "idle_minutes": IDLE.total_seconds() / 60,
    }


def _people(tx: Transaction, project: Project) -> list[dict[str, Any]]:
    return [
        {"name": name, "answers": one["answers"], "minutes": 60 * one["hours"]}
        for name, one in agreeing.paces(tx, project).items()
    ]


def _curve(tx: Transaction, project: Project) -> list[tuple[int, float]]:
    return [(one["labels"], one["accuracy"]) for one in tx.views.curve(project.id)]


def _gain(tx: Transaction, project: Project) -> Mapping[str, Any]:
    """The forecast for half as many labels again, or why there is none."""
    forecast = tx.measurements.newest(project.id, "forecast").get("forecast")
    if forecast is None:
        return {"said": "No gain is forecast yet: no closed round has been measured.",
                "interval": None}  # fmt: skip
    half = forecast["half"]
    return {"said": half["said"], "interval": half["gain"]}
