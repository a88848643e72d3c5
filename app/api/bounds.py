"""Bounds in the schema of what may be said."""

from typing import Any


def documented(**schema: Any) -> Any:
    """Bounds for readers of the schema. Commands check them, for every face alike, and say more."""
    return schema
