"""What a project allows an LLM: purposes, fields, money. By default nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from app.core.errors import NotAllowed, WrongInput
from app.core.llm.entities import Purpose

DEFAULT_MAX_COST = 10.0


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """Part of a project's settings."""

    provider: str | None = None
    """The provider asked where none is named; the server's settings say which there are."""
    allow: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    """Fields that may leave the house; nothing else of an item is ever sent."""
    max_cost: float = DEFAULT_MAX_COST
    """Dollars, over the whole project."""
    max_cost_a_round: float | None = None
    label_weight: float = 0.5
    """What an LLM's label weighs in training, where a person's weighs 1."""

    def insist(self, purpose: Purpose) -> None:
        """NotAllowed unless the project allows this purpose and some field."""
        if purpose.value not in self.allow:
            raise NotAllowed(
                f"This project does not allow an LLM to {WORDS[purpose]}. "
                f'Add "{purpose.value}" to llm.allow.'
            )
        if not self.fields:
            raise NotAllowed("No field of this project may leave the house. Name some: llm.fields.")

    def insist_on_fields_of(self, known: tuple[str, ...]) -> None:
        """WrongInput names a field that the project does not have."""
        if strange := sorted(set(self.fields) - set(known)):
            raise WrongInput(
                f"llm.fields names {strange[0]!r}, which is no field of this project.",
                field="llm.fields",
            )

    def weight_of(self, source: str) -> float:
        """What a label of that source weighs."""
        return self.label_weight if source.startswith("llm:") else 1.0


WORDS: Mapping[Purpose, str] = {
    Purpose.LABEL: "label items",
    Purpose.SELECT: "choose what to label",
    Purpose.UNCERTAINTY: "say how sure it is of items",
    Purpose.WEAK_LABELS: "give weak labels to start with",
    Purpose.JUDGE: "judge",
}


def llm_settings_from(given: Any, base: LlmSettings) -> LlmSettings:
    """`base` with what was given put over it; WrongInput names what is wrong."""
    if not isinstance(given, Mapping):
        raise WrongInput("llm must be an object.", field="llm")
    known = sorted(one.name for one in fields(LlmSettings))
    if unknown := sorted(set(given) - set(known)):
        raise WrongInput(
            f"Unknown LLM setting {unknown[0]!r}. Known: {', '.join(known)}.",
            field=f"llm.{unknown[0]}",
        )
    checked = {name: _CHECKS[name](f"llm.{name}", value) for name, value in given.items()}
    return replace(base, **checked)


def _name(key: str, value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or not value):
        raise WrongInput(f"{key} must be the name of a provider.", field=key)
    return value


def _purposes(key: str, value: Any) -> tuple[str, ...]:
    known = [purpose.value for purpose in Purpose]
    if not isinstance(value, list | tuple) or not all(one in known for one in value):
        raise WrongInput(f"{key} must be a list of: {', '.join(known)}.", field=key)
    return tuple(dict.fromkeys(value))


def _names(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise WrongInput(f"{key} must be a list of the project's fields.", field=key)
    return tuple(dict.fromkeys(value))


def _dollars(key: str, value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1_000_000:
        raise WrongInput(f"{key} must be dollars, from 0 to 1,000,000.", field=key)
    return float(value)


def _dollars_or_none(key: str, value: Any) -> float | None:
    return None if value is None else _dollars(key, value)


def _weight(key: str, value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value <= 1:
        raise WrongInput(f"{key} must be a number above 0, at most 1.", field=key)
    return float(value)


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "provider": _name,
    "allow": _purposes,
    "fields": _names,
    "max_cost": _dollars,
    "max_cost_a_round": _dollars_or_none,
    "label_weight": _weight,
}
