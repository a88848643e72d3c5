"""Rounds, what they picked, and where that went to be annotated."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.core.entities.items import Item
from app.core.json_values import Json
from app.core.projects import ProjectSettings
from app.core.tasks import Value
from app.core.types import Slice


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
class MeasuringTask:
    """A closed round that somebody measures."""

    round_id: int
    project_id: int
    fence: int
    attempts: int


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
