"""Better than random? What the duel says, and how often it is wrong."""

import numpy as np
import pytest
from scipy import stats

from app.core.estimation import DuelVerdict, Exchanged, exchange, judge_duel, labels_for
from app.core.estimation.duel import SELDOM, sign_test

SELDOM_SO_LARGE = Exchanged(in_favour=0.0125, against=0.0125)
USUAL = Exchanged(in_favour=0.4, against=0.6)


def duel(*counts, exchanged=SELDOM_SO_LARGE, apart=200, items=1000):
    return judge_duel(*counts, apart=apart, items=items, exchanged=exchanged)


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (3, 3), (10, 2), (2, 10), (25, 9), (40, 0)])
def test_the_sign_test_is_the_exact_one(wins: int, losses: int) -> None:
    trials = wins + losses
    expected = stats.binomtest(wins, trials).pvalue if trials else 1.0
    assert sign_test(wins, losses) == pytest.approx(expected)


def test_a_clear_difference_is_said_with_its_size() -> None:
    told = duel(26, 6, 8, apart=100)
    assert told.verdict == DuelVerdict.ACTIVE
    assert 0 < told.gap.low < told.gap.value < told.gap.high <= 0.1
    assert duel(6, 26, 8, apart=100).verdict == DuelVerdict.RANDOM


def test_what_two_random_sets_may_differ_by_decides_nothing() -> None:
    assert duel(26, 6, 8, exchanged=USUAL).verdict == DuelVerdict.BY_CHANCE
    assert duel(6, 26, 8, exchanged=USUAL).verdict == DuelVerdict.BY_CHANCE


def test_where_all_of_it_is_labelled_nothing_is_left_to_chance() -> None:
    told = duel(9, 2, 1, apart=12)
    assert (told.gap.low, told.gap.value, told.gap.high) == (0.007, 0.007, 0.007)
    assert [labels_for(apart) for apart in (5, 6, 39, 400)] == [0, 6, 39, 40]


def test_labels_that_are_alike_are_seldom_told_apart() -> None:
    """Whatever the view is worth: here it is noise, and both sides are drawn from the same."""
    rng = np.random.default_rng(5)
    found = []
    for number in range(400):
        worth = rng.normal(size=60)
        sides = np.arange(30), np.arange(30, 60)

        def gap(one, other, worth=worth):
            return float(worth[one].mean() - worth[other].mean())

        found.append(exchange(sides, gap, seed=number).in_favour)
    assert np.mean(np.array(found) <= SELDOM) <= SELDOM + 0.02


def test_a_better_side_is_told_apart() -> None:
    worth = np.concatenate([np.full(30, 1.0), np.zeros(30)])
    found = exchange(
        (np.arange(30), np.arange(30, 60)),
        lambda one, other: float(worth[one].mean() - worth[other].mean()),
        seed=1,
    )
    assert found.in_favour <= SELDOM < found.against


def test_an_even_duel_separates_nothing() -> None:
    told = duel(16, 14, 10, apart=300)
    assert told.verdict == DuelVerdict.NOT_SEPARATED
    assert told.gap.low < 0 < told.gap.high


def test_a_clean_sweep_is_not_certain() -> None:
    told = duel(40, 0, 0)
    assert told.gap.value < 0.2
    assert told.gap.low < told.gap.value


def test_a_single_label_is_no_duel() -> None:
    with pytest.raises(ValueError, match="two labels"):
        duel(1, 0, 0)


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
    told = [duel(*row) for row in drawn.tolist()]
    truth = 0.2 * (only_active - only_random)
    assert np.mean([one.gap.covers(truth) for one in told]) >= 0.93
    wrong = DuelVerdict.RANDOM if truth > 0 else None
    assert np.mean([one.verdict == wrong for one in told]) <= 0.01
    if truth == 0:
        separated = np.mean([one.verdict != DuelVerdict.NOT_SEPARATED for one in told])
        assert separated <= 0.05
