"""What annotators submitted, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.core.entities.items import Item
from app.core.json_values import Json
from app.core.tasks import Value


class ResponseStatus(StrEnum):
    SUBMITTED = "submitted"
    DRAFT = "draft"
    DISCARDED = "discarded"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of one annotator's response, as Argilla gave it."""

    response_id: UUID
    record_id: UUID
    item_id: int
    user_id: UUID
    username: str | None
    status: ResponseStatus
    values: Json | None
    inserted_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class KnownResponse:
    """The newest stored state of a response."""

    record_id: UUID | None
    user_id: UUID
    updated_at: datetime
    status: str


@dataclass(frozen=True, slots=True)
class ItemAnswers:
    """The newest submitted answers of one item, one an annotator, and its current label."""

    item_id: int
    round_id: int
    """The round that asked."""
    waits_in: int
    """The round that waits for the answers: the same, or one that took the item over."""
    round_open: bool
    """Whether that is open."""
    needed: int
    """So many annotators are asked before the answers are looked at."""
    people: int
    """So many have submitted or discarded it."""
    annotation_ids: Sequence[int]
    annotators: Sequence[str]
    values: Sequence[Json]
    current_label_id: int | None
    current_value: Json | None
    current_annotation_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Dispute:
    """An item whose answers came to nothing and that somebody else is asked about."""

    item: Item
    rank: int
    """Its rank in the round."""
    record_id: UUID | None
    """Its record among the disputed ones in Argilla, once it is there."""
    is_open: bool
    answers: int
    """Submitted there."""


@dataclass(frozen=True, slots=True)
class NewLabel:
    """A label to be recorded. `value` None retracts what it supersedes."""

    item_id: int
    value: Value | None
    source: str
    round_id: int | None = None
    supersedes: int | None = None
    annotation_ids: Sequence[int] = ()
    annotators: Sequence[str] = ()
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class CurrentLabel:
    label_id: int
    item_id: int
    value: Value
    source: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class LabelledItem:
    """An item that a classifier learned from, and how it came to its label."""

    item_id: int
    value: Value
    source: str
    slice: str | None
    """Of the selection that brought the first label; None where none did (imports)."""
    round_number: int | None


@dataclass(frozen=True, slots=True)
class Checked:
    """A selected item with its label, and what the classifier that chose had predicted."""

    item_id: int
    prediction: Value | None
    value: Value
