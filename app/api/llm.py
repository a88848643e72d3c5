"""LLMs in a project: ask, adopt, measure, see what it cost. Requests that ask take as long as the
service does. Every answer is kept when it arrives: a request that was cut off is just repeated."""

from typing import Any

from fastapi import APIRouter

from app.api.access import Operator, Parts, Viewer, acting
from app.api.llm_requests import (
    AdoptAsking,
    DoubtAsking,
    JobAsking,
    JudgeAsking,
    LabelAsking,
    Reopening,
    SelectAsking,
)
from app.api.parameters import PREFIX, JobNumber, ProjectName
from app.api.problems import problems
from app.core.llm.entities import Purpose
from app.llm import doubting, jobs, judging, labelling, selecting, standing, trusting
from app.shown.llm import (
    AdoptedOut,
    CostEstimate,
    CostsOut,
    DoubtList,
    JobList,
    JobOut,
    JudgedOut,
    JudgementLine,
    JudgementList,
    LabelledOut,
    LlmDoubtOut,
    SelectedOut,
    StandingOut,
    TrustOut,
    costs,
    jobs_of,
)

router = APIRouter(prefix=PREFIX, tags=["llm"])
ASKING = problems(400, 401, 403, 404, 409, 413, 422, 502, 503)


@router.post("/projects/{name}/llm/label", summary="Have an LLM label items", responses=ASKING)
def label(
    caller: Operator, name: ProjectName, parts: Parts, body: LabelAsking
) -> LabelledOut | CostEstimate:
    what: dict[str, Any] = {
        "purpose": Purpose(body.purpose),
        "provider": body.provider,
        "round_number": body.round,
        "gold": body.gold,
        "limit": body.limit,
    }
    if body.estimate:
        return CostEstimate.of(labelling.estimate_labels(parts.desk, name, **what))
    return LabelledOut.of(labelling.label(parts.desk, name, **what))


@router.post(
    "/projects/{name}/llm/adopt",
    summary="Let an LLM's answers be labels",
    description="Of pool items without a label. Above a confidence only where that was measured.",
    responses=problems(400, 401, 403, 404, 409, 413, 422),
)
def adopt(caller: Operator, name: ProjectName, parts: Parts, body: AdoptAsking) -> AdoptedOut:
    found = labelling.adopt(
        parts.desk,
        name,
        purpose=Purpose(body.purpose),
        provider=body.provider,
        min_confidence=body.min_confidence,
        actor=acting(caller),
    )
    return AdoptedOut.of(found)


@router.post(
    "/projects/{name}/llm/select", summary="Have an LLM choose what to label", responses=ASKING
)
def select(
    caller: Operator, name: ProjectName, parts: Parts, body: SelectAsking
) -> SelectedOut | CostEstimate:
    if body.estimate:
        found = selecting.estimate_select(parts.desk, name, body.size, provider=body.provider)
        return CostEstimate.of(found)
    chosen, names = selecting.select(parts.desk, name, body.size, provider=body.provider)
    return SelectedOut.of(chosen, list(names))


@router.post(
    "/projects/{name}/llm/doubt", summary="Ask an LLM how sure it is of items", responses=ASKING
)
def doubt(
    caller: Operator, name: ProjectName, parts: Parts, body: DoubtAsking
) -> DoubtList | CostEstimate:
    what: dict[str, Any] = {
        "provider": body.provider,
        "round_number": body.round,
        "limit": body.limit,
        "samples": body.samples,
    }
    if body.estimate:
        return CostEstimate.of(doubting.estimate_doubt(parts.desk, name, **what))
    return DoubtList(
        items=[LlmDoubtOut.of(one) for one in doubting.doubt(parts.desk, name, **what)]
    )


@router.post(
    "/projects/{name}/llm/judge", summary="Have an LLM judge as a second reader", responses=ASKING
)
def judge(
    caller: Operator, name: ProjectName, parts: Parts, body: JudgeAsking
) -> JudgedOut | CostEstimate:
    what: dict[str, Any] = {
        "provider": body.provider,
        "round_number": body.round,
        "limit": body.limit,
    }
    if body.estimate:
        return CostEstimate.of(judging.estimate_judge(parts.desk, name, **what))
    return JudgedOut.of(judging.judge(parts.desk, name, **what))


