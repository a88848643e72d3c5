"""Values from any file format as JSON that Postgres can store."""

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

Json = Mapping[str, Any]
DEEPEST = 32  # nesting; far below what breaks a parser, far above what anyone means


class NotJson(ValueError):
    """The value has no form in JSON that Postgres would take."""


def storable(value: Any, depth: int = 0) -> Any:
    """The value as JSON: dates in ISO form, decimals and numpy as numbers, NaN and infinity null.

    NotJson where there is no such form: NUL or half a character in a text, binary data, nesting
    without end.
    """
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is int or kind is bool or value is None:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if depth > DEEPEST:
        raise NotJson(f"Nested more than {DEEPEST} levels deep.")
    return _compound(value, depth + 1)


def _text(value: str) -> str:
    if "\x00" in value:
        raise NotJson("The text holds a NUL character.")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise NotJson("The text holds half a character (a lone surrogate).") from None
    return value


def _compound(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return {_key(key): storable(inner, depth) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable(inner, depth) for inner in value]
    for types, convert in _CONVERSIONS:
        if isinstance(value, types):
            return storable(convert(value), depth)
    raise NotJson(f"A value of type {type(value).__name__} cannot be kept as metadata.")


def _key(key: object) -> str:
    return _text(key if isinstance(key, str) else str(key))


def _number(value: Decimal) -> int | float | None:
    if not value.is_finite():
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise NotJson("Binary data cannot be kept as metadata; leave this column out.") from None


_CONVERSIONS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (datetime | date | time, lambda value: value.isoformat()),
    (timedelta, lambda value: value.total_seconds()),
    (Decimal, _number),
    (UUID, str),
    (bytes | bytearray, lambda value: _decoded(bytes(value))),
    (np.generic | np.ndarray, lambda value: value.tolist()),
    (str, str.__str__),  # subclasses of the plain types
    (bool | int, int),
    (float, float),
)
