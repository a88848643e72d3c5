"""How what LLMs answer and cost looks from outside. Money is in dollars."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from app.core.llm.drift import Agreement
from app.core.llm.money import Estimate, in_dollars
from app.core.llm.trust import Trust
from app.llm.doubting import Doubt
from app.llm.judging import Judged
from app.llm.labelling import Adopted, LabelReport
from app.llm.selecting import Chosen
from app.llm.standing import Standing
from app.llm.trusting import TrustReport
from app.ports.llm import Job
from app.ports.store import Store


class CostEstimate(BaseModel):
    """What it would cost: lowest, expected and highest."""

    calls: int
    low: float
    middle: float
    high: float
    known_from: int = Field(description="Earlier calls it is made of; 0: from lengths alone.")

    @classmethod
    def of(cls, found: Estimate) -> "CostEstimate":
        return cls(
            calls=found.calls,
            low=in_dollars(found.low),
            middle=in_dollars(found.middle),
            high=in_dollars(found.high),
            known_from=found.known_from,
        )


class LabelledOut(BaseModel):
    items: int
    answered: int
    unanswered: int
    reasons: dict[str, int] = Field(description="Why items were left unanswered.")
    asked: int = Field(description="Requests made; what is known is not asked again.")
    cost: float

    @classmethod
    def of(cls, found: LabelReport) -> "LabelledOut":
        return cls(
            items=found.items,
            answered=found.answered,
            unanswered=len(found.unanswered),
            reasons=Counter(found.unanswered.values()),
            asked=found.asked,
            cost=in_dollars(found.cost),
        )


class AdoptedOut(BaseModel):
    answers: int
    labels: int = Field(description="Answers that became labels, signed `llm:…`.")
    left_to_people: int

    @classmethod
    def of(cls, found: Adopted) -> "AdoptedOut":
        return cls(**asdict(found))


class SelectedOut(BaseModel):
    items: list[str] = Field(description="The most useful first.")
    filled: int = Field(description="So many of the last were drawn at random.")
    unknown_ids: int
    repeated_ids: int
    prompts: int

    @classmethod
    def of(cls, found: Chosen, names: list[str]) -> "SelectedOut":
        return cls(
            items=names,
            filled=found.filled,
            unknown_ids=found.unknown,
            repeated_ids=found.repeated,
            prompts=found.prompts,
        )


class LlmDoubtOut(BaseModel):
    item: str
    label: str | None
    confidence: float
    share: float
    entropy: float

    @classmethod
    def of(cls, found: Doubt) -> "LlmDoubtOut":
        return cls(**asdict(found))


class DoubtList(BaseModel):
    items: list[LlmDoubtOut]


class DisagreementOut(BaseModel):
    item: str
    judge: str
    judge_confidence: float
    rationale: str | None
    person: str | None
    classifier: str | None


class JudgedOut(BaseModel):
    """Judged by an LLM. Not what people found."""

    judged: dict[str, Any]
    disagreements: list[DisagreementOut]
    unanswered: int
    cost: float

    @classmethod
    def of(cls, found: Judged) -> "JudgedOut":
        return cls(
            judged=dict(found.figures),
            disagreements=[DisagreementOut(**asdict(one)) for one in found.disagreements],
            unanswered=found.unanswered,
            cost=in_dollars(found.cost),
        )


class JudgementLine(BaseModel):
    kind: str = Field(description="Begins with `judged_`.")
    provider: str
    model: str
    prompt: str
    items: int
    figures: dict[str, Any]
    created_at: datetime


class JudgementList(BaseModel):
    items: list[JudgementLine]


class CalibrationOut(BaseModel):
    calibration_error: float | None
    interval: tuple[float, float] | None
    may_route: bool
    reason: str

    @classmethod
    def of(cls, found: Trust) -> "CalibrationOut":
        interval = None if found.low is None or found.high is None else (found.low, found.high)
        return cls(
            calibration_error=found.calibration_error,
            interval=interval,
            may_route=found.may_route,
            reason=found.reason,
        )


class TrustOut(BaseModel):
    """How far an LLM's confidence can be trusted: its answers beside people's."""

    provider: str
    model: str
    items: int
    agreement: float | None
    strict_agreement: float | None = Field(description="Without forgiving how it spells labels.")
    as_it_says: CalibrationOut
    recalibrated: CalibrationOut | None = Field(
        description="After a correction fitted on other items; decides with `llm.recalibrate`."
    )

    @classmethod
    def of(cls, found: TrustReport) -> "TrustOut":
        return cls(
            provider=found.provider,
            model=found.model,
            items=found.plain.n,
            agreement=found.agreement,
            strict_agreement=found.strict_agreement,
            as_it_says=CalibrationOut.of(found.plain),
            recalibrated=CalibrationOut.of(found.recalibrated) if found.recalibrated else None,
        )


class JobOut(BaseModel):
    """How far a long run is."""

    id: int
    purpose: str
    provider: str
    state: str = Field(description="`running`, `done`, `failed` or `cancelled`.")
    items: int
    done: int
    answered: int
    unanswered: int
    reasons: dict[str, int] = Field(description="Why items were left unanswered.")
    asked: int
    cost: float = Field(description="Dollars.")
    problem: str | None = Field(description="Why it failed, or what is being tried again.")
    begun_by: str
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> "JobOut":
        reasons = dict(job.told.get("reasons", {}))
        return cls(
            id=job.id,
            purpose=job.purpose.value,
            provider=job.provider,
            state=job.state,
            items=len(job.item_ids),
            done=job.done,
            answered=job.told.get("answered", 0),
            unanswered=sum(reasons.values()),
            reasons=reasons,
            asked=job.told.get("asked", 0),
            cost=in_dollars(job.told.get("cost", 0)),
            problem=job.problem,
            begun_by=job.actor,
            created_at=job.created_at,
            ended_at=job.ended_at,
        )


class JobList(BaseModel):
    items: list[JobOut]


class AgreementOut(BaseModel):
    items: int
    agreement: float | None
    interval: tuple[float, float] = Field(description="At 99%: there is a look every round.")

    @classmethod
    def of(cls, found: Agreement) -> "AgreementOut":
        return cls(items=found.n, agreement=found.share, interval=(found.low, found.high))


class SuspensionOut(BaseModel):
    """Why it may label nothing until somebody reopens it."""

    reason: str
    since: datetime


class StandingOut(BaseModel):
    """How far people agree with what an LLM labels in their place."""

    provider: str
    model: str
    window: AgreementOut = Field(description="The newest audited items.")
    before: AgreementOut = Field(description="Those before them, since it was last reopened.")
    min_agreement: float
    drift: str | None = Field(description="What would suspend it before its next labels.")
    suspended: SuspensionOut | None

    @classmethod
    def of(cls, found: Standing) -> "StandingOut":
        suspension = found.suspension
        return cls(
            provider=found.provider,
            model=found.model,
            window=AgreementOut.of(found.audit.window),
            before=AgreementOut.of(found.audit.before),
            min_agreement=found.audit.bound,
            drift=found.audit.drift,
            suspended=SuspensionOut(reason=suspension.reason, since=suspension.created_at)
            if suspension
            else None,
        )


class CostLine(BaseModel):
    purpose: str
    provider: str
    model: str
    calls: int
    answered: int
    lost: int = Field(description="Booked at the most they can have cost.")
    tokens_in: int
    tokens_out: int
    cost: float
    cost_an_answer: float | None
    seconds: float

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "CostLine":
        cost = in_dollars(row["cost"])
        an_answer = cost / row["answered"] if row["answered"] else None
        return cls(**{**row, "cost": cost, "cost_an_answer": an_answer})


class CostsOut(BaseModel):
    spent: float
    max_cost: float
    lines: list[CostLine]


def jobs_of(store: Store, name: str) -> JobList:
    with store.transaction() as tx:
        found = tx.llm_jobs.all(tx.projects.by_name(name).id)
    return JobList(items=[JobOut.of(one) for one in found])


def costs(store: Store, name: str) -> CostsOut:
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        spent, _ = tx.llm_calls.spent(project.id, None)
        lines = [CostLine.of(row) for row in tx.llm_calls.costs(project.id)]
    return CostsOut(spent=in_dollars(spent), max_cost=project.settings.llm.max_cost, lines=lines)
