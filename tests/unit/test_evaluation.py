"""Figures that people will quote: checked against scikit-learn and by hand."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from app.core.errors import WrongInput
from app.core.evaluation import calibration_error, evaluate, evaluation_as_dict, log_loss


def test_the_calibration_curve_adds_up_to_the_calibration_error():
    rng = np.random.default_rng(3)
    table = rng.dirichlet(np.ones(4), 200).astype(np.float32)
    gold = rng.integers(0, 4, 200)
    found = evaluate(gold, table, list("abcd"))
    bins = found.calibration
    assert sum(one.items for one in bins) == 200
    assert all(one.low <= one.confidence <= one.high for one in bins)
    assert sum(one.items * one.accuracy for one in bins) / 200 == pytest.approx(found.accuracy)
    gaps = sum(one.items * abs(one.confidence - one.accuracy) for one in bins) / 200
    assert gaps == pytest.approx(found.ece)


def sharp(positions: list[int], classes: int, sure: float = 0.7) -> np.ndarray:
    """Probabilities that predict these positions."""
    table = np.full((len(positions), classes), (1 - sure) / max(classes - 1, 1), np.float32)
    table[np.arange(len(positions)), positions] = sure
    return table


@given(st.integers(2, 6), st.data())
def test_agrees_with_scikit_learn(classes: int, data: st.DataObject) -> None:
    position = st.integers(0, classes - 1)
    pairs = data.draw(st.lists(st.tuples(position, position), min_size=1, max_size=40))
    gold, predicted = [list(side) for side in zip(*pairs, strict=True)]
    found = evaluate(np.array(gold), sharp(predicted, classes), [f"c{i}" for i in range(classes)])
    assert found.n == len(gold)
    assert found.accuracy == pytest.approx(metrics.accuracy_score(gold, predicted))
    assert found.macro_f1 == pytest.approx(
        metrics.f1_score(gold, predicted, average="macro", zero_division=0)
    )
    assert found.micro_f1 == pytest.approx(metrics.f1_score(gold, predicted, average="micro"))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        gold, predicted, labels=range(classes), zero_division=0
    )
    assert [score.precision for score in found.per_class] == pytest.approx(precision.tolist())
    assert [score.recall for score in found.per_class] == pytest.approx(recall.tolist())
    assert [score.f1 for score in found.per_class] == pytest.approx(f1.tolist())
    assert [score.support for score in found.per_class] == support.tolist()
    assert (
        found.confusion == metrics.confusion_matrix(gold, predicted, labels=range(classes)).tolist()
    )


def test_a_class_that_nobody_has_does_not_lower_macro_f1() -> None:
    gold = np.array([0, 0, 1, 1])
    assert evaluate(gold, sharp([0, 0, 1, 1], 3), ["a", "b", "never"]).macro_f1 == 1
    wrong = evaluate(gold, sharp([0, 0, 1, 2], 3), ["a", "b", "never"])
    assert wrong.macro_f1 == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_log_loss_is_clipped() -> None:
    sure_and_wrong = np.array([[1, 0]], np.float32)
    assert log_loss(np.array([1]), sure_and_wrong) == pytest.approx(-np.log(1e-6))
    assert log_loss(np.array([0]), sure_and_wrong) == 0


def test_calibration_error_by_hand() -> None:
    """Ten predictions at .8 of which 6 are right, ten at .95 all right."""
    probabilities = np.vstack([sharp([0] * 10, 2, 0.8), sharp([0] * 10, 2, 0.95)])
    gold = np.array([0] * 6 + [1] * 4 + [0] * 10)
    assert calibration_error(gold, probabilities) == pytest.approx((0.2 + 0.05) / 2, abs=1e-6)


def test_calibration_error_of_a_sure_and_right_one_is_zero() -> None:
    assert calibration_error(np.zeros(5, int), sharp([0] * 5, 2, 1.0)) == 0


def test_weights_count_in_calibration_error() -> None:
    probabilities = sharp([0, 0], 2, 0.9)
    error = calibration_error(np.array([0, 1]), probabilities, np.array([3.0, 1.0]))
    assert error == pytest.approx(0.9 - 0.75, abs=1e-6)


def test_as_dict_is_json() -> None:
    found = evaluate(np.array([0, 1]), sharp([0, 0], 2), ("a", "b"))
    assert json.loads(json.dumps(evaluation_as_dict(found)))["confusion"] == [[1, 0], [1, 0]]


@pytest.mark.parametrize(
    ("gold", "probabilities"),
    [
        ([], np.zeros((0, 2))),
        ([0], np.ones((2, 2)) / 2),
        ([0], np.ones((1, 3)) / 3),
        ([2], np.ones((1, 2)) / 2),
        ([-1], np.ones((1, 2)) / 2),
        ([0], np.full((1, 2), np.nan)),
    ],
)
def test_what_does_not_fit_is_refused(gold: list[int], probabilities: np.ndarray) -> None:
    with pytest.raises(WrongInput):
        evaluate(np.array(gold, dtype=np.int64), probabilities.astype(np.float32), ["a", "b"])
