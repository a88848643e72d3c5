"""A project's settings: their defaults, and one place that checks them for API, CLI and pages."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from app.core.errors import WrongInput
from app.core.llm.permission import LlmSettings, llm_settings_from
from app.core.stopping.settings import Stopping, stopping_from

NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,58}[a-z0-9])?")
NO_EMBEDDINGS = "off"
EMBEDDINGS = (NO_EMBEDDINGS, "local", "address")


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """What can be changed between rounds without touching what earlier rounds mean."""

    batch_size: int = 20
    strategy: str = "default"
    classifier: str = "default"
    audit_fraction: float = 0.2
    overlap: int = 1
    on_discard: str = "retire"
    """What becomes of an item without a label that somebody discarded."""
    fields: tuple[str, ...] = ("text",)
    seed: int = 0
    stopping: Stopping = field(default_factory=Stopping)
    strategy_options: Mapping[str, Any] = field(default_factory=dict)
    classifier_options: Mapping[str, Any] = field(default_factory=dict)
    embeddings: str = NO_EMBEDDINGS
    llm: LlmSettings = field(default_factory=LlmSettings)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "fields": list(self.fields)}


def fields_sent(settings: ProjectSettings) -> list[str]:
    """Fields whose texts leave the house."""
    return list(settings.fields) if settings.embeddings == "address" else []


def check_name(name: str) -> str:
    """A project name: it stands in addresses, file names and Argilla."""
    if not NAME.fullmatch(name):
        raise WrongInput(
            f"Project name {name[:60]!r} must be 1 to 60 of a-z, 0-9, '-' and '_', "
            "and begin and end with a letter or digit.",
            field="name",
        )
    return name


def settings_from(given: Mapping[str, Any], base: ProjectSettings | None = None) -> ProjectSettings:
    """`base` (or the defaults) with what was given put over it; WrongInput names what is wrong."""
    known = {f.name for f in fields(ProjectSettings)}
    if unknown := sorted(set(given) - known):
        raise WrongInput(
            f"Unknown setting {unknown[0]!r}. Known: {', '.join(sorted(known))}.", field=unknown[0]
        )
    given = {key: value for key, value in given.items() if value is not None}
    base = base or ProjectSettings()
    stopping = stopping_from(given.pop("stopping", {}), base.stopping)
    llm = llm_settings_from(given.pop("llm", {}), base.llm)
    checked = {key: _CHECKS[key](key, value) for key, value in given.items()}
    settings = replace(base, stopping=stopping, llm=llm, **checked)
    settings.llm.insist_on_fields_of(settings.fields)
    return settings


def _whole(low: int, high: int) -> Callable[[str, Any], int]:
    def check(key: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise WrongInput(f"{key} must be a whole number from {low} to {high}.", field=key)
        return value

    return check


def _share(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 0.5:
        raise WrongInput(f"{key} must be a number from 0 to 0.5.", field=key)
    return float(value)


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise WrongInput(f"{key} must be a name.", field=key)
    return value


def _one_of(choices: Sequence[str]) -> Callable[[str, Any], str]:
    def check(key: str, value: Any) -> str:
        if value not in choices:
            raise WrongInput(f"{key} must be one of: {', '.join(choices)}.", field=key)
        return str(value)

    return check


def _mapping(key: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise WrongInput(f"{key} must be an object.", field=key)
    return dict(value)


def _field_names(key: str, value: Any) -> tuple[str, ...]:
    names = tuple(value) if isinstance(value, list | tuple) else ()
    good = names and all(isinstance(n, str) and re.fullmatch(r"[a-z0-9_-]{1,60}", n) for n in names)
    if not good or len(set(names)) != len(names) or set(names) & {"id", "split", "label"}:
        raise WrongInput(
            "fields must be a list of distinct column names (a-z, 0-9, '-', '_'), not id, split "
            "or label.",
            field=key,
        )
    return names


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "batch_size": _whole(1, 10_000),
    "strategy": _text,
    "classifier": _text,
    "audit_fraction": _share,
    "overlap": _whole(1, 50),
    "on_discard": _one_of(("retire", "return")),
    "fields": _field_names,
    "seed": _whole(0, 2**31 - 1),
    "strategy_options": _mapping,
    "classifier_options": _mapping,
    "embeddings": _one_of(EMBEDDINGS),
}
