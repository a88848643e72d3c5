"""The things Rounds keeps: projects, items, rounds and what happened to them. Plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from app.core.projects import ProjectSettings
from app.core.tasks import TaskSpec, Value
from app.core.types import Slice, Split

Json = Mapping[str, Any]


class ProjectState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    ARCHIVED = "archived"


class RoundState(StrEnum):
    """In the order a round goes through them; see rounds/steps.py."""

    PLANNED = "planned"
    TRAINING = "training"
    SCORING = "scoring"
    SELECTING = "selecting"
    PUSHING = "pushing"
    ANNOTATING = "annotating"
    MERGING = "merging"
    EVALUATING = "evaluating"
    CLOSED = "closed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Closed or cancelled. A failed round is still open: it can be resumed or cancelled."""
        return self in (RoundState.CLOSED, RoundState.CANCELLED)


class ResponseStatus(StrEnum):
    SUBMITTED = "submitted"
    DRAFT = "draft"
    DISCARDED = "discarded"
    DELETED = "deleted"


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def allows(self, needed: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class LabelEdit:
    """Labels that were asked for while a round was open, and what becomes of the present ones."""

    labels: Sequence[str]
    mapping: Mapping[str, str | None]
    actor: str


@dataclass(frozen=True, slots=True)
class Project:
    id: int
    uid: UUID
    name: str
    task: TaskSpec
    schema_version: int
    settings: ProjectSettings
    state: ProjectState
    created_at: datetime
    auto_since: datetime | None = None
    """Since when rounds follow each other by themselves; None if they do not."""
    stopped: Json | None = None
    """Why they stopped: `round`, `rules`, `message`."""
    erase_at: datetime | None = None
    """When a deleted project will be gone; until then it can be restored."""
    erase_argilla: bool = False
    """Its datasets in Argilla too."""
    label_edit: LabelEdit | None = None
    """Waits for the end of the open round."""


@dataclass(frozen=True, slots=True)
class Item:
    id: int
    external_id: str
    fields: Mapping[str, str]
    metadata: Json
    split: Split


@dataclass(frozen=True, slots=True)
class Round:
    id: int
    project_id: int
    number: int
    state: RoundState
    strategy: str
    classifier: str
    batch_size: int
    seed: int
    settings: ProjectSettings
    """The project's settings as they stood when the round was started."""
    checkpoint: Json
    attempts: int
    fence: int
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    failed_in: RoundState | None = None
    error: Json | None = None
    cancel_requested: bool = False
    finish_requested: bool = False
    repair_requested: bool = False
    """What was lost in Argilla is to be brought there again."""
    classifier_id: int | None = None
    """The classifier that chose this batch; None in a cold start."""
    result_id: int | None = None
    """The classifier fitted at the end."""
    pool_id: int | None = None
    """The record of the pool it chose from."""
    schema_version: int = 1
    """Of the project's labels."""
    purpose: str = "learning"
    """Or `audit`, `duel`, `relabel`: see app/rounds/purposes.py."""
    asked: Sequence[int] = ()
    """Of a relabelling: the items whose label is asked for again."""
    actor: str = "system"


@dataclass(frozen=True, slots=True)
class NewSelection:
    """One chosen item, as recorded before it is pushed."""

    item_id: int
    rank: int
    slice: Slice
    score: float
    reason: str
    draw_probability: float | None
    prediction: Value | None
    confidence: float | None
    uncertainty: float | None


MEASURING = (Slice.AUDIT, Slice.DUEL, Slice.RELABEL)
"""Slices whose labels measure or correct something: nothing is suggested for them."""


@dataclass(frozen=True, slots=True)
class SelectedItem:
    """A selection together with its item and whether it is in Argilla yet."""

    selection_id: int
    item: Item
    chosen: NewSelection
    push_state: str
    record_id: UUID | None = None
    checks_llm: bool = False
    """People are asked in the place of an LLM, to see how far they agree."""

    @property
    def unprompted(self) -> bool:
        """It measures something, so that nothing may be suggested to whoever labels it."""
        return self.chosen.slice in MEASURING or self.checks_llm


@dataclass(frozen=True, slots=True)
class PendingItem:
    """A selection that is in Argilla and lacks answers."""

    selected: SelectedItem
    round_id: int
    """The round that chose it."""
    suggested_by: int | None
    """The classifier whose suggestion it carries now."""
    is_refreshed: bool
    """That is not the one that chose it."""
    at_work: bool
    """Somebody has drafted, discarded or submitted an answer."""


@dataclass(frozen=True, slots=True)
class AnnotationDataset:
    """The Argilla dataset of one project and label-schema version."""

    id: int
    project_id: int
    schema_version: int
    dataset_id: UUID
    annotate_url: str
    seen_activity: datetime | None
    """`last_activity_at` as of the last look, at the records that are out or at all."""
    seen_whole: datetime | None = None
    """The same as of the last look at every record."""
    full_look_due: bool = True
    """Some changes (records or users deleted) leave no trace in the activity: look regardless."""
    problem: str | None = None
    """Why it cannot be looked into, if so: deleted, or no longer ours to see."""
    purpose: str = "annotation"
    """Or `disputes`."""


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


@dataclass(frozen=True, slots=True)
class MeasuringTask:
    """A closed round that somebody measures."""

    round_id: int
    project_id: int
    fence: int
    attempts: int


@dataclass(frozen=True, slots=True)
class FeatureVersion:
    id: int
    project_id: int
    version: str
    recipe: str
    items: int
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ItemContent:
    """What the items are that need features, as far as features depend on it."""

    items: int
    pool: int
    last: int
    """The highest id, 0 if there is none."""
    fingerprint: str
    """Of ids, texts and splits: the same items, the same fingerprint."""


@dataclass(frozen=True, slots=True)
class ClassifierVersion:
    """A trained classifier. `fingerprint` says from what: the same inputs are trained once."""

    id: int
    project_id: int
    number: int
    name: str
    fingerprint: str
    feature_version: str
    feature_version_id: int
    labels: int
    path: str
    sha256: str
    report: Json
    created_at: datetime
    features_id: int
    libraries: Mapping[str, str]
    pool_id: int | None
    """The record of the pool it was fitted beside; None from before these were kept."""

    @property
    def agent(self) -> str:
        """The name under which its suggestions appear in Argilla."""
        return f"{self.name}/{self.number}"


@dataclass(frozen=True, slots=True)
class PoolIds:
    """The record of a pool; each ascending."""

    candidates: NDArray[np.int64]
    occupied: NDArray[np.int64]
    label_ids: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RoundCounts:
    """How a round's batch stands now."""

    selected: int
    pushed: int
    quarantined: int
    withdrawn: int
    lost: int
    answered: int
    labelled: int


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What stopping rules want to know that only the records tell."""

    hours: float | None
    """Since auto mode was started; None if it was not."""
    human_hours: float
    """Between the answers of each annotator, longer pauses cut."""
    round_labels: int
    labels_today: int
    free_in: float
    """Seconds until a day's capacity has room again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the annotation of a batch is."""

    out: int
    """Items in Argilla, or on their way."""
    answered: int
    """Of these, with as many answers as they need, and not disputed."""
    disputed: int
    hours: float
    """Since the batch was pushed."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of an import, line by line where something was wrong."""

    received: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    labelled: int = 0
    rejected: int = 0
    rejections: Sequence[Json] = field(default_factory=tuple)
    """The first of the rejected lines: `{"line", "field", "reason"}`."""
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: int
    name: str
    role: Role
    prefix: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    at: datetime
    kind: str
    actor: str
    round_number: int | None
    detail: Json
