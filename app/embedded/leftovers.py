"""Ends processes of ours that a killed guard left behind, before their ports are needed again."""

import contextlib
import json
from pathlib import Path

import psutil

PATIENCE_SECONDS = 15


def end_leftovers(run_folder: Path) -> None:
    """For each record of a guard: let the guard finish its work; without a guard, do it here."""
    for record in run_folder.glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            pids = json.loads(record.read_text())
            _wait_for(_same_process(pids["guard"], record))
            _end(_same_process(pids["child"], record))
            record.unlink(missing_ok=True)


def _same_process(pid: int, record: Path) -> psutil.Process | None:
    """The process the record means: numbers are reused, but it must be older than the record."""
    try:
        process = psutil.Process(pid)
        is_ours = process.create_time() <= record.stat().st_mtime + 1
    except (psutil.Error, FileNotFoundError):
        return None
    return process if is_ours else None


def _wait_for(guard: psutil.Process | None) -> None:
    if guard is not None:
        with contextlib.suppress(psutil.Error):
            guard.wait(PATIENCE_SECONDS)


def _end(child: psutil.Process | None) -> None:
    if child is None:
        return
    family = [child]
    with contextlib.suppress(psutil.Error):
        family += child.children(recursive=True)
    for process in family:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(family, timeout=PATIENCE_SECONDS)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