@router.get(
    "/projects/{name}/llm/trust",
    summary="How far an LLM's confidence can be trusted",
    responses=problems(401, 403, 404, 422),
)
def get_trust(
    caller: Viewer, name: ProjectName, parts: Parts, provider: str | None = None
) -> TrustOut:
    return TrustOut.of(trusting.trust(parts.desk, name, provider=provider))


@router.get(
    "/projects/{name}/llm/standing",
    summary="How far people agree with what an LLM labels in their place",
    responses=problems(401, 403, 404, 422),
)
def get_standing(
    caller: Viewer, name: ProjectName, parts: Parts, provider: str | None = None
) -> StandingOut:
    return StandingOut.of(standing.standing(parts.desk, name, provider=provider))


@router.post(
    "/projects/{name}/llm/reopen",
    summary="Let a suspended LLM label again",
    description="Its standing audit begins anew.",
    responses=problems(400, 401, 403, 404, 409, 413, 422),
)
def reopen(caller: Operator, name: ProjectName, parts: Parts, body: Reopening) -> StandingOut:
    found = standing.reopen(parts.desk, name, provider=body.provider, actor=acting(caller))
    return StandingOut.of(found)


@router.post(
    "/projects/{name}/llm/jobs",
    summary="Begin a long run",
    description="Workers ask, a few items at a time. One that failed or was cancelled is begun "
    "anew: what is known is not asked again. With `estimate` nothing is begun.",
    status_code=202,
    responses=problems(400, 401, 403, 404, 409, 413, 422),
)
def begin_job(
    caller: Operator, name: ProjectName, parts: Parts, body: JobAsking
) -> JobOut | CostEstimate:
    what: dict[str, Any] = {
        "provider": body.provider,
        "round_number": body.round,
        "limit": body.limit,
    }
    purpose = Purpose(body.purpose)
    if not body.estimate:
        begun = jobs.begin(
            parts.desk, name, purpose=purpose, gold=body.gold, **what, actor=acting(caller)
        )
        return JobOut.of(begun)
    if purpose is Purpose.JUDGE:
        return CostEstimate.of(judging.estimate_judge(parts.desk, name, **what))
    found = labelling.estimate_labels(parts.desk, name, purpose=purpose, gold=body.gold, **what)
    return CostEstimate.of(found)


@router.get(
    "/projects/{name}/llm/jobs",
    summary="Long runs, the newest first",
    responses=problems(401, 403, 404),
)
def list_jobs(caller: Viewer, name: ProjectName, parts: Parts) -> JobList:
    return jobs_of(parts.store, name)


@router.get(
    "/projects/{name}/llm/jobs/{job}",
    summary="How far a long run is",
    responses=problems(401, 403, 404, 422),
)
def get_job(caller: Viewer, name: ProjectName, job: JobNumber, parts: Parts) -> JobOut:
    with parts.store.transaction() as tx:
        return JobOut.of(tx.llm_jobs.get(tx.projects.by_name(name).id, job))


@router.post(
    "/projects/{name}/llm/jobs/{job}/cancel",
    summary="End a long run",
    description="What was answered is kept.",
    responses=problems(401, 403, 404, 409, 422),
)
def cancel_job(caller: Operator, name: ProjectName, job: JobNumber, parts: Parts) -> JobOut:
    return JobOut.of(jobs.cancel(parts.desk, name, job, actor=acting(caller)))


@router.get(
    "/projects/{name}/llm/costs",
    summary="What LLMs have cost",
    responses=problems(401, 403, 404),
)
def get_costs(caller: Viewer, name: ProjectName, parts: Parts) -> CostsOut:
    return costs(parts.store, name)


@router.get(
    "/projects/{name}/llm/judgements",
    summary="Figures that an LLM had a part in",
    responses=problems(401, 403, 404),
)
def list_judgements(caller: Viewer, name: ProjectName, parts: Parts) -> JudgementList:
    with parts.store.transaction() as tx:
        found = tx.llm_answers.judgements(tx.projects.by_name(name).id)
    return JudgementList(items=[JudgementLine(**one) for one in found])
