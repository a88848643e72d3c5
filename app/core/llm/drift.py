"""Whether an LLM that labels in the place of people may go on: its standing audit, looked at anew
each time it is about to label.

Intervals are at 99%, since there is a look a round and many rounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.estimation.intervals import clopper_pearson

LEVEL = 0.99
FEWEST = 5
"""Fewer audited items than this say nothing."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often people, asked in its place, said the same."""

    n: int
    agreed: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        return self.agreed / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Audit:
    """The newest audited items against the bound, and against those before them."""

    window: Agreement
    before: Agreement
    bound: float
    drift: str | None
    """What is wrong, in words; None if nothing surely is."""


def audit(same: Sequence[bool], *, bound: float, window: int) -> Audit:
    """`same` is the order in which items were audited, the oldest first."""
    recent, before = agreement(same[-window:]), agreement(same[:-window])
    return Audit(recent, before, bound, _drift(recent, before, bound))


def agreement(same: Sequence[bool]) -> Agreement:
    if not same:
        return Agreement(0, 0, 0.0, 1.0)
    found = clopper_pearson(sum(same), len(same), LEVEL)
    return Agreement(len(same), sum(same), found.low, found.high)


def _drift(recent: Agreement, before: Agreement, bound: float) -> str | None:
    if recent.n < FEWEST:
        return None
    told = f"People agreed with {recent.agreed} of the last {recent.n} labels that were audited"
    if recent.high < bound:
        return f"{told}: surely less than {bound:.0%}."
    if before.n and recent.high < before.low:
        return f"{told}, and with {before.agreed} of {before.n} before: it has become worse."
    return None
