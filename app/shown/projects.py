"""How projects look from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from app.core.entities import Project, Round
from app.core.projects import fields_sent
from app.ports.store import PoolCounts, Store
from app.rounds import sentences
from app.rounds.foreseeing import Foreseen
from app.shown.rounds import RuleOut


class Task(BaseModel):
    type: str
    labels: list[str]
    guidelines: str | None = None


class StoppingOut(BaseModel):
    max_rounds: int | None
    max_labels: int | None
    max_cost: float | None
    max_hours: float | None
    price_per_hour: float
    labels_a_day: int | None
    target_accuracy: float | None
    plateau_rounds: int | None
    plateau_gain: float
    stable_rounds: int | None
    stable_kappa: float
    f_change: float | None
    f_change_rounds: int


class Stopped(BaseModel):
    """Why auto mode stopped."""

    round: int
    rules: list[str]
    message: str


class RunOut(BaseModel):
    """Rounds that follow each other by themselves."""

    auto: bool
    since: datetime | None = None
    stopped: Stopped | None = Field(
        None, description="Why it stopped. Starting a round with `auto` goes on."
    )
    judged_after: int | None = Field(None, description="The last round that was judged.")
    rules: list[RuleOut] = Field(
        default_factory=list, description="What every rule found then, with its evidence."
    )

    @classmethod
    def of(cls, project: Project, findings: Mapping[str, Any] | None) -> "RunOut":
        return cls(
            auto=project.auto_since is not None,
            since=project.auto_since,
            stopped=Stopped(**project.stopped) if project.stopped else None,
            judged_after=findings["round"] if findings else None,
            rules=[RuleOut(**one) for one in findings["rules"]] if findings else [],
        )


class LlmOut(BaseModel):
    provider: str | None
    allow: list[str]
    fields: list[str]
    max_cost: float
    max_cost_a_round: float | None
    label_weight: float
    labelled_by: str
    min_confidence: float
    audit_share: float
    min_agreement: float
    audit_window: int
    recalibrate: bool
    weak_start: bool
    weak_confidence: float
    judge_disputes: bool
    doubt_samples: int


class ClosingOut(BaseModel):
    share: float
    hours: float | None


class Counts(BaseModel):
    """How the items of a project stand."""

    pool: int = Field(description="Items that may be selected, duplicates left out.")
    unlabelled: int = Field(description="Of these, neither labelled nor out for annotation.")
    labelled: int = Field(description="Items of the pool that have a label.")
    duplicates: int
    validation: int
    test: int

    @classmethod
    def of(cls, counts: PoolCounts) -> "Counts":
        return cls(
            pool=counts.pool,
            unlabelled=counts.candidates,
            labelled=counts.labelled,
            duplicates=counts.duplicates,
            validation=counts.validation,
            test=counts.test,
        )


class OpenRound(BaseModel):
    number: int
    state: str


class ProjectProblem(BaseModel):
    """Something around the project that a person should look at."""

    kind: str = Field(
        description="`dataset` (it cannot be reached), `records` (deleted in Argilla), `tracker` "
        "(it could not be told of a round) or `llm` (suspended by its audit)."
    )
    message: str
    since: datetime


class LabelEditOut(BaseModel):
    """Labels that will hold when the open round is over."""

    labels: list[str]
    mapping: dict[str, str | None]
    actor: str


class TakenBackOut(BaseModel):
    label: str
    pool: int = Field(description="Items of the pool, which are asked about again.")
    held_out: int = Field(description="Held-out items, which measure nothing without a label.")


class ForeseenOut(BaseModel):
    """What an edit of the labels would change."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "said": "12 labels would get another name, 31 would be taken back: 23 of the "
                    "pool, 8 of held-out items.",
                    "labels": ["refund", "delivery late", "delivery lost"],
                    "mapping": {"money back": "refund", "delivery": None},
                    "carried": 12,
                    "fingerprint": "5f0c1b9a7d3e2468",
                    "taken_back": [{"label": "delivery", "pool": 23, "held_out": 8}],
                }
            ]
        }
    )

    said: str
    labels: list[str]
    mapping: dict[str, str | None] = Field(description="Of every present label.")
    carried: int = Field(description="Labels given so far that would get another name.")
    taken_back: list[TakenBackOut]
    fingerprint: str = Field(
        description="Of all this. Sent with the edit as `expected`, nothing else is done."
    )

    @classmethod
    def of(cls, foreseen: Foreseen) -> Self:
        back = [
            TakenBackOut(label=one.label, pool=one.pool, held_out=one.held_out)
            for one in foreseen.taken_back
        ]
        return cls(
            said=sentences.of_foreseen(foreseen),
            labels=list(foreseen.labels),
            mapping=dict(foreseen.mapping),
            carried=foreseen.carried,
            taken_back=back,
            fingerprint=foreseen.fingerprint,
        )


class ProjectOut(BaseModel):
    """A project, its settings and how its items stand."""

    name: str
    task: Task
    schema_version: int = Field(description="Goes up when labels are edited.")
    label_edit: LabelEditOut | None = Field(
        None, description="An edit that was asked for in flight and waits for the open round."
    )
    state: str
    batch_size: int
    strategy: str
    classifier: str
    audit_fraction: float
    overlap: int
    on_discard: str
    audit_overlap: int | None
    max_overlap: int | None
    consensus: str
    min_agreement: float
    adjudication: str
    adjudicators: list[str]
    closing: ClosingOut
    prefetch: int
    fields: list[str]
    seed: int
    stopping: StoppingOut
    strategy_options: dict[str, Any]
    classifier_options: dict[str, Any]
    embeddings: str
    fields_sent: list[str] = Field(
        description="Fields whose texts are sent to the server's embeddings address."
    )
    llm: LlmOut
    counts: Counts
    open_round: OpenRound | None
    run: RunOut
    problems: list[ProjectProblem] = Field(
        description="What was found wrong in Argilla; `POST …/repair` brings back what can be."
    )
    erase_at: datetime | None = Field(
        None, description="When this deleted project is erased; until then it can be restored."
    )
    erase_argilla: bool = False
    created_at: datetime

    @classmethod
    def of(
        cls,
        project: Project,
        counts: PoolCounts,
        opened: Round | None,
        run: RunOut,
        problems: Sequence[Mapping[str, Any]],
    ) -> "ProjectOut":
        task = Task(
            type=project.task.type,
            labels=list(project.task.labels),
            guidelines=project.task.guidelines,
        )
        return cls(
            name=project.name,
            task=task,
            schema_version=project.schema_version,
            label_edit=LabelEditOut(**asdict(project.label_edit)) if project.label_edit else None,
            state=project.state.value,
            counts=Counts.of(counts),
            open_round=OpenRound(number=opened.number, state=opened.state.value)
            if opened
            else None,
            run=run,
            problems=[ProjectProblem(**one) for one in problems],
            erase_at=project.erase_at,
            erase_argilla=project.erase_argilla,
            created_at=project.created_at,
            fields_sent=fields_sent(project.settings),
            **project.settings.as_json(),
        )


class ProjectLine(BaseModel):
    """A project in the list of projects."""

    name: str
    task: str
    state: str
    rounds: int
    open_round: int | None
    open_state: str | None
    created_at: datetime


class ProjectList(BaseModel):
    items: list[ProjectLine]


def read(store: Store, name: str) -> ProjectOut:
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        return ProjectOut.of(
            project,
            tx.items.counts(project.id),
            tx.rounds.open(project.id),
            RunOut.of(project, tx.runs.findings(project.id)),
            tx.views.problems(project.id),
        )
