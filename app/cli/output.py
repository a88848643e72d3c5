"""How results and errors are printed: tables for people, one JSON object for programs."""

import functools
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from app.core.errors import RoundsError, WrongInput

console = Console()
errors = Console(stderr=True)
P = ParamSpec("P")
R = TypeVar("R")
BOUNDLESS = 10_000
AsJson = typer.Option(False, "--json", help="Print one JSON object and nothing else.")


def friendly(command: Callable[P, R]) -> Callable[P, R]:
    """Errors as one sentence with what to do: exit code 2 for wrong use, 1 for failure."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except WrongInput as problem:
            where = f"{problem.field}: " if problem.field else ""
            errors.print(f"[red]{escape(where + problem.message)}[/red]")
            raise typer.Exit(2) from None
        except RoundsError as problem:
            errors.print(f"[red]{escape(problem.message)}[/red]")
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None

    return wrapped


def print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=1, default=str, ensure_ascii=False) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """A table, or a sentence that says what to do where there is nothing to show."""
    headers = [Column(name, overflow="fold") for name in columns]
    table = Table(*headers, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(escape(shown(cell)) for cell in row))
    if table.row_count:
        _wide_enough(table).print(table)
    else:
        console.print(escape(empty))


def _wide_enough(table: Table) -> Console:
    """A file or a pipe has no width: a figure that is cut to fit a guessed one is lost."""
    if console.is_terminal:
        return console
    boundless = console.options.update(max_width=BOUNDLESS)
    return Console(width=Measurement.get(console, boundless, table).maximum)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """How many are done, of how many; on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=errors, transient=True,
        disable=not errors.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, Mapping):
        return ", ".join(str(one) for one in value.values())
    return str(value)
