"""A user's own rules: items that match are raised in the queue.

A rule is `{"pattern": "refund|charge", "weight": 2}`, matched against an item's text, or
`{"metadata": "channel", "equals": "email", "weight": 1.5}`. Weights of several rules multiply;
a weight below 1 lowers.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from app.core.errors import WrongInput
from app.core.types import Floats

LONGEST_PATTERN = 200
LONGEST_TEXT = 10_000
MOST_RULES = 50

Matches = Callable[[str, Mapping[str, Any]], bool]


def boosts(items: Iterable[tuple[str, Mapping[str, Any]]], rules: Sequence[Any]) -> Floats:
    """The factor of each item, (text, metadata), by the rules; WrongInput names a bad rule."""
    checked = check_rules(rules)
    factors = [
        np.prod([weight for matches, weight in checked if matches(text[:LONGEST_TEXT], metadata)])
        for text, metadata in items
    ]
    return np.array(factors, np.float32)


def check_rules(rules: Sequence[Any]) -> Sequence[tuple[Matches, float]]:
    """What each rule matches, and its weight; WrongInput names a bad one."""
    if len(rules) > MOST_RULES:
        raise WrongInput(f"At most {MOST_RULES} rules.", field="rules")
    return [_rule(number, rule) for number, rule in enumerate(rules, start=1)]


def _rule(number: int, rule: Any) -> tuple[Matches, float]:
    if not isinstance(rule, Mapping):
        raise WrongInput(f"Rule {number} must be an object.", field="rules")
    weight = rule.get("weight", 2)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 100:
        raise WrongInput(f"Rule {number}: weight must be a number from 0 to 100.", field="rules")
    if "pattern" in rule:
        return _by_pattern(number, rule["pattern"]), float(weight)
    if "metadata" in rule and "equals" in rule:
        key, value = rule["metadata"], rule["equals"]
        return lambda text, metadata: metadata.get(key) == value, float(weight)
    raise WrongInput(f"Rule {number} needs a `pattern`, or `metadata` and `equals`.", field="rules")


def _by_pattern(number: int, pattern: Any) -> Matches:
    if not isinstance(pattern, str) or not 0 < len(pattern) <= LONGEST_PATTERN:
        raise WrongInput(
            f"Rule {number}: pattern must be 1 to {LONGEST_PATTERN} characters.", field="rules"
        )
    try:
        found = re.compile(pattern, re.IGNORECASE)
    except re.error as wrong:
        raise WrongInput(f"Rule {number}: {wrong} in {pattern!r}.", field="rules") from wrong
    return lambda text, metadata: found.search(text) is not None
