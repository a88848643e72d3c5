"""Reading what an LLM answered. Nothing is guessed: what cannot be read is malformed."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FENCE = re.compile(r"\A\s*```[\w-]*\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
LONGEST_RATIONALE = 2_000


class Malformed(Exception):
    """The answer is not what was asked for; says what is wrong, never what it held."""


@dataclass(frozen=True, slots=True)
class LabelAnswer:
    label: str
    confidence: float
    """As the model says; 0 where it said nothing that can be read."""
    rationale: str | None
    as_spelled: str
    """The label in the model's own spelling."""


@dataclass(frozen=True, slots=True)
class Picks:
    """Ids in the order chosen, and what had to be dropped."""

    ids: tuple[str, ...]
    unknown: int
    repeated: int


def label_schema(labels: Sequence[str]) -> Mapping[str, Any]:
    return {
        "type": "object",
        "properties": {
            "label": {"type": "string", "enum": list(labels)},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "rationale": {"type": "string"},
        },
        "required": ["label", "confidence", "rationale"],
        "additionalProperties": False,
    }


def picks_schema(size: int) -> Mapping[str, Any]:
    return {
        "type": "object",
        "properties": {
            "reasoning": {"type": "string"},
            "ids": {"type": "array", "items": {"type": "string"}, "maxItems": size},
        },
        "required": ["reasoning", "ids"],
        "additionalProperties": False,
    }


def read_object(raw: str) -> Mapping[str, Any]:
    """The one JSON object of an answer, which may stand in a Markdown fence."""
    fence = FENCE.match(raw)
    try:
        found = json.loads(fence[1] if fence else raw)
    except (ValueError, RecursionError):
        raise Malformed("The answer is not JSON.") from None
    if not isinstance(found, dict):
        raise Malformed("The answer is not a JSON object.")
    return found


def read_label(raw: str, labels: Sequence[str]) -> LabelAnswer:
    """The label it gave, in the project's spelling."""
    found = read_object(raw)
    given = found.get("label")
    if not isinstance(given, str):
        raise Malformed('The answer has no text under "label".')
    label = spelled_as(given, labels)
    if label is None:
        raise Malformed("The label is none of those allowed.")
    return LabelAnswer(label, _confidence(found), _rationale(found), given)


def spelled_as(given: str, labels: Collection[str]) -> str | None:
    """The one label that is meant: `Written Work`, `written_work` and `WrittenWork` are one. None
    if there is none, or if two labels differ by no more than spelling."""
    if given in labels:
        return given
    plain = _plain(given)
    meant = [label for label in labels if plain and _plain(label) == plain]
    return meant[0] if len(meant) == 1 else None


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _confidence(found: Mapping[str, Any]) -> float:
    value = found.get("confidence")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return 0.0
    return float(value)


def _rationale(found: Mapping[str, Any]) -> str | None:
    value = found.get("rationale")
    # Postgres keeps no NUL
    said = value.replace("\x00", "").strip() if isinstance(value, str) else ""
    return said[:LONGEST_RATIONALE] or None


def read_picks(raw: str, known: Collection[str], size: int) -> Picks:
    """Ids that were in the prompt, each once, no more than asked for."""
    ids = read_object(raw).get("ids")
    if not isinstance(ids, list):
        raise Malformed('The answer has no list under "ids".')
    strange = [one for one in ids if not isinstance(one, str) or one not in known]
    good = [one for one in ids if isinstance(one, str) and one in known]
    once = tuple(dict.fromkeys(good))
    return Picks(once[:size], unknown=len(strange), repeated=len(good) - len(once))
