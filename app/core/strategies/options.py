"""The options a project may give its strategy, checked in one place: when they are set and again
when they are used."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from app.core.duplicates import Likeness
from app.core.errors import WrongInput
from app.core.heuristics import check_rules
from app.core.strategies.registry import Strategy, resolve

Check = Callable[[str, Any], None]


def check_options(options: Mapping[str, Any], known: Mapping[str, Strategy]) -> None:
    """Raise WrongInput for an option that does not exist or cannot be."""
    checks = {**_CHECKS, "cold_start": _strategy(known), "mixture": _mixture(known)}
    if unknown := sorted(set(options) - set(checks)):
        raise WrongInput(
            f"Unknown strategy option {unknown[0]!r}. Known: {', '.join(sorted(checks))}.",
            field=unknown[0],
        )
    for name, value in options.items():
        checks[name](name, value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(low: float, high: float) -> Check:
    def check(name: str, value: Any) -> None:
        if not _is_number(value) or not low <= value <= high:
            raise WrongInput(f"{name} must be a number from {low:g} to {high:g}.", field=name)

    return check


def _one_of(*choices: Any) -> Check:
    def check(name: str, value: Any) -> None:
        if not any(value is choice or value == choice for choice in choices):
            told = ", ".join(str(choice) for choice in choices)
            raise WrongInput(f"{name} must be one of: {told}.", field=name)

    return check


def _likeness(name: str, value: Any) -> None:
    if isinstance(value, bool):
        return
    known = {field.name for field in fields(Likeness)}
    if not isinstance(value, Mapping) or not set(value) <= known:
        told = ", ".join(sorted(known))
        raise WrongInput(f"{name} must be true, false or an object with {told}.", field=name)
    for threshold in value.values():
        _number(0.1, 1)(name, threshold)


def _rows(name: str, value: Any) -> None:
    whole = isinstance(value, list | tuple) and all(
        isinstance(row, int) and not isinstance(row, bool) for row in value
    )
    if not whole:
        raise WrongInput(f"{name} must be a list of row numbers.", field=name)


def _rules(name: str, value: Any) -> None:
    if not isinstance(value, list | tuple):
        raise WrongInput(f"{name} must be a list of rules.", field=name)
    check_rules(value)


def _items(name: str, value: Any) -> None:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise WrongInput(f"{name} must be a list of item ids, as they were imported.", field=name)


def _strategy(known: Mapping[str, Strategy]) -> Check:
    def check(name: str, value: Any) -> None:
        chosen = known[resolve(str(value), known)]
        if chosen.needs_probabilities or chosen.needs_committee:
            raise WrongInput(f"{chosen.name} cannot start without a classifier.", field=name)

    return check


def _mixture(known: Mapping[str, Strategy]) -> Check:
    def check(name: str, value: Any) -> None:
        if not isinstance(value, Mapping) or not value:
            raise WrongInput(f"{name} must map strategies to shares.", field=name)
        for part, share in value.items():
            if resolve(str(part), known).startswith("mixture."):
                raise WrongInput("A mixture cannot hold itself.", field=name)
            _number(0, 1_000)(name, share)
        if not sum(value.values()) > 0:
            raise WrongInput(f"{name} needs a share above 0.", field=name)

    return check


_CHECKS: Mapping[str, Check] = {
    "beta": _number(1, 1_000),
    "density_power": _number(0, 10),
    "near_duplicates": _likeness,
    "outliers": _one_of(True, False),
    "one_class_batch": _one_of("mend", "fail"),
    "expert_rows": _rows,
    "expert_items": _items,
    "rules": _rules,
}
OPTIONS = (*_CHECKS, "cold_start", "mixture")
