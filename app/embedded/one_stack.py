"""At most one stack a home, and the signals that end it."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.errors import Conflict
from app.embedded.locks import FileLock

LOCK = "stack.lock"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopAsked(BaseException):
    """Ctrl-C or a signal: end in good order."""


@contextmanager
def only_stack(home: Path) -> Iterator[None]:
    """Hold the lock of this home; it names us to whoever wants to stop us."""
    lock = FileLock(home / LOCK)
    if not lock.acquire():
        raise Conflict(
            f"It already runs in {home} (process {lock.path.read_text()}). "
            "Stop it with Ctrl-C where it was started, or with `make down`."
        )
    lock.path.write_text(str(os.getpid()))
    try:
        yield
    finally:
        lock.release()


def stop_other(home: Path, patience_seconds: float) -> bool:
    """Ask whoever holds the lock to stop, and wait; True when nothing runs any more."""
    lock = FileLock(home / LOCK)
    deadline = time.monotonic() + patience_seconds
    asked = False
    while not lock.acquire():
        if not asked:
            asked = _ask(lock.path)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    lock.release()
    return True


def runs(home: Path) -> bool:
    """Whether a stack runs in this home."""
    lock = FileLock(home / LOCK)
    if not home.exists() or lock.acquire():
        lock.release()
        return False
    return True


def _ask(lock_file: Path) -> bool:
    """False when the one who took the lock has not yet written down who it is."""
    try:
        os.kill(int(lock_file.read_text()), signal.SIGTERM)
    except (ValueError, ProcessLookupError):
        return False
    return True


@contextmanager
def stop_signals() -> Iterator[None]:
    """Inside, a stop signal ends the block in good order; a second one changes nothing."""
    before = {number: signal.signal(number, _ask_to_stop) for number in STOP_SIGNALS}
    try:
        yield
    except StopAsked:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_stop_signals() -> None:
    """What has begun to stop goes on stopping."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _ask_to_stop(number: int, frame: object) -> None:
    ignore_stop_signals()
    raise StopAsked
