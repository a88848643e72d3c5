"""Long runs of asking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from app.core.llm.entities import Purpose


@dataclass(frozen=True, slots=True)
class Job:
    """A long run of asking, and how far it is."""

    id: int
    project_id: int
    purpose: Purpose
    provider: str
    round_id: int | None
    item_ids: Sequence[int]
    done: int
    told: Mapping[str, Any]
    """What came of it so far: `answered`, `asked`, `cost`, and `reasons` for the unanswered."""
    state: str
    """`running`, `done`, `failed` or `cancelled`."""
    problem: str | None
    attempts: int
    actor: str
    created_at: datetime
    ended_at: datetime | None


class LlmJobs(Protocol):
    """Long runs, a few items at a time. A project has one at a time."""

    def begin(
        self,
        project_id: int,
        *,
        purpose: Purpose,
        provider: str,
        round_id: int | None,
        item_ids: Sequence[int],
        actor: str,
    ) -> Job:
        """Conflict while another one runs."""

    def get(self, project_id: int, job_id: int) -> Job: ...
    def all(self, project_id: int) -> Sequence[Job]:
        """The newest first."""

    def claim(self, lease_seconds: float) -> Job | None:
        """The one most due; nobody else is given it for so long."""

    def advance(self, job: Job, items: int, told: Mapping[str, Any]) -> bool:
        """So many more are done. False if it has moved on, or was cancelled."""

    def retry(self, job: Job, seconds: float, problem: str) -> None: ...
    def fail(self, job: Job, problem: str) -> None: ...
    def cancel(self, project_id: int, job_id: int) -> bool:
        """False if it is over already."""
