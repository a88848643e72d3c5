"""Who labels an item of a batch, and when an LLM may label nothing more."""

import numpy as np
import pytest

from app.core.llm.drift import agreement, audit
from app.core.llm.routing import Candidate, Route, Rule, Who, Why, divide

SURE = Rule(Why.SURE, threshold=0.9, audit_share=0.0)


def routes(batch: list[Candidate], rule: Rule, seed: int = 0) -> list[Route]:
    return list(divide(batch, rule, np.random.default_rng(seed)))


def batch(*confidences: float | None) -> list[Candidate]:
    return [Candidate(n, confidence) for n, confidence in enumerate(confidences)]


def test_it_labels_what_it_is_sure_enough_of() -> None:
    found = routes(batch(0.95, 0.9, 0.89, None), SURE)
    assert [one.who for one in found] == [Who.LLM, Who.LLM, Who.PEOPLE, Who.PEOPLE]
    assert [one.why for one in found] == [Why.SURE, Why.SURE, Why.UNSURE, Why.UNANSWERED]
    assert [one.able for one in found] == [True, True, False, False]


def test_why_it_did_not_answer_is_kept() -> None:
    (found,) = routes([Candidate(1, None, Why.BUDGET)], SURE)
    assert (found.who, found.why) == (Who.PEOPLE, Why.BUDGET)


def test_what_measures_is_never_its() -> None:
    found = routes([Candidate(1, 0.99, for_people=True), Candidate(2, None, for_people=True)], SURE)
    assert [one.why for one in found] == [Why.AUDIT_SLICE, Why.AUDIT_SLICE]
    assert [one.able for one in found] == [True, False]  # the first tells how far people agree


@pytest.mark.parametrize(("share", "audited"), [(0.0, 0), (0.01, 1), (0.1, 2), (1.0, 20)])
def test_a_share_of_what_it_could_label_goes_to_people(share: float, audited: int) -> None:
    rule = Rule(Why.ANSWERED, 0.0, audit_share=share)
    found = routes(batch(*[0.5] * 20), rule)
    people = [one for one in found if one.who is Who.PEOPLE]
    assert len(people) == audited
    assert all(one.why is Why.STANDING_AUDIT and one.able for one in people)


def test_which_ones_are_audited_is_drawn_anew_but_the_same_in_a_repeat() -> None:
    rule = Rule(Why.ANSWERED, 0.0, audit_share=0.2)

    def audited(seed: int) -> tuple[int, ...]:
        found = routes(batch(*[0.5] * 40), rule, seed)
        return tuple(one.item_id for one in found if one.who is Who.PEOPLE)

    drawn = [audited(seed) for seed in (1, 1, 2, 3)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3


@pytest.mark.parametrize("why", [Why.SUSPENDED, Why.UNTRUSTED, Why.COMPARISON, Why.NOT_ALLOWED])
def test_while_it_is_closed_people_label_everything(why: Why) -> None:
    found = routes(batch(1.0, 0.1, None), Rule(Why.SURE, 0.5, 0.5, closed=why))
    assert {(one.who, one.why, one.able) for one in found} == {(Who.PEOPLE, why, False)}


def test_a_few_audited_items_say_nothing() -> None:
    assert audit([False] * 4, bound=0.8, window=50).drift is None
    assert audit([], bound=0.8, window=50).window == agreement([])


def test_surely_less_agreement_than_the_bound_is_told_with_its_figures() -> None:
    found = audit([True] * 3 + [False] * 9, bound=0.8, window=50)
    assert found.drift is not None
    assert "3 of the last 12" in found.drift
    assert "80%" in found.drift
    assert found.window.low < 0.25 < found.window.high < 0.8


def test_one_that_becomes_worse_is_noticed_above_the_bound() -> None:
    found = audit([True] * 200 + [True, True, True, False] * 12, bound=0.5, window=50)
    assert found.drift is not None
    assert "it has become worse" in found.drift
    assert audit([True] * 250, bound=0.5, window=50).drift is None


def _suspended(agrees: float, chance: np.random.Generator, looks: int = 40) -> bool:
    """In so many rounds of two audited items, with a look before each."""
    same = (chance.random(2 * looks) < agrees).tolist()
    return any(audit(same[: 2 * n], bound=0.8, window=50).drift for n in range(1, looks + 1))


def test_a_good_one_is_hardly_ever_suspended_and_a_bad_one_soon() -> None:
    chance = np.random.default_rng(0)
    good = np.mean([_suspended(0.92, chance) for _ in range(150)])
    bad = np.mean([_suspended(0.55, chance) for _ in range(150)])
    assert good <= 0.02
    assert bad >= 0.95
