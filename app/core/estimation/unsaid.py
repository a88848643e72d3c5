"""A figure that cannot be stated, and why."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unsaid:
    """Stands where a number would; `reason` is a sentence for people."""

    reason: str
