"""How fast an annotator works, pauses left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

IDLE = timedelta(minutes=10)
"""Whoever has not answered for so long was doing something else."""
FEWEST = 5
TOO_FEW = f"Fewer than {FEWEST} answers were given in one go."
AT_ONCE = "The answers were all given at the same moment."


@dataclass(frozen=True, slots=True)
class Pace:
    """Answers an hour of work, or the reason why it cannot be told."""

    per_hour: float | None
    hours: float
    """Time at work, pauses of more than ten minutes left out."""
    reason: str | None = None


def pace_of(moments: Sequence[datetime], idle: timedelta = IDLE) -> Pace:
    """From the times of an annotator's answers: each gap is the work on the later answer, unless
    it is a pause."""
    ordered = sorted(moments)
    gaps = [later - earlier for earlier, later in pairwise(ordered)]
    worked = [gap for gap in gaps if gap <= idle]
    hours = sum(worked, timedelta()).total_seconds() / 3600
    if len(worked) < FEWEST - 1:
        return Pace(None, hours, TOO_FEW)
    return Pace(len(worked) / hours, hours) if hours else Pace(None, 0.0, AT_ONCE)
