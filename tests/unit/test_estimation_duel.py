"""Better than random? What the duel says, and how often it is wrong."""

import numpy as np
import pytest
from scipy import stats

from app.core.estimation import DuelVerdict, judge_duel
from app.core.estimation.duel import sign_test


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (3, 3), (10, 2), (2, 10), (25, 9), (40, 0)])
def test_the_sign_test_is_the_exact_one(wins: int, losses: int) -> None:
    trials = wins + losses
    expected = stats.binomtest(wins, trials).pvalue if trials else 1.0
    assert sign_test(wins, losses) == pytest.approx(expected)


def test_a_clear_difference_is_said_with_its_size() -> None:
    told = judge_duel(26, 6, 8, disagreement=0.1)
    assert told.verdict == DuelVerdict.ACTIVE
    assert 0 < told.gap.low < told.gap.value < told.gap.high <= 0.1
    assert judge_duel(6, 26, 8, disagreement=0.1).verdict == DuelVerdict.RANDOM


def test_an_even_duel_separates_nothing() -> None:
    told = judge_duel(16, 14, 10, disagreement=0.3)
    assert told.verdict == DuelVerdict.NOT_SEPARATED
    assert told.gap.low < 0 < told.gap.high


def test_a_clean_sweep_is_not_certain() -> None:
    told = judge_duel(40, 0, 0, disagreement=0.2)
    assert told.gap.value < 0.2
    assert told.gap.low < told.gap.value


def test_a_single_label_is_no_duel() -> None:
    with pytest.raises(ValueError, match="two labels"):
        judge_duel(1, 0, 0, disagreement=0.2)


@pytest.mark.parametrize(
    ("only_active", "only_random", "labels"),
    [(0.4, 0.4, 40), (0.5, 0.3, 40), (0.7, 0.1, 40), (0.15, 0.1, 40), (0.45, 0.45, 12)],
)
def test_the_gap_holds_the_truth_as_often_as_it_says(
    only_active: float, only_random: float, labels: int
) -> None:
    rng = np.random.default_rng(labels)
    chances = [only_active, only_random, 1 - only_active - only_random]
    drawn = rng.multinomial(labels, chances, 1000)
    told = [judge_duel(*row, disagreement=0.2) for row in drawn.tolist()]
    truth = 0.2 * (only_active - only_random)
    assert np.mean([one.gap.covers(truth) for one in told]) >= 0.93
    wrong = DuelVerdict.RANDOM if truth > 0 else None
    assert np.mean([one.verdict == wrong for one in told]) <= 0.01
    if truth == 0:
        separated = np.mean([one.verdict != DuelVerdict.NOT_SEPARATED for one in told])
        assert separated <= 0.05
