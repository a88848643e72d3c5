"""The gain that more labels would bring."""

import numpy as np
import pytest

from app.core.estimation import Forecast, Unsaid, forecast_gain, past_sizes


def right_or_wrong(errors: list[float], audits: int, rng: np.random.Generator) -> np.ndarray:
    """Items of fixed difficulty, so that the same ones are wrong again and again."""
    difficulty = rng.random(audits)
    return (difficulty[None, :] > np.array(errors)[:, None]).astype(float)


SIZES = [28, 40, 57, 82, 117, 168, 240]


def errors_of(floor: float, height: float, steepness: float) -> list[float]:
    return [floor + height * (size / 28) ** -steepness for size in SIZES]


def test_past_sizes_grow_by_equal_ratios() -> None:
    assert past_sizes(240, 28) == SIZES
    assert past_sizes(28, 28) == [28]
    assert past_sizes(30, 28) == [28, 29, 30]


def test_few_audits_or_few_sets_are_no_forecast() -> None:
    few = forecast_gain(np.ones((7, 39)), SIZES, 1.5, seed=0)
    assert few == Unsaid("Too few random checks (39) to forecast a gain. First forecast after 40.")
    assert isinstance(forecast_gain(np.ones((3, 80)), [28, 40, 57], 1.5, seed=0), Unsaid)


def test_a_flat_curve_promises_nothing() -> None:
    told = forecast_gain(np.ones((7, 60)), SIZES, 2.0, seed=0)
    assert isinstance(told, Forecast)
    assert told.gain.value == pytest.approx(0, abs=1e-9)
    assert (told.labels_now, told.labels_then) == (240, 480)


def test_the_same_seed_gives_the_same_forecast() -> None:
    correct = right_or_wrong(errors_of(0.1, 0.4, 0.6), 60, np.random.default_rng(1))
    assert forecast_gain(correct, SIZES, 1.5, seed=3) == forecast_gain(correct, SIZES, 1.5, seed=3)


@pytest.mark.parametrize("shape", [(0.05, 0.4, 0.5), (0.2, 0.2, 0.9), (0.0, 0.35, 0.3)])
@pytest.mark.parametrize("factor", [1.5, 2.0])
def test_the_true_gain_lies_inside(shape: tuple[float, float, float], factor: float) -> None:
    floor, height, steepness = shape
    rng = np.random.default_rng(7)
    later = floor + height * (240 * factor / 28) ** -steepness
    truth = errors_of(*shape)[-1] - later
    inside = 0
    for seed in range(60):
        told = forecast_gain(right_or_wrong(errors_of(*shape), 60, rng), SIZES, factor, seed)
        assert isinstance(told, Forecast)
        assert told.gain.low <= told.gain.value <= told.gain.high
        inside += told.gain.covers(truth)
    assert inside >= 56
