"""Who measures: beside the loop, so that no round waits for a figure.

A thread of its own in each worker, at low priority. It claims a closed round under a lease, as the
runner claims an open one; stopped or killed it loses the figure it was at, no more.
"""

import math
import os
import threading
from collections.abc import Callable

import structlog

from app.core.entities import MeasuringTask
from app.core.errors import LeaseLost, RoundsError, Unavailable
from app.rounds.failures import describe, pause_before
from app.rounds.leases import MeasuringLease
from app.rounds.measuring.job import measure_round
from app.rounds.work import Parts

log = structlog.get_logger()
LOOKS_EVERY = 2.0
"""Seconds between looks for something to measure."""
NICENESS = 10
DEFECT_ATTEMPTS = 3


class Stopped(Exception):
    """The worker is to stop; what is being measured is given back."""


class Measurer:
    """Measures closed rounds. `run` goes on until `stop` is set; `tick` measures one."""

    def __init__(self, parts: Parts, *, name: str, lease_seconds: float = 30) -> None:
        self.parts = parts
        self.name = name
        self.lease_seconds = lease_seconds

    def run(self, stop: threading.Event) -> None:
        _be_nice()
        while not stop.is_set():
            try:
                while self.tick(stop):
                    pass
            except Unavailable as problem:
                log.warning("measuring.waiting", reason=problem.message)
            stop.wait(LOOKS_EVERY)

    def tick(self, stop: threading.Event | None = None) -> bool:
        """Measure the round that has waited longest. False if none has, or `stop` is set."""
        if stop is not None and stop.is_set():
            return False
        with self.parts.store.transaction() as tx:
            task = tx.measurements.claim(self.name, self.lease_seconds)
        if task is None:
            return False
        with MeasuringLease(self.parts, task, self.lease_seconds) as lease:
            self._measure(task, lambda: _check(lease, stop))
        return True

    def _measure(self, task: MeasuringTask, check: Callable[[], None]) -> None:
        try:
            measure_round(self.parts, task, check)
            with self.parts.store.transaction() as tx:
                tx.measurements.done(task)
                tx.events.add(
                    "round.measured", self.name, project_id=task.project_id, round_id=task.round_id
                )
        except Stopped:
            with self.parts.store.transaction() as tx:
                tx.measurements.give_back(task)
        except LeaseLost:
            log.warning("measuring.lease_lost", round=task.round_id)
        except Exception as problem:
            self._failed(task, problem)

    def _failed(self, task: MeasuringTask, problem: Exception) -> None:
        """An outage passes; a defect does not, and holds up no later round's figures."""
        attempts = task.attempts + 1
        error = describe(problem, "measuring")
        most = math.inf if isinstance(problem, Unavailable) else DEFECT_ATTEMPTS
        log.error(
            "measuring.failed",
            round=task.round_id,
            error=error["title"],
            attempts=attempts,
            exc_info=not isinstance(problem, RoundsError),
        )
        with self.parts.store.transaction() as tx:
            if attempts < most:
                tx.measurements.retry(task, pause_before(attempts), error)
            else:
                tx.measurements.give_up(task, error)


def _check(lease: MeasuringLease, stop: threading.Event | None) -> None:
    """To be called between fits."""
    if lease.lost.is_set():
        raise LeaseLost("The lease ran out while the round was measured.")
    if stop is not None and stop.is_set():
        raise Stopped


def _be_nice() -> None:
    """This thread alone; where a thread has no priority of its own it measures at the common."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
