"""`rounds up` and `rounds down`: everything comes up, stays up, and goes away without a trace."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from app.embedded.argilla_environment import ArgillaEnvironment
from app.embedded.ports import LOOPBACK, free_port
from tests.argilla_hands import ArgillaHands
from tests.services import FOLDER, REPOSITORY, ArgillaService

pytestmark = [pytest.mark.postgres, pytest.mark.argilla]
WAIT = 180


class Stack:
    """A home, and the commands of a person who runs everything in it."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.port = free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ROUNDS_")},
            "ROUNDS_HOME": str(home),
            "ROUNDS_PORT": str(self.port),
            **settings,
        }
        self.process: subprocess.Popen[str] | None = None
        self.janitor = self._hire_janitor()

    def _hire_janitor(self) -> subprocess.Popen[bytes]:
        """Stops what runs when our end of its pipe closes: after the test, or when pytest dies."""
        script = (
            "import sys; from pathlib import Path; from app.embedded.one_stack import stop_other\n"
            "sys.stdin.read(); home = Path(sys.argv[1]); home.exists() and stop_other(home, 60)"
        )
        return subprocess.Popen(
            [sys.executable, "-c", script, str(self.home)],
            cwd=REPOSITORY,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "app.cli", *arguments]

    def rounds(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == code, (arguments, done.stdout, done.stderr, self.logs())
        return done.stdout + done.stderr

    def up(self) -> dict[str, Any]:
        """In front, as in a terminal; returns when it is ready."""
        self.access_file.unlink(missing_ok=True)  # one that was killed could not take it away
        self.process = subprocess.Popen(
            self.command("up"),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        until(lambda: self.access_file.exists() or self.ended(), self.logs)
        assert not self.ended(), (self.said(), self.logs())
        return self.access()

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def said(self) -> str:
        """All that was printed; waits for the end."""
        assert self.process is not None
        return self.process.communicate(timeout=WAIT)[0]

    @property
    def access_file(self) -> Path:
        return self.home / "access.json"

    def access(self) -> dict[str, Any]:
        return dict(json.loads(self.access_file.read_text()))

    def logs(self) -> dict[str, str]:
        files = sorted(self.home.glob("logs/*.log"))
        return {file.name: file.read_text(errors="replace")[-1000:] for file in files}

    def family(self) -> list[psutil.Process]:
        """Every process that has to do with this home, but for the janitor."""
        found = []
        for process in psutil.process_iter():
            if process.pid == self.janitor.pid:
                continue
            try:
                if str(self.home) in f"{process.environ()} {process.cmdline()} {process.cwd()}":
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def child(self, *words: str) -> psutil.Process:
        """The process of ours, not its guard, whose command line has these words."""
        for process in self.family():
            line = process.cmdline()
            if all(word in line for word in words) and not any("guard.py" in part for part in line):
                return process
        raise AssertionError(f"nothing runs with {words}")

    def postmaster(self) -> psutil.Process:
        pid_file = self.home / "postgres" / "data" / "postmaster.pid"
        return psutil.Process(int(pid_file.read_text().splitlines()[0]))

    def ready(self) -> bool:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=10)
        except httpx.TransportError:
            return False
        return answer.is_success

    def assert_nothing_left(self) -> None:
        _, alive = psutil.wait_procs(self.family(), timeout=60)
        assert not alive
        assert list((self.home / "run").glob("*.json")) == []

    def projects(self) -> list[str]:
        access = self.access()
        headers = {"Authorization": f"Bearer {access['api_key']}"}
        answer = httpx.get(f"{access['api_url']}/api/v1/projects", headers=headers, timeout=60)
        items = answer.raise_for_status().json()
        return [item["name"] for item in (items["items"] if isinstance(items, dict) else items)]

    def create_project(self, name: str) -> None:
        access = self.access()
        headers = {"Authorization": f"Bearer {access['api_key']}"}
        body = {"name": name, "task": {"type": "single_label", "labels": ["a", "b"]}}
        url = f"{access['api_url']}/api/v1/projects"
        httpx.post(url, json=body, headers=headers, timeout=60).raise_for_status()


def until(condition: Callable[[], bool], evidence: Callable[[], object] = lambda: "") -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, evidence()
        time.sleep(0.1)


def clean_up(stack: Stack) -> None:
    stack.janitor.communicate(timeout=WAIT)
    if stack.process is not None:
        stack.process.communicate(timeout=WAIT)
    for process in stack.family():
        process.kill()


@pytest.fixture
def stack(argilla: ArgillaService, tmp_path: Path) -> Iterator[Stack]:
    """All but Argilla, which is the one of the tests."""
    made = Stack(
        tmp_path / "home",
        ROUNDS_ARGILLA_URL=argilla.url,
        ROUNDS_ARGILLA_API_KEY=argilla.owner.api_key,
    )
    yield made
    clean_up(made)
    forget_webhooks(argilla, made)


def forget_webhooks(argilla: ArgillaService, stack: "Stack") -> None:
    """The stack has gone and its webhook would stay: Argilla would try it for every answer of
    every other test, and fall behind with what it has to tell."""
    hands = ArgillaHands(argilla)
    for one in hands.call("GET", "webhooks")["items"]:
        if f":{stack.port}/" in one["url"]:
            hands.call("DELETE", f"webhooks/{one['id']}")


@pytest.fixture
def whole_stack(tmp_path: Path) -> Iterator[Stack]:
    """With an Argilla of its own, in the environment that the tests keep."""
    environment = ArgillaEnvironment(FOLDER / "argilla-env")
    environment.ensure()
    made = Stack(tmp_path / "home", ROUNDS_ARGILLA_PORT=str(free_port()))
    made.home.mkdir()
    (made.home / "argilla-env").symlink_to(environment.folder)
    yield made
    clean_up(made)


def test_ctrl_c_stops_everything_and_the_data_is_there_at_the_next_start(stack: Stack) -> None:
    access = stack.up()
    assert stack.access_file.stat().st_mode & 0o777 == 0o600
    assert access["api_url"] == f"http://127.0.0.1:{stack.port}"
    assert stack.ready()
    stack.create_project("kept")
    assert stack.process is not None
    stack.process.send_signal(signal.SIGINT)
    said = stack.said()
    assert stack.process.returncode == 0, said
    assert access["api_key"] in said
    assert not stack.access_file.exists()
    stack.assert_nothing_left()

    assert stack.up()["api_key"] == access["api_key"]
    assert stack.projects() == ["kept"]


def test_kill_9_leaves_nothing_behind_and_the_next_start_goes_on(stack: Stack) -> None:
    stack.up()
    stack.create_project("kept")
    assert stack.process is not None
    stack.process.kill()
    stack.process.communicate()
    stack.up()
    assert stack.projects() == ["kept"]
    assert stack.process is not None
    stack.process.kill()
    stack.process.communicate()
    stack.assert_nothing_left()


def test_what_dies_is_started_again(stack: Stack) -> None:
    stack.up()
    stack.create_project("kept")
    api, worker = stack.child("app.cli", "serve"), stack.child("app.cli", "worker")
    postgres = stack.postmaster()
    for process in (api, worker, postgres):
        process.kill()
    psutil.wait_procs([api, worker, postgres], timeout=WAIT)
    until(stack.ready, stack.logs)
    assert stack.projects() == ["kept"]
    until(lambda: len([p for p in stack.family() if "worker" in p.cmdline()]) >= 2, stack.logs)
    assert stack.process is not None
    stack.process.terminate()
    said = stack.said()
    for name in ("API", "worker", "Postgres"):
        assert f"{name} ended unexpectedly" in said


def test_in_the_background_until_down(stack: Stack) -> None:
    said = stack.rounds("up", "--detach")
    assert stack.access()["api_key"] in said
    assert stack.ready()
    assert "already runs" in stack.rounds("up", code=1)
    assert stack.ready()
    stack.rounds("down")
    assert not stack.access_file.exists()
    stack.assert_nothing_left()
    assert "Nothing runs" in stack.rounds("down")


@pytest.mark.parametrize("detach", [(), ("--detach",)])
def test_a_taken_port_is_told_before_anything_is_started(
    stack: Stack, detach: tuple[str, ...]
) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, stack.port))
        taken.listen()
        said = stack.rounds("up", *detach, code=1)
    assert str(stack.port) in said
    assert "ROUNDS_PORT" in said
    assert not (stack.home / "postgres").exists()
    stack.assert_nothing_left()


