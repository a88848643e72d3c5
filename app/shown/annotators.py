"""How far annotators agree, one by one and together, from outside."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.ports.store import Store
from app.rounds import agreeing

FIGURE = {"value": 0.81, "items": 120, "reason": None}
EXAMPLE: Any = {
    "answers": 245,
    "items": 125,
    "items_with_several": 120,
    "alpha": FIGURE,
    "fleiss_kappa": FIGURE,
    "annotators": [
        {
            "name": "annotator-1",
            "answers": 123,
            "with_others": {"value": 0.87, "items": 118, "reason": None},
            "with_label": {"value": 0.93, "items": 118, "reason": None},
            "pace": {"per_hour": 210.5, "hours": 0.6, "reason": None},
            "confusion": [{"label": "refund", "said": "delivery", "count": 4}],
        }
    ],
    "pairs": [{"first": "annotator-1", "second": "annotator-2", "kappa": FIGURE, "same": 104}],
    "classes": [{"label": "refund", "same": {"value": 0.9, "items": 40, "reason": None}}],
    "rounds": [
        {
            "round": 3,
            "closed_at": "2026-01-05T11:00:00Z",
            "alpha": FIGURE,
            "fleiss_kappa": FIGURE,
            "items_with_several": 60,
        }
    ],
}


class FigureOut(BaseModel):
    """A number, or the reason why there is none."""

    value: float | None
    items: int = Field(description="So many items it rests on.")
    reason: str | None = None


class PaceOut(BaseModel):
    per_hour: float | None = Field(description="Answers an hour of work.")
    hours: float = Field(description="At work; pauses of more than ten minutes are left out.")
    reason: str | None = None


class Confused(BaseModel):
    label: str = Field(description="What the item's label is.")
    said: str
    count: int


class AnnotatorOut(BaseModel):
    name: str
    answers: int
    with_others: FigureOut = Field(
        description="Share of the others' answers to the same items that were the same."
    )
    with_label: FigureOut = Field(
        description="Share of the own answers that the item's label became."
    )
    pace: PaceOut
    confusion: list[Confused] = Field(description="Most frequent first.")


class PairOut(BaseModel):
    first: str
    second: str
    kappa: FigureOut = Field(description="Cohen's kappa on the items that both have answered.")
    same: int = Field(description="On so many of them they gave the same label.")


class ClassAgreement(BaseModel):
    label: str
    same: FigureOut = Field(description="Share of the answers to its items that said so.")


class AgreementThen(BaseModel):
    """As it was when a round closed."""

    round: int
    closed_at: datetime | None
    alpha: FigureOut
    fleiss_kappa: FigureOut
    items_with_several: int


class AnnotatorsOut(BaseModel):
    """Annotators, and how far they agree."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    answers: int
    items: int
    items_with_several: int = Field(description="Items with answers of two annotators or more.")
    alpha: FigureOut = Field(description="Krippendorff's alpha.")
    fleiss_kappa: FigureOut
    annotators: list[AnnotatorOut]
    pairs: list[PairOut]
    classes: list[ClassAgreement]
    rounds: list[AgreementThen] = Field(description="Rounds that had items with several answers.")


def read(store: Store, name: str) -> AnnotatorsOut:
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        now = agreeing.report(tx, project)
        paces = agreeing.paces(tx, project)
        then = tx.views.agreement(project.id)
    people = [
        {**one, "pace": paces.get(one["name"], agreeing.NO_PACE)} for one in now["annotators"]
    ]
    return AnnotatorsOut(
        **{**now, "annotators": people},
        rounds=[AgreementThen.model_validate(one) for one in then],
    )
