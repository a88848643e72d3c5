"""The guard: nothing it started outlives whoever asked for it."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from app.embedded.leftovers import end_leftovers
from app.embedded.processes import GuardedProcess

REPOSITORY = Path(__file__).resolve().parents[2]
WAIT = 20


def python(*lines: str) -> list[str]:
    return [sys.executable, "-u", "-c", textwrap.dedent("\n".join(lines))]


SLEEPS = python("import time", "print('up', flush=True)", "time.sleep(1000)")
STUBBORN = python(
    "import signal, time",
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "print('up', flush=True)",
    "time.sleep(1000)",
)
WITH_GRANDCHILD = python(
    "import subprocess, sys, time",
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'],",
    "                         process_group=0)",
    "print('up', child.pid, flush=True)",
    "time.sleep(1000)",
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def started(process: GuardedProcess, env: dict[str, str] | None = None) -> str:
    """The first line that the command wrote: now it surely runs."""
    assert process.log is not None
    process.start(env)
    while "up" not in (text := process.log.read_text()):
        process.require_running()
        os.sched_yield()
    return text


def child_of(process: GuardedProcess) -> psutil.Process:
    guard = process._guard
    assert guard is not None
    return psutil.Process(guard.pid).children()[0]


def assert_gone(*processes: psutil.Process) -> None:
    _, alive = psutil.wait_procs(processes, timeout=WAIT)
    assert not alive


def test_stop_ends_the_command(log: Path) -> None:
    process = GuardedProcess("sleeper", SLEEPS, log=log)
    started(process)
    child = child_of(process)
    process.stop()
    assert_gone(child)
    assert not process.running


def test_a_command_that_ignores_the_signal_is_killed_after_its_grace(log: Path) -> None:
    process = GuardedProcess("stubborn", STUBBORN, log=log, grace=0.2)
    started(process)
    child = child_of(process)
    process.stop()
    assert_gone(child)


def test_what_the_command_started_ends_with_it_even_in_another_process_group(log: Path) -> None:
    process = GuardedProcess("parent", WITH_GRANDCHILD, log=log)
    grandchild = psutil.Process(int(started(process).split()[1]))
    process.stop()
    assert_gone(grandchild)


def test_the_exit_code_and_the_end_of_the_log_are_told(log: Path) -> None:
    command = python("import sys", "print('no space left')", "sys.exit(7)")
    process = GuardedProcess("failing", command, log=log)
    assert process.run() == 7
    assert "code 7" in process.how_it_ended()
    assert "no space left" in process.how_it_ended()


def test_a_command_killed_by_a_signal_ends_with_a_code_of_its_own(log: Path) -> None:
    process = GuardedProcess("sleeper", SLEEPS, log=log)
    started(process)
    child_of(process).kill()
    assert process._guard is not None
    assert process._guard.wait(WAIT) == 128 + signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_the_asking_process_dies(tmp_path: Path, number: int) -> None:
    """The one who asked has no chance to clean up: only the guard can."""
    asking = subprocess.Popen(
        python(
            "import sys, time, pathlib",
            f"sys.path.insert(0, {str(REPOSITORY)!r})",
            "from app.embedded.processes import GuardedProcess",
            f"log = pathlib.Path({str(tmp_path / 'log')!r})",
            f"process = GuardedProcess('sleeper', {SLEEPS!r}, log=log)",
            "process.start()",
            "while 'up' not in log.read_text(): time.sleep(0.01)",
            "print('started', flush=True)",
            "time.sleep(1000)",
        ),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert asking.stdout is not None
    assert asking.stdout.readline() == "started\n"
    family = psutil.Process(asking.pid).children(recursive=True)
    assert len(family) == 2
    asking.send_signal(number)
    asking.wait(WAIT)
    asking.stdout.close()
    assert_gone(*family)


def test_a_command_left_by_a_killed_guard_is_ended_by_its_record(tmp_path: Path) -> None:
    record = tmp_path / "run" / "sleeper.json"
    process = GuardedProcess("sleeper", SLEEPS, log=tmp_path / "log", record=record)
    started(process)
    child = child_of(process)
    assert process._guard is not None
    process._guard.kill()
    process._guard.wait(WAIT)
    assert child.is_running()
    end_leftovers(tmp_path / "run")
    assert_gone(child)
    assert not record.exists()


def test_a_record_whose_number_belongs_to_someone_else_now_harms_nobody(tmp_path: Path) -> None:
    record = tmp_path / "old.json"
    innocent = subprocess.Popen(SLEEPS, stdout=subprocess.DEVNULL)
    try:
        record.write_text(f'{{"guard": {innocent.pid}, "child": {innocent.pid}}}')
        os.utime(record, (1, 1))
        end_leftovers(tmp_path)
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_a_large_log_is_set_aside(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.embedded.processes.LARGEST_LOG", 10)
    log.write_text("x" * 11)
    GuardedProcess("short", python("print('new')"), log=log).run()
    assert log.read_text() == "new\n"
    assert log.with_name("log.1").read_text() == "x" * 11
