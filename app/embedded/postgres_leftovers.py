"""What a killed parent or a crash can leave of Postgres: a server nobody watches, a stale lock."""

import contextlib
import signal
from pathlib import Path

import psutil

STOP_SECONDS = 30


def clear(data: Path) -> None:
    """Stop servers that still run on this data folder, then remove the lock they left.

    The lock file alone says nothing: after a restart of the machine its number can belong to
    any process, and Postgres would refuse to start.
    """
    survivors = servers_on(data)
    for process in survivors:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)
    _, stubborn = psutil.wait_procs(survivors, timeout=STOP_SECONDS)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=STOP_SECONDS)
    (data / "postmaster.pid").unlink(missing_ok=True)


def servers_on(data: Path) -> list[psutil.Process]:
    """Every Postgres process that works in this folder: all of them make it their own."""
    found = []
    for process in psutil.process_iter(["name", "cwd"]):
        with contextlib.suppress(psutil.Error):
            if process.info["name"] == "postgres" and process.info["cwd"] == str(data):
                found.append(process)
    return found
