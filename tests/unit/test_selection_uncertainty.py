"""Measures of doubt against their definitions, and the choice of the highest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import uncertainty
from app.core.types import Floats
from tests.unit.selection_factory import probabilities


@pytest.mark.parametrize("classes", [2, 3, 5, 14, 77])
@pytest.mark.parametrize("order", ["C", "F"])
def test_measures_are_what_they_are_called(classes: int, order: str) -> None:
    p = np.asarray(probabilities(20_000, classes), order=order)
    ranked = np.sort(p, axis=1)
    margin = 1 - (ranked[:, -1] - ranked[:, -2])
    entropy = -(p * np.log(p)).sum(axis=1) / np.log(classes)
    np.testing.assert_allclose(uncertainty.margin(p), margin, atol=1e-6)
    np.testing.assert_allclose(uncertainty.least_confidence(p), 1 - ranked[:, -1], atol=1e-6)
    np.testing.assert_allclose(uncertainty.entropy(p), entropy, atol=1e-5)


def defined_margin(p: Floats) -> Floats:
    ranked = np.sort(p, axis=1)
    margin = 1 - (ranked[:, -1] - ranked[:, -2])
    return np.where(np.isnan(p).any(axis=1), np.nan, margin).astype(np.float32)


@pytest.mark.parametrize("classes", [2, 3, 4, 6, 7, 14, 31, 2_000])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_margin_is_exact_also_where_several_are_equal(classes: int, order: str) -> None:
    rows = uncertainty.MOST + 1 if classes > 100 else 3 * uncertainty.MOST + 1
    few_values = np.random.default_rng(classes).integers(0, 5, (rows, classes))
    p = np.asarray(few_values.astype(np.float32) / np.float32(7), order=order)
    before = p.copy()
    assert uncertainty.margin(p).tobytes() == defined_margin(p).tobytes()
    assert p.tobytes() == before.tobytes()


@given(data=st.data(), rows=st.integers(0, 12), classes=st.integers(2, 12))
def test_a_margin_is_exact_however_the_numbers_lie(
    data: st.DataObject, rows: int, classes: int
) -> None:
    values = st.sampled_from([0, 0.1, 1 / 3, 0.5, 1, np.nan])
    drawn = data.draw(st.lists(values, min_size=rows * classes, max_size=rows * classes))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    p = np.array(drawn, dtype).reshape(rows, classes)
    wide = np.ones((2 * rows, classes + 2), dtype)
    wide[::2, 1:-1] = p
    for lying in (p, np.asfortranarray(p), wide[::2, 1:-1], p[:, ::-1]):
        lying.flags.writeable = False
        scored = uncertainty.margin(lying)
        assert scored.dtype == np.float32
        np.testing.assert_array_equal(scored, defined_margin(p), strict=True)


@pytest.mark.parametrize(
    "measure", [uncertainty.margin, uncertainty.least_confidence, uncertainty.entropy]
)
@pytest.mark.parametrize("classes", [3, 4])
def test_nan_is_never_hidden(measure: uncertainty.Measure, classes: int) -> None:
    for column in range(classes):
        p = probabilities(5, classes)
        p[2, column] = np.nan
        scored = measure(p)
        assert np.isnan(scored[2])
        assert np.isfinite(np.delete(scored, 2)).all()


def test_a_certain_item_has_no_doubt_and_one_class_none_at_all() -> None:
    certain = np.float32([[1, 0, 0]])
    assert uncertainty.margin(certain) == [0]
    assert uncertainty.entropy(certain) == pytest.approx([0], abs=1e-6)
    assert uncertainty.margin(np.ones((3, 1), np.float32)).tolist() == [0] * 3


def test_a_committee_that_agrees_has_no_mutual_information() -> None:
    one = probabilities(50, 4)
    agreeing = np.stack([one, one, one])
    assert uncertainty.mutual_information(agreeing) == pytest.approx(np.zeros(50), abs=1e-6)
    split = np.float32([[[1, 0]], [[0, 1]]])
    assert uncertainty.mutual_information(split) == pytest.approx([1], abs=1e-5)


def test_vote_entropy_counts_votes_and_breaks_ties_by_the_mean() -> None:
    split = np.float32([[0.6, 0.4], [0.9, 0.1], [0.9, 0.1]])
    other = np.float32([[0.4, 0.6], [0.9, 0.1], [0.6, 0.4]])
    scored = uncertainty.vote_entropy(np.stack([split, other]))
    assert scored[0] > 0.9
    assert scored[1] < scored[2] < 0.01


@given(
    scored=st.lists(st.integers(0, 6), min_size=1, max_size=60),
    count=st.integers(0, 70),
    seed=st.integers(0, 99),
)
def test_best_first_takes_the_highest_in_order(scored: list[int], count: int, seed: int) -> None:
    values = np.array(scored, np.float32)
    chosen = uncertainty.best_first(values, count, np.random.default_rng(seed))
    assert len(set(chosen.tolist())) == min(count, len(scored))
    assert values[chosen].tolist() == sorted(scored, reverse=True)[:count]


def test_best_first_is_exact_in_a_large_pool() -> None:
    values = np.random.default_rng(0).permutation(200_000).astype(np.float32)
    chosen = uncertainty.best_first(values, 500, np.random.default_rng(1))
    assert chosen.tolist() == np.argsort(-values)[:500].tolist()


def test_equal_scores_are_drawn_evenly() -> None:
    drawn = np.zeros(10)
    for seed in range(500):
        drawn[uncertainty.best_first(np.zeros(10, np.float32), 2, np.random.default_rng(seed))] += 1
    assert ((drawn - 100) ** 2 / 100).sum() < 27.9  # chi-square, 9 degrees of freedom, .001
