"""What may be said about a project: to create it, to change it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.api.bounds import documented
from app.core.llm.entities import Purpose
from app.core.llm.routing import LabelledBy
from app.core.projects import EMBEDDINGS, NAME

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
CLOSED = documented(additionalProperties=False)


class GivenTask(BaseModel):
    """What annotators are asked."""

    model_config = ConfigDict(extra="allow", strict=True, json_schema_extra=CLOSED)

    type: str = Field(
        description="`single_label` is what there is so far.",
        json_schema_extra=documented(enum=["single_label"]),
    )
    labels: list[str] = Field(
        description="2 to 500 names, in the order annotators see.",
        json_schema_extra=documented(minItems=2, maxItems=500, uniqueItems=True),
    )
    guidelines: str | None = Field(None, description="Shown to annotators beside every item.")


class GivenStopping(BaseModel):
    """When rounds stop: any rule that is given. null takes one away."""

    model_config = ConfigDict(extra="allow", strict=True, json_schema_extra=CLOSED)

    max_rounds: int | None = Field(
        None,
        description="50 when no bound is given at all.",
        json_schema_extra=documented(minimum=1, maximum=10_000_000),
    )
    max_labels: int | None = Field(
        None, json_schema_extra=documented(minimum=1, maximum=10_000_000)
    )
    max_cost: float | None = Field(
        None,
        description="Dollars: what LLMs cost, and people by `price_per_hour`.",
        json_schema_extra=documented(minimum=0.01, maximum=1e9),
    )
    max_hours: float | None = Field(
        None,
        description="Hours since auto mode was started.",
        json_schema_extra=documented(minimum=0.01, maximum=1e6),
    )
    price_per_hour: float | None = Field(
        None,
        description="What an hour of annotation costs; 0 by default.",
        json_schema_extra=documented(minimum=0, maximum=1e6),
    )
    labels_a_day: int | None = Field(
        None,
        description="What annotators can give in 24 hours; auto mode then waits.",
        json_schema_extra=documented(minimum=1, maximum=10_000_000),
    )
    target_accuracy: float | None = Field(
        None,
        description="Stops when the lower end of the accuracy on the validation split is above.",
        json_schema_extra=documented(minimum=0.01, maximum=0.9999),
    )
    plateau_rounds: int | None = Field(
        None,
        description="Stops when so many rounds brought no more than `plateau_gain` on the "
        "validation split.",
        json_schema_extra=documented(minimum=1, maximum=1000),
    )
    plateau_gain: float | None = Field(
        None,
        description="Share of items; 0.005 by default.",
        json_schema_extra=documented(minimum=0, maximum=0.5),
    )
    stable_rounds: int | None = Field(
        None,
        description="Stops when successive classifiers agreed in so many rounds.",
        json_schema_extra=documented(minimum=1, maximum=1000),
    )
    stable_kappa: float | None = Field(
        None,
        description="How much they must agree; 0.99 by default.",
        json_schema_extra=documented(minimum=0.5, maximum=1),
    )
    f_change: float | None = Field(
        None,
        description="Stops when the predicted change of F was at most this.",
        json_schema_extra=documented(minimum=0.0001, maximum=0.5),
    )
    f_change_rounds: int | None = Field(
        None,
        description="In so many rounds; 3 by default.",
        json_schema_extra=documented(minimum=1, maximum=1000),
    )


class GivenLlm(BaseModel):
    """What the project allows an LLM; nothing by default."""

    model_config = ConfigDict(extra="allow", strict=True, json_schema_extra=CLOSED)

    provider: str | None = Field(None, description="Asked where a request names no other.")
    allow: list[str] | None = Field(
        None,
        description="Purposes: `label`, `select`, `uncertainty`, `weak_labels`, `judge`.",
        json_schema_extra=documented(items={"enum": [one.value for one in Purpose]}),
    )
    fields: list[str] | None = Field(None, description="Fields that may leave the house.")
    max_cost: float | None = Field(
        None,
        description="Dollars over the project; 10 by default.",
        json_schema_extra=documented(minimum=0, maximum=1_000_000),
    )
    max_cost_a_round: float | None = Field(
        None,
        description="Dollars a round.",
        json_schema_extra=documented(minimum=0, maximum=1_000_000),
    )
    label_weight: float | None = Field(
        None,
        description="Weight of its labels in training; 0.5 by default.",
        json_schema_extra=documented(exclusiveMinimum=0, maximum=1),
    )
    labelled_by: str | None = Field(
        None,
        description="Who labels the batches of rounds: `humans` (the default), the `llm` (people "
        "get what it leaves unanswered), `llm_then_humans` (people get what it is less sure of "
        "than `min_confidence`; only once its confidence can be trusted), or `both`: people, with "
        "its answers beside theirs for comparison.",
        json_schema_extra=documented(enum=[one.value for one in LabelledBy]),
    )
    min_confidence: float | None = Field(
        None,
        description="With `llm_then_humans`: what it is less sure of goes to people; 0.9 by "
        "default.",
        json_schema_extra=documented(minimum=0, maximum=1),
    )
    audit_share: float | None = Field(
        None,
        description="Of what it could label, so much goes to people instead, to see how far they "
        "agree; 0.1 by default.",
        json_schema_extra=documented(minimum=0, maximum=1),
    )
    min_agreement: float | None = Field(
        None,
        description="Surely less than this in the standing audit suspends it; 0.8 by default.",
        json_schema_extra=documented(minimum=0, maximum=1),
    )
    audit_window: int | None = Field(
        None,
        description="So many audited items are looked at together; 50 by default.",
        json_schema_extra=documented(minimum=10, maximum=10_000),
    )
    recalibrate: bool | None = Field(
        None,
        description="Correct its confidence by what people said, before it decides anything.",
    )
    weak_start: bool | None = Field(
        None,
        description="In a cold start it gives weak labels to what it is sure of; people get the "
        "rest.",
    )
    weak_confidence: float | None = Field(
        None,
        description="How sure it must be for a weak label; 0.85 by default.",
        json_schema_extra=documented(minimum=0, maximum=1),
    )
    judge_disputes: bool | None = Field(
        None,
        description="Disputed items show its view as a suggestion, under its name, to whoever "
        "decides them; off by default.",
    )
    doubt_samples: int | None = Field(
        None,
        description="How often the strategy `doubt` asks about an item; 5 by default.",
        json_schema_extra=documented(minimum=1, maximum=20),
    )


class GivenClosing(BaseModel):
    """When a round stops waiting; the first rule that holds closes it."""

    model_config = ConfigDict(extra="allow", strict=True, json_schema_extra=CLOSED)

    share: float | None = Field(
        None,
        description="When this share of the batch is answered; 1 by default.",
        json_schema_extra=documented(minimum=0.01, maximum=1),
    )
    hours: float | None = Field(
        None,
        description="So many hours after the push, with the answers there are; 168 (a week) when "
        "it is left out, never when it is null.",
        json_schema_extra=documented(minimum=0.01, maximum=100_000),
    )


class GivenSettings(BaseModel):
    """Settings of a project; what is left out keeps its default or its present value."""

    model_config = ConfigDict(extra="allow", strict=True, json_schema_extra=CLOSED)

    batch_size: int | None = Field(
        None,
        description="Items a round; 20 by default.",
        json_schema_extra=documented(minimum=1, maximum=10_000),
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
        json_schema_extra=documented(minimum=0, maximum=0.5),
    )
    on_discard: str | None = Field(
        None,
        description="A discarded item without a label: `retire` (the default) never asks for it "
        "again, `return` puts it back into the pool, until it is discarded in a second round.",
        json_schema_extra=documented(enum=["retire", "return", None]),
    )
    overlap: int | None = Field(
        None,
        description="Answers an item needs; 1 by default.",
        json_schema_extra=documented(minimum=1, maximum=50),
    )
    audit_overlap: int | None = Field(
        None,
        description="Answers an item of the audit slice needs; as `overlap` by default.",
        json_schema_extra=documented(minimum=1, maximum=50),
    )
    max_overlap: int | None = Field(
        None,
        description="The most annotators asked about one item; one more than needed by default.",
        json_schema_extra=documented(minimum=1, maximum=50),
    )
    consensus: str | None = Field(
        None,
        description="What several answers come to: the majority (default), weighted by how "
        "reliable each annotator is, or the estimate of Dawid and Skene.",
        json_schema_extra=documented(enum=["majority", "weighted", "dawid_skene", None]),
    )
    min_agreement: float | None = Field(
        None,
        description="Answers that agree less than this are disputed, as ties always are; 0 by "
        "default.",
        json_schema_extra=documented(minimum=0, maximum=1),
    )
    adjudication: str | None = Field(
        None,
        description="Who decides a disputed item: an `extra` annotator (default), an "
        "`adjudicator`, or `none`: it gets no label.",
        json_schema_extra=documented(enum=["extra", "adjudicator", "none", None]),
    )
    adjudicators: list[str] | None = Field(
        None,
        description="Argilla usernames whose answer decides.",
        json_schema_extra=documented(uniqueItems=True),
    )
    closing: GivenClosing | None = Field(None, description="When a round stops waiting.")
    prefetch: int | None = Field(
        None,
        description="In auto mode the next batch is brought as soon as no more items than this are "
        "unanswered; these wait on in the next round. Less than `batch_size`; 0, off, by default.",
        json_schema_extra=documented(minimum=0, maximum=9_999),
    )
    fields: list[str] | None = Field(
        None,
        description='Columns that hold text; ["text"] by default. Cannot change later.',
        json_schema_extra=documented(minItems=1, uniqueItems=True),
    )
    seed: int | None = Field(
        None,
        description="The same seed and data give the same batches; 0 by default.",
        json_schema_extra=documented(minimum=0, maximum=2**31 - 1),
    )
    stopping: GivenStopping | None = Field(None, description="When rounds stop.")
    strategy_options: dict[str, Any] | None = Field(None, description="Passed to the strategy.")
    classifier_options: dict[str, Any] | None = Field(None, description="Passed to the classifier.")
    embeddings: str | None = Field(
        None,
        description="Sentence embeddings: `off` (the default), `local` (a model on the server) or "
        "`address` (a service to which the texts of all items are sent). Only what the server "
        "offers.",
        json_schema_extra=documented(enum=[*EMBEDDINGS, None]),
    )
    llm: GivenLlm | None = Field(None, description="What an LLM may do, see, and cost.")


class NewProject(GivenSettings):
    """A project to be created."""

    model_config = ConfigDict(
        extra="allow", strict=True, json_schema_extra={**CLOSED, "examples": [EXAMPLE]}
    )

    name: str = Field(
        description="Stands in addresses, files and Argilla.",
        json_schema_extra=documented(pattern=f"^{NAME.pattern}$"),
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
        None, json_schema_extra=documented(enum=["active", "paused", "archived", None])
    )
    guidelines: str | None = Field(None, description="Shown to annotators beside every item.")
    auto: bool | None = Field(
        None,
        description="`false` switches auto mode off; starting a round switches it on.",
        json_schema_extra=documented(enum=[False, None]),
    )
