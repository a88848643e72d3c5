"""What a project allows an LLM: purposes, fields, money. By default nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from app.core.errors import NotAllowed, WrongInput
from app.core.llm.entities import Purpose
from app.core.llm.routing import LabelledBy

DEFAULT_MAX_COST = 10.0
WEAK_CONFIDENCE = 0.85
"""From here on a weak label is worth having."""


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
    labelled_by: str = LabelledBy.HUMANS.value
    """Who labels the batches of rounds."""
    min_confidence: float = 0.9
    """With `llm_then_humans`: what it is less sure of goes to people."""
    audit_share: float = 0.1
    """Of what it could label, people are asked about so much instead, to see how far they agree."""
    min_agreement: float = 0.8
    """Surely less than this in the standing audit suspends it."""
    audit_window: int = 50
    """So many audited items are looked at together."""
    recalibrate: bool = False
    """Let a correction, fitted on items with both answers, stand for what it says of itself."""
    weak_start: bool = False
    """In a cold start it gives weak labels to what it is sure of; people get the rest."""
    weak_confidence: float = WEAK_CONFIDENCE
    judge_disputes: bool = False
    """Disputed items show its view as a suggestion, under its name, to whoever decides them."""
    doubt_samples: int = 5
    """How often it is asked about an item by the strategy that follows its doubt."""

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

    def insist_on_sense(self) -> None:
        """WrongInput where it is to do something that it may not, or nobody says which LLM."""
        if self.labelled_by != LabelledBy.HUMANS:
            self._insist_on(Purpose.LABEL, "labelled_by")
        if self.weak_start:
            self._insist_on(Purpose.WEAK_LABELS, "weak_start")
        if self.judge_disputes:
            self._insist_on(Purpose.JUDGE, "judge_disputes")

    def _insist_on(self, purpose: Purpose, setting: str) -> None:
        why = f"llm.{setting} lets an LLM {WORDS[purpose]}, so"
        if purpose.value not in self.allow:
            raise WrongInput(f'{why} llm.allow must hold "{purpose.value}".', field="llm.allow")
        if not self.fields:
            raise WrongInput(f"{why} llm.fields must name what it may see.", field="llm.fields")
        if self.provider is None:
            raise WrongInput(f"{why} llm.provider must say which.", field="llm.provider")

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
    if not _is_number(value) or not 0 <= value <= 1_000_000:
        raise WrongInput(f"{key} must be dollars, from 0 to 1,000,000.", field=key)
    return float(value)


def _dollars_or_none(key: str, value: Any) -> float | None:
    return None if value is None else _dollars(key, value)


def _weight(key: str, value: Any) -> float:
    if not _is_number(value) or not 0 < value <= 1:
        raise WrongInput(f"{key} must be a number above 0, at most 1.", field=key)
    return float(value)


def _share(key: str, value: Any) -> float:
    if not _is_number(value) or not 0 <= value <= 1:
        raise WrongInput(f"{key} must be a number from 0 to 1.", field=key)
    return float(value)


def _window(key: str, value: Any) -> int:
    if not _is_number(value) or value != int(value) or not 10 <= value <= 10_000:
        raise WrongInput(f"{key} must be a whole number from 10 to 10,000.", field=key)
    return int(value)


def _samples(key: str, value: Any) -> int:
    if not _is_number(value) or value != int(value) or not 1 <= value <= 20:
        raise WrongInput(f"{key} must be a whole number from 1 to 20.", field=key)
    return int(value)


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise WrongInput(f"{key} must be true or false.", field=key)
    return value


def _labeller(key: str, value: Any) -> str:
    known = [one.value for one in LabelledBy]
    if value not in known:
        raise WrongInput(f"{key} must be one of: {', '.join(known)}.", field=key)
    return str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "provider": _name,
    "allow": _purposes,
    "fields": _names,
    "max_cost": _dollars,
    "max_cost_a_round": _dollars_or_none,
    "label_weight": _weight,
    "labelled_by": _labeller,
    "min_confidence": _share,
    "audit_share": _share,
    "min_agreement": _share,
    "audit_window": _window,
    "recalibrate": _flag,
    "weak_start": _flag,
    "weak_confidence": _share,
    "judge_disputes": _flag,
    "doubt_samples": _samples,
}
