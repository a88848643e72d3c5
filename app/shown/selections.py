"""How what a round chose looks from outside."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field


class Refreshed(BaseModel):
    """What Argilla suggests in place of the prediction it was chosen by."""

    classifier_version: str
    prediction: dict[str, Any]
    confidence: float
    uncertainty: float
    at: datetime


class ItemLlm(BaseModel):
    """What an LLM says of an item, and who labels it."""

    labelled_by: str = Field(description="`llm` or `people`.")
    why: str
    source: str
    says: dict[str, Any] | None
    confidence: float | None
    rationale: str | None


class SelectionOut(BaseModel):
    """One chosen item: why it was chosen, by what, and what became of it."""

    item: str
    fields: dict[str, str]
    round: int
    rank: int = Field(description="1 is the most valuable.")
    slice: str = Field(
        description="`active`, `audit` (drawn at random), `cold_start`, `duel` or `relabel`."
    )
    strategy: str
    score: float
    uncertainty: float | None
    reason: str
    draw_probability: float | None
    prediction: dict[str, Any] | None
    confidence: float | None
    classifier_version: str | None
    push_state: str = Field(
        description="`planned`, `pushed`, `withdrawn`, `quarantined` or `lost`."
    )
    llm: ItemLlm | None = Field(
        description="What an LLM said of it in this round, and who labels it."
    )
    record_id: UUID | None = Field(description="The record in Argilla.")
    pushed_at: datetime | None
    problem: str | None = Field(description="Why Argilla refused it.")
    handed_on_to: int | None = Field(
        description="The later round that waits or waited for it; null if its own did."
    )
    refreshed: Refreshed | None = Field(
        description="What a later classifier suggested while it was waiting."
    )
    label: dict[str, Any] | None
    label_source: str | None
    label_id: int | None
    annotators: list[str]

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> "SelectionOut":
        own = {name: view[name] for name in cls.model_fields}
        return cls(**{**own, "annotators": view["annotators"] or []})
