"""Who labels which item of a batch: the LLM, or people; and why. Nothing here asks anybody."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

import numpy as np


class LabelledBy(StrEnum):
    """What a project may choose."""

    HUMANS = "humans"
    LLM = "llm"
    LLM_THEN_HUMANS = "llm_then_humans"
    """Whatever the LLM is not sure enough of goes to people."""
    BOTH = "both"
    """People label everything; the LLM answers beside them, for comparison."""


class Who(StrEnum):
    LLM = "llm"
    PEOPLE = "people"


class Why(StrEnum):
    """In the records of every round."""

    ANSWERED = "answered"
    SURE = "sure"
    WEAK = "weak"
    """A weak label, for a start from nothing."""
    UNSURE = "unsure"
    UNANSWERED = "unanswered"
    BUDGET = "budget"
    """A cap would have been passed."""
    AUDIT_SLICE = "audit_slice"
    STANDING_AUDIT = "standing_audit"
    COMPARISON = "comparison"
    UNTRUSTED = "untrusted"
    SUSPENDED = "suspended"
    NOT_ALLOWED = "not_allowed"


@dataclass(frozen=True, slots=True)
class Rule:
    """How a batch is divided."""

    why: Why
    """What is said of an item that the LLM labels."""
    threshold: float
    audit_share: float
    closed: Why | None = None
    """Why it may label nothing at all this time."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One item of the batch, and what the LLM says of it."""

    item_id: int
    confidence: float | None
    """None: it has not answered, for the reason in `problem`."""
    problem: Why = Why.UNANSWERED
    for_people: bool = False
    """It measures something: no LLM may label it."""


@dataclass(frozen=True, slots=True)
class Route:
    item_id: int
    who: Who
    why: Why
    able: bool
    """It would have labelled the item, but for an audit: what the standing audit looks at."""


def divide(batch: Sequence[Candidate], rule: Rule, chance: np.random.Generator) -> Sequence[Route]:
    """Every item has one route. Of those that the LLM could label a share is drawn for people."""
    able = [one for one in batch if _able(one, rule)]
    free = [one.item_id for one in able if not one.for_people]
    count = ceil(rule.audit_share * len(free))
    audited = set(chance.choice(free, count, replace=False).tolist()) if count else set()
    known = {one.item_id for one in able}
    return [_route(one, rule, one.item_id in known, one.item_id in audited) for one in batch]


def _able(one: Candidate, rule: Rule) -> bool:
    return rule.closed is None and one.confidence is not None and one.confidence >= rule.threshold


def _route(one: Candidate, rule: Rule, able: bool, audited: bool) -> Route:
    why = _why_people(one, rule, able, audited)
    if why is not None:
        return Route(one.item_id, Who.PEOPLE, why, able)
    return Route(one.item_id, Who.LLM, rule.why, able)


def _why_people(one: Candidate, rule: Rule, able: bool, audited: bool) -> Why | None:
    """None: it is the LLM's."""
    if rule.closed is not None:
        return rule.closed
    if one.for_people:
        return Why.AUDIT_SLICE
    if one.confidence is None:
        return one.problem
    if not able:
        return Why.UNSURE
    return Why.STANDING_AUDIT if audited else None
