"""How projects look from outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.api.round_shapes import RuleOut
from app.core.entities import Project, Round
from app.core.llm.entities import Purpose
from app.core.projects import EMBEDDINGS, NAME, fields_sent
from app.ports.store import PoolCounts

EXAMPLE: Any = {
    "name": "tickets",
    "task": {
        "type": "single_label",
        "labels": ["refund", "delivery", "praise"],
        "guidelines": "What does the customer want?",
    },
    "batch_size": 20,
    "audit_fraction": 0.2,
}


def _documented(**schema: Any) -> Any:
    """Bounds for readers of the schema. Commands check them, for every face alike, and say more."""
    return schema


CLOSED = _documented(additionalProperties=False)


class GivenTask(BaseModel):
    """What annotators are asked."""

    model_config = ConfigDict(extra="allow", strict=True, json_schema_extra=CLOSED)

    type: str = Field(
        description="`single_label` is what there is so far.",
        json_schema_extra=_documented(enum=["single_label"]),
    )
    labels: list[str] = Field(
        description="2 to 500 names, in the order annotators see.",
        json_schema_extra=_documented(minItems=2, maxItems=500, uniqueItems=True),
    )
    guidelines: str | None = Field(None, description="Shown to annotators beside every item.")


class GivenStopping(BaseModel):
    """When rounds stop: any rule that is given. null takes one away."""

    model_config = ConfigDict(extra="allow", strict=True, json_schema_extra=CLOSED)

    max_rounds: int | None = Field(
        None,
        description="50 when no bound is given at all.",
        json_schema_extra=_documented(minimum=1, maximum=10_000_000),
    )
    max_labels: int | None = Field(
        None, json_schema_extra=_documented(minimum=1, maximum=10_000_000)
    )
    max_cost: float | None = Field(
        None,
        description="Dollars: what LLMs cost, and people by `price_per_hour`.",
        json_schema_extra=_documented(minimum=0.01, maximum=1e9),
    )
    max_hours: float | None = Field(
        None,
        description="Hours since auto mode was started.",
        json_schema_extra=_documented(minimum=0.01, maximum=1e6),
    )
    price_per_hour: float | None = Field(
        None,
        description="What an hour of annotation costs; 0 by default.",
        json_schema_extra=_documented(minimum=0, maximum=1e6),
    )
    labels_a_day: int | None = Field(
        None,
        description="What annotators can give in 24 hours; auto mode then waits.",
        json_schema_extra=_documented(minimum=1, maximum=10_000_000),
    )
    target_accuracy: float | None = Field(
        None,
        description="Stops when the lower end of the accuracy on the validation split is above.",
        json_schema_extra=_documented(minimum=0.01, maximum=0.9999),
    )
    plateau_rounds: int | None = Field(
        None,
        description="Stops when so many rounds brought no more than `plateau_gain` on the "
        "validation split.",
        json_schema_extra=_documented(minimum=1, maximum=1000),
    )
    plateau_gain: float | None = Field(
        None,
        description="Share of items; 0.005 by default.",
        json_schema_extra=_documented(minimum=0, maximum=0.5),
    )
    stable_rounds: int | None = Field(
        None,
        description="Stops when successive classifiers agreed in so many rounds.",
        json_schema_extra=_documented(minimum=1, maximum=1000),
    )
    stable_kappa: float | None = Field(
        None,
        description="How much they must agree; 0.99 by default.",
        json_schema_extra=_documented(minimum=0.5, maximum=1),
    )
    f_change: float | None = Field(
        None,
        description="Stops when the predicted change of F was at most this.",
        json_schema_extra=_documented(minimum=0.0001, maximum=0.5),
    )
    f_change_rounds: int | None = Field(
        None,
        description="In so many rounds; 3 by default.",
        json_schema_extra=_documented(minimum=1, maximum=1000),
    )


class GivenLlm(BaseModel):
    """What the project allows an LLM; nothing by default."""

    model_config = ConfigDict(extra="allow", strict=True, json_schema_extra=CLOSED)

    provider: str | None = Field(None, description="Asked where a request names no other.")
    allow: list[str] | None = Field(
        None,
        description="Purposes: `label`, `select`, `uncertainty`, `weak_labels`, `judge`.",
        json_schema_extra=_documented(items={"enum": [one.value for one in Purpose]}),
    )
    fields: list[str] | None = Field(None, description="Fields that may leave the house.")
    max_cost: float | None = Field(
        None,
        description="Dollars over the project; 10 by default.",
        json_schema_extra=_documented(minimum=0, maximum=1_000_000),
    )
    max_cost_a_round: float | None = Field(
        None,
        description="Dollars a round.",
        json_schema_extra=_documented(minimum=0, maximum=1_000_000),
    )
    label_weight: float | None = Field(
        None,
        description="Weight of its labels in training; 0.5 by default.",
        json_schema_extra=_documented(exclusiveMinimum=0, maximum=1),
    )


class GivenClosing(BaseModel):
    """When a round stops waiting; the first rule that holds closes it."""

    model_config = ConfigDict(extra="allow", strict=True, json_schema_extra=CLOSED)

    share: float | None = Field(
        None,
        description="When this share of the batch is answered; 1 by default.",
        json_schema_extra=_documented(minimum=0.01, maximum=1),
    )
    hours: float | None = Field(
        None,
        description="So many hours after the push, with the answers there are; 168 (a week) when "
        "it is left out, never when it is null.",
        json_schema_extra=_documented(minimum=0.01, maximum=100_000),
    )


class GivenSettings(BaseModel):
    """Settings of a project; what is left out keeps its default or its present value."""

    model_config = ConfigDict(extra="allow", strict=True, json_schema_extra=CLOSED)

    batch_size: int | None = Field(
        None,
        description="Items a round; 20 by default.",
        json_schema_extra=_documented(minimum=1, maximum=10_000),
    )
    strategy: str | None = Field(
        None, description="How a batch is chosen.", examples=["default", "margin", "random"]
    )
    classifier: str | None = Field(
        None, description="What is trained.", examples=["default", "logistic", "lightgbm"]
    )
    audit_fraction: float | None = Field(
        None,
        description="Share of a batch drawn at random; 0.2 by default.",
        json_schema_extra=_documented(minimum=0, maximum=0.5),
    )
    on_discard: str | None = Field(
        None,
        description="A discarded item without a label: `retire` (the default) never asks for it "
        "again, `return` puts it back into the pool, until it is discarded in a second round.",
        json_schema_extra=_documented(enum=["retire", "return", None]),
    )
    overlap: int | None = Field(
        None,
        description="Answers an item needs; 1 by default.",
        json_schema_extra=_documented(minimum=1, maximum=50),
    )
    audit_overlap: int | None = Field(
        None,
        description="Answers an item of the audit slice needs; as `overlap` by default.",
        json_schema_extra=_documented(minimum=1, maximum=50),
    )
    max_overlap: int | None = Field(
        None,
        description="The most annotators asked about one item; one more than needed by default.",
        json_schema_extra=_documented(minimum=1, maximum=50),
    )
    consensus: str | None = Field(
        None,
        description="What several answers come to: the majority (default), weighted by how "
        "reliable each annotator is, or the estimate of Dawid and Skene.",
        json_schema_extra=_documented(enum=["majority", "weighted", "dawid_skene", None]),
    )
    min_agreement: float | None = Field(
        None,
        description="Answers that agree less than this are disputed, as ties always are; 0 by "
        "default.",
        json_schema_extra=_documented(minimum=0, maximum=1),
    )
    adjudication: str | None = Field(
        None,
        description="Who decides a disputed item: an `extra` annotator (default), an "
        "`adjudicator`, or `none`: it gets no label.",
        json_schema_extra=_documented(enum=["extra", "adjudicator", "none", None]),
    )
    adjudicators: list[str] | None = Field(
        None,
        description="Argilla usernames whose answer decides.",
        json_schema_extra=_documented(uniqueItems=True),
    )
    closing: GivenClosing | None = Field(None, description="When a round stops waiting.")
    fields: list[str] | None = Field(
        None,
        description='Columns that hold text; ["text"] by default. Cannot change later.',
        json_schema_extra=_documented(minItems=1, uniqueItems=True),
    )
    seed: int | None = Field(
        None,
        description="The same seed and data give the same batches; 0 by default.",
        json_schema_extra=_documented(minimum=0, maximum=2**31 - 1),
    )
    stopping: GivenStopping | None = Field(None, description="When rounds stop.")
    strategy_options: dict[str, Any] | None = Field(None, description="Passed to the strategy.")
    classifier_options: dict[str, Any] | None = Field(None, description="Passed to the classifier.")
    embeddings: str | None = Field(
        None,
        description="Sentence embeddings: `off` (the default), `local` (a model on the server) or "
        "`address` (a service to which the texts of all items are sent). Only what the server "
        "offers.",
        json_schema_extra=_documented(enum=[*EMBEDDINGS, None]),
    )
    llm: GivenLlm | None = Field(None, description="What an LLM may do, see, and cost.")


class NewProject(GivenSettings):
    """A project to be created."""

    model_config = ConfigDict(
        extra="allow", strict=True, json_schema_extra={**CLOSED, "examples": [EXAMPLE]}
    )

    name: str = Field(
        description="Stands in addresses, files and Argilla.",
        json_schema_extra=_documented(pattern=f"^{NAME.pattern}$"),
    )
    task: GivenTask


class ProjectChange(GivenSettings):
    """What shall be different from the next round on."""

    model_config = ConfigDict(
        extra="allow",
        strict=True,
        json_schema_extra={**CLOSED, "examples": [{"batch_size": 50}]},
    )

    state: str | None = Field(
        None, json_schema_extra=_documented(enum=["active", "paused", "archived", None])
    )
    guidelines: str | None = Field(None, description="Shown to annotators beside every item.")
    auto: bool | None = Field(
        None,
        description="`false` switches auto mode off; starting a round switches it on.",
        json_schema_extra=_documented(enum=[False, None]),
    )


class LabelEdit(BaseModel):
    """The labels from the next round on, and what becomes of the present ones."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "labels": ["refund", "delivery late", "delivery lost", "praise", "other"],
                    "mapping": {"money back": "refund", "delivery": None},
                }
            ]
        },
    )

    labels: list[str] = Field(
        description="All of them, in the order annotators see.",
        json_schema_extra=_documented(minItems=2, maxItems=500, uniqueItems=True),
    )
    mapping: dict[str, str | None] = Field(
        default_factory=dict,
        description="Old label to new label, two to one to merge them; null lets its items be "
        "looked at again. A label that keeps its name need not be named.",
    )


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


class Problem(BaseModel):
    """Something in Argilla that a person should look at."""

    kind: str = Field(description="`dataset` (it cannot be reached) or `records` (deleted).")
    message: str
    since: datetime


class ProjectOut(BaseModel):
    """A project, its settings and how its items stand."""

    name: str
    task: Task
    schema_version: int = Field(description="Goes up when labels are edited.")
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
    problems: list[Problem] = Field(
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
            state=project.state.value,
            counts=Counts.of(counts),
            open_round=OpenRound(number=opened.number, state=opened.state.value)
            if opened
            else None,
            run=run,
            problems=[Problem(**one) for one in problems],
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
