"""Agreement and pace: against published worked examples, and where there is nothing to say."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from app.core.agreement import (
    NO_SHARED,
    NOBODY,
    ONE_LABEL,
    classes_of,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    pairs,
    people,
)
from app.core.pace import AT_ONCE, TOO_FEW, pace_of
from app.core.votes import Votes


def reliability_data(*rows: str) -> Votes:
    """A line an annotator, a column an item, a dot for no answer."""
    votes = [
        (item, f"p{person}", said)
        for person, row in enumerate(rows)
        for item, said in enumerate(row.split())
        if said != "."
    ]
    return Votes.of(votes, sorted({said for _, _, said in votes}))


@pytest.mark.parametrize(
    ("rows", "alpha"),
    [
        # Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), examples A, B and C
        (("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"), 0.095),
        (("a a b b d c c c e d d a", "b a b b b c c c e d d d"), 0.692),
        (
            (
                "1 2 3 3 2 1 4 1 2 . . .",
                "1 2 3 3 2 2 4 1 2 5 . 3",
                ". 3 3 3 2 3 4 2 2 5 1 .",
                "1 2 3 3 2 4 4 1 2 5 1 .",
            ),
            0.743,
        ),
    ],
)
def test_krippendorffs_alpha(rows: tuple[str, ...], alpha: float) -> None:
    value = krippendorff_alpha(reliability_data(*rows)).value
    assert value is not None
    assert value == pytest.approx(alpha, abs=5e-4)


def test_fleiss_kappa() -> None:
    # the example of "Fleiss' kappa" in Wikipedia: 14 raters, 10 subjects, 5 categories
    table = (
        "0 0 0 0 14", "0 2 6 4 2", "0 0 3 5 6", "0 3 9 2 0", "2 2 8 1 1",
        "7 7 0 0 0", "3 2 6 3 0", "2 5 3 2 2", "6 5 2 1 0", "0 2 2 3 7",
    )  # fmt: skip
    votes = []
    for item, line in enumerate(table):
        said = [c for c, n in zip("abcde", map(int, line.split()), strict=True) for _ in range(n)]
        votes += [(item, f"p{person:02}", label) for person, label in enumerate(said)]
    found = fleiss_kappa(Votes.of(votes, "abcde"))
    assert found.value == pytest.approx(0.210, abs=5e-4)
    assert found.items == 10


def test_cohens_kappa_of_two() -> None:
    # the example of "Cohen's kappa" in Wikipedia: 50 proposals, both yes 20, both no 15
    cells = {("y", "y"): 20, ("y", "n"): 5, ("n", "y"): 10, ("n", "n"): 15}
    said = [pair for pair, count in cells.items() for _ in range(count)]
    votes = Votes.of(
        [(i, who, pair[n]) for i, pair in enumerate(said) for n, who in enumerate("AB")], "yn"
    )
    assert cohen_kappa(votes, "A", "B").value == pytest.approx(0.4)
    (pair,) = pairs(votes)
    assert (pair.first, pair.second, pair.same, pair.kappa.items) == ("A", "B", 35, 50)
    # with two annotators Fleiss' kappa is Scott's pi, a little lower where their shares differ
    fleiss = fleiss_kappa(votes).value
    assert fleiss is not None
    assert fleiss < 0.4


def test_what_cannot_be_told_says_why_and_is_never_nan() -> None:
    nothing = Votes.of([], "ab")
    alone = Votes.of([(1, "p", "a"), (2, "q", "b")], "ab")
    for votes in (nothing, alone):
        assert krippendorff_alpha(votes).reason == NOBODY
        assert fleiss_kappa(votes).reason == NOBODY
    assert cohen_kappa(alone, "p", "q").reason == NO_SHARED
    assert pairs(alone) == []
    same = Votes.of([(i, who, "a") for i in range(3) for who in "pq"], "ab")
    for figure in (krippendorff_alpha(same), fleiss_kappa(same), cohen_kappa(same, "p", "q")):
        assert (figure.value, figure.reason, figure.items) == (None, ONE_LABEL, 3)


def test_each_annotator_and_each_class() -> None:
    votes = Votes.of(
        [
            (1, "ann", "x"), (1, "bob", "x"), (1, "cy", "y"),
            (2, "ann", "y"), (2, "bob", "y"), (2, "cy", "y"),
            (3, "ann", "x"), (3, "cy", "y"),
            (4, "bob", "x"),
        ],
        "xyz",
    )  # fmt: skip
    label_of = np.array([0, 1, -1, 0])
    ann, bob, cy = people(votes, label_of)
    assert (ann.name, ann.answers, ann.with_label.value, ann.with_label.items) == ("ann", 3, 1.0, 2)
    assert ann.with_others.value == pytest.approx(3 / 5)
    assert cy.with_label.value == pytest.approx(0.5)
    assert cy.confusion == [("x", "y", 1)]
    assert (bob.answers, bob.with_label.items) == (3, 2)  # item 4 has nobody else's answer
    x, y = classes_of(votes, label_of)
    assert (x.label, x.same.items) == ("x", 1)
    assert x.same.value == pytest.approx(2 / 3)
    assert (y.label, y.same.value) == ("y", 1.0)
    values = [one.with_others.value for one in (ann, bob, cy)]
    assert all(value is not None and math.isfinite(value) for value in values)


START = datetime(2026, 1, 1, 9, tzinfo=UTC)


def at(*minutes: float) -> list[datetime]:
    return [START + timedelta(minutes=m) for m in minutes]


def test_pauses_do_not_slow_an_annotator_down() -> None:
    steady = pace_of(at(*range(0, 11)))
    with_lunch = pace_of(at(*range(0, 6), *range(90, 96)))
    assert steady.per_hour == pytest.approx(60)
    assert with_lunch.per_hour == pytest.approx(60)
    assert with_lunch.hours == pytest.approx(10 / 60)


def test_no_pace_without_enough_answers() -> None:
    assert pace_of([]).reason == TOO_FEW
    assert pace_of(at(0, 1, 2)).reason == TOO_FEW
    assert pace_of(at(0, 60, 120, 180, 240)).reason == TOO_FEW
    assert pace_of(at(*[3] * 20)).reason == AT_ONCE
