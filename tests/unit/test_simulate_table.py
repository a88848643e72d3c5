"""The table and the sentences under it."""

import csv
import io
import json
from collections.abc import Sequence

import pytest

from app.simulate import Experiment, Row, Run, cautions, table, verdicts
from app.simulate.exporting import curves_csv, table_csv
from tests.unit.simulate_factory import made_run

RANDOM = [0.5, 0.6, 0.7, 0.8, 0.9]
EXPERIMENT = Experiment(strategy=("margin", "random"), iterations=4, repeats=8)


def runs_of(heights: Sequence[float], shift: float = 0.0) -> list[Run]:
    """Eight repeats, each a little off, ours that much above random."""
    found = []
    for repeat in range(8):
        off = 0.002 * (repeat % 3)
        found += [
            made_run("margin", repeat, [height + shift - off for height in heights]),
            made_run("random", repeat, [height + off for height in RANDOM]),
        ]
    return found


def rows_of(runs: Sequence[Run]) -> dict[str, Row]:
    return {row.strategy: row for row in table(EXPERIMENT, runs)}


def test_a_better_strategy_is_seen_and_its_saving_measured() -> None:
    rows = rows_of(runs_of([0.7, 0.8, 0.9, 0.95, 0.97], shift=0.01))
    ours, random = rows["margin"], rows["random"]
    assert (ours.labels_to_target, random.labels_to_target) == (40, 60)
    assert ours.saved_vs_random == pytest.approx(1 / 3)
    assert ours.auc_vs_random == pytest.approx(ours.auc - random.auc)
    assert ours.beats_random is True
    assert random.saved_vs_random is None
    assert random.beats_random is None
    (sentence,) = verdicts(list(rows.values()))
    assert "margin is +" in sentence


@pytest.mark.parametrize("shift", [0.0, -0.05])
def test_where_nothing_beats_random_it_is_said_plainly(shift: float) -> None:
    rows = rows_of(runs_of(RANDOM, shift))
    assert rows["margin"].beats_random is False
    (sentence,) = verdicts(list(rows.values()))
    assert "nothing beats random here" in sentence


def test_few_repeats_tell_nothing() -> None:
    few = [run for run in runs_of(RANDOM, 0.2) if run.key.repeat < 3]
    rows = table(EXPERIMENT, few)
    assert all(row.beats_random is None for row in rows)
    assert "too few" in verdicts(rows)[0]


def test_without_random_nothing_is_said_to_be_saved() -> None:
    alone = [run for run in runs_of(RANDOM, 0.2) if run.key.strategy == "margin"]
    (row,) = table(EXPERIMENT, alone)
    assert row.saved_vs_random is None
    assert "not compared with random" in verdicts([row])[0]


def test_more_strategies_make_wider_intervals() -> None:
    """One of many is better by chance; the intervals hold for all of them together."""
    runs = runs_of([0.7, 0.8, 0.9, 0.95, 0.97])
    others = [
        made_run(name, repeat, RANDOM) for repeat in range(8) for name in ("entropy", "badge")
    ]
    alone, among = rows_of(runs)["margin"], rows_of([*runs, *others])["margin"]
    narrow, wide = alone.auc_vs_random_interval, among.auc_vs_random_interval
    assert narrow
    assert wide
    assert wide[0] < narrow[0]
    assert wide[1] > narrow[1]


def test_a_target_never_reached_is_null_in_json() -> None:
    rows = rows_of(runs_of([0.5] * 5))
    found = json.loads(json.dumps(rows["margin"].as_json(), allow_nan=False))
    assert found["labels_to_target"] is None
    assert found["reached"] == 0
    assert found["saved_vs_random"] is None


def test_a_run_that_ended_early_is_told_of() -> None:
    runs = [*runs_of(RANDOM), made_run("margin", 8, [0.5], stopped="round 1: no scores")]
    assert "1 of 17 runs ended before" in cautions(runs)[0]
    assert "round 1: no scores" in cautions(runs)[0]


def test_two_oracles_are_compared_on_what_both_were_asked() -> None:
    runs = [
        made_run("margin", 0, RANDOM, answers=[("a", "x"), ("b", "y"), ("c", "x"), ("d", "x")]),
        made_run("margin", 0, RANDOM, oracle="llm", answers=[("a", "x"), ("b", "x"), ("e", "y")]),
        made_run("margin", 1, RANDOM, oracle="llm", answers=[("c", "y")]),  # another repeat
    ]
    (sentence,) = cautions(runs)
    assert "llm and truth agree on 50.0% of the 2 items" in sentence


def test_csv_has_a_line_a_point_and_a_line_a_contestant() -> None:
    runs = runs_of(RANDOM, 0.1)
    points = list(csv.DictReader(io.StringIO(curves_csv(runs))))
    assert len(points) == 16 * 5
    assert points[0]["strategy"] == "margin"
    assert float(points[0]["accuracy"]) == pytest.approx(0.6)
    rows = list(csv.DictReader(io.StringIO(table_csv(table(EXPERIMENT, runs)))))
    assert [row["strategy"] for row in rows] == ["margin", "random"]
    assert float(rows[0]["auc_vs_random_interval_low"]) > 0
    assert rows[1]["auc_vs_random_interval_low"] == ""
