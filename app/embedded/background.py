"""Everything in the background: one half starts it and reports, the other half is it."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.core.errors import RoundsError, Unavailable
from app.embedded.access import Access
from app.embedded.everything import Everything
from app.embedded.one_stack import ignore_stop_signals, only_stack, stop_signals
from app.embedded.processes import last_lines, open_log
from app.embedded.progress import PipeProgress, Progress, relay
from app.settings import Settings


def start_in_background(
    settings: Settings, extra: Sequence[Sequence[str]], progress: Progress
) -> Access:
    """Returns when all is ready; what was started goes on when we are gone."""
    child = subprocess.Popen(
        [sys.executable, "-m", "app.embedded.background"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdin is not None and child.stdout is not None  # noqa: S101 - asked for above
    try:
        with child.stdin as pipe:
            json.dump({"settings": _plain(settings), "extra": [list(one) for one in extra]}, pipe)
        end = relay(child.stdout, progress)
    except BaseException:
        child.terminate()
        child.wait()
        raise
    if "ready" in end:
        return Access.parse(end["ready"])
    raise Unavailable(str(end.get("failed") or last_lines(log_file(settings.home))))


def log_file(home: Path) -> Path:
    """Where the background process writes when nobody listens any more."""
    return home / "logs" / "stack.log"


def be_in_background(request: dict[str, Any]) -> int:
    """The other half; says through its standard output how the start goes."""
    settings = Settings(**request["settings"])
    pipe = PipeProgress(os.fdopen(os.dup(1), "w"))
    _write_to(log_file(settings.home))
    try:
        with only_stack(settings.home), stop_signals():
            _run(settings, request["extra"], pipe)
    except RoundsError as problem:
        pipe.send(failed=problem.message)
        return 1
    return 0


def _run(settings: Settings, extra: Sequence[Sequence[str]], pipe: PipeProgress) -> None:
    everything = Everything(settings, pipe, extra=extra)
    try:
        access = everything.start()
        everything.start_extra(to_logs=True)
        pipe.send(ready=access.as_dict())
        pipe.close()
        everything.look_after()
    finally:
        ignore_stop_signals()
        everything.stop()


def _write_to(log: Path) -> None:
    """From here on what we print goes to a file: nobody may be there to read it."""
    with open_log(log) as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)


def _plain(settings: Settings) -> dict[str, Any]:
    """With the secrets: this goes through a pipe that nobody else can read."""
    values = settings.model_dump()
    values["home"] = str(settings.home.resolve())
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in values.items()
    }


if __name__ == "__main__":
    sys.exit(be_in_background(json.load(sys.stdin)))
