"""What an experiment takes, and what it refuses."""

from typing import Any

import pytest

from app.core.errors import WrongInput
from app.simulate import Experiment
from app.simulate.named import named


def test_lists_are_taken_as_text_or_as_lists_without_repeats() -> None:
    written = Experiment.of({"strategy": "margin, random,margin", "data": "a,b.jsonl"})
    listed = Experiment.of({"strategy": ["margin", "random"], "data": ["a,b.jsonl"]})
    assert written == listed
    assert written.strategy == ("margin", "random")
    assert written.data == ("a,b.jsonl",)  # a file's name may hold a comma


def test_the_short_names_of_options_mean_the_same() -> None:
    assert Experiment.of({"batch": 5, "rounds": 3, "seed-size": 7}) == Experiment(
        query_size=5, iterations=3, seed_size=7
    )


def test_every_unknown_key_is_named() -> None:
    with pytest.raises(WrongInput) as problem:
        Experiment.of({"strategie": "random", "colour": "red"})
    assert "'strategie', 'colour'" in problem.value.message
    assert "Did you mean 'strategy'?" in problem.value.message


def test_the_same_key_under_two_names_is_refused() -> None:
    with pytest.raises(WrongInput, match="given twice"):
        Experiment.of({"batch": 5, "query_size": 5})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("strategy", "telepathy"),
        ("classifier", "oracle-bones"),
        ("strategy", ""),
        ("seed_size", -1),
        ("seed_size", True),
        ("query_size", 0),
        ("repeats", 2.5),
        ("test_fraction", 1.0),
        ("target_acc", "high"),
        ("cold_start", "margin"),
        ("metric", "luck"),
        ("oracle", "simulated:noise=2"),
        ("oracle", "simulated:nois=0.1"),
        ("oracle", "truth:noise=0.1"),
        ("data", []),
    ],
)
def test_what_cannot_be_taken_is_refused_by_name(key: str, value: Any) -> None:
    with pytest.raises(WrongInput) as problem:
        Experiment.of({key: value})
    assert problem.value.field == key


def test_it_survives_json() -> None:
    experiment = Experiment(strategy=("margin:beta=5", "random"), test_fraction=0.2)
    assert Experiment.of(experiment.as_json()) == experiment


def test_conditions_are_what_makes_runs_comparable() -> None:
    one = Experiment(strategy=("margin",), repeats=2, target_acc=0.5)
    assert one.conditions == Experiment().conditions
    assert one.conditions != Experiment(query_size=7).conditions


def test_options_follow_a_name() -> None:
    found = named("svc:self_training=off:depth=3:on=true")
    assert found.name == "svc"
    assert found.options == {"self_training": "off", "depth": 3, "on": True}
    with pytest.raises(WrongInput, match="key=value"):
        named("svc:fast")
