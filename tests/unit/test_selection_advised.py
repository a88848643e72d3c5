"""Strategies that follow an LLM's advice: the advice first, the rest as ever, and said so."""

from dataclasses import replace

import numpy as np

from app.core.strategies import advice_wanted, cold_start, select, short_list
from app.core.types import Advice
from tests.unit.selection_factory import request


def rows(selection) -> list[int]:
    return [pick.row for pick in selection.picks]


def test_its_choice_in_its_order_and_what_is_no_candidate_left_out():
    advice = Advice(picks=np.array([200, 100, 5, 200, 90]))  # 5 is labelled
    selection = select("llm", replace(request(batch=3), advice=advice))
    assert rows(selection) == [200, 100, 90]
    assert not selection.findings
    assert all(pick.reason.startswith("chosen by an LLM") for pick in selection.picks)


def test_places_that_it_left_empty_are_filled_and_it_is_said():
    advised = replace(request(batch=10), advice=Advice(picks=np.array([200, 100])))
    selection = select("llm", advised)
    assert rows(selection)[:2] == [200, 100]
    assert len(set(rows(selection))) == 10
    (finding,) = selection.findings
    assert "chose 2 items that can be picked, of 10 wanted" in finding.message


def test_the_reason_why_there_is_no_advice_is_passed_on():
    asked = replace(request(), advice=Advice(problem="The money is spent."))
    for strategy in ("llm", "doubt"):
        finding = select(strategy, asked).findings[0]
        assert (finding.code, "The money is spent." in finding.message) == ("fallback_used", True)
    assert "no LLM was asked" in select("llm", request()).findings[0].message


def test_without_advice_doubt_chooses_as_the_default_does():
    assert rows(select("doubt", request())) == rows(select("default", request()))


def test_the_most_doubtful_of_the_short_list_come_first():
    listed = short_list(request(batch=5))
    assert len(listed) == 15
    doubts = {int(row): n / 20 for n, row in enumerate(listed)}
    selection = select("doubt", replace(request(batch=5), advice=Advice(doubts=doubts)))
    assert rows(selection) == listed[::-1][:5].tolist()
    assert [pick.score for pick in selection.picks] == [
        np.float32(n / 20) for n in (14, 13, 12, 11, 10)
    ]
    assert selection.picks[0].reason.startswith("an LLM doubts it: 0.70")


def test_a_cold_start_by_an_llm_needs_no_classifier():
    advice = Advice(picks=np.array([40, 41]))
    asked = replace(request(batch=2, p=None), options={"cold_start": "llm"}, advice=advice)
    selection = cold_start(replace(asked, probabilities=None))
    assert (selection.strategy, rows(selection)) == ("llm.v1", [40, 41])


def test_who_must_be_asked_before_a_choice():
    assert advice_wanted("doubt", {}, cold=False) == "doubts"
    assert advice_wanted("doubt", {}, cold=True) is None
    assert advice_wanted("default", {"cold_start": "llm"}, cold=True) == "picks"
    assert advice_wanted("default", {"cold_start": "llm"}, cold=False) is None
