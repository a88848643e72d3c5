"""Who labels which item of a batch, and whether an LLM may label at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class NewRoute:
    """Who labels an item of a batch, and why."""

    item_id: int
    labelled_by: str
    why: str
    able: bool
    answer_id: int | None
    confidence: float | None
    """As used: recalibrated where the project wants it."""
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Suspension:
    """Why an LLM may label nothing, until somebody ends it."""

    id: int
    reason: str
    figures: Mapping[str, Any]
    created_at: datetime


class LlmStanding(Protocol):
    """How far LLM and people agree where both were asked, and what follows."""

    def add_routes(
        self, project_id: int, round_id: int, provider: str, model: str, routes: Sequence[NewRoute]
    ) -> None: ...
    def audited(
        self, project_id: int, provider: str, model: str
    ) -> Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """What it and people say of items that it could have labelled and people were asked about
        instead, the oldest first; since it was last reopened."""

    def suspension(self, project_id: int, provider: str, model: str) -> Suspension | None: ...
    def suspend(
        self, project_id: int, provider: str, model: str, reason: str, figures: Mapping[str, Any]
    ) -> bool:
        """False if it was already."""

    def reopen(self, project_id: int, provider: str, model: str, actor: str) -> bool:
        """False if it was not suspended."""
