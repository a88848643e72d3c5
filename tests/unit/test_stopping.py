"""When a run stops: each rule at its edge, what cannot be judged, and what can be set."""

from dataclasses import replace

import numpy as np
import pytest

from app.core.errors import WrongInput
from app.core.projects import ProjectSettings, settings_from
from app.core.stopping.agreement import Agreement, agreement
from app.core.stopping.rules import Progress, Validated, Verdict, bounds, judge
from app.core.stopping.settings import DEFAULT_MAX_ROUNDS, Stopping, stopping_from

GOING = Progress(rounds=3, labels=60, candidates=500, round_labels=20, labels_today=20)


def found(rule, stopping, **progress):
    every = judge(stopping, replace(GOING, **progress))
    return next((one for one in every if one.rule == rule), None)


def verdict(rule, stopping, **progress):
    one = found(rule, stopping, **progress)
    return one.verdict if one else None


@pytest.mark.parametrize(
    ("rule", "setting", "name", "bound"),
    [
        ("max_rounds", "max_rounds", "rounds", 10),
        ("max_labels", "max_labels", "labels", 100),
        ("max_cost", "max_cost", "cost", 12.5),
        ("max_hours", "max_hours", "hours", 8.0),
    ],
)
def test_a_bound_stops_when_it_is_reached_and_not_before(rule, setting, name, bound):
    stopping = Stopping(**{"max_rounds": None, setting: bound})
    assert verdict(rule, stopping, **{name: bound - 1}) == Verdict.GO_ON
    assert verdict(rule, stopping, **{name: bound}) == Verdict.STOP
    evidence = found(rule, stopping, **{name: bound}).evidence
    assert evidence == {"so_far": bound, "bound": bound}


def test_hours_are_counted_in_auto_mode_only_and_rules_not_set_are_not_judged():
    assert verdict("max_hours", Stopping(max_hours=1.0), hours=None) is None
    assert [one.rule for one in judge(Stopping(), GOING)] == [
        "max_rounds",
        "pool_exhausted",
        "no_labels",
    ]


def test_only_bounds_refuse_a_round_that_somebody_asks_for():
    stopping = Stopping(max_rounds=3, stable_rounds=1)
    stable = replace(GOING, agreements=[Agreement(100, 1.0, 0.0)])
    assert [one.rule for one in bounds(stopping, stable)] == ["max_rounds"]


def test_an_empty_pool_and_a_round_without_labels_stop_whatever_is_set():
    assert verdict("pool_exhausted", Stopping(), candidates=0) == Verdict.STOP
    assert verdict("pool_exhausted", Stopping(), candidates=1) == Verdict.GO_ON
    assert verdict("no_labels", Stopping(), round_labels=0) == Verdict.STOP


def test_a_day_that_is_full_waits_instead_of_stopping():
    stopping = Stopping(labels_a_day=100)
    assert verdict("labels_a_day", stopping, labels_today=99) == Verdict.GO_ON
    waits = found("labels_a_day", stopping, labels_today=100, free_in=7200.0)
    assert (waits.verdict, waits.evidence["seconds"]) == (Verdict.WAIT, 7200)


# --- accuracy: the validation split only ---


def test_without_validation_items_accuracy_is_not_judged():
    stopping = Stopping(target_accuracy=0.9, plateau_rounds=2)
    for rule in ("target_accuracy", "plateau"):
        one = found(rule, stopping)
        assert one.verdict == Verdict.UNKNOWN
        assert "validation" in one.message


def test_without_validation_items_a_target_is_judged_by_the_four_looks():
    stopping = Stopping(target_accuracy=0.8)
    short = {"at": 20, "level": 0.9875, "low": 0.7}
    enough = {"at": 40, "level": 0.9875, "low": 0.81}
    assert verdict("target_accuracy", stopping, looks=[short]) == Verdict.GO_ON
    told = found("target_accuracy", stopping, looks=[short, enough])
    assert told.verdict == Verdict.STOP
    assert told.message.startswith("At 40 random checks")
    missed = Validated(n=200, correct=100)
    assert verdict("target_accuracy", stopping, looks=[enough], validated=[missed]) == (
        Verdict.GO_ON
    ), "where there is a validation split it alone decides"


def test_a_target_needs_its_lower_end_above_and_more_with_each_look():
    stopping = Stopping(target_accuracy=0.9)
    exactly = Validated(n=200, correct=184)  # 92 %, but 200 items cannot show 90 %
    assert verdict("target_accuracy", stopping, validated=[exactly]) == Verdict.GO_ON
    clearly = Validated(n=200, correct=190)
    assert verdict("target_accuracy", stopping, validated=[clearly]) == Verdict.STOP
    often = found("target_accuracy", stopping, validated=[clearly] * 20)
    assert often.verdict == Verdict.GO_ON
    assert often.evidence["looks"] == 20


