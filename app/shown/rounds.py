"""How rounds look from outside."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.core.llm.money import in_dollars
from app.ports.store import PoolCounts, Store, Transaction
from app.rounds import sentences

ALL = 1_000_000


class InArgilla(BaseModel):
    """Where the batch is annotated."""

    dataset_id: UUID | None = None
    annotate_url: str | None = Field(None, description="Opens with the most valuable item first.")
    disputes_url: str | None = Field(None, description="Where disputed items are decided.")


class BatchCounts(BaseModel):
    """How the batch of a round stands now."""

    selected: int
    pushed: int
    quarantined: int = Field(description="Items that Argilla will never take.")
    withdrawn: int
    by_llm: int = Field(description="Labelled by an LLM in the place of people.")
    lost: int = Field(description="Items whose record somebody deleted in Argilla.")
    audit: int = Field(description="Of the selected, drawn at random.")
    answered: int = Field(description="With as many answers as they need.")
    disputed: int = Field(
        description="Answered, but not alike: an extra annotator or an adjudicator is asked."
    )
    labelled: int
    handed_on: int = Field(
        0, description="Left in Argilla for a later round to wait for, because of `prefetch`."
    )


class TakenOver(BaseModel):
    """Items that earlier rounds left in Argilla for this one."""

    items: int
    waiting: int = Field(description="Of these, still without the answers they need.")


class RoundLlm(BaseModel):
    """What an LLM did in a round. There is none where people label everything."""

    labelled_by: str
    source: str | None = Field(description="As its labels are signed; null until it is asked.")
    answered: int = Field(description="Items that it has answered about so far.")
    calls: int
    cost: float = Field(description="Dollars.")
    labelled: int = Field(description="Items that it labelled in the place of people.")
    why: dict[str, int] = Field(
        description="How the batch was divided: `answered`, `sure` and `weak` are the LLM's; "
        "`unsure`, `unanswered`, `budget`, `audit_slice`, `standing_audit`, `comparison`, "
        "`untrusted`, `suspended` and `not_allowed` went to people."
    )
    message: str

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> "RoundLlm":
        found, divided = view["llm"], view["checkpoint"].get("llm") or {}
        return cls(
            labelled_by=found["labelled_by"],
            source=divided.get("source"),
            answered=found["answered"],
            calls=found["calls"],
            cost=in_dollars(found["cost"]),
            labelled=found["llm"],
            why=found["routes"] or {},
            message=sentences.of_llm(view),
        )


class Step(BaseModel):
    name: str
    worker: str
    started_at: datetime
    finished_at: datetime
    seconds: float
    detail: dict[str, Any]


class FailureNote(BaseModel):
    """Something that goes wrong, with the evidence and what to do."""

    code: str
    message: str
    next_step: str
    evidence: dict[str, Any]


class RuleOut(BaseModel):
    """What one stopping rule found when a round closed."""

    rule: str
    verdict: str = Field(
        description="`go_on`, `stop`, `wait`, or `unknown` where it cannot be judged."
    )
    message: str
    evidence: dict[str, Any]


class RoundOut(BaseModel):
    """One round."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": 3,
                    "state": "annotating",
                    "strategy": "margin_diverse.v1",
                    "classifier": "linear.v1",
                    "batch_size": 20,
                    "labelled": 48,
                    "pool": 3932,
                    "metrics": {},
                    "argilla": {
                        "dataset_id": "6f0b8f0c-6f53-4b9c-8a53-0a5a6e0f3b11",
                        "annotate_url": "http://localhost:6900/dataset/6f0b8f0c/annotation-mode",
                        "disputes_url": "http://localhost:6900/dataset/2c81d2aa/annotation-mode",
                    },
                    "counts": {
                        "selected": 20,
                        "pushed": 20,
                        "quarantined": 0,
                        "withdrawn": 0,
                        "by_llm": 0,
                        "lost": 0,
                        "audit": 4,
                        "answered": 12,
                        "disputed": 1,
                        "labelled": 0,
                        "handed_on": 0,
                    },
                    "taken_over": {"items": 3, "waiting": 1},
                    "error": None,
                    "closed_by": None,
                    "waits_for": "It waits for 8 items; nothing was answered for 26 hours. It "
                    "closes with the answers there are in 5 days.",
                    "notes": [],
                    "findings": [],
                    "failure_notes": [],
                    "chosen_by": "linear.v1/2",
                    "classifier_version": None,
                    "created_at": "2026-01-05T10:00:00Z",
                    "updated_at": "2026-01-05T10:00:07Z",
                    "closed_at": None,
                }
            ]
        }
    )

    number: int
    state: str = Field(
        description="`planned`, `training`, `scoring`, `selecting`, `pushing`, `annotating`, "
        "`merging`, `evaluating`, `closed`; or `failed` (can be resumed) or `cancelled`."
    )
    schema_version: int = Field(1, description="Of the project's labels, as they were then.")
    purpose: str = Field(
        "learning",
        description="`learning`, or a round of its own: `audit`, `duel` or `relabel` (doubted "
        "labels decided again).",
    )
    strategy: str
    classifier: str
    batch_size: int
    labelled: int | None = Field(
        description="Labelled items of the pool: when the round closed, or now while it is open."
    )
    pool: int | None = Field(
        description="Items still to be selected: when the round closed, or now while it is open."
    )
    metrics: dict[str, Any] = Field(
        description="After closing, on the held-out split: `accuracy`, `macro_f1`, `micro_f1`, "
        "`log_loss`, `ece`, `n`, and `per_class`; one round alone also has `confusion` "
        "and `calibration`."
    )
    argilla: InArgilla
    counts: BatchCounts
    taken_over: TakenOver = Field(
        description="Beside the batch: what earlier rounds left to this one (`prefetch`)."
    )
    error: dict[str, Any] | None = Field(description="Why it failed, or what is being retried.")
    failed_in: str | None = None
    attempts: int = 0
    cancel_requested: bool = False
    finish_requested: bool = False
    closed_by: str | None = Field(
        None,
        description="The rule that ended the waiting: `all_answered`, `prefetch`, `share`, "
        "`hours` or `finish` (by hand).",
    )
    waits_for: str | None = Field(
        None, description="While it waits for answers: for how many, and until when."
    )
    llm: RoundLlm | None = Field(None, description="What an LLM labelled of the batch.")
    notes: list[str] = Field(description="What a person should know of its result.")
    findings: list[dict[str, Any]] = Field(description="What a person should know of its batch.")
    failure_notes: list[FailureNote] = Field(
        [], description="What the program noticed by itself, once the closed round was measured."
    )
    chosen_by: str | None = Field(description="Classifier that chose; null in a cold start.")
    classifier_version: str | None = Field(description="Classifier trained at the end.")
    seed: int = 0
    actor: str = ""
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    steps: list[Step] | None = Field(None, description="Only where one round alone is read.")
    stopping: list[RuleOut] | None = Field(
        None, description="What every stopping rule found; only where one round alone is read."
    )

    @classmethod
    def of(cls, view: Mapping[str, Any], now: PoolCounts | None = None) -> "RoundOut":
        """`now` are the live counts, for a round that is still open."""
        labelled, pool = sizes(view, now)
        whole = "steps" in view
        own = {name: view[name] for name in cls.model_fields if name in view}
        return cls(
            **{
                **own,
                # what really chose: in a cold start that is not the strategy of the settings
                "strategy": view["checkpoint"].get("strategy_used", view["strategy"]),
                "labelled": labelled,
                "pool": pool,
                "metrics": view["metrics"] or {},
                "argilla": InArgilla(
                    dataset_id=view["dataset_id"],
                    annotate_url=view["annotate_url"],
                    disputes_url=view["disputes_url"],
                ),
                "closed_by": view["checkpoint"].get("closed_by"),
                "waits_for": sentences.waits_for(view),
                "llm": RoundLlm.of(view) if view["llm"] else None,
                "notes": view["checkpoint"].get("notes") or [],
                "findings": view["findings"] or [],
                "failure_notes": view["failure_notes"] or [],
                "steps": [step_of(one) for one in view["steps"]] if whole else None,
            }
        )


