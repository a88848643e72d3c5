"""Runs one command and sees to it that the command never outlives whoever asked for it.

    guard.py [--stop-signal TERM] [--grace 10] [--user UID] [--record FILE] -- command argument …

Standard input is the lifeline: a pipe whose other end the asking process holds. When that process
ends, however it ends, the pipe closes and the command is stopped. It runs in a session of its own,
so that Ctrl-C in a terminal reaches only the process that decides in which order things stop.
The record names both processes while they run, for whoever has to clear up after a killed guard.
Standard library only: this file is run by its path and must start fast.
"""

import argparse
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(argv: list[str]) -> int:
    """Run the command until it ends, or until the lifeline or a signal says stop."""
    options = _options(argv)
    wakeups = _watch_signals()
    child = subprocess.Popen(
        options.command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        user=options.user,
        group=options.user,
        extra_groups=None if options.user is None else [],
    )
    if options.record is not None:
        options.record.write_text(json.dumps({"guard": os.getpid(), "child": child.pid}))
    if _wait_for_end_or_order(child, wakeups):
        _stop(child, wakeups, signal.Signals[f"SIG{options.stop_signal}"], options.grace)
    _sweep(child.pid)
    if options.record is not None:
        options.record.unlink(missing_ok=True)
    code = child.wait()
    return code if code >= 0 else 128 - code


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="guard")
    parser.add_argument("--stop-signal", default="TERM")
    parser.add_argument("--grace", type=float, default=10.0)
    parser.add_argument("--user", type=int)
    parser.add_argument("--record", type=Path)
    parser.add_argument("command", nargs="+")
    return parser.parse_args(argv)


def _watch_signals() -> int:
    """A file descriptor that becomes readable on every signal we care about."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    for number in (*STOPPING, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return readable


def _wait_for_end_or_order(child: subprocess.Popen[bytes], wakeups: int) -> bool:
    """True when we are told to stop, False when the command ended by itself."""
    lifeline = sys.stdin.fileno()
    while child.poll() is None:
        readable, _, _ = select.select([lifeline, wakeups], [], [])
        if wakeups in readable and any(n in STOPPING for n in os.read(wakeups, 64)):
            return True
        if lifeline in readable and not os.read(lifeline, 64):
            return True
    return False


def _stop(
    child: subprocess.Popen[bytes], wakeups: int, stop_signal: signal.Signals, grace: float
) -> None:
    """Ask politely; when the grace is over, do not ask."""
    child.send_signal(stop_signal)
    deadline = time.monotonic() + grace
    while child.poll() is None and (left := deadline - time.monotonic()) > 0:
        if select.select([wakeups], [], [], left)[0]:
            os.read(wakeups, 64)
    if child.poll() is None:
        child.kill()
        child.wait()


def _sweep(session: int) -> None:
    """Kill what the command left behind in its session, process groups of their own included."""
    for pid in _session_members(session):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)


def _session_members(session: int) -> list[int]:
    """Read from /proc where there is one; elsewhere the process group has to do."""
    members = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(after_name[3]) == session:
                members.append(int(entry.name))
    return members


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
