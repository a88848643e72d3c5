"""Reading answers: spelling is forgiven, nothing else is."""

import json
from typing import Any

import pytest

from app.core.errors import NotAllowed, WrongInput
from app.core.llm.answers import Malformed, read_label, read_picks, spelled_as
from app.core.llm.consistency import consistency
from app.core.llm.entities import Purpose, Usage
from app.core.llm.money import Price, estimate
from app.core.llm.permission import LlmSettings, llm_settings_from
from app.core.tasks import TaskSpec
from app.llm.prompting import label_request

LABELS = ("WrittenWork", "Film", "Office Holder")


def said(**given: Any) -> str:
    return json.dumps({"label": "Film", "confidence": 0.7, "rationale": "r", **given})


def test_an_answer_is_read() -> None:
    found = read_label(said(), LABELS)
    assert (found.label, found.confidence, found.rationale) == ("Film", 0.7, "r")


@pytest.mark.parametrize(
    "raw",
    ["", "Film", "[]", '"Film"', "null", '{"label": "Film"', "{}", '{"label": ["Film"]}',
     '{"label": null}', said(label="Movie"), said(label=""), said(label="WrittenWork Film"),
     said() + said(), "[" * 100_000],
)  # fmt: skip
def test_what_is_no_answer_is_malformed(raw: str) -> None:
    with pytest.raises(Malformed) as wrong:
        read_label(raw, LABELS)
    assert "Movie" not in str(wrong.value)


@pytest.mark.parametrize("raw", [f"```json\n{said()}\n```", f"```\n{said()}\n```", f"\n{said()}\n"])
def test_a_fence_around_the_answer_is_taken_off(raw: str) -> None:
    assert read_label(raw, LABELS).label == "Film"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("Written Work", "WrittenWork"),
        ("written_work", "WrittenWork"),
        (" FILM. ", "Film"),
        ("officeholder", "Office Holder"),
        ("Films", None),
        ("!!", None),
    ],
)
def test_spelling_is_forgiven(given: str, meant: str | None) -> None:
    assert spelled_as(given, LABELS) == meant


def test_labels_that_differ_by_spelling_only_must_be_met_exactly() -> None:
    assert spelled_as("a-b", ["a-b", "ab"]) == "a-b"
    assert spelled_as("A_B", ["a-b", "ab"]) is None


@pytest.mark.parametrize("confidence", [None, "high", 85, -0.1, True, [0.9]])
def test_a_confidence_that_cannot_be_read_is_none_at_all(confidence: Any) -> None:
    assert read_label(said(confidence=confidence), LABELS).confidence == 0.0


def test_a_rationale_may_hold_anything_but_what_cannot_be_kept() -> None:
    assert read_label(said(rationale="a\x00b" + "c" * 9_000), LABELS).rationale == "ab" + "c" * 1998


def test_picks_are_known_ids_once_and_no_more_than_asked() -> None:
    raw = json.dumps({"ids": ["t2", "t2", "t9", 3, "t1", "t3"]})
    found = read_picks(raw, ["t1", "t2", "t3"], 2)
    assert found.ids == ("t2", "t1")
    assert (found.unknown, found.repeated) == (2, 1)
    with pytest.raises(Malformed):
        read_picks('{"ids": "t1"}', ["t1"], 1)


def test_consistency_is_the_share_of_the_mode_and_how_far_answers_spread() -> None:
    assert consistency(["a"] * 5, 3).share == 1.0
    assert consistency(["a"] * 5, 3).entropy == 0.0
    mixed = consistency(["a", "b", "a", "c", "a"], 3)
    assert (mixed.label, mixed.share) == ("a", 0.6)
    assert 0.8 < mixed.entropy < 0.9
    assert consistency(["a", None, None, None, None], 3).share == 0.2
    assert consistency([None, None], 3) == consistency([], 3)
    assert consistency([None], 3).entropy == 1.0


def test_prices_are_exact_and_the_most_is_never_less() -> None:
    price = Price(input=0.15, output=0.6)
    assert price.of(Usage(1_000_000, 1_000_000)) == 750_000
    assert price.of(Usage(1, 0)) == 1  # rounded up, never down
    request = label_request("ü" * 1000, TaskSpec("single_label", ("a", "b")))
    assert price.most([request]) > price.of(Usage(2_000, request.max_tokens))


def test_an_estimate_has_an_order() -> None:
    requests = [label_request(f"text {n}", TaskSpec("single_label", ("a", "b"))) for n in range(9)]
    found = estimate(requests, Price(1.0, 2.0))
    assert found.calls == 9
    assert 0 < found.low < found.middle < found.high


def test_nothing_is_allowed_until_it_is() -> None:
    for purpose in Purpose:
        with pytest.raises(NotAllowed, match=purpose.value):
            LlmSettings().insist(purpose)
    allowed = llm_settings_from({"allow": ["label"], "fields": ["text"]}, LlmSettings())
    allowed.insist(Purpose.LABEL)
    with pytest.raises(NotAllowed):
        allowed.insist(Purpose.JUDGE)
    with pytest.raises(NotAllowed, match=r"llm\.fields"):
        llm_settings_from({"allow": ["label"]}, LlmSettings()).insist(Purpose.LABEL)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ([], "llm"),
        ({"base_url": "http://x"}, "llm.base_url"),
        ({"allow": ["everything"]}, "llm.allow"),
        ({"fields": "text"}, "llm.fields"),
        ({"max_cost": -1}, "llm.max_cost"),
        ({"max_cost": None}, "llm.max_cost"),
        ({"max_cost_a_round": "1"}, "llm.max_cost_a_round"),
        ({"provider": ""}, "llm.provider"),
        ({"label_weight": 0}, "llm.label_weight"),
    ],
)
def test_a_wrong_setting_is_named(given: Any, field: str) -> None:
    with pytest.raises(WrongInput) as wrong:
        llm_settings_from(given, LlmSettings())
    assert wrong.value.field == field
