"""Long runs of asking, done by workers a few items at a time, so that rounds do not wait for them.

What was answered is known to the ledger: a run that is interrupted, or begun anew after it failed,
asks only for what is missing.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from app.core.errors import Conflict, Refused, RoundsError, Unavailable, WrongInput
from app.core.llm.entities import Purpose
from app.llm import judging
from app.llm.desk import Desk, Sitting
from app.llm.labelling import LabelReport, ask_labels, item_ids
from app.llm.prompting import JUDGE, LABEL
from app.ports.llm import Job

ROUNDS_OF_CALLS = 5
"""So many calls one after another, and as many at once as the provider takes, are one part."""
LEASE = 300.0
"""Seconds after which another worker takes a part up. Where one takes longer, what is on its way
may be asked twice."""
MOST_ATTEMPTS = 8
LONGEST_PAUSE = 300.0


def begin(
    desk: Desk,
    name: str,
    *,
    purpose: Purpose,
    provider: str | None = None,
    round_number: int | None = None,
    gold: bool = False,
    limit: int,
    actor: str,
) -> Job:
    """Plan it; a worker takes it from there. The items are those that there are now."""
    sitting = desk.begin(name, purpose, provider, round_number)
    ids = item_ids(sitting, gold=gold or purpose is Purpose.JUDGE, limit=limit)
    if not ids:
        raise WrongInput("There is no such item to ask about.", field="gold")
    with desk.store.transaction() as tx:
        job = tx.llm_jobs.begin(
            sitting.project.id,
            purpose=purpose,
            provider=sitting.provider.name,
            round_id=sitting.round_id,
            item_ids=ids,
            actor=actor,
        )
        tx.events.add("llm.job_begun", actor, project_id=sitting.project.id, job=job.id,
                      purpose=purpose.value, items=len(ids))  # fmt: skip
    return job


def cancel(desk: Desk, name: str, job_id: int, *, actor: str) -> Job:
    """What was answered is kept."""
    with desk.store.transaction() as tx:
        project = tx.projects.by_name(name)
        job = tx.llm_jobs.get(project.id, job_id)
        if not tx.llm_jobs.cancel(project.id, job_id):
            raise Conflict(f"Long run {job_id} is {job.state} already.")
        tx.events.add("llm.job_cancelled", actor, project_id=project.id, job=job_id)
        return tx.llm_jobs.get(project.id, job_id)


def work_on_next(desk: Desk) -> bool:
    """One part of the run that is most due. False if there was none."""
    with desk.store.transaction() as tx:
        job = tx.llm_jobs.claim(LEASE)
    if job is None:
        return False
    try:
        _part(desk, job)
    except RoundsError as problem:
        _failed(desk, job, problem)
    return True


def _part(desk: Desk, job: Job) -> None:
    with desk.store.transaction() as tx:
        project = tx.projects.get(job.project_id)
    provider = desk.provider(project, job.provider)
    project.settings.llm.insist(job.purpose)  # as of now: it may have been taken back
    sitting = Sitting(desk.store, provider, project, job.purpose, job.round_id)
    size = ROUNDS_OF_CALLS * provider.concurrency * provider.together
    ids = job.item_ids[job.done : job.done + size]
    prompt = JUDGE if job.purpose is Purpose.JUDGE else LABEL
    told = _added(job.told, ask_labels(sitting, ids, prompt=prompt))
    with desk.store.transaction() as tx:
        moved = tx.llm_jobs.advance(job, len(ids), told)
        over = moved and job.done + len(ids) == len(job.item_ids)
        if over:
            tx.events.add("llm.job_done", "system", project_id=project.id, job=job.id)
    if over and job.purpose is Purpose.JUDGE:
        judging.compare(sitting, job.item_ids)


def _added(told: Mapping[str, Any], report: LabelReport) -> Mapping[str, Any]:
    reasons = Counter(told.get("reasons", {})) + Counter(report.unanswered.values())
    return {
        "answered": told.get("answered", 0) + report.answered,
        "asked": told.get("asked", 0) + report.asked,
        "cost": told.get("cost", 0) + report.cost,
        "reasons": dict(reasons),
    }


def _failed(desk: Desk, job: Job, problem: RoundsError) -> None:
    """What may pass is tried again with growing pauses; the rest ends it, with the reason."""
    passing = isinstance(problem, Unavailable) and not isinstance(problem, Refused)
    with desk.store.transaction() as tx:
        if passing and job.attempts + 1 < MOST_ATTEMPTS:
            tx.llm_jobs.retry(job, min(2.0**job.attempts, LONGEST_PAUSE), problem.message)
            return
        tx.llm_jobs.fail(job, problem.message)
        tx.events.add("llm.job_failed", "system", project_id=job.project_id, job=job.id,
                      reason=problem.message)  # fmt: skip
