"""Rounds, what they chose, and how they follow each other."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from app.core.entities import (
    NewSelection,
    PendingItem,
    Project,
    Round,
    RoundCounts,
    RoundState,
    RunFacts,
    SelectedItem,
    Standing,
)
from app.ports.store.items import ItemIds


class Rounds(Protocol):
    def start(
        self,
        project: Project,
        *,
        strategy: str,
        classifier: str,
        seed_of: Any,
        actor: str,
        due_in: float = 0.0,
        purpose: str = "learning",
        batch_size: int | None = None,
        asked: Sequence[int] = (),
    ) -> Round:
        """The next round, planned and due in so many seconds. Conflict while one is open."""

    def get(self, round_id: int) -> Round: ...
    def by_number(self, project_id: int, number: int) -> Round: ...
    def open(self, project_id: int) -> Round | None: ...
    def all(self, project_id: int) -> Sequence[Round]: ...
    def duel(self, project_id: int) -> Round | None:
        """The one of the project, cancelled ones left out."""

    def claim(self, worker: str, lease_seconds: float) -> Round | None:
        """The due round that has waited longest, now leased to this worker under a new fence."""

    def due_in(self) -> float | None:
        """Seconds until the next round that is not due yet; None if there is none."""

    def extend(self, round_id: int, fence: int, lease_seconds: float) -> bool:
        """False: the lease is lost. Also tells `cancel_requested` through `get`."""

    def guard(self, round_id: int, fence: int) -> None:
        """Lock the round's row for this transaction; LeaseLost if the fence has moved on."""

    def advance(self, round_: Round, state: RoundState, checkpoint: Mapping[str, Any]) -> None: ...
    def wait(self, round_: Round, seconds: float, checkpoint: Mapping[str, Any]) -> None:
        """Stay in this state, give the lease back, come again after so many seconds."""

    def retry(self, round_: Round, seconds: float, error: Mapping[str, Any]) -> None: ...
    def fail(self, round_: Round, error: Mapping[str, Any]) -> None: ...
    def resume(self, round_id: int) -> None: ...
    def request_cancel(self, round_id: int) -> None: ...
    def request_finish(self, round_id: int) -> None: ...
    def request_repair(self, round_id: int) -> None: ...
    def repaired(self, round_id: int) -> None: ...
    def set_classifier(self, round_id: int, classifier_id: int | None) -> None: ...
    def set_result(self, round_id: int, classifier_id: int) -> None: ...
    def set_dataset(self, round_id: int, dataset_id: int) -> None: ...
    def set_pool(self, round_id: int, pool_id: int) -> None: ...
    def record_step(
        self, round_: Round, name: str, worker: str, seconds: float, detail: Mapping[str, Any]
    ) -> None: ...
    def counts(self, round_id: int) -> RoundCounts: ...
    def remember_key(self, key_id: int, key: str, request_hash: str, round_: Round) -> None: ...
    def by_key(self, key_id: int, key: str, request_hash: str) -> Round | None:
        """The round an earlier request with this Idempotency-Key made; Conflict if it asked
        for something else."""


class Runs(Protocol):
    """Rounds that follow each other by themselves."""

    def begin(self, project_id: int) -> None: ...
    def end(self, project_id: int, stopped: Mapping[str, Any] | None) -> None:
        """With the reason, if a rule stopped it."""

    def facts(self, project_id: int, round_id: int | None, labels_a_day: int | None) -> RunFacts:
        """What the records say to the rules."""

    def measured(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        """What was measured for the rules at the end of each round, oldest first."""

    def findings(self, project_id: int) -> Mapping[str, Any] | None:
        """What every rule found after the last closed round."""

    def sample(self, project_id: int, seed: int, size: int) -> ItemIds:
        """Some items of the pool; the same ones while the pool stays as it is."""


class Selections(Protocol):
    def add(
        self,
        round_: Round,
        strategy: str,
        classifier_id: int | None,
        chosen: Sequence[NewSelection],
    ) -> None: ...
    def of_round(self, round_id: int, push_state: str | None = None) -> Sequence[SelectedItem]: ...
    def out(self, round_id: int) -> Sequence[int]:
        """Items in Argilla that this round waits or waited for: its own that no later round took
        over, and those it took over itself."""

    def mark_pushed(self, round_id: int, records: Mapping[int, UUID]) -> None: ...
    def quarantine(self, round_id: int, problems: Mapping[int, str]) -> None: ...
    def withdraw(self, round_id: int, item_ids: Sequence[int]) -> None: ...
    def set_aside(self, project_id: int, item_ids: Sequence[int]) -> None:
        """What became of these items before is over: they are to be pushed again."""

    def unanswered(self, round_: Round) -> Sequence[int]:
        """Items the round waits for that are out and lack answers: too few submitted or
        discarded."""

    def of_older_labels(self, round_: Round) -> Mapping[UUID, Sequence[int]]:
        """Unanswered ones in datasets whose labels have been edited since, by dataset."""

    def overdue(self, round_: Round) -> Sequence[int]:
        """Those that have waited for as long as a round waits, by themselves."""

    def take_over(self, round_: Round) -> Mapping[int, int]:
        """From now on this round, just planned, waits for what earlier ones left in Argilla for
        it; the number of the round that waited → how many."""

    def pending(self, round_: Round) -> Sequence[PendingItem]:
        """Unanswered ones with what they suggest; none that go out without a suggestion."""

    def refreshed(self, classifier_id: int, shown: Mapping[int, NewSelection]) -> None:
        """Selection id → what Argilla suggests for it from now on."""

    def discarded(self, round_: Round) -> Sequence[int]:
        """Items of the round that have no label because somebody discarded them, and that were
        not discarded in an earlier round."""

    def plan_lost_again(self, round_: Round) -> int:
        """Lost items that nobody has answered are to be pushed again; how many."""

    def give_up_lost(self, round_: Round) -> None:
        """Lost items that nobody has answered return to the pool."""

    def standing(self, round_id: int) -> Standing: ...


class Tracking(Protocol):
    """Which closed rounds an experiment tracker was told of."""

    def claim(self, tracker: str) -> int | None:
        """A round it does not know, or one to be tried again; ours for ten minutes."""

    def told(self, round_id: int, tracker: str, problem: str | None) -> None:
        """It knows now, or why it does not."""
