"""What the figures mean, in sentences; above all where active learning does not help."""

from collections.abc import Sequence

from app.simulate.results import Run
from app.simulate.statistics import FEWEST
from app.simulate.table import Row, agreements, is_random


def verdicts(rows: Sequence[Row]) -> list[str]:
    """One sentence for each random that others were compared with."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.data, row.classifier, row.oracle), []).append(row)
    return [sentence for own in groups.values() if (sentence := _verdict(own))]


def _verdict(rows: Sequence[Row]) -> str | None:
    others = [row for row in rows if not is_random(row.strategy)]
    if not others:
        return None
    where = f"{rows[0].data}, {rows[0].classifier}, {rows[0].oracle}"
    if len(others) == len(rows):
        return f"{where}: not compared with random; add it to the strategies to see a saving."
    if rows[0].repeats < FEWEST:
        return (
            f"{where}: {rows[0].repeats} repeats are too few to tell a difference from chance; "
            f"take at least {FEWEST}, better 20."
        )
    better = [row for row in others if row.beats_random]
    if not better:
        return f"{where}: nothing beats random here. {_closest(others)}"
    return f"{where}: {'; '.join(map(_gain, better))}."


def _closest(others: Sequence[Row]) -> str:
    best = max(others, key=lambda row: row.auc_vs_random or 0.0)
    return f"Closest is {_gain(best)}, an interval that does not lie above zero."


def _gain(row: Row) -> str:
    low, high = row.auc_vs_random_interval or (0.0, 0.0)
    points = 100 * (row.auc_vs_random or 0.0)
    return (
        f"{row.strategy} is {points:+.1f} points from random over the whole curve "
        f"({100 * low:+.1f} to {100 * high:+.1f})"
    )


def cautions(runs: Sequence[Run]) -> list[str]:
    """Runs that ended early, and what two oracles made of the same items."""
    found = []
    stopped = [run for run in runs if run.stopped]
    if stopped:
        first = stopped[0]
        found.append(
            f"{len(stopped)} of {len(runs)} runs ended before their last round; "
            f"{first.key.strategy} on {first.key.data}, repeat {first.key.repeat}: {first.stopped}"
        )
    for (data, one, other), (share, items) in agreements(runs).items():
        found.append(
            f"{data}: {one} and {other} agree on {100 * share:.1f}% of the {items:,} items that "
            "both labelled."
        )
    return found
