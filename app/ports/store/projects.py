"""Projects, the labels they ask for, the keys to them and what happened in them."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from app.core.entities import (
    ApiKey,
    Event,
    LabelEdit,
    Project,
    ProjectState,
    Role,
)
from app.core.projects import ProjectSettings
from app.core.tasks import TaskSpec
from app.ports.store.reading import Page


class Projects(Protocol):
    def create(self, name: str, task: TaskSpec, settings: ProjectSettings) -> Project:
        """Conflict if the name is taken."""

    def get(self, project_id: int) -> Project: ...
    def by_name(self, name: str) -> Project: ...
    def all(self) -> Sequence[Project]: ...
    def lock(self, project_id: int, purpose: str) -> None:
        """Until the transaction ends, nobody else holds the lock of this project and purpose."""

    def change(
        self,
        project_id: int,
        *,
        settings: ProjectSettings | None = None,
        guidelines: str | None = None,
        state: ProjectState | None = None,
    ) -> Project: ...
    def delete_later(self, project_id: int, *, days: float, with_argilla: bool) -> Project:
        """Archived, and erased when so many days have passed."""

    def restore(self, project_id: int, state: ProjectState) -> Project | None:
        """None if its time has come already."""

    def due_for_erasing(self) -> Project | None: ...
    def erase(self, name: str) -> None:
        """With everything that belongs to it."""

    def claim_collection(self, every_seconds: float) -> Project | None:
        """A project without an open round whose late answers have not been looked for lately."""

    def hasten(self, dataset_id: UUID) -> bool:
        """Somebody answered: look now. False if the dataset is none of ours."""


class Schemas(Protocol):
    """Versions of a project's labels."""

    def labels(self, project: Project, version: int) -> Sequence[str]: ...
    def ask(self, project_id: int, edit: LabelEdit | None) -> None:
        """To be carried out when the open round is over; None when it has been."""

    def change(
        self,
        project: Project,
        labels: Sequence[str],
        mapping: Mapping[str, str | None],
        actor: str,
    ) -> None:
        """The next version. Answers given by older ones are read through the mapping."""

    def carry_over(self, project: Project, mapping: Mapping[str, str | None]) -> tuple[int, int]:
        """Supersede every label whose name changes. How many have a new name, and how many none:
        these items may be selected again."""


class Keys(Protocol):
    def add(self, name: str, role: Role, prefix: str, key_hash: bytes) -> ApiKey: ...
    def by_hash(self, key_hash: bytes) -> ApiKey | None: ...
    def get(self, key_id: int) -> ApiKey | None:
        """Revoked or not."""

    def all(self) -> Sequence[ApiKey]: ...
    def revoke(self, name: str) -> ApiKey: ...
    def touch(self, key_id: int) -> None: ...


class Events(Protocol):
    def add(
        self,
        kind: str,
        actor: str,
        *,
        project_id: int | None = None,
        round_id: int | None = None,
        **detail: Any,
    ) -> None:
        """What an `Actor` did is kept as an action too."""

    def actions(self, project_id: int | None, before: int, limit: int) -> Page:
        """What people did, newest first, in one project or everywhere; `before` 0 begins."""

    def since(self, project_id: int, after: int, limit: int) -> Sequence[Event]: ...
