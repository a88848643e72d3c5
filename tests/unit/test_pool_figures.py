"""How labels and batches lie in the pool, on pools whose shape is known."""

import numpy as np
import pytest

from app.core.pool_figures import Scale, covered, drift, outlying, repeated, shares


def clouds(centres: int, each: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = np.repeat(np.eye(16)[:centres], each, axis=0) + rng.normal(0, 0.05, (centres * each, 16))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


POOL = clouds(16, 60)
SCALE = Scale.of(POOL, seed=0)


def test_what_is_near_is_taken_from_the_pool() -> None:
    assert 0.9 < SCALE.near < SCALE.same < 1


def test_labels_cover_their_own_group_and_no_other() -> None:
    half = covered(POOL, POOL[: 8 * 60], SCALE)
    assert half == pytest.approx(0.5, abs=0.02)
    assert covered(POOL, POOL, SCALE) == 1.0
    assert covered(POOL, POOL[:0], SCALE) is None


def test_a_batch_of_copies_is_repeated_and_one_from_elsewhere_is_not() -> None:
    assert repeated(POOL[:20], POOL[:20], SCALE) == 1.0
    assert repeated(POOL[:20], POOL[600:700], SCALE) == 0.0


def test_an_item_far_from_all_is_an_outlier() -> None:
    strange = -POOL[:5]
    assert outlying(strange, SCALE) == 1.0
    assert outlying(POOL[:200], SCALE) < 0.1


def test_two_halves_of_a_pool_cannot_be_told_apart_and_two_groups_can() -> None:
    order = np.random.default_rng(2).permutation(len(POOL))
    assert drift(POOL[order[:400]], POOL[order[400:]], seed=0) == pytest.approx(0.5, abs=0.06)
    assert drift(POOL[:300], POOL[600:], seed=0) > 0.95
    assert drift(POOL[:5], POOL, seed=0) is None


def test_shares_are_of_what_occurs() -> None:
    assert shares(np.array([0, 0, 2, 2]), ("a", "b", "c")) == {"a": 0.5, "c": 0.5}
