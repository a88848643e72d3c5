"""Our records in the exact form that Argilla takes; what it would choke on is found before.

Argilla is strict (an integer where a float is declared refuses a whole batch) and careless (NUL
and Infinity pass its checks and break its database later). Both are settled here, item by item.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from app.adapters.argilla.settings import RecordShape
from app.ports.annotation_tool import RecordOut, Suggestion

LONGEST_AGENT = 200
ROUNDING = 1e-6
"""A probability may miss 0 or 1 by this much through arithmetic alone."""


class Unfit(ValueError):
    """Why Argilla cannot take a record."""


def payload(record: RecordOut, shape: RecordShape) -> dict[str, Any]:
    """The record as a JSON object; Unfit says what is wrong with it.

    No suggestion leaves the key out, and what Argilla already has then stays.
    """
    body: dict[str, Any] = {
        "external_id": _text(record.external_id, "the external id"),
        "fields": {name: _text(value, f"field {name!r}") for name, value in record.fields.items()},
        "metadata": _metadata(record.metadata, shape.kinds),
    }
    if record.suggestion is not None:
        body["suggestions"] = [_suggestion(record.suggestion, shape)]
    return body


def _suggestion(suggestion: Suggestion, shape: RecordShape) -> dict[str, Any]:
    value = _plain(suggestion.value, "the suggestion")
    return {
        "question_id": str(shape.question_id),
        "type": "model",
        "value": value,
        "score": _scores(suggestion.score, value),
        "agent": _agent(suggestion.agent),
    }


def _agent(name: str) -> str:
    """Argilla allows few characters in an agent's name."""
    return re.sub(r"[^a-zA-Z0-9_:./ -]", "-", name)[:LONGEST_AGENT]


def _scores(score: Any, value: Any) -> float | list[float] | None:
    """An answer of several parts (labels, spans, a ranking) wants one score for each part."""
    if not isinstance(value, list):
        return _score(score)
    each = _plain(score, "the suggestion's score")
    if not isinstance(each, list):
        each = [each] * len(value)
    if len(each) != len(value):
        raise Unfit(f"the suggestion has {len(value)} parts and {len(each)} scores")
    return [_score(one) for one in each] or None


def _score(score: Any) -> float:
    value = _number(score, "the suggestion's score")
    if not -ROUNDING <= value <= 1 + ROUNDING:
        raise Unfit(f"the suggestion's score {value} is not between 0 and 1")
    return min(max(float(value), 0.0), 1.0)


def _metadata(metadata: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    return {
        _text(name, "a metadata name"): _as_kind(value, kinds.get(name), f"metadata {name!r}")
        for name, value in metadata.items()
        if value is not None
    }


def _as_kind(value: Any, kind: str | None, where: str) -> Any:
    value = _plain(value, where)
    if kind == "float":
        return float(_number(value, where))
    if kind == "integer":
        return _whole(value, where)
    if kind == "terms":
        return _term(value)
    return value


def _whole(value: Any, where: str) -> int:
    number = _number(value, where)
    if number != int(number):
        raise Unfit(f"{where} is {number}, not a whole number")
    return int(number)


def _term(value: Any) -> Any:
    if isinstance(value, list):
        return [_term(one) for one in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _number(value: Any, where: str) -> int | float:
    value = _plain(value, where)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit(f"{where} is {type(value).__name__}, not a number")
    return value


def _plain(value: Any, where: str) -> Any:
    """The value in Python's own types: numpy's scalars and arrays are no JSON."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, str):
        return _text(value, where)
    if isinstance(value, float) and not math.isfinite(value):
        raise Unfit(f"{where} is {value}, not a number")
    if isinstance(value, Mapping):
        return {_text(name, where): _plain(one, where) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, where) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    raise Unfit(f"{where} is {type(value).__name__}, which JSON cannot hold")


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise Unfit(f"{where} is {type(value).__name__}, not text")
    if "\x00" in value:
        raise Unfit(f"{where} holds a NUL character, which no database takes")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Unfit(f"{where} holds half a character (a lone surrogate)") from None
    return str(value)
