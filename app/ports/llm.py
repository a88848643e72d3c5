"""LLM services, and the ledger in which every call is booked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from app.core.errors import Unavailable
from app.core.llm.entities import CallOutcome, Completion, Purpose, Request, Usage
from app.core.llm.money import Price


class AnswerLost(Unavailable):
    """The service took the request, but its answer did not arrive whole; it may be charged."""


class Provider(Protocol):
    """One model of one service, as the server's settings name it."""

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def price(self) -> Price: ...
    @property
    def together(self) -> int:
        """How many requests go into one call at most; they share their instructions and schema."""

    @property
    def concurrency(self) -> int:
        """How many calls may run at once."""

    @property
    def seconds(self) -> float:
        """How long one call can take at most, repeats included."""

    def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
        """One completion a request, in the same order. What helps to repeat without being charged
        twice has been repeated.

        Raises Unavailable (nothing came of it), its kind Refused (nor would it again), or
        AnswerLost.
        """


class Providers(Protocol):
    """Those that the server's settings name."""

    def names(self) -> Sequence[str]: ...
    def get(self, name: str) -> Provider:
        """WrongInput if there is none of that name."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays for a call, and where it is counted."""

    project_id: int
    round_id: int | None
    purpose: Purpose
    provider: str
    model: str
    max_cost: int
    """Millionths of a dollar, over the project."""
    max_cost_a_round: int | None
    schema_version: int = 1
    """Of the labels that it is asked to choose from."""


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


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """What an LLM said of one item, in the call of that fingerprint."""

    item_id: int
    fingerprint: bytes
    value: Mapping[str, Any]
    confidence: float
    rationale: str | None = None
    as_spelled: str | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """An LLM's newest answer about an item."""

    item_id: int
    value: Mapping[str, Any]
    confidence: float
    rationale: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """An LLM's answer about an item to one question."""

    item_id: int
    answer_id: int
    value: Mapping[str, Any]
    confidence: float
    rationale: str | None = None


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


@dataclass(frozen=True, slots=True)
class Both:
    """An item that a person has labelled and an LLM has answered about."""

    item_id: int
    person: Mapping[str, Any]
    llm: Mapping[str, Any]
    confidence: float
    as_spelled: str | None


@dataclass(frozen=True, slots=True)
class NewJudgement:
    """Figures that an LLM had a part in. They never stand among those that people made."""

    kind: str
    """Begins with `judged_`, so that nobody takes them for others, wherever they are shown."""
    provider: str
    model: str
    prompt: str
    items: int
    figures: Mapping[str, Any]


class LlmRecords(Protocol):
    """What the database keeps of LLMs, inside one transaction."""

    def known(self, project_id: int, fingerprints: Sequence[bytes]) -> Mapping[bytes, str]: ...
    def reserve(self, account: Account, most: int, seconds: float) -> int: ...
    def settle(
        self,
        reservation: int,
        account: Account,
        calls: Sequence[NewCall],
        answers: Sequence[NewAnswer],
    ) -> None: ...
    def record(self, account: Account, answers: Sequence[NewAnswer]) -> None: ...
    def opinions(
        self, project_id: int, purpose: Purpose, provider: str, model: str
    ) -> Sequence[Opinion]: ...
    def both(
        self, project_id: int, purpose: Purpose, provider: str, model: str
    ) -> Sequence[Both]: ...
    def costs(self, project_id: int) -> Sequence[Mapping[str, Any]]: ...
    def spent(self, project_id: int, round_id: int | None) -> tuple[int, int]:
        """Over the project and over the round, in millionths of a dollar."""

    def lengths(self, project_id: int, provider: str, model: str, prompt: str) -> Sequence[Any]:
        """Tokens and characters of answered calls, newest first."""

    def add_judgement(self, project_id: int, one: NewJudgement) -> None: ...
    def judgements(self, project_id: int) -> Sequence[Mapping[str, Any]]: ...
    def round_items(self, round_id: int) -> Sequence[int]: ...
    def unlabelled(self, project_id: int, item_ids: Sequence[int]) -> Mapping[int, int | None]:
        """Of these the pool items without a label and in no audit slice, each with the retracted
        label it would follow."""

    def predictions(self, round_id: int) -> Mapping[int, Mapping[str, Any]]:
        """What the classifier thought of a round's items when it chose them."""

    def labelled_by_people(self, project_id: int) -> Sequence[int]: ...

    # --- within rounds ---

    def said(
        self, project_id: int, purpose: Purpose, fingerprints: Sequence[bytes]
    ) -> Sequence[Said]:
        """Its answers about items to these very questions."""

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
