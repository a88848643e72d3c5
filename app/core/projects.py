"""A project's settings: their defaults, and one place that checks them for API, CLI and pages."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from app.core.closing_rules import Closing, closing_from
from app.core.consensus import METHODS
from app.core.errors import WrongInput
from app.core.llm.permission import LlmSettings, llm_settings_from
from app.core.stopping.settings import Stopping, stopping_from

NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,58}[a-z0-9])?")
NO_EMBEDDINGS = "off"
EMBEDDINGS = (NO_EMBEDDINGS, "local", "address")
MOST_ANSWERS = 50
ADJUDICATIONS = ("extra", "adjudicator", "none")


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
    audit_overlap: int | None = None
    """For items of the audit slice; None is as `overlap`."""
    max_overlap: int | None = None
    """The most annotators asked about one item; None is one more than the overlap."""
    consensus: str = "majority"
    min_agreement: float = 0.0
    adjudication: str = "extra"
    adjudicators: tuple[str, ...] = ()
    closing: Closing = field(default_factory=Closing)
    prefetch: int = 0
    """In auto mode the next batch is brought while so many items are still unanswered."""
    fields: tuple[str, ...] = ("text",)
    seed: int = 0
    stopping: Stopping = field(default_factory=Stopping)
    strategy_options: Mapping[str, Any] = field(default_factory=dict)
    classifier_options: Mapping[str, Any] = field(default_factory=dict)
    embeddings: str = NO_EMBEDDINGS
    llm: LlmSettings = field(default_factory=LlmSettings)

    def as_json(self) -> dict[str, Any]:
        lists = {"fields": list(self.fields), "adjudicators": list(self.adjudicators)}
        return {**asdict(self), **lists}

    @property
    def most_needed(self) -> int:
        """The most answers that any item of a batch needs before it is looked at."""
        return max(self.overlap, self.audit_overlap or 1)

    @property
    def most_asked(self) -> int:
        """The most annotators asked about one item, extra ones included."""
        return self.max_overlap or min(self.most_needed + 1, MOST_ANSWERS)


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
    closing = closing_from(given.pop("closing", {}), base.closing)
    llm = llm_settings_from(given.pop("llm", {}), base.llm)
    checked = {key: _CHECKS[key](key, value) for key, value in given.items()}
    settings = replace(base, stopping=stopping, closing=closing, llm=llm, **checked)
    settings.llm.insist_on_fields_of(settings.fields)
    settings.llm.insist_on_sense()
    _check_together(settings)
    return settings


def _check_together(settings: ProjectSettings) -> None:
    if settings.max_overlap is not None and settings.max_overlap < settings.most_needed:
        raise WrongInput(
            f"max_overlap is {settings.max_overlap}, less than the {settings.most_needed} answers "
            "that overlap or audit_overlap ask for. Raise it or lower these.",
            field="max_overlap",
        )
    if settings.prefetch >= settings.batch_size:
        raise WrongInput(
            f"prefetch is {settings.prefetch}: with a batch_size of {settings.batch_size} a round "
            f"would not wait for answers. At most {settings.batch_size - 1}; 0 is off.",
            field="prefetch",
        )
    if settings.adjudication == "adjudicator" and not settings.adjudicators:
        raise WrongInput(
            'adjudication is "adjudicator", so adjudicators must name at least one Argilla user.',
            field="adjudicators",
        )


def _whole(low: int, high: int) -> Callable[[str, Any], int]:
    def check(key: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise WrongInput(f"{key} must be a whole number from {low} to {high}.", field=key)
        return value

    return check


def _number(low: float, high: float) -> Callable[[str, Any], float]:
    def check(key: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WrongInput(f"{key} must be a number from {low:g} to {high:g}.", field=key)
        if not low <= value <= high:
            raise WrongInput(f"{key} must be from {low:g} to {high:g}.", field=key)
        return float(value)

    return check


def _usernames(key: str, value: Any) -> tuple[str, ...]:
    names = tuple(value) if isinstance(value, list | tuple) else ("",)
    if not all(isinstance(one, str) and one for one in names) or len(set(names)) != len(names):
        raise WrongInput(f"{key} must be a list of distinct Argilla usernames.", field=key)
    return names


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
    "audit_fraction": _number(0, 0.5),
    "overlap": _whole(1, MOST_ANSWERS),
    "audit_overlap": _whole(1, MOST_ANSWERS),
    "max_overlap": _whole(1, MOST_ANSWERS),
    "prefetch": _whole(0, 9_999),
    "consensus": _one_of(tuple(METHODS)),
    "min_agreement": _number(0, 1),
    "adjudication": _one_of(ADJUDICATIONS),
    "adjudicators": _usernames,
    "on_discard": _one_of(("retire", "return")),
    "fields": _field_names,
    "seed": _whole(0, 2**31 - 1),
    "strategy_options": _mapping,
    "classifier_options": _mapping,
    "embeddings": _one_of(EMBEDDINGS),
}