def is_open(state: str) -> bool:
    """Whether the round still occupies its project."""
    return state not in ("closed", "cancelled")


def sizes(view: Mapping[str, Any], now: PoolCounts | None) -> tuple[int | None, int | None]:
    """Labelled and still selectable items, as recorded at closing or as of now."""
    if is_open(view["state"]) and now is not None:
        return now.labelled, now.candidates
    return view["checkpoint"].get("labelled"), view["checkpoint"].get("unlabelled")


def step_of(view: Mapping[str, Any]) -> Step:
    seconds = (view["finished_at"] - view["started_at"]).total_seconds()
    return Step(**view, seconds=round(max(0.0, seconds), 3))


def read(store: Store, name: str, number: int) -> RoundOut:
    with store.transaction() as tx:
        return read_in(tx, tx.projects.by_name(name).id, number)


def read_all(store: Store, name: str) -> list[RoundOut]:
    """Every round, oldest first."""
    with store.transaction() as tx:
        project_id = tx.projects.by_name(name).id
        views = tx.views.rounds(project_id, 0, ALL).items
        now = tx.items.counts(project_id)
    return [RoundOut.of(view, now) for view in views]


def read_in(tx: Transaction, project_id: int, number: int) -> RoundOut:
    view = tx.views.round(project_id, number)
    now = tx.items.counts(project_id) if is_open(view["state"]) else None
    return RoundOut.of(view, now)