def test_looking_after_every_round_declares_a_target_wrongly_at_most_as_often_as_promised():
    """A classifier that is exactly at the target, looked at 40 times in each of 2,000 runs."""
    rng = np.random.default_rng(7)
    stopping = Stopping(target_accuracy=0.8)
    lows = {}
    for look in range(1, 41):
        lows[look] = next(
            correct
            for correct in range(151)
            if verdict("target_accuracy", stopping, validated=[Validated(150, correct)] * look)
            == Verdict.STOP
        )
    fewest = np.array([lows[look] for look in range(1, 41)])
    # a fresh draw of the validation items each time: the worst case for repeated looks
    wrong = (rng.binomial(150, 0.8, size=(2000, 40)) >= fewest).any(axis=1).mean()
    assert wrong <= 0.05


def test_a_plateau_is_no_gain_over_the_best_before():
    stopping = Stopping(plateau_rounds=2, plateau_gain=0.01)
    climbing = [Validated(100, correct) for correct in (70, 75, 80, 85)]
    assert verdict("plateau", stopping, validated=climbing) == Verdict.GO_ON
    flat = [Validated(100, correct) for correct in (70, 85, 85, 84)]
    assert verdict("plateau", stopping, validated=flat) == Verdict.STOP
    assert verdict("plateau", stopping, validated=flat[:2]) == Verdict.UNKNOWN


# --- agreement of successive classifiers ---


def test_stable_predictions_stop_only_if_every_one_of_the_last_rounds_was():
    stopping = Stopping(stable_rounds=2)
    calm, moved = Agreement(500, 0.995, 0.01), Agreement(500, 0.9, 0.2)
    assert verdict("stable", stopping, agreements=[moved, calm, calm]) == Verdict.STOP
    assert verdict("stable", stopping, agreements=[calm, moved, calm]) == Verdict.GO_ON
    assert verdict("stable", stopping, agreements=[calm]) == Verdict.UNKNOWN


def test_a_small_predicted_change_of_f_stops():
    stopping = Stopping(f_change=0.05, f_change_rounds=2)
    small, large = Agreement(500, 0.9, 0.04), Agreement(500, 0.9, 0.06)
    assert verdict("f_change", stopping, agreements=[small, small]) == Verdict.STOP
    assert verdict("f_change", stopping, agreements=[small, large]) == Verdict.GO_ON


def test_agreement_by_hand():
    before = np.array([0, 0, 0, 0, 1, 1])
    now = np.array([0, 0, 0, 1, 1, 1])
    measured = agreement(before, now, classes=3)
    # 5 of 6 alike; by chance 4/6·3/6 + 2/6·3/6 = 1/2
    assert measured.kappa == pytest.approx((5 / 6 - 1 / 2) / (1 / 2))
    # class 0: a=3, b+c=1; class 1: a=2, b+c=1; class 2 does not occur
    assert measured.f_change == pytest.approx(((1 - 6 / 7) + (1 - 4 / 5)) / 2)


def test_classifiers_that_name_one_class_only_are_not_called_stable():
    one_class = np.zeros(10, dtype=np.int64)
    assert agreement(one_class, one_class, classes=2).kappa == 0


# --- what can be set ---


def test_without_a_bound_the_default_one_holds_and_makes_way_for_a_chosen_one():
    assert stopping_from({}).max_rounds == DEFAULT_MAX_ROUNDS
    assert stopping_from({"plateau_rounds": 3}).max_rounds == DEFAULT_MAX_ROUNDS
    assert stopping_from({"max_labels": 100}).max_rounds is None
    assert stopping_from({"max_rounds": None}).max_rounds == DEFAULT_MAX_ROUNDS


def test_a_change_keeps_the_other_rules_and_null_takes_one_away():
    base = settings_from({"stopping": {"max_labels": 100, "plateau_rounds": 3}})
    changed = settings_from({"stopping": {"max_labels": 200, "plateau_rounds": None}}, base)
    assert (changed.stopping.max_labels, changed.stopping.plateau_rounds) == (200, None)
    assert settings_from({"batch_size": 5}, base).stopping == base.stopping


def test_what_is_stored_is_read_back_the_same():
    for given in ({}, {"max_labels": 9}, {"target_accuracy": 0.9, "stable_rounds": 2}):
        settings = settings_from({"stopping": given}, ProjectSettings())
        assert settings_from(settings.as_json()) == settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_rounds": 0},
        {"max_rounds": 2.5},
        {"max_rounds": True},
        {"target_accuracy": 1.0},
        {"max_cost": float("nan")},
        {"patience": 3},
    ],
)
def test_wrong_rules_are_named(wrong):
    (name,) = wrong
    with pytest.raises(WrongInput) as problem:
        stopping_from(wrong)
    assert problem.value.evidence.get("field", getattr(problem.value, "field", None)) == (
        f"stopping.{name}"
    )


def test_what_is_no_object_is_refused():
    with pytest.raises(WrongInput, match="object"):
        stopping_from([1])
