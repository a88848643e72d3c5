"""Rounds' own processes: the API with the dashboard, the worker, and what is run beside them."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
from pydantic import SecretStr

from app.core.errors import Unavailable
from app.embedded.processes import GuardedProcess, clean_environment
from app.settings import Settings

START_SECONDS = 180


class OwnProcesses:
    """Knows the command lines and the environment of our own processes."""

    def __init__(self, home: Path, variables: Mapping[str, str]) -> None:
        self._home = home
        self._environment = clean_environment(**variables)

    def cli(self, name: str, command: str) -> GuardedProcess:
        """A process that runs one command of `rounds`."""
        return self.python(name, ["-m", "app.cli", command], log=f"{command}.log")

    def python(self, name: str, arguments: Sequence[str], *, log: str | None) -> GuardedProcess:
        """A process of our Python; without a log it writes where we write."""
        return GuardedProcess(
            name,
            [sys.executable, *arguments],
            log=None if log is None else self._home / "logs" / log,
            env=self._environment,
            grace=15,
            record=self._home / "run" / f"{name.replace(' ', '-')}.json",
        )

    def migrate(self) -> None:
        """Bring the database to the newest schema before anything else looks at it."""
        process = self.cli("migration", "migrate")
        if process.run() != 0:
            raise Unavailable(f"The migration of the database {process.how_it_ended()}")


def wait_until_ready(process: GuardedProcess, url: str) -> None:
    """Until the service says of itself that all its parts answer."""
    deadline = time.monotonic() + START_SECONDS
    answer = "nothing"
    while time.monotonic() < deadline:
        process.require_running()
        try:
            response = httpx.get(f"{url}/readyz", timeout=10, trust_env=False)
        except httpx.TransportError:
            pass
        else:
            if response.status_code == httpx.codes.OK:
                return
            answer = response.text
        time.sleep(0.1)
    raise Unavailable(
        f"The API was not ready within {START_SECONDS} s; {url}/readyz said: {answer}"
    )


def as_variables(settings: Settings, **instead: object) -> dict[str, str]:
    """The settings as ROUNDS_* variables, so that a child reads what we read."""
    values = {**settings.model_dump(), **instead}
    return {
        f"ROUNDS_{name.upper()}": _plain(value)
        for name, value in values.items()
        if value is not None
    }


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
