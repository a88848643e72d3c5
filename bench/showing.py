"""How benchmarks on labels are shown: tables, and each promise beside what was measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from app.simulate import Result, Row, Run, cautions, table, verdicts
from app.simulate.statistics import area, mean_interval

COLUMNS = (
    "| strategy | classifier | labels to target | worst | reached | saved (95%) | area "
    "| points against random | final |"
)


def shown(result: Result) -> Iterator[str]:
    """The table of an experiment as Markdown, and what it means."""
    experiment = result.experiment
    rows = table(experiment, result.runs)
    yield f"Target: {experiment.metric} {experiment.target_acc:.3f}; {experiment.repeats} repeats."
    yield ""
    yield COLUMNS
    yield "|---|---|---|---|---|---|---|---|---|"
    yield from map(_line, rows)
    yield ""
    yield from (*verdicts(rows), *cautions(result.runs))


def _line(row: Row) -> str:
    found = row.as_json()
    cells = [
        row.strategy,
        row.classifier,
        _number(found["labels_to_target"]),
        _number(found["labels_to_target_worst"]),
        f"{row.reached}/{row.repeats}",
        _interval(found["saved_vs_random"], found["saved_vs_random_interval"], "{:.0f}"),
        f"{row.auc:.4f}",
        _interval(found["auc_vs_random"], found["auc_vs_random_interval"], "{:+.1f}"),
        f"{getattr(row, f'final_{row.metric}'):.4f} at {row.final_labels:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    return "never" if value is None else f"{value:g}"


def _interval(middle: float | None, ends: Sequence[float | None] | None, form: str) -> str:
    """In hundredths: percent of labels, points of accuracy."""
    if middle is None:
        return "–"
    shown_ends = [form.format(100 * end) if end is not None else "–∞" for end in ends or []]
    middle_shown = form.format(100 * middle)
    return f"{middle_shown} ({' to '.join(shown_ends)})" if shown_ends else middle_shown


def judged(what: str, measured: float | None, wanted: float, *, at_most: bool = False) -> str:
    """A promise beside what was measured."""
    if measured is None or not np.isfinite(measured):
        return f"* {what}: never; promised {'≤' if at_most else '≥'} {wanted:g}: MISSED"
    met = measured <= wanted if at_most else measured >= wanted
    sign = "≤" if at_most else "≥"
    return f"* {what}: {measured:.4g}; promised {sign} {wanted:g}: {'met' if met else 'MISSED'}"


def height(curve: Sequence[Mapping[str, Any]], metric: str, labels: float) -> float:
    """The curve at a number of labels, straight between its points."""
    return float(np.interp(labels, [p["labels"] for p in curve], [p[metric] for p in curve]))


def paired(
    result: Result, one: tuple[str, str], other: tuple[str, str]
) -> tuple[float, tuple[float, float] | None]:
    """Mean difference of areas of two (strategy, classifier) in points, with a 95% interval."""
    areas = [_areas(result, *contestant) for contestant in (one, other)]
    difference = 100 * (areas[0] - areas[1])
    return float(difference.mean()), mean_interval(difference)


def _areas(result: Result, strategy: str, classifier: str) -> Any:
    experiment = result.experiment
    runs = [
        run
        for run in result.runs
        if (run.key.strategy, run.key.classifier) == (strategy, classifier)
    ]
    end = min([experiment.budget, *(run.pool for run in runs)])
    return np.array([area(run.curve, experiment.metric, experiment.start, end) for run in runs])


def at_random_end(result: Result, metric: str) -> tuple[float, Row]:
    """Where random with our classifier ends in the mean; and our row with that for a target."""
    ends = [run.curve[-1][metric] for run in _of(result, "random", "default")]
    target = float(np.mean(ends))
    experiment = replace(result.experiment, target_acc=target)
    rows = table(experiment, _of(result, "default", "default"))
    return target, rows[0]


def _of(result: Result, strategy: str, classifier: str) -> list[Run]:
    wanted = (strategy, classifier)
    return [run for run in result.runs if (run.key.strategy, run.key.classifier) == wanted]
