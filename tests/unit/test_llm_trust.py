"""Whether confidence may route: only when it was measured, on enough items, and holds."""

import numpy as np
import pytest

from app.core.llm.trust import FEWEST, calibration_error, judge_trust, recalibrate, recalibrated


def model(n: int, kind: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    if kind == "honest":
        confidence = chance.beta(12, 1.2, n)
        return confidence, chance.random(n) < confidence
    return chance.uniform(0.93, 1.0, n), chance.random(n) < 0.8


def test_a_well_calibrated_model_may_route() -> None:
    found = judge_trust(*model(300, "honest"))
    assert found.may_route
    assert found.high is not None
    assert found.high < 0.1
    assert "surely under" in found.reason


def test_one_that_is_too_sure_may_not() -> None:
    found = judge_trust(*model(300, "boastful"))
    assert not found.may_route
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 0.165 <= found.high
    assert "not under" in found.reason


def test_99_items_are_too_few_and_it_says_how_many_are_missing() -> None:
    found = judge_trust(*model(FEWEST - 1, "honest"))
    assert not found.may_route
    assert found.calibration_error is None
    assert "1 more items" in found.reason
    assert judge_trust(*model(0, "honest")).accuracy is None


def test_a_middle_under_the_threshold_is_not_enough() -> None:
    confidence, right = model(FEWEST, "honest")
    tight = judge_trust(confidence, right, threshold=0.03)
    assert not tight.may_route
    assert "more items" in tight.reason


def test_the_interval_of_a_perfect_model_holds_nothing_at_all() -> None:
    covered = [judge_trust(*model(200, "honest", seed)).low == 0.0 for seed in range(20)]
    assert sum(covered) >= 18


def test_it_does_not_depend_on_the_order_of_equal_confidences() -> None:
    confidence, right = np.full(400, 0.8), np.arange(400) % 5 > 0
    chance = np.random.default_rng(0)
    for _ in range(5):
        mixed = chance.permutation(400)
        assert calibration_error(confidence[mixed], right[mixed]) < 0.05


def test_recalibration_makes_a_boastful_model_honest() -> None:
    confidence, right = model(400, "boastful")
    honest = recalibrated(confidence, right)
    assert honest.mean() == pytest.approx(0.8, abs=0.05)
    assert calibration_error(honest, right) < calibration_error(confidence, right) / 2


def test_recalibration_never_turns_the_order_around() -> None:
    chance = np.random.default_rng(1)
    confidence = chance.uniform(0.1, 0.9, 400)
    upside_down = chance.random(400) < 1 - confidence
    assert recalibrate(confidence, upside_down).slope == pytest.approx(0.0, abs=1e-6)


def test_recalibration_leaves_an_honest_model_about_as_it_is() -> None:
    confidence, right = model(2_000, "honest")
    line = recalibrate(confidence, right)
    assert line.slope == pytest.approx(1.0, abs=0.2)
    assert line.of(np.array([0.9]))[0] == pytest.approx(0.9, abs=0.04)
