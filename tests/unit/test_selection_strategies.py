"""What single strategies are for."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import WrongInput
from app.core.heuristics import boosts
from app.core.strategies import (
    STRATEGIES,
    bootstrap,
    check_strategy_options,
    cold_start,
    needs_committee,
    select,
    select_round,
)
from app.core.types import SelectionRequest, Slice
from tests.unit.selection_factory import features, probabilities, request, vectors


def _rows(name: str, made: SelectionRequest) -> list[int]:
    return [pick.row for pick in select(name, made).picks]


def _with_outliers(outlying: int) -> SelectionRequest:
    """A crowd in one corner; a few items, the most doubtful of all, each alone elsewhere."""
    n = 400
    crowd = np.zeros((n + 30, 40), np.float32)
    crowd[:, :6] = 1
    crowd += vectors(n + 30, 40)
    for at in range(outlying):
        crowd[30 + at] = 0
        crowd[30 + at, 39 - at] = -1
    crowd /= np.linalg.norm(crowd, axis=1, keepdims=True)
    p = np.tile(np.float32([0.6, 0.4]), (n, 1)) + np.linspace(0, 0.3, n)[:, None] * [1, -1]
    p[:outlying] = 0.5
    return replace(
        request(n, classes=2, p=p.astype(np.float32), boosts=None), features=features(crowd)
    )


@pytest.mark.parametrize(
    "name", sorted(set(STRATEGIES) - {"random.v1", "expert_list.v1", "mixture.v1"})
)
def test_outliers_are_held_back(name: str) -> None:
    selection = select(name, _with_outliers(4))
    assert not {30, 31, 32, 33} & {pick.row for pick in selection.picks}


def test_what_was_held_back_is_counted_by_cause() -> None:
    assert select("margin", _with_outliers(4)).withheld == {"outliers": 4}
    assert select("margin_diversity", _with_outliers(4)).withheld == {"outliers": 4}


def test_outliers_can_be_let_in() -> None:
    made = replace(_with_outliers(4), options={"outliers": False})
    assert {30, 31, 32, 33} < set(_rows("margin", made))


def test_the_default_spreads_over_groups_and_margin_does_not() -> None:
    """100 items of one doubtful group and 10 of each of nine others, a little less doubtful."""
    centres = np.eye(10, dtype=np.float32)
    kinds = np.repeat(np.arange(10), [100, *[10] * 9])
    dense = centres[kinds] + np.float32(0.3) * vectors(len(kinds), 10)
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    doubt = np.where(kinds == 0, 0.5, 0.52)[:, None] + [0.0, 0.0]
    doubt[:, 1] = 1 - doubt[:, 0]
    made = request(len(kinds), classes=2, occupied=0, batch=10, p=doubt.astype(np.float32))
    made = replace(made, features=features(dense), options={"beta": 19, "outliers": False})
    assert {int(kinds[row]) for row in _rows("margin", made)} == {0}
    for name, groups in (("margin_diversity.v1", 7), ("margin_kcenter", 7), ("cluster_margin", 4)):
        assert len({int(kinds[row]) for row in _rows(name, made)}) >= groups, name


def test_balanced_margin_levels_the_classes() -> None:
    made = request(600, classes=3, batch=12)
    made = replace(made, labelled_y=dict(enumerate([0] * 20 + [1] * 10)))
    guesses = made.probabilities.argmax(axis=1)
    counts = Counter(int(guesses[row - 30]) for row in _rows("balanced_margin", made))
    assert counts[2] >= 10
    assert counts[0] == 0
    reason = select("balanced_margin", made).picks[0].reason
    assert "*class-2* has no label yet" in reason


def test_density_prefers_the_thick_of_the_pool() -> None:
    made = request(400, classes=2, p=np.full((400, 2), 0.5, np.float32), dimensions=6)
    dense = made.features.dense.copy()
    dense[30:130] += 2  # a thick corner
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    made = replace(made, features=features(dense), options={"near_duplicates": False})
    assert all(row < 130 for row in _rows("density_margin", made))


def test_rules_raise_what_they_match() -> None:
    made = request(400, options={"beta": 1})
    raised = np.ones(400, np.float32)
    raised[:30] = 50
    raising = replace(made, boosts=raised)
    assert sum(row < 60 for row in _rows("heuristic", raising)) >= 18
    assert "raised ×50.0 by your rules" in select("heuristic", raising).picks[0].reason


def test_boosts_multiply_over_text_and_metadata() -> None:
    items = [("A Refund, please", {"channel": "email"}), ("hello", {"channel": "chat"}), ("", {})]
    rules = [
        {"pattern": "refund|charge", "weight": 3},
        {"metadata": "channel", "equals": "email", "weight": 2},
        {"pattern": "hello", "weight": 0.5},
    ]
    assert boosts(items, rules).tolist() == [6, 0.5, 1]
    assert boosts([], rules).tolist() == []


@pytest.mark.parametrize(
    "rule",
    [
        {"pattern": "("},
        {"pattern": ""},
        {"pattern": "a" * 300},
        {"pattern": "a", "weight": 0},
        {"pattern": "a", "weight": True},
        {"metadata": "a"},
        {},
        "refund",
    ],
)
def test_bad_rules_are_named(rule: object) -> None:
    with pytest.raises(WrongInput, match="Rule 1"):
        boosts([], [rule])


def test_committees_prefer_what_they_disagree_on() -> None:
    members = np.stack([probabilities(300, 2, seed=1)] * 3)
    members[1, :20] = 1 - members[0, :20]
    made = replace(request(300, classes=2), committee=members)
    for name in ("vote_entropy", "bald"):
        assert needs_committee(name, {})
        assert set(_rows(name, made)) == set(range(30, 50)), name
    assert "of 3 classifiers 2 say *class-" in select("bald", made).picks[0].reason


def test_a_committee_that_is_not_there_is_said() -> None:
    with pytest.raises(WrongInput, match="committee"):
        select("bald", replace(request(), committee=None))


@given(y=st.lists(st.integers(0, 4), max_size=40), members=st.integers(1, 6))
def test_a_bootstrap_never_loses_a_class(y: list[int], members: int) -> None:
    labels = np.array(y, np.int64)
    draws = bootstrap(labels, members, seed=3)
    assert len(draws) == members
    for rows in draws:
        assert Counter(labels[rows].tolist()) == Counter(y)


def test_a_mixture_keeps_to_its_shares_and_knows_its_chances() -> None:
    made = request(400, options={"mixture": {"margin": 0.5, "random": 0.3, "coreset": 0.2}})
    picks = select("mixture", made).picks
    kinds = Counter(pick.reason.split(":")[0] for pick in picks)
    assert kinds == {"margin.v1": 10, "random.v1": 6, "coreset.v1": 4}
    for pick in picks:
        is_chance = pick.reason.startswith("random.v1")
        assert pick.draw_probability == (6 / 400 if is_chance else None)


@pytest.mark.parametrize(
    "mixture", [{}, {"mixture": 1}, {"magic": 1}, {"margin": -1}, {"margin": 0}, ["margin"]]
)
def test_bad_mixtures_are_refused(mixture: object) -> None:
    with pytest.raises(WrongInput):
        select("mixture", request(options={"mixture": mixture}))


def test_an_experts_list_is_followed_in_its_order_and_completed() -> None:
    made = request(200, batch=6, options={"expert_rows": [77, 31, 5, 77, 90, 100_000, -4]})
    selection = select("expert_list", made)
    assert [pick.row for pick in selection.picks][:3] == [77, 31, 90]
    assert [pick.reason for pick in selection.picks][:3] == ["named by an expert"] * 3
    assert len(selection.picks) == 6
    assert [f.code for f in selection.findings] == ["fallback_used"]
    with pytest.raises(WrongInput, match="expert_rows"):
        select("expert_list", request(options={"expert_rows": ["a"]}))


@pytest.mark.parametrize("name", ["typiclust", "kmeans", "probcover"])
def test_a_cold_start_meets_every_group(name: str) -> None:
    centres = np.eye(8, dtype=np.float32)
    kinds = np.arange(400) % 8
    dense = centres[kinds] + np.float32(0.3) * vectors(400, 8)
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    made = replace(
        request(400, occupied=0, batch=8),
        features=features(dense),
        probabilities=None,
        classes=tuple("abcdefgh"),
        options={"cold_start": name},
    )
    selection = cold_start(made)
    assert selection.strategy == f"{name}.v1"
    assert len({int(kinds[pick.row]) for pick in selection.picks}) >= 7


def test_typical_items_keep_away_from_groups_that_have_labels() -> None:
    kinds = np.arange(200) % 4
    dense = np.eye(4, dtype=np.float32)[kinds] + np.float32(0.2) * vectors(200, 4)
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    made = replace(request(180, occupied=20, batch=2), features=features(dense))
    made = replace(made, occupied=np.array([0, 1]))  # one of each of the groups 0 and 1
    chosen = [int(kinds[row]) for row in _rows("typiclust", replace(made, probabilities=None))]
    assert sorted(chosen) == [2, 3]


def test_a_random_draw_knows_its_chance_unless_something_was_held_back() -> None:
    picks = select("random", request(400)).picks
    assert {pick.draw_probability for pick in picks} == {20 / 400}
    active = [
        pick
        for pick in select_round("random", request(400), audit_fraction=0.2).picks
        if pick.slice is Slice.ACTIVE
    ]
    assert {pick.draw_probability for pick in active} == {16 / 400}
    copies = request(400)
    copies = replace(copies, features=features(np.repeat(vectors(43, 8), 10, axis=0)))
    assert {pick.draw_probability for pick in select("random", copies).picks} == {None}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("beta", "many"),
        ("beta", True),
        ("beta", None),
        ("beta", 0.5),
        ("beta", float("nan")),
        ("near_duplicates", 0.9),
        ("near_duplicates", {"word": 0.9}),
        ("near_duplicates", {"words": "all"}),
        ("outliers", "no"),
        ("one_class_batch", "ignore"),
        ("expert_rows", "7"),
        ("expert_rows", [7.5]),
        ("cold_start", "margin"),
        ("cold_start", 3),
        ("magic", 1),
    ],
)
def test_an_option_that_cannot_be_is_named(name: str, value: object) -> None:
    with pytest.raises(WrongInput):
        check_strategy_options({name: value})
    with pytest.raises(WrongInput):
        select_round("margin", request(options={name: value}), audit_fraction=0.2)


def test_options_that_can_be_are_taken() -> None:
    check_strategy_options(
        {
            "beta": 25,
            "density_power": 0.5,
            "near_duplicates": {"words": 0.8},
            "outliers": False,
            "one_class_batch": "fail",
            "expert_rows": [1, 2],
            "expert_items": ["a-1"],
            "rules": [{"pattern": "refund", "weight": 3}],
            "cold_start": "kmeans",
            "mixture": {"margin": 0.7, "random.v1": 3},
        }
    )
