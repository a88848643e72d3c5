"""A name with options, as one writes it: `svc:self_training=off`, `simulated:noise=0.1`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import WrongInput


@dataclass(frozen=True, slots=True)
class Named:
    """What was written, the name in it, and its options."""

    written: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


def named(written: str) -> Named:
    """Options follow the name, each after a colon as key=value; values are JSON where they can be
    read as JSON, and text where not."""
    name, *pairs = (part.strip() for part in written.split(":"))
    options = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise WrongInput(f"{pair!r} in {written!r} must be key=value, as in name:key=value.")
        options[key.strip()] = _value(value.strip())
    return Named(written, name, options)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def listed(value: object, field: str) -> tuple[str, ...]:
    """Names from "a,b" or from a list of such, without repeats."""
    parts: Sequence[object] = value if isinstance(value, list | tuple) else [value]
    names = []
    for part in parts:
        if not isinstance(part, str):
            raise WrongInput(f"{field} must be names, not {part!r}.", field=field)
        names += [name.strip() for name in part.split(",") if name.strip()]
    if not names:
        raise WrongInput(f"{field} names nothing.", field=field)
    return tuple(dict.fromkeys(names))
