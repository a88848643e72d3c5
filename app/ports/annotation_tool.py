"""What Rounds needs of the tool in which people annotate. The real one is Argilla."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from app.core.tasks import Question


@dataclass(frozen=True, slots=True)
class MetadataProperty:
    """A property of a record that the tool can show, filter and sort by."""

    name: str
    kind: str
    """`terms`, `integer` or `float`."""
    title: str
    visible: bool = True
    """False hides it from annotators. In Argilla 2.8 that has a price: each time an annotator reads
    records it writes to them, and two annotators reading at once may deadlock its database."""


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    name: str
    fields: Sequence[str]
    question: Question
    guidelines: str | None
    min_submitted: int
    properties: Sequence[MetadataProperty]


@dataclass(frozen=True, slots=True)
class DatasetRef:
    dataset_id: UUID
    annotate_url: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    value: Any
    score: float | Sequence[float]
    """The classifier's confidence, 0 to 1; one figure, or one for each part of the answer."""
    agent: str


@dataclass(frozen=True, slots=True)
class RecordOut:
    """A record to be pushed. `external_id` is derived from our item id, so a repeat is harmless."""

    external_id: str
    fields: Mapping[str, str]
    metadata: Mapping[str, str | int | float]
    suggestion: Suggestion | None = None


@dataclass(frozen=True, slots=True)
class PushReport:
    accepted: Mapping[str, UUID]
    """external_id → the tool's record id."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """external_id → why the tool will never take it."""


@dataclass(frozen=True, slots=True)
class ResponseIn:
    """One annotator's answer as it stands in the tool now (never deleted: absence says that)."""

    response_id: UUID
    external_id: str
    record_id: UUID
    user_id: UUID
    status: str
    values: Mapping[str, Any] | None
    inserted_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """Records as they stand now, and every response to them."""

    records: Mapping[UUID, str]
    """record id → external id, of records that carry one; others were not made by us."""
    responses: Sequence[ResponseIn]


@dataclass(frozen=True, slots=True)
class WithdrawReport:
    withdrawn: Sequence[str]
    kept: Sequence[str]
    """external ids that had such a response after all and stay."""


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """external ids; what is in neither is not in the tool any more, or was refused."""

    refreshed: Collection[str]
    at_work: Collection[str]
    """Somebody had drafted, discarded or submitted an answer."""


Statuses = Collection[str]
ANY_RESPONSE: Statuses = frozenset({"submitted", "draft", "discarded"})


class AnnotationTool(Protocol):
    """Every method may be repeated at any time without harm.

    Raises Unavailable when the tool does not answer (try again) and Refused when it says no.
    """

    def ensure_dataset(self, spec: DatasetSpec) -> DatasetRef:
        """The published dataset of that name; made if absent, repaired if half made."""

    def annotate_url(self, dataset_id: UUID) -> str:
        """Where annotators open it, the most valuable record first."""

    def push(self, dataset_id: UUID, records: Sequence[RecordOut]) -> PushReport: ...

    def refresh(self, dataset_id: UUID, records: Mapping[UUID, RecordOut]) -> RefreshReport:
        """Renew suggestion and metadata of records, by id, that have no response of any kind;
        checked again just before. None is made."""

    def last_activity(self, dataset_id: UUID) -> datetime | None:
        """When annotators last did something; cheap. NotFound if the dataset is gone."""

    def look(self, dataset_id: UUID) -> Look:
        """Every record there is; what is not in it is not in the tool."""

    def look_at_newest(self, dataset_id: UUID, count: int) -> Look:
        """About the last `count` records that were brought. Cheap, and no proof of absence: whoever
        needs a certain record looks whether it is among them."""

    def withdraw(
        self, dataset_id: UUID, external_ids: Sequence[str], *, kept_by: Statuses = ANY_RESPONSE
    ) -> WithdrawReport:
        """Delete records without a response of these kinds; checked again just before."""

    def delete_dataset(self, dataset_id: UUID) -> None:
        """With its records and their responses. NotFound if it is gone already."""

    def usernames(self) -> Mapping[UUID, str]:
        """Names of the annotators; ids that cannot be named are left out."""

    def ensure_webhook(self, url: str) -> str | None:
        """Subscribe `url` to responses; the signing secret, or None if we may not."""

    def ping(self) -> None:
        """Raise Unavailable, or Refused if our key is not good."""
