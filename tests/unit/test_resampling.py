"""Held-out intervals hold the truth as often as they say; rounds are compared in pairs."""

import numpy as np
import pytest

from app.core.evaluation import evaluate
from app.core.resampling import (
    accuracy_interval,
    calibration_curve,
    compare,
    macro_f1_interval,
)

CHANCES = np.array([[0.4, 0.05, 0.05], [0.05, 0.2, 0.05], [0.02, 0.03, 0.15]])


def drawn(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    cells = rng.choice(9, n, p=CHANCES.reshape(-1))
    return cells // 3, cells % 3


def test_intervals_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(4)
    truth = np.trace(CHANCES)
    f1 = np.mean(2 * np.diag(CHANCES) / (CHANCES.sum(0) + CHANCES.sum(1)))
    held = []
    for number in range(200):
        gold, said = drawn(400, rng)
        accuracy = accuracy_interval(gold, said, 3, seed=number)
        macro = macro_f1_interval(gold, said, 3, seed=number)
        held.append([accuracy.covers(truth), macro.covers(f1)])
    assert np.mean(held, axis=0).min() >= 0.91


def test_the_middle_is_the_figure_itself() -> None:
    gold, said = drawn(300, np.random.default_rng(1))
    measured = evaluate(gold, np.eye(3, dtype=np.float32)[said], "abc")
    assert accuracy_interval(gold, said, 3, seed=0).value == pytest.approx(measured.accuracy)
    assert macro_f1_interval(gold, said, 3, seed=0).value == pytest.approx(measured.macro_f1)


def test_two_rounds_differ_only_where_one_is_right_and_the_other_wrong() -> None:
    first = np.array([True] * 100 + [False] * 100)
    same = compare(first, first, seed=0)
    assert (same.p_value, same.gain.value, same.differs) == (1.0, 0.0, False)
    better = first.copy()
    better[100:130] = True
    told = compare(first, better, seed=0)
    assert told.differs
    assert told.gain.low > 0
    assert told.gain.value == pytest.approx(0.15)
    assert not compare(first, np.roll(first, 3), seed=0).differs


def test_the_calibration_curve_counts_every_item_once() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(3), 500).astype(np.float32)
    curve = calibration_curve(rng.integers(0, 3, 500), probabilities)
    assert sum(one["n"] for one in curve) == 500
    assert all(0 <= one["accuracy"] <= 1 for one in curve)
