"""How the figures are told to people."""

from app.core.estimation import (
    AccuracyEstimate,
    Duel,
    Exchanged,
    Forecast,
    Interval,
    accuracy_sentence,
    duel_sentence,
    forecast_sentence,
    judge_duel,
)


def duel(*counts: int, exchanged: Exchanged = Exchanged(0.0125, 0.0125)) -> Duel:
    return judge_duel(*counts, apart=100, items=1000, exchanged=exchanged)


def test_accuracy_names_its_checks_and_both_populations() -> None:
    told = AccuracyEstimate(40, Interval(0.79, 0.64, 0.93), Interval(0.77, 0.63, 0.9))
    assert accuracy_sentence(told) == (
        "About 79% on the unlabelled items (95% interval 64–93%), from 40 randomly chosen checks. "
        "On new items of this kind: 77% (63–90%)."
    )


def test_an_undecided_duel_is_not_called_a_draw() -> None:
    sentence = duel_sentence(duel(10, 9, 21), labels_a_side=80)
    assert sentence.startswith("40 labels on the items where the two disagree could not separate")
    assert sentence.endswith("That does not mean they are equal.")
    assert "better" not in sentence


def test_a_decided_duel_is_told_of_this_project_only() -> None:
    better = duel_sentence(duel(30, 4, 6), labels_a_side=80)
    assert better.startswith(
        "In this project the first 80 actively chosen labels gave a better classifier than 80 "
        "random ones: +6."
    )
    assert " worse " in duel_sentence(duel(4, 30, 6), labels_a_side=80)


def test_a_difference_that_chance_may_make_is_not_called_better() -> None:
    sentence = duel_sentence(duel(30, 4, 6, exchanged=Exchanged(0.3, 0.7)), labels_a_side=80)
    assert "no more than two random sets of labels may" in sentence
    assert "better" not in sentence


def test_a_forecast_says_what_it_does_not_know() -> None:
    sentence = forecast_sentence(Forecast(200, 400, Interval(0.021, -0.01, 0.05)))
    assert sentence == (
        "200 more labels (400 in all) would add about 2 points (-1.0 to +5.0). "
        "How many labels reach a given accuracy cannot be said."
    )
