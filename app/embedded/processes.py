"""A process of ours under a guard: it cannot outlive us, and stops the way it likes best."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import IO

from app.core.errors import Unavailable

GUARD = Path(__file__).with_name("guard.py")
LARGEST_LOG = 5_000_000


class GuardedProcess:
    """Start, watch and stop one command; its output goes to a log file, or where ours goes."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path | None,
        env: Mapping[str, str] | None = None,
        stop_signal: str = "TERM",
        grace: float = 10.0,
        user: int | None = None,
        record: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._record = record
        self._grace = grace
        self._env = env
        self._arguments = [sys.executable, "-I", "-S", str(GUARD)]
        self._arguments += ["--stop-signal", stop_signal, "--grace", str(grace)]
        self._arguments += [] if user is None else ["--user", str(user)]
        self._arguments += [] if record is None else ["--record", str(record)]
        self._arguments += ["--", *command]
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self, env: Mapping[str, str] | None = None) -> None:
        """Start the command; it is up to the caller to wait until it is ready."""
        self._env = self._env if env is None else env
        if self._record is not None:
            self._record.parent.mkdir(parents=True, exist_ok=True)
        with nullcontext() if self.log is None else open_log(self.log) as log:
            self._guard = subprocess.Popen(
                self._arguments,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=None if log is None else subprocess.STDOUT,
                env=None if self._env is None else dict(self._env),
                start_new_session=True,
            )

    def run(self, env: Mapping[str, str] | None = None) -> int:
        """Start a command that ends by itself, wait for that, and tell how it ended."""
        self.start(env)
        assert self._guard is not None  # noqa: S101 - for the type checker
        try:
            return self._guard.wait()
        finally:
            self._cut_lifeline()

    @property
    def running(self) -> bool:
        """Whether the command runs now."""
        return self._guard is not None and self._guard.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How the command ended; None while it runs or before it started."""
        return None if self._guard is None else self._guard.poll()

    def require_running(self) -> None:
        """Raise with the end of the log when the command has ended."""
        if not self.running:
            raise Unavailable(f"{self.name} {self.how_it_ended()}")

    def how_it_ended(self) -> str:
        """For an error message: the exit code and the end of the log."""
        ended = f"ended with code {self.exit_code}."
        if self.log is None:
            return ended
        return f"{ended} The end of its log ({self.log}):\n{last_lines(self.log)}"

    def stop(self) -> None:
        """Cut the lifeline and wait: the guard sees to the rest."""
        if self._guard is None:
            return
        self._cut_lifeline()
        try:
            self._guard.wait(self._grace + 10)
        finally:
            if self._guard.poll() is None:
                self._guard.kill()
                self._guard.wait()
            self._guard = None

    def _cut_lifeline(self) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.close()


def open_log(path: Path) -> IO[bytes]:
    """Append to a log file, private as addresses with passwords may be in it.

    One that has grown large is set aside first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LARGEST_LOG:
            path.replace(path.with_suffix(path.suffix + ".1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


def last_lines(path: Path, count: int = 12) -> str:
    """The end of a log file, to show beside an error."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return "(no log)"


def clean_environment(**extra: str) -> dict[str, str]:
    """Our environment, less what would bend another program; no proxy on the way to ourselves."""
    unwanted = ("PYTHON", "VIRTUAL_ENV", "ARGILLA_", "ROUNDS_", "PG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    direct = ",".join(filter(None, (kept.get("NO_PROXY"), "127.0.0.1,localhost")))
    return {**kept, "NO_PROXY": direct, "no_proxy": direct, "PYTHONUNBUFFERED": "1", **extra}
