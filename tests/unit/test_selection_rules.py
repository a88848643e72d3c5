"""What every strategy promises, held against random shapes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from app.core.errors import SelectionUnhealthy
from app.core.strategies import (
    DEFAULT,
    STRATEGIES,
    audit_size,
    cold_start,
    pool,
    select,
    select_round,
)
from app.core.types import SelectionRequest, Severity, Slice
from tests.unit.selection_factory import probabilities, random_words, request, vectors

ALL = sorted(STRATEGIES)
QUICKLY = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


KINDS = (
    "as drawn", "flat", "nan", "all nan", "one class predicted", "same vectors", "zero vectors",
)  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> SelectionRequest:
    """Few or many candidates, one class or several, sparse, dense, all alike, broken or fine."""
    n = draw(st.sampled_from([0, 1, 2, 3, 7, 40, 150]))
    occupied = draw(st.sampled_from([0, 1, 25]))
    classes = draw(st.sampled_from([1, 2, 5, 300] if n < 150 else [1, 2, 5]))
    seed = draw(st.integers(0, 10_000))
    words = draw(st.booleans())
    made = request(
        n,
        classes=classes,
        batch=draw(st.sampled_from([0, 1, 4, 20, 200])),
        seed=seed,
        dimensions=draw(st.sampled_from([1, 2, 16])),
        occupied=occupied,
        words=random_words(n + occupied, 40, seed) if words else None,
    )
    kind = draw(st.sampled_from(KINDS))
    return _spoilt(made, kind)


def _spoilt(made: SelectionRequest, kind: str) -> SelectionRequest:
    p, dense = made.probabilities.copy(), made.features.dense.copy()
    committee = made.committee.copy()
    if kind == "flat":
        p[:] = committee[:] = 1 / p.shape[1]
    if kind == "nan":
        p[::3] = committee[:, ::3] = np.nan
    if kind == "all nan":
        p[:] = committee[:] = np.nan
    if kind == "one class predicted":
        p[:, 0] += 2
        p /= p.sum(axis=1, keepdims=True)
    if kind == "same vectors":
        dense[:] = dense[:1]
    if kind == "zero vectors":
        dense[:] = 0
    features = replace(made.features, dense=dense)
    return replace(made, probabilities=p, committee=committee, features=features)


@pytest.mark.parametrize("name", ALL)
@given(made=requests())
@QUICKLY
def test_exact_size_distinct_candidates_only_and_explained(
    name: str, made: SelectionRequest
) -> None:
    selection = select(name, made)
    rows = [pick.row for pick in selection.picks]
    assert len(rows) == min(made.batch_size, len(made.candidates))
    assert len(set(rows)) == len(rows)
    assert set(rows) <= set(made.candidates.tolist())
    assert [pick.rank for pick in selection.picks] == list(range(1, len(rows) + 1))
    assert all(pick.reason and np.isfinite(pick.score) for pick in selection.picks)
    assert selection.strategy == name


@pytest.mark.parametrize("name", ALL)
@given(made=requests())
@QUICKLY
def test_the_same_request_gives_the_same_batch(name: str, made: SelectionRequest) -> None:
    assert select(name, made) == select(name, made)


@pytest.mark.parametrize("name", ALL)
@given(made=requests(), fraction=st.sampled_from([0, 0.2, 0.5]))
@QUICKLY
def test_a_round_is_exact_and_sound_or_fails_with_its_findings(
    name: str, made: SelectionRequest, fraction: float
) -> None:
    try:
        picks = select_round(name, made, audit_fraction=fraction).picks
    except SelectionUnhealthy as unhealthy:
        codes = {finding["code"] for finding in unhealthy.evidence["findings"]}
        assert codes <= {"scores_not_numbers", "scores_constant"}
        return
    size = min(made.batch_size, len(made.candidates))
    assert len({pick.row for pick in picks}) == len(picks) == size
    assert [pick.rank for pick in picks] == list(range(1, size + 1))
    assert sum(pick.slice is Slice.AUDIT for pick in picks) == audit_size(size, fraction)


@pytest.mark.parametrize("name", ALL)
def test_memory_mapped_features_choose_alike(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "AT_A_TIME", 7)
    made = request(300, words=random_words(330, 40, 0))
    np.save(tmp_path / "dense.npy", made.features.dense)
    mapped = np.load(tmp_path / "dense.npy", mmap_mode="r")
    released: list[None] = []
    on_disk = replace(
        made,
        features=replace(made.features, dense=mapped),
        release=lambda: released.append(None),
    )
    assert select(name, on_disk) == select(name, made)
    assert released or name == "random.v1"  # which reads no vector


class WatchedVectors(np.ndarray):
    """Remembers how many rows that lie anywhere were read at once."""

    most = 0

    def __getitem__(self, key: Any) -> Any:
        self.most = max(self.most, len(key) if isinstance(key, np.ndarray) else 0)
        return np.asarray(super().__getitem__(key))


class WatchedCounts(sparse.csr_matrix):
    most = 0

    def __getitem__(self, key: Any) -> Any:
        self.most = max(self.most, len(key) if isinstance(key, np.ndarray) else 0)
        return sparse.csr_matrix(super().__getitem__(key))


@pytest.mark.parametrize("name", [DEFAULT, "margin", "margin_kcenter", "entropy"])
def test_rows_that_lie_anywhere_are_read_a_few_at_a_time(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "AT_A_TIME", 7)
    made = request(300, words=random_words(330, 40, 0))
    vectors = made.features.dense.view(WatchedVectors)
    counts = WatchedCounts(made.features.counts)
    watched = replace(made, features=replace(made.features, dense=vectors, counts=counts))
    assert select(name, watched) == select(name, made)
    assert vectors.most == counts.most == 7


@pytest.mark.parametrize("name", ALL)
def test_row_major_and_class_major_probabilities_choose_alike(name: str) -> None:
    made = request(400, classes=7)
    turned = replace(made, probabilities=np.asfortranarray(made.probabilities))
    assert select(name, made) == select(name, turned)


@pytest.mark.parametrize("name", ALL)
def test_two_thousand_classes(name: str) -> None:
    made = request(60, classes=2000, batch=10)
    assert len({pick.row for pick in select(name, made).picks}) == 10


@pytest.mark.parametrize("name", ALL)
def test_candidates_anywhere_in_the_features(name: str) -> None:
    made = request(300)
    scattered = np.random.default_rng(1).permutation(np.arange(30, 330))[:200]
    made = replace(
        made,
        candidates=scattered,
        probabilities=probabilities(200, 4),
        committee=np.stack([probabilities(200, 4, member) for member in range(3)]),
        boosts=None,
    )
    assert {pick.row for pick in select(name, made).picks} <= set(scattered.tolist())


@pytest.mark.parametrize("name", ALL)
def test_near_duplicates_are_held_back_while_others_exist(name: str) -> None:
    made = _copies(distinct=40, copies=5, batch=20)
    groups = [pick.row // 5 for pick in select(name, made).picks]
    assert len(set(groups)) == 20
    assert 0 not in groups  # the labelled item's own copies


@pytest.mark.parametrize("name", ALL)
def test_near_duplicates_fill_up_a_batch_and_that_is_said(name: str) -> None:
    made = _copies(distinct=6, copies=5, batch=20)
    selection = select(name, made)
    assert len({pick.row for pick in selection.picks}) == 20
    assert len({pick.row // 5 for pick in selection.picks[:5]}) == 5
    finding = next(f for f in selection.findings if f.code == "held_back_used")
    assert finding.severity is Severity.WARNING
    assert finding.evidence["let_in"] == 15


def _copies(distinct: int, copies: int, batch: int) -> SelectionRequest:
    """Groups of copies lie together; the first item of all is labelled."""
    dense = np.repeat(vectors(distinct, 16), copies, axis=0)
    made = request(len(dense) - 1, occupied=1, batch=batch, dimensions=16)
    return replace(made, features=replace(made.features, dense=dense))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("occupied", [0, 30])
def test_ties_are_broken_by_the_seed_and_only_by_it(name: str, occupied: int) -> None:
    """Nothing tells the items apart, nothing is held back: the seed decides, over the pool."""
    made = request(
        400,
        occupied=occupied,
        p=np.full((400, 4), 0.25, np.float32),
        committee=np.full((3, 400, 4), 0.25, np.float32),
        boosts=None,
        options={"near_duplicates": False, "outliers": False},
    )
    made = _spoilt(made, "same vectors")
    batches = [
        frozenset(pick.row for pick in select(name, replace(made, seed=seed)).picks)
        for seed in range(6)
    ]
    assert len(set(batches)) == 6
    assert len(frozenset().union(*batches)) > 60  # of 6 * 20 drawn from 400, 103 on average


@pytest.mark.parametrize("name", ALL)
@given(made=requests(), share=st.sampled_from([0.1, 0.5, 1.0]))
@QUICKLY
def test_what_is_taken_is_never_picked_even_if_it_is_offered(
    name: str, made: SelectionRequest, share: float
) -> None:
    """Candidates that are labelled or out: the batch is exact as long as there are others."""
    offered = made.candidates[: int(share * len(made.candidates))]
    occupied = np.concatenate([made.occupied, offered])
    picks = select(name, replace(made, occupied=occupied)).picks
    assert not {pick.row for pick in picks} & set(occupied.tolist())
    assert len(picks) == min(made.batch_size, len(made.candidates) - len(offered))


def test_a_cold_start_needs_no_probabilities_and_says_what_made_it() -> None:
    made = replace(request(200, occupied=0), probabilities=None)
    selection = cold_start(made)
    assert selection.strategy == "typiclust.v1"
    assert len(selection.picks) == 20
    assert {pick.slice for pick in selection.picks} == {"cold_start"}
