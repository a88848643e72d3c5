"""A round's batch: audit slice, order, health."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from app.core.errors import SelectionUnhealthy, WrongInput
from app.core.strategies import (
    STRATEGIES,
    audit_size,
    needs_probabilities,
    resolve_strategy,
    select_round,
)
from app.core.types import Severity, Slice
from tests.unit.selection_factory import features, probabilities, request, vectors


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_the_audit_is_its_share_and_the_rest_is_the_strategys(name: str) -> None:
    selection = select_round(name, request(), audit_fraction=0.2)
    slices = Counter(pick.slice for pick in selection.picks)
    assert slices == {Slice.AUDIT: 4, Slice.ACTIVE: 16}
    assert len({pick.row for pick in selection.picks}) == 20
    assert [pick.rank for pick in selection.picks] == list(range(1, 21))


def test_the_audit_is_uniform_over_all_candidates() -> None:
    """Even over near-duplicates: 400 draws of 2 from 10 hit each about 80 times."""
    made = request(10, batch=8)
    made = replace(made, features=features(np.repeat(vectors(2, 8), 20, axis=0)))
    drawn: Counter[int] = Counter()
    for seed in range(400):
        picks = select_round("margin", replace(made, seed=seed), audit_fraction=0.2).picks
        checks = [pick for pick in picks if pick.slice is Slice.AUDIT]
        assert [pick.draw_probability for pick in checks] == [0.2, 0.2]
        drawn.update(pick.row for pick in checks)
    assert set(drawn) == set(range(30, 40))
    deviation = sum((count - 80) ** 2 / 80 for count in drawn.values())
    assert deviation < 27.9  # chi-square with 9 degrees of freedom at .001


def test_the_audit_does_not_depend_on_the_strategy() -> None:
    drawn = {
        frozenset(
            pick.row
            for pick in select_round(name, request(), audit_fraction=0.2).picks
            if pick.slice is Slice.AUDIT
        )
        for name in STRATEGIES
    }
    assert len(drawn) == 1


def test_checks_are_spread_over_the_ranks() -> None:
    for seed in range(20):
        picks = select_round("margin", request(seed=seed), audit_fraction=0.2).picks
        ranks = [pick.rank for pick in picks if pick.slice is Slice.AUDIT]
        assert [(rank - 1) // 5 for rank in ranks] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("batch", "fraction", "size"),
    [(20, 0.2, 4), (20, 0, 0), (5, 0.05, 1), (4, 0.05, 0), (1, 0.5, 0), (10, 0.25, 3), (0, 0.2, 0)],
)
def test_audit_size(batch: int, fraction: float, size: int) -> None:
    assert audit_size(batch, fraction) == size


def test_nan_fails_loudly_with_the_count() -> None:
    p = probabilities(300, 4)
    p[7, 2] = np.nan
    with pytest.raises(SelectionUnhealthy) as raised:
        select_round("margin", request(p=p), audit_fraction=0.2)
    finding = raised.value.evidence["findings"][0]
    assert finding["code"] == "scores_not_numbers"
    assert finding["evidence"]["broken"] == 1


@pytest.mark.parametrize("name", ["margin", "entropy", "least_confidence", "margin_diversity"])
def test_constant_scores_fail_loudly(name: str) -> None:
    with pytest.raises(SelectionUnhealthy, match="same score"):
        select_round(name, request(p=np.full((300, 4), 0.25, np.float32)), audit_fraction=0.2)


def test_constant_scores_with_one_class_labelled_fall_back_to_typical_items() -> None:
    flat = request(p=np.full((300, 4), 0.25, np.float32))
    selection = select_round("margin", replace(flat, labelled_y={0: 2, 1: 2}), audit_fraction=0.2)
    assert selection.strategy == "typiclust.v1"
    finding = next(f for f in selection.findings if f.code == "fallback_used")
    assert finding.evidence["wanted"] == "margin.v1"


def test_constant_scores_of_items_that_are_all_alike_are_only_a_warning() -> None:
    """A pool may come down to its empty texts: the project must not get stuck there."""
    flat = request(p=np.full((300, 4), 0.25, np.float32))
    alike = replace(flat, features=features(np.ones((330, 8), np.float32)))
    selection = select_round("margin", alike, audit_fraction=0.2)
    finding = next(f for f in selection.findings if f.code == "scores_constant")
    assert finding.severity is Severity.WARNING
    assert len(selection.picks) == 20


def test_constant_scores_do_not_matter_where_everything_is_taken() -> None:
    flat = request(2, p=np.full((2, 4), 0.25, np.float32))
    assert len(select_round("margin", flat, audit_fraction=0.2).picks) == 2


def _lopsided(others: int) -> np.ndarray:
    """Doubtful items all lean to class 0; `others` are surely of class 1."""
    p = np.tile(np.float32([0.51, 0.49]), (300, 1))
    p[:, 0] += np.linspace(0, 0.2, 300, dtype=np.float32)
    p[:, 1] = 1 - p[:, 0]
    if others:
        p[-others:] = [0.05, 0.95]
    return p


def test_a_batch_of_one_predicted_class_is_mended_and_that_is_said() -> None:
    made = request(classes=2, p=_lopsided(others=30))
    selection = select_round("margin", made, audit_fraction=0)
    other = [pick for pick in selection.picks if pick.row >= 300]
    assert len(selection.picks) == 20
    assert len(other) == 4
    finding = next(f for f in selection.findings if f.code == "one_class_batch")
    assert finding.severity is Severity.WARNING
    assert finding.evidence == {"class": "class-0", "picks": 20, "exchanged": 4}


def test_a_batch_of_one_predicted_class_fails_where_that_is_wanted() -> None:
    made = request(classes=2, p=_lopsided(others=30), options={"one_class_batch": "fail"})
    with pytest.raises(SelectionUnhealthy, match="class-0"):
        select_round("margin", made, audit_fraction=0)


def test_one_predicted_class_is_no_fault_where_the_pool_has_no_other() -> None:
    made = request(classes=2, p=_lopsided(others=0))
    assert select_round("margin", made, audit_fraction=0).findings == ()


@pytest.mark.parametrize(
    ("candidates", "picked", "codes"),
    [
        (60, 20, []),
        (35, 20, ["pool_nearly_exhausted"]),
        (12, 12, ["pool_exhausted"]),
        (0, 0, ["pool_exhausted"]),
    ],
)
def test_a_pool_that_comes_to_its_end_says_so(
    candidates: int, picked: int, codes: list[str]
) -> None:
    selection = select_round("margin", request(candidates), audit_fraction=0.2)
    assert len(selection.picks) == picked
    assert [f.code for f in selection.findings] == codes


def test_a_candidate_that_is_occupied_is_never_sent_out() -> None:
    made = request(50, batch=40)
    made = replace(made, occupied=np.arange(60))
    with pytest.raises(SelectionUnhealthy):
        select_round("random", made, audit_fraction=0.5)


def test_a_strategy_that_needs_a_classifier_says_so() -> None:
    made = replace(request(), probabilities=None)
    assert needs_probabilities("margin")
    assert not needs_probabilities("random")
    with pytest.raises(WrongInput, match="needs a classifier"):
        select_round("margin", made, audit_fraction=0.2)


def test_names_resolve_to_versions() -> None:
    assert resolve_strategy("default") == "margin_diversity.v2"
    assert resolve_strategy("margin") == "margin.v1"
    assert resolve_strategy("margin.v1") == "margin.v1"
    with pytest.raises(WrongInput, match=r"Choose one of: default, .*margin_diversity\.v1"):
        resolve_strategy("magic")


def test_reasons_read_well() -> None:
    picks = select_round("margin_diversity", request(), audit_fraction=0.2).picks
    active = next(pick for pick in picks if pick.slice is Slice.ACTIVE)
    check = next(pick for pick in picks if pick.slice is Slice.AUDIT)
    assert active.reason.startswith("torn between *class-")
    assert check.reason == "random check, for honest figures"
