"""Says what is being done, how long it took, and what went wrong: to a terminal or to a pipe."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Protocol

from rich.console import Console
from rich.progress import Progress as RichProgress
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn


class Progress(Protocol):
    """Hears of the steps of a start."""

    def begin(self, what: str) -> None: ...
    def done(self, what: str, seconds: float) -> None: ...
    def say(self, text: str) -> None: ...


@contextmanager
def step(progress: Progress, what: str) -> Iterator[None]:
    """One step; nothing is said at the end of one that failed, the error will say it."""
    started = time.monotonic()
    progress.begin(what)
    yield
    progress.done(what, time.monotonic() - started)


class ConsoleProgress:
    """On a terminal a spinner and the time that has passed; elsewhere plain lines."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._spinner: RichProgress | None = None

    def begin(self, what: str) -> None:
        """Show what is being done now."""
        self.clear()
        if self._console.is_terminal:
            columns = (TextColumn(" "), SpinnerColumn(), TextColumn("{task.description}"))
            self._spinner = RichProgress(
                *columns, TimeElapsedColumn(), console=self._console, transient=True
            )
            self._spinner.add_task(what, total=None)
            self._spinner.start()

    def done(self, what: str, seconds: float) -> None:
        """Show what has been done."""
        self.clear()
        line = f"  [green]✓[/green] {what} [dim]{seconds:.1f} s[/dim]"
        self._console.print(line, highlight=False)

    def say(self, text: str) -> None:
        """Show a sentence as it is."""
        self._console.print(f"  {text}", highlight=False, markup=False, soft_wrap=True)

    def clear(self) -> None:
        """Take the spinner away."""
        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None


class PipeProgress:
    """One JSON object a line, for the process that waits at the other end."""

    def __init__(self, pipe: IO[str]) -> None:
        self._pipe = pipe

    def begin(self, what: str) -> None:
        """Pass on what is being done now."""
        self.send(begin=what)

    def done(self, what: str, seconds: float) -> None:
        """Pass on what has been done."""
        self.send(done=what, seconds=seconds)

    def say(self, text: str) -> None:
        """Pass on a sentence."""
        self.send(say=text)

    def send(self, **event: object) -> None:
        """Pass on anything; when nobody listens any more, it goes to standard error."""
        try:
            self._pipe.write(json.dumps(event) + "\n")
            self._pipe.flush()
        except (BrokenPipeError, ValueError):
            sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {event}\n")

    def close(self) -> None:
        """The one at the other end has heard enough."""
        self._pipe.close()


def relay(lines: IO[str], progress: Progress) -> dict[str, Any]:
    """Show what comes through the pipe; returns the last event, which tells how it ended."""
    event: dict[str, Any] = {}
    for line in lines:
        event = json.loads(line)
        if "begin" in event:
            progress.begin(event["begin"])
        elif "done" in event:
            progress.done(event["done"], event["seconds"])
        elif "say" in event:
            progress.say(event["say"])
    return event
