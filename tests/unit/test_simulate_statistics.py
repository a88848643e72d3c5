"""Figures about paired curves: right where the answer is known, silent where there is none."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.simulate.statistics import (
    area,
    labels_to_target,
    mean_interval,
    saving,
    saving_interval,
)

CURVE = [{"labels": n, "accuracy": a} for n, a in ((10, 0.5), (20, 0.7), (30, 0.6), (40, 0.9))]


def test_the_target_is_reached_when_first_touched() -> None:
    assert labels_to_target(CURVE, "accuracy", 0.7) == 20
    assert labels_to_target(CURVE, "accuracy", 0.8) == 40
    assert math.isinf(labels_to_target(CURVE, "accuracy", 0.91))


def test_the_area_is_the_mean_height_and_flat_beyond_the_ends() -> None:
    assert area(CURVE, "accuracy", 10, 40) == pytest.approx((0.6 + 0.65 + 0.75) / 3)
    assert area(CURVE, "accuracy", 40, 60) == pytest.approx(0.9)
    assert area(CURVE, "accuracy", 10, 70) == pytest.approx((3 * 2 / 3 + 3 * 0.9) / 6)
    assert area(CURVE, "accuracy", 20, 20) == pytest.approx(0.7)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_an_area_lies_between_the_lowest_and_the_highest_point(heights: list[float]) -> None:
    curve = [{"labels": 10 * n, "accuracy": height} for n, height in enumerate(heights, start=1)]
    found = area(curve, "accuracy", 10, 10 * len(heights))
    assert min(heights) - 1e-9 <= found <= max(heights) + 1e-9


def test_a_saving_is_a_share_of_the_yardsticks_labels() -> None:
    assert saving(np.array([50.0, 60, 70]), np.array([100.0, 120, 200])) == 0.5
    assert saving(np.array([50.0, math.inf, math.inf]), np.array([100.0] * 3)) == -math.inf
    assert saving(np.array([50.0] * 3), np.array([math.inf] * 3)) is None


def test_nothing_is_claimed_from_few_repeats_or_of_unknown_size() -> None:
    few = np.array([50.0] * 4)
    assert saving_interval(few, 2 * few) is None
    assert mean_interval(few) is None
    many = np.array([50.0] * 10)
    assert saving_interval(many, np.full(10, math.inf)) is None
    assert saving_interval(many, 2 * many) == (0.5, 0.5)


def test_repeats_stay_paired_when_drawn_anew() -> None:
    """Splits differ widely, contestants on the same split hardly: pairing tells them apart."""
    hard = np.array([100.0, 200, 300, 400, 500, 600, 700, 800])
    low, high = saving_interval(0.9 * hard, hard) or (0, 0)
    assert low == pytest.approx(0.1)
    assert high == pytest.approx(0.1)


def test_the_interval_of_a_mean_holds_what_it_promises() -> None:
    """Of many samples of six, about 95% of intervals hold the true mean."""
    chance = np.random.default_rng(3)
    held = 0
    for _ in range(1_000):
        low, high = mean_interval(chance.normal(1.0, 2.0, 6)) or (0, 0)
        held += low <= 1.0 <= high
    assert 0.93 <= held / 1_000 <= 0.97
