"""Accuracy from the audit slice: by hand where a hand can follow, by drawing where it cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from app.core.estimation import (
    AccuracyEstimate,
    Checks,
    Judged,
    Rest,
    TargetVerdict,
    Unsaid,
    clopper_pearson,
    cross_fit,
    estimate_accuracy,
    judge_target,
)
from app.core.estimation.audit import THIN
from app.core.estimation.looks import LEVEL_OF_A_LOOK, look_of
from app.core.types import FeatureMatrix, TrainingSet
from tests.unit.selection_factory import features

NOMINAL = 0.95


def checks(correct: Sequence[float], confidence: Sequence[float], rounds: Sequence[int]) -> Checks:
    judged = Judged(np.array(correct, dtype=float), np.array(confidence, dtype=float))
    return Checks(judged, np.array(rounds, dtype=np.int64))


NOTHING = checks([], [], [])


@given(st.integers(1, 60), st.data())
def test_whole_counts_give_the_interval_of_the_textbook(n: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, n))
    found = clopper_pearson(right, n)
    expected = stats.binomtest(right, n).proportion_ci(NOMINAL, method="exact")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.value == right / n


def test_too_few_checks_are_no_number() -> None:
    told = estimate_accuracy(checks([1] * 7, [0.9] * 7, [2] * 7), NOTHING, Rest(100, 0.9))
    assert told == Unsaid("Too few random checks (7) to state accuracy. First estimate after 12.")


def test_an_empty_pool_has_no_remainder() -> None:
    told = estimate_accuracy(checks([1] * 20, [0.9] * 20, [2] * 20), NOTHING, Rest(0, 0.0))
    assert isinstance(told, Unsaid)


def test_without_active_picks_and_without_help_it_is_the_share_on_fewer_trials() -> None:
    """Confidence that never varies can tell nothing."""
    told = estimate_accuracy(
        checks([1] * 15 + [0] * 5, [0.8] * 20, [3] * 20), NOTHING, Rest(500, 0.8)
    )
    assert isinstance(told, AccuracyEstimate)
    expected = clopper_pearson(0.75 * 20 / 1.2, 20 / 1.2)
    assert told.new_items.value == pytest.approx(0.75)
    assert (told.new_items.low, told.new_items.high) == pytest.approx((expected.low, expected.high))
    assert told.remaining.low == pytest.approx(told.new_items.low)
    assert told.checks == 20


def test_confidence_is_ignored_while_fewer_than_five_are_wrong() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.3, 1, 30)
    correct = np.ones(30)
    correct[np.argsort(confidence)[:4]] = 0
    told = estimate_accuracy(checks(correct, confidence, [2] * 30), NOTHING, Rest(900, 0.1))
    assert isinstance(told, AccuracyEstimate)
    assert told.new_items.value == pytest.approx(26 / 30)


def test_what_was_picked_since_an_audit_is_taken_out_of_the_remainder() -> None:
    """100 items were there; the 20 hard ones, all wrong, were picked actively after the audit.
    What remains is easier than what was."""
    audit = checks([1] * 16 + [0] * 4, [0.8] * 20, [2] * 20)
    active = checks([0] * 20, [0.4] * 20, [2] * 20)
    told = estimate_accuracy(audit, active, Rest(80, 0.85))
    assert isinstance(told, AccuracyEstimate)
    assert told.new_items.value == pytest.approx(0.8)
    assert told.remaining.value == pytest.approx((0.8 * 100 - 0) / 80)
    earlier = checks([0] * 20, [0.4] * 20, [1] * 20)
    unmoved = estimate_accuracy(audit, earlier, Rest(80, 0.85))
    assert isinstance(unmoved, AccuracyEstimate)
    assert unmoved.remaining.value == pytest.approx(0.8)


@dataclass(frozen=True)
class Pool:
    """Items that are right with known chance, and a classifier that half knows it."""

    chance: np.ndarray
    confidence: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator, ease: float) -> "Pool":
        chance = rng.beta(6 * ease, 6 * (1 - ease), 2000)
        return cls(chance, np.clip(chance + rng.normal(0, 0.15, 2000), 0.05, 1))

    def picks(self, rng: np.random.Generator, batches: int, audits: int, actives: int) -> Any:
        """Each batch: audits at random, then the least sure of what is left."""
        left = np.arange(len(self.chance))
        audit, active = [], []
        for number in range(2, 2 + batches):
            drawn = rng.choice(left, audits, replace=False)
            left = np.setdiff1d(left, drawn)
            hard = left[np.argsort(self.confidence[left])[:actives]]
            left = np.setdiff1d(left, hard)
            audit += [(item, number) for item in drawn]
            active += [(item, number) for item in hard]
        return audit, active, left


@pytest.mark.parametrize(("audits", "ease"), [(3, 0.6), (8, 0.8), (8, 0.97), (16, 0.7)])
def test_the_interval_holds_what_it_promises(audits: int, ease: float) -> None:
    """400 projects a case: both accuracies lie inside at least as often as is said."""
    rng = np.random.default_rng(audits)
    inside = np.zeros(2)
    projects = 400
    for _ in range(projects):
        pool = Pool.drawn(rng, ease)
        audit, active, left = pool.picks(rng, 5, audits, 3 * audits)
        right = rng.random(len(pool.chance)) < pool.chance

        def judged(picked: list[tuple[int, int]], pool: Pool = pool, right: Any = right) -> Checks:
            items, rounds = np.array(picked).T
            return checks(right[items], pool.confidence[items], rounds)

        rest = Rest(len(left), float(pool.confidence[left].mean()))
        told = estimate_accuracy(judged(audit), judged(active), rest)
        assert isinstance(told, AccuracyEstimate)
        inside += [
            told.remaining.covers(right[left].mean()),
            told.new_items.covers(pool.chance.mean()),
        ]
    assert (inside / projects >= 0.94).all(), inside / projects


def test_confidence_that_tells_something_narrows_the_interval() -> None:
    rng = np.random.default_rng(5)
    chance = rng.uniform(0, 1, 80)
    correct = (rng.random(80) < chance).astype(float)
    rounds = [2] * 80
    told = estimate_accuracy(checks(correct, chance, rounds), NOTHING, Rest(1000, 0.5))
    blind = estimate_accuracy(checks(correct, [0.5] * 80, rounds), NOTHING, Rest(1000, 0.5))
    assert isinstance(told, AccuracyEstimate)
    assert isinstance(blind, AccuracyEstimate)
    assert told.new_items.width < blind.new_items.width


def test_nobody_judges_their_own_label() -> None:
    """A classifier that knows the labels it has seen by heart is right about none of the others."""
    training = TrainingSet(
        features(np.eye(12, dtype=np.float32)), np.arange(12) % 3, ("a", "b", "c")
    )
    seen: list[set[int]] = []

    @dataclass
    class ByHeart:
        known: dict[int, int]
        name: str = "by-heart"
        classes: tuple[str, ...] = ("a", "b", "c")
        report: dict[str, Any] = None  # type: ignore[assignment]

        def predict_proba(self, given: FeatureMatrix) -> np.ndarray:
            items = given.dense.argmax(axis=1)
            told = [self.known.get(item, (item + 1) % 3) for item in items.tolist()]
            return np.eye(3, dtype=np.float32)[told]

        def to_bytes(self) -> bytes:
            return b""

    def fit(given: TrainingSet) -> ByHeart:
        items = given.features.dense.argmax(axis=1).tolist()
        seen.append(set(items))
        return ByHeart(dict(zip(items, given.y.tolist(), strict=True)))

    held = np.array([1, 4, 5, 7, 10])
    judged = cross_fit(training, held, folds=3, fit=fit, seed=1)
    assert judged.correct.tolist() == [0] * 5
    assert len(seen) == 3
    assert all(set(range(12)) - set(held.tolist()) <= known for known in seen)


def test_a_target_is_looked_at_four_times_and_not_in_between() -> None:
    assert look_of(9, {}) is None
    assert look_of(10, {}) == 10
    assert look_of(14, {10: False}) is None
    assert look_of(50, {10: False}) == 40
    assert look_of(500, {10: False, 40: False, 80: False}) is None
    told = estimate_accuracy(
        checks([1] * 39 + [0], [0.9] * 40, [2] * 40), NOTHING, Rest(900, 0.9), LEVEL_OF_A_LOOK
    )
    assert isinstance(told, AccuracyEstimate)
    assert judge_target(told, 0.8, 40) == TargetVerdict.REACHED
    assert judge_target(told, 0.95, 40) == TargetVerdict.NOT_YET
    assert judge_target(told, 0.8, None) == TargetVerdict.BETWEEN_LOOKS


def test_where_classes_have_few_labels_the_interval_reaches_farther() -> None:
    audit = checks([1] * 30 + [0] * 10, [0.8] * 40, [2] * 40)
    usual, thin = (
        estimate_accuracy(audit, NOTHING, Rest(900, 0.8, labels_a_class=labels))
        for labels in (THIN, THIN - 1)
    )
    assert isinstance(usual, AccuracyEstimate)
    assert isinstance(thin, AccuracyEstimate)
    assert thin.remaining.value == usual.remaining.value
    assert thin.remaining.width > 1.08 * usual.remaining.width