def test_a_start_that_fails_says_why_and_takes_down_what_was_up(
    stack: Stack, tmp_path: Path
) -> None:
    stack.environment["ROUNDS_DATABASE_URL"] = "postgresql://nobody:x@127.0.0.1:1/nowhere"
    said = stack.rounds("up", "--detach", code=1)
    assert "migration" in said
    assert not stack.access_file.exists()
    stack.assert_nothing_left()


def test_argilla_and_its_parts_are_started_again_too(whole_stack: Stack) -> None:
    stack = whole_stack
    stack.rounds("up", "--detach")
    access = stack.access()
    server, worker = stack.child("serve", LOOPBACK), stack.child("work")
    redis = next(p for p in stack.family() if "redis-server" in p.cmdline()[0])
    for process in (server, worker, redis):
        process.kill()
    psutil.wait_procs([server, worker, redis], timeout=WAIT)
    until(lambda: not argilla_answers(access, "annotators"))
    until(lambda: argilla_answers(access, "annotators"), stack.logs)
    log = (stack.home / "logs" / "stack.log").read_text()
    for name in ("Argilla ended", "Argilla's worker ended", "redis ended"):
        assert name in log
    stack.rounds("down")
    stack.assert_nothing_left()


def argilla_answers(access: dict[str, Any], who: str) -> bool:
    """Whether Argilla knows the first annotator by the key that was printed."""
    headers = {"X-Argilla-Api-Key": access[who][0]["api_key"]}
    try:
        answer = httpx.get(f"{access['argilla_url']}/api/v1/me", headers=headers, timeout=10)
    except httpx.TransportError:
        return False
    return answer.is_success and answer.json()["username"] == access[who][0]["username"]
