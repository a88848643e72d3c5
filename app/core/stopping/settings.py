"""What a project says about when to stop, and the one place that checks it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Any

from app.core.errors import WrongInput

DEFAULT_MAX_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Stopping:
    """Bounds refuse any further round; the other rules end auto mode. Any of them stops; one that
    is None is not used. `max_rounds` holds when no other bound is given."""

    max_rounds: int | None = DEFAULT_MAX_ROUNDS
    max_labels: int | None = None
    max_cost: float | None = None
    max_hours: float | None = None
    """Since auto mode was started."""
    price_per_hour: float = 0.0
    """What an hour of annotation costs; makes `max_cost` count people."""
    labels_a_day: int | None = None
    """More than annotators can give: auto mode then waits instead of stopping."""
    target_accuracy: float | None = None
    plateau_rounds: int | None = None
    plateau_gain: float = 0.005
    stable_rounds: int | None = None
    stable_kappa: float = 0.99
    f_change: float | None = None
    f_change_rounds: int = 3


BOUNDS = ("max_rounds", "max_labels", "max_cost", "max_hours")
_WHOLE = {
    "max_rounds": (1, 10_000_000),
    "max_labels": (1, 10_000_000),
    "labels_a_day": (1, 10_000_000),
    "plateau_rounds": (1, 1000),
    "stable_rounds": (1, 1000),
    "f_change_rounds": (1, 1000),
}
_NUMBER = {
    "max_cost": (0.01, 1e9),
    "max_hours": (0.01, 1e6),
    "price_per_hour": (0.0, 1e6),
    "target_accuracy": (0.01, 0.9999),
    "plateau_gain": (0.0, 0.5),
    "stable_kappa": (0.5, 1.0),
    "f_change": (0.0001, 0.5),
}
_DEFAULTS = Stopping()


def stopping_from(given: object, base: Stopping | None = None) -> Stopping:
    """`base` with what was given put over it; null takes a rule away. Without any bound left the
    default one is set, for a run must end."""
    if isinstance(given, Stopping):
        return given
    if not isinstance(given, Mapping):
        raise WrongInput("stopping must be an object.", field="stopping")
    known = {one.name for one in fields(Stopping)}
    if unknown := sorted(set(given) - known):
        raise WrongInput(
            f"Unknown stopping rule {unknown[0]!r}. Known: {', '.join(sorted(known))}.",
            field=f"stopping.{unknown[0]}",
        )
    checked = {name: _checked(name, value) for name, value in given.items()}
    return _bounded(replace(_base(checked, base or _DEFAULTS), **checked))


def _base(checked: Mapping[str, Any], base: Stopping) -> Stopping:
    """The default bound makes way for one that somebody chose."""
    untouched = all(getattr(base, name) == getattr(_DEFAULTS, name) for name in BOUNDS)
    if untouched and any(checked.get(name) is not None for name in BOUNDS):
        return replace(base, max_rounds=None)
    return base


def _bounded(stopping: Stopping) -> Stopping:
    if any(getattr(stopping, name) is not None for name in BOUNDS):
        return stopping
    return replace(stopping, max_rounds=DEFAULT_MAX_ROUNDS)


def _checked(name: str, value: Any) -> Any:
    if value is None:
        default = getattr(_DEFAULTS, name)
        return None if name in BOUNDS else default
    whole = name in _WHOLE
    low, high = _WHOLE[name] if whole else _NUMBER[name]
    kinds = int if whole else (int, float)
    good = not isinstance(value, bool) and isinstance(value, kinds) and isfinite(value)
    if not good or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise WrongInput(
            f"stopping.{name} must be {kind} from {low:g} to {high:g}.", field=f"stopping.{name}"
        )
    return value if whole else float(value)
