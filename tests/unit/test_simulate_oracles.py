"""Oracles that know, and oracles that are sometimes mistaken."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.simulate.named import named
from app.simulate.oracles import Question, built_in, with_noise


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=50),
    st.floats(0, 1),
    st.integers(0, 2**31 - 1),
)
def test_mistakes_are_other_classes_and_depend_on_the_seed_only(
    labels: list[int], rate: float, seed: int
) -> None:
    truth = np.array(labels, np.int64)
    answers = with_noise(truth, 5, rate, seed)
    assert answers.min() >= 0
    assert answers.max() < 5
    assert (answers == with_noise(truth, 5, rate, seed)).all()
    if rate == 0:
        assert (answers == truth).all()
    if rate == 1:
        assert (answers != truth).all()


def test_the_rate_is_met_and_mistakes_go_to_all_other_classes() -> None:
    truth = np.zeros(20_000, np.int64)
    answers = with_noise(truth, 4, 0.3, seed=1)
    shares = np.bincount(answers, minlength=4) / len(answers)
    assert abs(shares[0] - 0.7) < 0.02
    assert np.abs(shares[1:] - 0.1).max() < 0.02


def test_an_item_gets_the_same_answer_in_any_order() -> None:
    truth = np.arange(40) % 3
    oracle = built_in(named("simulated:noise=0.5"), truth, 3, seed=4)
    questions = [Question(str(row), row, None) for row in range(40)]
    forwards = oracle.answer(questions)
    one_by_one = [oracle.answer([question])[0] for question in reversed(questions)]
    assert list(forwards) == one_by_one[::-1]
    assert list(built_in(named("truth"), truth, 3, seed=4).answer(questions)) == truth.tolist()
