"""BADGE, core-set, coverage and clusters against their plain definitions."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.diversity import clusters
from app.core.diversity.coreset import FarthestFirst
from app.core.diversity.coverage import cover
from app.core.diversity.gradients import GradientSampler, outer_factors, outer_lengths
from app.core.diversity.vectors import PoolVectors
from tests.unit.selection_factory import probabilities, vectors


def _gradients(p: np.ndarray, dense: np.ndarray) -> np.ndarray:
    """The products that the sampler never forms."""
    outer = p.astype(np.float64)
    outer[np.arange(len(p)), p.argmax(axis=1)] -= 1
    return (outer[:, :, None] * dense[:, None, :].astype(np.float64)).reshape(len(p), -1)


def _chance_of_each_sequence(points: np.ndarray, k: int) -> dict[tuple[int, ...], float]:
    """k-means++ worked out in full: the probability of every ordered choice."""
    apart = np.square(points[:, None] - points[None]).sum(axis=2)
    level = {(i,): 1 / len(points) for i in range(len(points))}
    for _ in range(k - 1):
        following: dict[tuple[int, ...], float] = {}
        for chosen, chance in level.items():
            mass = apart[list(chosen)].min(axis=0)
            for item in np.flatnonzero(mass > 1e-12):
                following[(*chosen, int(item))] = chance * mass[item] / mass.sum()
        level = following
    return level


@pytest.mark.parametrize("patience", [2_500, 0])
def test_badge_draws_as_plain_k_means_plus_plus_does(patience: int) -> None:
    """Frequencies of all ordered choices, also where bounds are made exact before every draw."""
    p, dense = probabilities(6, 3, seed=4), vectors(6, 5, seed=5)
    expected = _chance_of_each_sequence(_gradients(p, dense), 3)
    pool = PoolVectors(dense, np.arange(6))
    drawn: Counter[tuple[int, ...]] = Counter()
    draws = 4_000
    for seed in range(draws):
        sampler = GradientSampler(p, pool.take, np.ones(6, bool), 1.0, patience=patience)
        drawn[tuple(sampler.sample(3, np.random.default_rng(seed)).tolist())] += 1
    assert set(drawn) <= set(expected)
    statistic = sum((drawn[s] - draws * e) ** 2 / (draws * e) for s, e in expected.items())
    degrees = len(expected) - 1
    assert statistic < degrees + 4 * np.sqrt(2 * degrees)


def test_badge_is_exact_where_later_draws_share_a_portion_with_earlier_ones() -> None:
    """Two tight groups: after one of each, a third draw must not treat the groups as far."""
    p = np.repeat(np.float32([[0.9, 0.1, 0], [0.4, 0.35, 0.25]]), 3, axis=0)
    p += probabilities(6, 3, seed=1) * np.float32(0.02)
    p /= p.sum(axis=1, keepdims=True)
    dense = vectors(6, 4, seed=2)
    expected: Counter[int] = Counter()
    for chosen, chance in _chance_of_each_sequence(_gradients(p, dense), 4).items():
        expected[chosen[3]] += chance  # type: ignore[assignment]
    drawn: Counter[int] = Counter()
    for seed in range(4_000):
        sampler = GradientSampler(p, lambda rows: dense[rows], np.ones(6, bool), 1.0)
        drawn[int(sampler.sample(4, np.random.default_rng(seed))[3])] += 1
    statistic = sum((drawn[i] - 4_000 * e) ** 2 / (4_000 * e) for i, e in expected.items())
    assert statistic < 20.5  # chi-square with 5 degrees of freedom at .001


def test_badge_never_draws_closed_items_and_fills_up_among_copies() -> None:
    p = np.tile(np.float32([0.6, 0.4]), (30, 1))
    dense = np.repeat(vectors(1, 4), 30, axis=0)
    is_open = np.arange(30) % 3 > 0
    sampler = GradientSampler(p, lambda rows: dense[rows], is_open, 1.0)
    drawn = sampler.sample(12, np.random.default_rng(0))
    assert len(set(drawn.tolist())) == 12
    assert is_open[drawn].all()


def test_lengths_of_gradients() -> None:
    p, dense = probabilities(40_000, 5), vectors(40_000, 3)
    factors = outer_factors(p)
    assert outer_lengths(p) == pytest.approx(np.linalg.norm(factors, axis=1), abs=1e-5)
    sampler = GradientSampler(p, lambda rows: dense[rows], np.ones(len(p), bool), 1.0)
    assert len(set(sampler.sample(50, np.random.default_rng(0)).tolist())) == 50


def _plain_greedy(pool: np.ndarray, centres: np.ndarray, k: int, first: int) -> list[int]:
    pool = pool.astype(np.float64)
    gap = np.full(len(pool), np.inf)
    for centre in centres.astype(np.float64):
        gap = np.minimum(gap, np.square(pool - centre).sum(axis=1))
    chosen: list[int] = []
    for _ in range(k):
        item = int(gap.argmax()) if chosen or len(centres) else first
        chosen.append(item)
        gap = np.minimum(gap, np.square(pool - pool[item]).sum(axis=1))
        gap[item] = -1
    return chosen


@given(
    seed=st.integers(0, 10_000),
    labelled=st.sampled_from([0, 1, 12]),
    active=st.sampled_from([1, 7, 40, 400]),
)
@settings(max_examples=60, deadline=None)
def test_core_set_picks_what_the_plain_greedy_picks(seed: int, labelled: int, active: int) -> None:
    dense = vectors(120 + labelled, 6, seed)
    pool, centres = dense[labelled:], dense[:labelled]
    search = FarthestFirst(
        PoolVectors(dense, np.arange(labelled, len(dense))),
        centres,
        np.ones(len(pool), bool),
        np.random.default_rng(seed),
        active=active,
        first_look=4,
    )
    first = seed % len(pool)
    picks, gaps = search.pick(25, first)
    assert picks.tolist() == _plain_greedy(pool, centres, 25, first)
    assert (np.diff(gaps[1:]) <= 1e-5).all()


def test_core_set_goes_on_where_it_stopped_and_skips_closed_items() -> None:
    dense = vectors(200, 5)
    is_open = np.arange(200) % 2 == 0
    search = FarthestFirst(
        PoolVectors(dense, np.arange(200)), dense[:3], is_open, np.random.default_rng(0), active=16
    )
    picks = np.concatenate([search.pick(10, 0)[0], search.pick(200, 0)[0]])
    assert sorted(picks.tolist()) == list(range(0, 200, 2))


def test_core_set_survives_a_pool_of_copies() -> None:
    dense = np.repeat(vectors(2, 5), 100, axis=0)
    search = FarthestFirst(
        PoolVectors(dense, np.arange(200)),
        dense[:1],
        np.ones(200, bool),
        np.random.default_rng(0),
        active=8,
    )
    picks = search.pick(50, 0)[0].tolist()
    assert picks[0] >= 100
    assert len(set(picks)) == 50


def test_coverage_is_the_greedy_choice() -> None:
    dense = vectors(150, 3)
    near = np.square(dense[:, None] - dense[None]).sum(axis=2) <= 0.3
    covered = near[:5].any(axis=0)
    expected = []
    for _ in range(6):
        gain = (near & ~covered).sum(axis=1)
        expected.append(int(gain.argmax()))
        covered |= near[expected[-1]]
    chosen, counts = cover(dense, dense[:5], 0.3, 6)
    assert chosen.tolist() == expected
    assert (np.diff(counts) <= 0).all()


@pytest.mark.parametrize(("n", "k"), [(10, 10), (400, 20), (3000, 700)])
def test_medoids_are_as_many_as_asked_and_distinct(n: int, k: int) -> None:
    chosen = clusters.medoids(vectors(n, 8), np.ones(n, np.float32), k, np.random.default_rng(0))
    assert len(set(chosen.tolist())) == len(chosen) == k


def test_clusters_that_are_plain_to_see_are_found() -> None:
    centres = np.eye(5, 8, dtype=np.float32)
    dense = np.repeat(centres, 30, axis=0) + np.float32(0.05) * vectors(150, 8)
    _, cluster = clusters.weighted_kmeans(
        dense, np.ones(150, np.float32), 5, np.random.default_rng(0)
    )
    assert [len(set(cluster[i * 30 : i * 30 + 30])) for i in range(5)] == [1] * 5
    assert len(set(cluster)) == 5


def test_vectors_come_in_blocks_wherever_they_lie() -> None:
    dense = vectors(20_000, 3)
    for rows in (np.arange(50, 19_000), np.random.default_rng(0).permutation(20_000)[:9_000]):
        pool = PoolVectors(dense, rows)
        assert np.array_equal(np.concatenate([b for _, b in pool.blocks()]), dense[rows])
        assert pool.longest() >= 1
    assert PoolVectors(dense * 3, np.arange(20_000)).longest() == pytest.approx(3, rel=1e-5)
