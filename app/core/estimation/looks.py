"""Whether a target is reached, looked at only four times, so that looking often cannot decide it.

Whoever looks after every round and stops at the first good figure stops too early. Four looks at
fixed counts share the error of five per cent.
"""

from collections.abc import Mapping
from enum import StrEnum

from app.core.estimation.audit import AccuracyEstimate

LOOKS = (10, 20, 40, 80)
ALPHA = 0.0125
LEVEL_OF_A_LOOK = 1 - ALPHA


class TargetVerdict(StrEnum):
    REACHED = "reached"
    NOT_YET = "not_yet"
    BETWEEN_LOOKS = "between_looks"


def look_of(checks: int, looked: Mapping[int, bool]) -> int | None:
    """The look that is due with so many audits, if it has not been taken; later ones replace
    those that were missed."""
    due = [look for look in LOOKS if look <= checks]
    return due[-1] if due and due[-1] not in looked else None


def judge_target(estimate: AccuracyEstimate, target: float, look: int | None) -> TargetVerdict:
    """`estimate` made at LEVEL_OF_A_LOOK. Reached: even the lower end is above the target."""
    if look is None:
        return TargetVerdict.BETWEEN_LOOKS
    reached = estimate.remaining.low >= target
    return TargetVerdict.REACHED if reached else TargetVerdict.NOT_YET
