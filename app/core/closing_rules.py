"""A project's rules for when a round stops waiting for answers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.core.errors import WrongInput

DEFAULT_CLOSING_HOURS = 168.0
"""A week: whatever nobody answers in it goes back to the pool."""
_BOUNDS = {"share": (0.01, 1.0), "hours": (0.01, 100_000.0)}


@dataclass(frozen=True, slots=True)
class Closing:
    """When a round stops waiting: as soon as one of these holds, or by hand."""

    share: float = 1.0
    """This share of the batch is answered."""
    hours: float | None = DEFAULT_CLOSING_HOURS
    """So many hours have passed since the batch was pushed. None: it waits for ever."""


def closing_from(given: object, base: Closing) -> Closing:
    """`base` with what was given put over it. Null hours are no limit; a null share is all."""
    if not isinstance(given, Mapping):
        raise WrongInput("closing must be an object.", field="closing")
    if unknown := sorted(set(given) - set(_BOUNDS)):
        raise WrongInput(
            f"Unknown closing rule {unknown[0]!r}. Known: {', '.join(sorted(_BOUNDS))}.",
            field=f"closing.{unknown[0]}",
        )
    checked = {name: _checked(name, value) for name, value in given.items()}
    if checked.get("share", 1.0) is None:
        checked["share"] = 1.0
    return replace(base, **checked)  # type: ignore[arg-type]


def _checked(name: str, value: Any) -> float | None:
    low, high = _BOUNDS[name]
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise WrongInput(
            f"closing.{name} must be a number from {low:g} to {high:g}.", field=f"closing.{name}"
        )
    return float(value)
