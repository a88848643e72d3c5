"""Projects as they are kept, and what came of an import into one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.core.json_values import Json
from app.core.projects import ProjectSettings
from app.core.tasks import TaskSpec


class ProjectState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    ARCHIVED = "archived"


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
