"""Starts again what died, at first at once, then with growing pauses, and says so."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from app.core.errors import RoundsError

LONGEST_PAUSE = 30.0
GOOD_SECONDS = 60.0
"""What ran as long as this is taken for healthy; its next death counts as the first."""


@dataclass(slots=True)
class Kept:
    """One thing that should run, and how to see and mend that."""

    name: str
    running: Callable[[], bool]
    restart: Callable[[], None]
    deaths: int = 0
    started: float = field(default_factory=time.monotonic)
    due: float | None = None
    """When it will be started again; None while it runs."""


class Keepalive:
    """Looked after by calling `check` again and again."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._kept: list[Kept] = []
        self._say = say

    def keep(self, name: str, running: Callable[[], bool], restart: Callable[[], None]) -> None:
        """From now on, see that this runs."""
        self._kept.append(Kept(name, running, restart))

    def check(self, now: float | None = None) -> None:
        """Notice deaths, and start again what is due."""
        moment = time.monotonic() if now is None else now
        for kept in self._kept:
            if kept.due is None and not kept.running():
                self._notice(kept, moment)
            if kept.due is not None and kept.due <= moment:
                self._restart(kept, moment)

    def _notice(self, kept: Kept, now: float) -> None:
        kept.deaths = 1 if now - kept.started > GOOD_SECONDS else kept.deaths + 1
        pause = 0.0 if kept.deaths == 1 else min(2.0 ** (kept.deaths - 2), LONGEST_PAUSE)
        kept.due = now + pause
        when = f"in {pause:.0f} s" if pause else "now"
        self._say(f"{kept.name} ended unexpectedly; it is started again {when}.")

    def _restart(self, kept: Kept, now: float) -> None:
        kept.due, kept.started = None, now
        try:
            kept.restart()
        except RoundsError as problem:
            self._say(f"{kept.name} could not be started: {problem.message}")
