"""What is told and asked of figures with intervals, of costs, and of doubted labels."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.ports.store import Store
from app.rounds import ledger
from app.rounds.measuring import reading

ESTIMATES: Any = {
    "accuracy": {
        "round": 12,
        "checks": 40,
        "said": "About 79% on the unlabelled items (95% interval 64–93%), from 40 randomly chosen "
        "checks. On new items of this kind: 77% (63–90%).",
        "estimate": {
            "checks": 40,
            "remaining": {"value": 0.79, "low": 0.64, "high": 0.93},
            "new_items": {"value": 0.77, "low": 0.63, "high": 0.9},
        },
    },
    "forecast": {
        "round": 12,
        "checks": 40,
        "half": {
            "said": "110 more labels (330 in all) would add about 1 points (-0.8 to +3). How many "
            "labels reach a given accuracy cannot be said.",
            "gain": {"value": 0.011, "low": -0.008, "high": 0.03},
            "labels": 330,
        },
        "twice": {"said": "Too few label sets.", "gain": None, "labels": None},
    },
    "fresh_audit": None,
    "duel": {
        "said": "In this project the first 80 actively chosen labels gave a better classifier than "
        "80 random ones: +3.1 points (+2.4 to +3.7).",
        "offered": False,
        "verdict": "active",
        "gap": {"value": 0.031, "low": 0.024, "high": 0.037},
        "round": 11,
        "pooled": {
            "projects": 1,
            "said": "Duels fought in projects of this installation: 1. Together they speak of the "
            "methods from 3 on.",
            "gap": None,
        },
    },
    "waiting": 0,
}
PRICE: Any = {"minutes": 0.4, "dollars": 0.13, "reason": None}
LEDGER: Any = {
    "labels": 220,
    "minutes": 88.0,
    "price_per_hour": 20.0,
    "dollars": {"people": 29.33, "llm": 0.41, "total": 29.74},
    "people": [{"name": "annotator-1", "answers": 220, "minutes": 88.0}],
    "llm": [],
    "per_label": PRICE,
    "per_point": {"minutes": 2.1, "dollars": 0.71, "reason": None},
    "next_half": {"labels": 110, "minutes": 44.0, "dollars": 14.87},
    "gain": {
        "said": "110 more labels …",
        "interval": {"value": 0.011, "low": -0.008, "high": 0.03},
    },
    "idle_minutes": 10.0,
}
DOUBTS: Any = {
    "round": 12,
    "labels": 220,
    "count": 1,
    "said": "1 of 220 labels is contradicted by a classifier that has not seen them.",
    "doubts": [
        {
            "item": "t-17",
            "fields": {"text": "Where is my parcel?"},
            "label": "refund",
            "label_probability": 0.04,
            "believed": "delivery",
            "believed_probability": 0.91,
            "source": "human",
        }
    ],
}


COMPARED: Any = {
    "first": 3,
    "second": 9,
    "said": "Round 9 is better than round 3 by +6.1 points (+4.0 to +8.3) on 580 held-out items.",
    "items": 580,
    "only_first_right": 14,
    "only_second_right": 49,
    "p_value": 0.00001,
    "gain": {"value": 0.061, "low": 0.04, "high": 0.083},
}


class IntervalOut(BaseModel):
    """A figure, and where it may lie with 95% confidence."""

    value: float
    low: float
    high: float


class EstimateOut(BaseModel):
    checks: int
    remaining: IntervalOut = Field(description="On the items that were unlabelled then.")
    new_items: IntervalOut = Field(description="On new items of this kind.")


class AccuracyOut(BaseModel):
    round: int | None = Field(description="The round whose classifier it is.")
    checks: int = Field(description="Randomly chosen items with a label.")
    said: str
    estimate: EstimateOut | None


class GainOut(BaseModel):
    said: str
    gain: IntervalOut | None
    labels: int | None = Field(description="How many there would be.")


class ForecastOut(BaseModel):
    round: int | None
    checks: int
    half: GainOut = Field(description="Of half as many labels again.")
    twice: GainOut = Field(description="Of twice as many.")


class FreshAuditOut(BaseModel):
    """Of the classifier that the audit began with, exact."""

    round: int
    said: str
    checks: int
    right: int | None = None
    accuracy: IntervalOut | None


class PooledOut(BaseModel):
    projects: int
    said: str
    gap: IntervalOut | None = Field(description="The mean over projects, in accuracy.")


class DuelOut(BaseModel):
    """Whether choosing beats random picks."""

    said: str
    offered: bool = Field(description="Whether it can be asked now.")
    verdict: str | None = Field(
        description="`active`, `random`, `not_separated`, or `by_chance`: these labels differ, but "
        "no more than two random sets of them may. Given once."
    )
    gap: IntervalOut | None = Field(description="In accuracy; positive where choosing was ahead.")
    round: int | None
    pooled: PooledOut = Field(description="All projects of this installation.")


class ComparedOut(BaseModel):
    """Two rounds on the same held-out items, item by item."""

    model_config = ConfigDict(json_schema_extra={"examples": [COMPARED]})

    first: int
    second: int
    said: str
    items: int
    only_first_right: int
    only_second_right: int
    p_value: float = Field(description="McNemar's test, exact and two-sided.")
    gain: IntervalOut = Field(description="In accuracy; positive where the second is better.")


class EstimatesOut(BaseModel):
    """What may be said without held-out items, as of the last measured round."""

    model_config = ConfigDict(json_schema_extra={"examples": [ESTIMATES]})

    accuracy: AccuracyOut
    forecast: ForecastOut
    fresh_audit: FreshAuditOut | None = Field(description="The last one, if there was one.")
    duel: DuelOut
    waiting: int = Field(description="Closed rounds that are still to be measured.")


class DollarsOut(BaseModel):
    people: float
    llm: float
    total: float


class PersonOut(BaseModel):
    name: str
    answers: int
    minutes: float = Field(description="At work, idle time left out.")


class PriceOut(BaseModel):
    minutes: float | None
    dollars: float | None
    reason: str | None = Field(description="Why it has no price.")


class NextOut(BaseModel):
    labels: int
    minutes: float
    dollars: float


class ForecastGain(BaseModel):
    said: str
    interval: IntervalOut | None


class LedgerOut(BaseModel):
    """What labels have cost, and what half as many again would cost and bring."""

    model_config = ConfigDict(json_schema_extra={"examples": [LEDGER]})

    labels: int = Field(description="Current labels that people gave.")
    minutes: float
    price_per_hour: float = Field(description="`stopping.price_per_hour` of the settings.")
    dollars: DollarsOut
    people: list[PersonOut]
    llm: list[dict[str, Any]]
    per_label: PriceOut
    per_point: PriceOut = Field(description="Of a point of accuracy on held-out items.")
    next_half: NextOut | None
    gain: ForecastGain = Field(description="What half as many labels again would add.")
    idle_minutes: float = Field(description="A longer pause between two answers is no work.")


class DoubtOut(BaseModel):
    item: str
    fields: dict[str, str]
    label: str
    label_probability: float = Field(description="By a classifier that has not seen this label.")
    believed: str
    believed_probability: float
    source: str


class DoubtsOut(BaseModel):
    """Labels that a classifier contradicts which has not seen them, the clearest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [DOUBTS]})

    round: int | None
    labels: int
    count: int = Field(description="So many were doubted; at most 500 are listed.")
    said: str
    doubts: list[DoubtOut] = Field(description="Those whose label is still what it was then.")


class MeasuredOut(BaseModel):
    """Everything that was measured of one round, by kind."""

    round: int
    closed_at: datetime | None
    figures: dict[str, dict[str, Any]]


def compared(store: Store, name: str, first: int, second: int) -> ComparedOut:
    with store.transaction() as tx:
        found = reading.compare(tx, tx.projects.by_name(name), first, second)
    return ComparedOut.model_validate(found)


def estimates(store: Store, name: str) -> EstimatesOut:
    with store.transaction() as tx:
        return EstimatesOut.model_validate(reading.estimates(tx, tx.projects.by_name(name)))


def ledger_of(store: Store, name: str) -> LedgerOut:
    with store.transaction() as tx:
        return LedgerOut.model_validate(ledger.read(tx, tx.projects.by_name(name)))


def doubts(store: Store, name: str) -> DoubtsOut:
    with store.transaction() as tx:
        return DoubtsOut.model_validate(reading.doubts(tx, tx.projects.by_name(name)))
