"""When a round stops waiting for answers."""

from enum import StrEnum

from app.core.closing_rules import Closing
from app.core.entities import Standing

_CLOSE_ENOUGH = 1e-9
"""So that 9 of 10 is a share of 0.9."""


class Rule(StrEnum):
    """What closed a round."""

    ALL_ANSWERED = "all_answered"
    SHARE = "share"
    HOURS = "hours"
    FINISH = "finish"
    """By hand."""
    PREFETCH = "prefetch"
    """So few are unanswered that the next batch is brought; they wait on, in the next round."""


def rule_met(
    closing: Closing, standing: Standing, *, finish: bool, prefetch: int = 0
) -> Rule | None:
    """The first rule that holds; None while the round goes on waiting. Before anything has been
    answered no share is reached and nothing prefetched; a disputed item is not answered yet."""
    if standing.answered == standing.out:
        return Rule.ALL_ANSWERED
    if finish:
        return Rule.FINISH
    if standing.answered and standing.out - standing.answered <= prefetch:
        return Rule.PREFETCH
    if standing.answered and standing.answered >= closing.share * standing.out - _CLOSE_ENOUGH:
        return Rule.SHARE
    if closing.hours is not None and standing.hours >= closing.hours:
        return Rule.HOURS
    return None
