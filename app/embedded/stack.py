"""`rounds up` and `rounds down`: everything on this machine, in front or in the background."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from app.embedded.access import show
from app.embedded.background import start_in_background
from app.embedded.everything import Everything
from app.embedded.one_stack import (
    StopAsked,
    ignore_stop_signals,
    only_stack,
    runs,
    stop_other,
    stop_signals,
)
from app.embedded.progress import ConsoleProgress
from app.settings import Settings

STOP_SECONDS = 90


def run_stack(
    settings: Settings, *, detach: bool = False, extra: Sequence[Sequence[str]] = ()
) -> int:
    """Run everything until told to stop; with `detach`, return once everything is ready.

    `extra` are arguments of our Python for programs to run beside, once everything is ready.
    """
    console = Console()
    progress = ConsoleProgress(console)
    try:
        with stop_signals():
            if detach:
                _start_and_leave(settings, extra, progress, console)
            else:
                with only_stack(settings.home):
                    _run(settings, extra, progress, console)
    finally:
        progress.clear()
    return 0


def stop_stack(home: Path) -> int:
    """Stop what runs in this home, wherever it was started, and wait until it has stopped."""
    console = Console()
    if not runs(home):
        console.print("Nothing runs here.")
        return 0
    with console.status("stopping …"):
        stopped = stop_other(home, STOP_SECONDS)
    if stopped:
        console.print("Stopped. The data is kept.")
        return 0
    console.print(f"It did not stop within {STOP_SECONDS} s; see {home}/logs.")
    return 1


def _start_and_leave(
    settings: Settings,
    extra: Sequence[Sequence[str]],
    progress: ConsoleProgress,
    console: Console,
) -> None:
    access = start_in_background(settings, extra, progress)
    progress.clear()
    show(access, settings.home, console)
    progress.say("It runs in the background; `make down` stops it, the data is kept.")


def _run(
    settings: Settings, extra: Sequence[Sequence[str]], progress: ConsoleProgress, console: Console
) -> None:
    everything = Everything(settings, progress, extra=extra)
    try:
        access = everything.start()
        show(access, settings.home, console)
        progress.say("Ctrl-C stops all of it; the data is kept.")
        everything.start_extra(to_logs=False)
        everything.look_after()
    except StopAsked:
        progress.say("")
        raise
    finally:
        ignore_stop_signals()
        progress.begin("stopping")
        everything.stop()
