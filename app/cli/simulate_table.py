"""What an experiment showed, for a person at a terminal."""

from collections.abc import Callable, Mapping
from typing import Any

from app.cli.output import console, print_table
from app.simulate import Result, Row, cautions, verdicts


def print_result(result: Result, rows: list[Row]) -> None:
    for note in result.notes:
        console.print(note, highlight=False)
    wanted = result.experiment
    console.print(
        f"Labels until {wanted.metric} reaches {wanted.target_acc:g}: median and worst repeat, "
        "and the share of random's that is saved (95% interval).",
        highlight=False,
    )
    columns = [*_telling_apart(rows), *FIGURES, *_of_money(rows)]
    print_table(
        list(columns),
        [[_cell(row, column) for column in columns] for row in rows],
        empty="No runs.",
    )
    for sentence in (*verdicts(rows), *cautions(result.runs)):
        console.print(sentence, highlight=False)


def _telling_apart(rows: list[Row]) -> list[str]:
    """Columns in which rows differ; strategies always."""
    columns = ("data", "classifier", "oracle")
    differing = [column for column in columns if len({getattr(row, column) for row in rows}) > 1]
    return [*differing, "strategy"]


def _of_money(rows: list[Row]) -> list[str]:
    """Columns for experiments in which an oracle costs something."""
    return list(MONEY) if any(row.cost_a_run is not None for row in rows) else []


def _cell(row: Row, column: str) -> Any:
    shown = {**FIGURES, **MONEY}.get(column)
    return shown(row, row.as_json()) if shown else getattr(row, column)


def _labels(value: float | None) -> str:
    return "never" if value is None else f"{value:g}"


def _saved(found: Mapping[str, Any]) -> str | None:
    if found["saved_vs_random"] is None:
        return None
    low, high = found["saved_vs_random_interval"] or (None, None)
    middle = f"{100 * found['saved_vs_random']:.0f}%"
    return middle if high is None else f"{middle} ({_end(low)} to {_end(high)})"


def _end(share: float | None) -> str:
    return "–∞" if share is None else f"{100 * share:.0f}"


def _points(row: Row) -> str | None:
    if row.auc_vs_random is None:
        return None
    low, high = row.auc_vs_random_interval or (None, None)
    middle = f"{100 * row.auc_vs_random:+.1f}"
    return (
        middle
        if low is None or high is None
        else f"{middle} ({100 * low:+.1f} to {100 * high:+.1f})"
    )


FIGURES: Mapping[str, Callable[[Row, Mapping[str, Any]], Any]] = {
    "labels": lambda row, found: _labels(found["labels_to_target"]),
    "worst": lambda row, found: _labels(found["labels_to_target_worst"]),
    "reached": lambda row, found: f"{row.reached} of {row.repeats}",
    "saved": lambda row, found: _saved(found),
    "area": lambda row, found: row.auc,
    "points against random": lambda row, found: _points(row),
    "at the end": lambda row, found: getattr(row, f"final_{row.metric}"),
}
"""Columns of the table as people see it."""

MONEY: Mapping[str, Callable[[Row, Mapping[str, Any]], Any]] = {
    "macro F1": lambda row, found: row.final_macro_f1,
    "agreement": lambda row, found: row.label_agreement,
    "letter by letter": lambda row, found: row.strict_agreement,
    "$ a run": lambda row, found: None if row.cost_a_run is None else f"{row.cost_a_run:.4f}",
}
