"""The worker: claim a due round, run its next step, commit result and checkpoint together.

Killed between any two lines it loses nothing: what was not committed has not happened, the lease
runs out, and the next worker runs the step again. A worker that slept through its lease finds the
fence moved on and writes nothing.
"""

import math
import threading
from collections.abc import Callable
from time import monotonic

import structlog

from app.core.entities import RoundState
from app.core.errors import (
    ArtefactDamaged,
    LeaseLost,
    NotFound,
    Refused,
    RoundsError,
    SelectionUnhealthy,
    Unavailable,
    WrongInput,
)
from app.llm import jobs
from app.rounds import collecting, merging, steps, tracking
from app.rounds.deleting import erase_due
from app.rounds.failures import describe, pause_before
from app.rounds.leases import CancelRequested, RoundLease
from app.rounds.work import Outcome, Parts, Work

log = structlog.get_logger()
LATE_ANSWERS_EVERY = 10
"""Projects without an open round are looked at once in so many poll intervals."""
DEFECT_ATTEMPTS = 3
LONGEST_SLEEP = 5.0
"""Short enough that a worker asked to stop, stops."""
HOPELESS = (Refused, SelectionUnhealthy, WrongInput, NotFound, ArtefactDamaged)


class Runner:
    """One worker. `run` goes on until `stop` is set; `tick` does one thing, for tests and demos."""

    def __init__(
        self, parts: Parts, *, name: str, lease_seconds: float = 30, step_attempts: int = 8
    ) -> None:
        self.parts = parts
        self.name = name
        self.lease_seconds = lease_seconds
        self.step_attempts = step_attempts

    def run(self, stop: threading.Event) -> None:
        pause = 0.5
        while not stop.is_set():
            try:
                with self.parts.store.work_calls() as wait:
                    pause = 0.5
                    self._work(stop, wait)
            except Unavailable as problem:
                log.warning("worker.waiting", reason=problem.message, seconds=pause)
                stop.wait(pause)
                pause = min(pause * 2, 10.0)

    def _work(self, stop: threading.Event, wait: Callable[[float], bool]) -> None:
        while not stop.is_set():
            self.parts.store.worker_seen(self.name)
            while not stop.is_set() and self.tick():
                pass
            wait(min(self.parts.poll_seconds, LONGEST_SLEEP, self._due_in()))

    def _due_in(self) -> float:
        with self.parts.store.transaction() as tx:
            seconds = tx.rounds.due_in()
        return math.inf if seconds is None else seconds

    def tick(self) -> bool:
        """Do the one thing that is most due. False if nothing was."""
        return (
            self._work_on_round()
            or erase_due(self.parts)
            or jobs.work_on_next(self.parts.desk)
            or self._look_for_late_answers()
            or tracking.tell_next(self.parts)
        )

    # --- rounds ---

    def _work_on_round(self) -> bool:
        with self.parts.store.transaction() as tx:
            round_ = tx.rounds.claim(self.name, self.lease_seconds)
            project = tx.projects.get(round_.project_id) if round_ else None
        if round_ is None or project is None:
            return False
        with RoundLease(self.parts, round_, self.lease_seconds) as lease:
            self._step(Work(self.parts, project, round_, lease.check))
        return True

    def _step(self, work: Work) -> None:
        round_ = work.round
        name = "cancelling" if round_.cancel_requested else round_.state.value
        began = monotonic()
        try:
            step = steps.cancel if round_.cancel_requested else steps.STEPS[round_.state]
            self._commit(work, step(work), name, monotonic() - began)
        except LeaseLost:
            log.warning("step.lease_lost", round=round_.number, step=name)
        except CancelRequested:
            self._give_back(work)
        except Exception as problem:
            self._failed(work, name, problem)

    def _commit(self, work: Work, outcome: Outcome, name: str, seconds: float) -> None:
        round_ = work.round
        with self.parts.store.transaction() as tx:
            tx.rounds.guard(round_.id, round_.fence)
            outcome.save(tx)
            if outcome.next is None:
                tx.rounds.wait(round_, outcome.wait_seconds, outcome.checkpoint)
                return
            tx.rounds.advance(round_, outcome.next, outcome.checkpoint)
            tx.rounds.record_step(round_, name, self.name, seconds, outcome.detail)
            tx.events.add(
                f"round.{outcome.next.value}",
                self.name,
                project_id=round_.project_id,
                round_id=round_.id,
                seconds=round(seconds, 3),
            )
            outcome.then(tx)
        log.info(
            "step.done",
            project=work.project.name,
            round=round_.number,
            step=name,
            next=outcome.next.value,
            seconds=round(seconds, 3),
        )

    def _give_back(self, work: Work) -> None:
        with self.parts.store.transaction() as tx:
            tx.rounds.wait(work.round, 0, {})

    def _failed(self, work: Work, name: str, problem: Exception) -> None:
        """Try again with growing pauses what may pass by itself; fail loudly what will not."""
        error = describe(problem, name)
        attempts = work.round.attempts + 1
        hopeless = attempts >= self._patience(work, problem)
        log.error(
            "step.failed",
            project=work.project.name,
            round=work.round.number,
            step=name,
            error=error["title"],
            attempts=attempts,
            final=hopeless,
            exc_info=not isinstance(problem, RoundsError),
        )
        try:
            self._record_failure(work, error, attempts, hopeless=hopeless)
        except LeaseLost:
            log.warning("step.lease_lost", round=work.round.number, step=name)

    def _patience(self, work: Work, problem: Exception) -> float:
        """How often to try. What is refused for good is not tried again and a defect of ours does
        not heal; a round that waits for people can wait for an Argilla that is away, or for a
        permission that was taken away, too."""
        waiting = work.round.state == RoundState.ANNOTATING
        if waiting and isinstance(problem, Unavailable):
            return math.inf
        if isinstance(problem, HOPELESS):
            return 1
        if not isinstance(problem, Unavailable):
            return DEFECT_ATTEMPTS
        return math.inf if work.round.cancel_requested else self.step_attempts

    def _record_failure(
        self, work: Work, error: dict[str, object], attempts: int, *, hopeless: bool
    ) -> None:
        round_ = work.round
        with self.parts.store.transaction() as tx:
            tx.rounds.guard(round_.id, round_.fence)
            if hopeless and round_.state != RoundState.FAILED:
                tx.rounds.fail(round_, error)
            else:
                tx.rounds.retry(round_, pause_before(attempts), error)
                if round_.error == error:
                    return  # told already; an outage of a day is one event
            tx.events.add(
                "round.failed" if hopeless else "step.failed",
                self.name,
                project_id=round_.project_id,
                round_id=round_.id,
                **error,
            )

    # --- between rounds ---

    def _look_for_late_answers(self) -> bool:
        with self.parts.store.transaction() as tx:
            project = tx.projects.claim_collection(self.parts.poll_seconds * LATE_ANSWERS_EVERY)
        if project is None:
            return False
        try:
            if collecting.collect_project(self.parts, project):
                merging.merge_project(self.parts, project)
        except RoundsError as problem:
            log.warning("collect.failed", project=project.name, reason=problem.message)
        return True
