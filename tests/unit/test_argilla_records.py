"""What goes to Argilla is exactly what it takes, or is refused with the place and the reason."""

import json
import math
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.argilla.pushing import complaints
from app.adapters.argilla.records import Unfit, payload
from app.adapters.argilla.settings import RecordShape
from app.ports.annotation_tool import RecordOut, Suggestion

SHAPE = RecordShape(
    UUID(int=7), {"rank": "integer", "score": "float", "reason": "terms", "audit": "terms"}
)


def body(**given_: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"fields": {"text": "hello"}, "metadata": {}}
    return payload(RecordOut("item-1", **{**base, **given_}), SHAPE)


def test_values_take_the_kind_of_their_property() -> None:
    metadata: Any = {
        "rank": np.int64(3),
        "score": 1,
        "reason": np.str_("torn"),
        "audit": True,
        "other": np.float32(0.5),
        "absent": None,
    }
    sent = body(metadata=metadata)["metadata"]
    assert sent == {"rank": 3, "score": 1.0, "reason": "torn", "audit": "true", "other": 0.5}
    assert [type(value) for value in sent.values()] == [int, float, str, str, float]


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"score": math.nan}, "'score' is nan"),
        ({"score": math.inf}, "'score' is inf"),
        ({"score": "high"}, "'score' is str, not a number"),
        ({"score": True}, "'score' is bool, not a number"),
        ({"rank": 1.5}, "'rank' is 1.5, not a whole number"),
        ({"reason": "a\x00b"}, "'reason' holds a NUL"),
        ({"other": object()}, "'other' is object"),
        ({"other": [1.0, math.nan]}, "'other' is nan"),
        ({"other": "\ud800"}, "'other' holds half a character"),
    ],
)
def test_values_that_cannot_be_kept_are_refused(metadata: Any, reason: str) -> None:
    with pytest.raises(Unfit, match=reason):
        body(metadata=metadata)


@pytest.mark.parametrize("text", ["nul \x00", "\ud83d alone", 7, None])
def test_fields_must_be_text_that_databases_keep(text: Any) -> None:
    with pytest.raises(Unfit, match="field 'text'"):
        body(fields={"text": text})


@pytest.mark.parametrize("score", [math.nan, 1.1, -0.1, "sure", None])
def test_a_confidence_is_between_0_and_1(score: Any) -> None:
    with pytest.raises(Unfit, match="score"):
        body(suggestion=Suggestion("refund", score, "a/1"))


def test_an_answer_of_several_parts_has_a_score_for_each() -> None:
    def scores(value: Any, score: Any) -> Any:
        return body(suggestion=Suggestion(value, score, "a/1"))["suggestions"][0]["score"]

    assert scores("refund", np.float32(0.5)) == 0.5
    assert scores(["a", "b"], 0.5) == [0.5, 0.5]
    assert scores(("a", "b"), np.array([0.25, 0.75])) == [0.25, 0.75]
    assert scores([], 0.5) is None
    with pytest.raises(Unfit, match="2 parts and 1 scores"):
        scores(["a", "b"], [0.5])


def test_without_a_suggestion_the_key_is_left_out() -> None:
    assert "suggestions" not in body()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), JSON), st.text())
def test_whatever_is_sent_is_valid_json(metadata: dict[str, Any], text: str) -> None:
    try:
        sent = body(metadata=metadata, fields={"text": text})
    except Unfit:
        return
    assert json.loads(json.dumps(sent, allow_nan=False).encode()) == sent


def test_complaints_are_read_in_both_forms() -> None:
    sentence = "Record at position 2 is not valid because it has\nno text"
    assert complaints(sentence, 5) == {2: "it has\nno text"}
    listed = [
        {"loc": ["body", "items", 1, "suggestions", 0, "score"], "msg": "too high"},
        {"loc": ["body", "items", 4], "msg": "odd"},
        {"loc": ["body"], "msg": "all of it"},
    ]
    assert complaints(listed, 5) == {1: "suggestions.0.score: too high", 4: "odd"}


@pytest.mark.parametrize(
    "detail", ["no idea", [], {}, None, "Record at position 9 is not valid because x", [{"a": 1}]]
)
def test_a_complaint_without_a_place_names_nobody(detail: Any) -> None:
    assert complaints(detail, 5) == {}
