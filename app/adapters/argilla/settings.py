"""What a dataset asks of its annotators: our description in Argilla's words, and compared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.errors import WrongInput
from app.core.tasks import Question
from app.ports.annotation_tool import DatasetSpec, MetadataProperty

SHOWN_AT_ONCE = 20
"""More options than this are folded away behind a search field, as Argilla itself does it."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A dataset's settings as they are in Argilla."""

    fields: Sequence[Json]
    questions: Sequence[Json]
    properties: Sequence[Json]


@dataclass(frozen=True, slots=True)
class RecordShape:
    """What must be known of a dataset to write records into it."""

    question_id: UUID
    kinds: Mapping[str, str]
    """Kind of each metadata property."""


def question_settings(question: Question, fields: Sequence[str]) -> dict[str, Any]:
    """Argilla's settings for our question."""
    try:
        build = _KINDS[question.kind]
    except KeyError:
        known = ", ".join(sorted(_KINDS))
        raise WrongInput(
            f"Argilla has no question of kind {question.kind!r}. Known: {known}.", field="task"
        ) from None
    return build(question, fields)


def _label(question: Question, fields: Sequence[str]) -> dict[str, Any]:
    del fields
    return {"type": "label_selection", **_options(question), **_visible(question)}


def _labels(question: Question, fields: Sequence[str]) -> dict[str, Any]:
    del fields
    return {"type": "multi_label_selection", **_options(question), **_visible(question)}


def _ranking(question: Question, fields: Sequence[str]) -> dict[str, Any]:
    del fields
    return {"type": "ranking", **_options(question)}


def _span(question: Question, fields: Sequence[str]) -> dict[str, Any]:
    return {"type": "span", "field": fields[0], **_options(question), **_visible(question)}


def _text(question: Question, fields: Sequence[str]) -> dict[str, Any]:
    del question, fields
    return {"type": "text"}


def _rating(question: Question, fields: Sequence[str]) -> dict[str, Any]:
    del fields
    try:
        return {"type": "rating", "options": [{"value": int(one)} for one in question.options]}
    except ValueError:
        raise WrongInput(
            "The values of a rating must be whole numbers.", field="task.labels"
        ) from None


_KINDS: Mapping[str, Callable[[Question, Sequence[str]], dict[str, Any]]] = {
    "label": _label,
    "labels": _labels,
    "ranking": _ranking,
    "rating": _rating,
    "span": _span,
    "text": _text,
}


def _options(question: Question) -> dict[str, Any]:
    return {"options": [{"value": one, "text": one} for one in question.options]}


def _visible(question: Question) -> dict[str, Any]:
    many = len(question.options) > SHOWN_AT_ONCE
    return {"visible_options": SHOWN_AT_ONCE} if many else {}


def field_body(name: str) -> dict[str, Any]:
    return {"name": name, "title": name, "required": True, "settings": {"type": "text"}}


def question_body(spec: DatasetSpec) -> dict[str, Any]:
    body = {
        "name": spec.question.name,
        "title": spec.question.title,
        "required": True,
        "settings": question_settings(spec.question, spec.fields),
    }
    return {**body, **({"description": spec.question.description} if _described(spec) else {})}


def _described(spec: DatasetSpec) -> bool:
    return bool(spec.question.description)


def property_body(prop: MetadataProperty) -> dict[str, Any]:
    return {
        "name": prop.name,
        "title": prop.title,
        "settings": {"type": prop.kind},
        "visible_for_annotators": prop.visible,
    }


def differences(spec: DatasetSpec, found: Found) -> Sequence[str]:
    """In what a dataset cannot serve us: things that Argilla does not let anyone change later."""
    return [
        *_field_differences(spec, found),
        *_question_differences(spec, found),
        *_kinds(spec, found),
    ]


def _field_differences(spec: DatasetSpec, found: Found) -> Sequence[str]:
    there = {one["name"] for one in found.fields}
    needed = {one["name"] for one in found.fields if one["required"]}
    wanted = set(spec.fields)
    if wanted <= there and needed <= wanted:
        return []
    return [f"its fields are {_listed(there)}, not {_listed(wanted)}"]


def _question_differences(spec: DatasetSpec, found: Found) -> Sequence[str]:
    wanted = question_settings(spec.question, spec.fields)
    for one in found.questions:
        if one["name"] == spec.question.name:
            return _settings_differences(spec.question.name, wanted, one["settings"])
    return [f"it has no question {spec.question.name!r}"]


def _settings_differences(name: str, wanted: Json, there: Json) -> Sequence[str]:
    if wanted["type"] != there["type"]:
        return [f"question {name!r} is of type {there['type']}, not {wanted['type']}"]
    if wanted.get("field") != there.get("field"):
        return [f"question {name!r} marks field {there.get('field')}, not {wanted.get('field')}"]
    ours, theirs = _values(wanted), _values(there)
    if ours == theirs:
        return []
    return [
        f"question {name!r} has other options (missing: {_listed(ours - theirs)}; "
        f"not ours: {_listed(theirs - ours)})"
    ]


def _kinds(spec: DatasetSpec, found: Found) -> Sequence[str]:
    there = {one["name"]: one["settings"]["type"] for one in found.properties}
    return [
        f"metadata {prop.name!r} is {there[prop.name]}, not {prop.kind}"
        for prop in spec.properties
        if there.get(prop.name, prop.kind) != prop.kind
    ]


def _values(settings: Json) -> set[str]:
    return {str(one["value"]) for one in settings.get("options", ())}


def _listed(names: set[str]) -> str:
    shown = sorted(names)[:8]
    return (", ".join(shown) or "none") + (" …" if len(names) > len(shown) else "")
