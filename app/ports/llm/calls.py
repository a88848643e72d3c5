"""The ledger in which every call is booked, with what it cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.core.llm.entities import CallOutcome, Usage
from app.ports.llm.account import Account
from app.ports.llm.answers import NewAnswer


@dataclass(frozen=True, slots=True)
class NewCall:
    """One request and what became of it."""

    prompt: str
    fingerprint: bytes
    item_ids: Sequence[int]
    outcome: CallOutcome
    usage: Usage
    cost: int
    seconds: float
    characters: int
    answer: str | None = None
    problem: str | None = None


class Ledger(Protocol):
    """Every call with its cost. A call is reserved before it is made and settled when it is over.
    Each method is one transaction, and true when it returns."""

    def known(self, account: Account, fingerprints: Sequence[bytes]) -> Mapping[bytes, str]:
        """Answers to the same questions from before; failures are never among them."""

    def reserve(self, account: Account, most: int, seconds: float) -> int:
        """Set money aside for one call. BudgetSpent if the caps do not allow it. What was reserved
        by a process that is gone is booked as lost after `seconds`."""

    def settle(
        self,
        reservation: int,
        account: Account,
        calls: Sequence[NewCall],
        answers: Sequence[NewAnswer],
    ) -> None:
        """Book what became of it and keep what it answered; the reservation ends."""

    def record(self, account: Account, answers: Sequence[NewAnswer]) -> None:
        """Keep answers that were known from before for this purpose too."""


class LlmCalls(Protocol):
    """The ledger as the database keeps it, inside one transaction."""

    def known(self, project_id: int, fingerprints: Sequence[bytes]) -> Mapping[bytes, str]: ...
    def reserve(self, account: Account, most: int, seconds: float) -> int: ...
    def settle(self, reservation: int, account: Account, calls: Sequence[NewCall]) -> None: ...
    def costs(self, project_id: int) -> Sequence[Mapping[str, Any]]: ...
    def spent(self, project_id: int, round_id: int | None) -> tuple[int, int]:
        """Over the project and over the round, in millionths of a dollar."""

    def lengths(self, project_id: int, provider: str, model: str, prompt: str) -> Sequence[Any]:
        """Tokens and characters of answered calls, newest first."""
