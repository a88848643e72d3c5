"""Leases that are kept while somebody works, so that nobody else takes the work up meanwhile."""

import threading
from abc import ABC, abstractmethod
from time import monotonic
from types import TracebackType
from typing import Self

import structlog

from app.core.entities import MeasuringTask, Round
from app.core.errors import LeaseLost, RoundsError
from app.rounds.work import Parts

log = structlog.get_logger()


class CancelRequested(Exception):
    """Somebody asked for the round to be cancelled while a step was running."""


class Kept(ABC):
    """Inside the block a thread looks after the lease again and again. A look that fails is made
    up for by the next; when the lease is gone all the same, the work is told by `lost`."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._over = threading.Event()
        self.lost = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    @abstractmethod
    def _look(self) -> None:
        """Extend the lease if it is time; set `lost` if it is another's."""

    def _keep(self) -> None:
        while not self._over.wait(self._pause):
            try:
                self._look()
            except RoundsError as problem:
                log.warning("lease.not_extended", reason=problem.message)


class RoundLease(Kept):
    """That of an open round; notices too when its cancellation is asked for."""

    def __init__(self, parts: Parts, round_: Round, seconds: float) -> None:
        super().__init__(min(1.0, seconds / 4))
        self._parts, self._round, self._seconds = parts, round_, seconds
        self._cancelled = threading.Event()
        self._extend_at = monotonic() + seconds / 3

    def check(self) -> None:
        """To be called between pieces of work."""
        if self.lost.is_set():
            raise LeaseLost("The lease ran out while the step was working.")
        if self._cancelled.is_set():
            raise CancelRequested

    def _look(self) -> None:
        due = monotonic() >= self._extend_at
        with self._parts.store.transaction() as tx:
            now = tx.rounds.get(self._round.id)
            held = now.fence == self._round.fence
            if held and due:
                held = tx.rounds.extend(self._round.id, self._round.fence, self._seconds)
        if due:
            self._extend_at = monotonic() + self._seconds / 3
        if not held:
            self.lost.set()
        if now.cancel_requested and not self._round.cancel_requested:
            self._cancelled.set()


class MeasuringLease(Kept):
    """That of a closed round which is being measured."""

    def __init__(self, parts: Parts, task: MeasuringTask, seconds: float) -> None:
        super().__init__(seconds / 3)
        self._parts, self._task, self._seconds = parts, task, seconds

    def _look(self) -> None:
        with self._parts.store.transaction() as tx:
            held = tx.measurements.extend(self._task, self._seconds)
        if not held:
            self.lost.set()
