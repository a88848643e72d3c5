"""A project's settings as texts of a form, and back: only what a person changed is sent on."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from app.api.project_requests import GivenClosing, GivenLlm, GivenStopping, ProjectChange
from app.core.entities import Project
from app.core.errors import RoundsError, WrongInput

SECTIONS: Mapping[str, Sequence[str]] = {
    "What a round is": (
        "batch_size", "strategy", "strategy_options", "classifier", "classifier_options",
        "audit_fraction", "embeddings", "seed",
    ),
    "Who answers": (
        "guidelines", "overlap", "audit_overlap", "max_overlap", "consensus", "min_agreement",
        "adjudication", "adjudicators", "on_discard",
    ),
    "When a round stops waiting": ("closing.share", "closing.hours", "prefetch"),
    "When rounds stop following each other": tuple(
        f"stopping.{name}" for name in GivenStopping.model_fields
    ),
    "What an LLM may do": tuple(f"llm.{name}" for name in GivenLlm.model_fields),
}  # fmt: skip
INNER: Mapping[str, type[BaseModel]] = {
    "closing": GivenClosing,
    "stopping": GivenStopping,
    "llm": GivenLlm,
}
YES, NO = "yes", "no"
NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting as it is shown and asked for."""

    name: str
    note: str
    value: str
    choices: Sequence[str]
    long: bool
    problem: str | None


def entry(name: str, values: Mapping[str, str], wrong: str, problem: RoundsError | None) -> Entry:
    field = _model_field(name)
    return Entry(
        name=name,
        note=field.description or "",
        value=values[name],
        choices=_choices(field),
        long=name == "guidelines",
        problem=problem.message if problem and wrong == name else None,
    )


def _choices(field: Any) -> Sequence[str]:
    if bool in get_args(field.annotation):
        return (YES, NO)
    schema = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    enum = schema.get("enum")
    return [str(one) for one in enum if one] if isinstance(enum, list) else []


def written(project: Project) -> Mapping[str, str]:
    """Every setting as it stands in the form."""
    now = {**project.settings.as_json(), "guidelines": project.task.guidelines}
    return {name: _as_text(_at(now, name)) for names in SECTIONS.values() for name in names}


def changes(typed: Mapping[str, str], before: Mapping[str, str]) -> dict[str, Any]:
    """What a person changed, as REST takes it."""
    given: dict[str, Any] = {}
    for name, text in typed.items():
        if name not in before or _plain(text) == _plain(before[name]):
            continue
        value = _value(name, _plain(text))
        outer, dot, inner = name.partition(".")
        if dot:
            given.setdefault(outer, {})[inner] = value
        elif value is None:
            raise WrongInput(f"{name} must have a value; before it was {before[name]}.", field=name)
        else:
            given[name] = value
    return given


def _value(name: str, text: str) -> Any:
    """As its type has it; what does not fit is left to the checks, which say what would."""
    kinds = get_args(_model_field(name).annotation)
    if name == "guidelines":
        return text
    if list[str] in kinds:
        return [one.strip() for one in text.split(",") if one.strip()]
    if dict[str, Any] in kinds:
        return _object(name, text)
    return _scalar(kinds, text) if text else None


def _scalar(kinds: Sequence[Any], text: str) -> Any:
    if bool in kinds:
        return text == YES
    if (int in kinds or float in kinds) and NUMBER.fullmatch(text):
        return json.loads(text) if not text.lstrip("-").startswith("0") else float(text)
    return text


def _object(name: str, text: str) -> Any:
    try:
        return json.loads(text or "{}")
    except ValueError:
        raise WrongInput(f'{name} must be an object, such as {{"seed": 1}}.', field=name) from None


def _model_field(name: str) -> Any:
    outer, dot, inner = name.partition(".")
    return INNER[outer].model_fields[inner] if dot else ProjectChange.model_fields[outer]


def _at(now: Mapping[str, Any], name: str) -> Any:
    outer, dot, inner = name.partition(".")
    return now[outer][inner] if dot else now[outer]


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, list | tuple):
        return ", ".join(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plain(text: str) -> str:
    """Browsers send line ends of their own."""
    return text.replace("\r\n", "\n").strip()
