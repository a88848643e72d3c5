"""Choosing what to label next. `select_round` makes a round's batch, `select` one strategy's.

To add a strategy: write a function from (Pool, size) to Proposal and list it in catalogue.py.
"""

from collections.abc import Mapping
from typing import Any

from app.core.strategies.catalogue import STRATEGIES
from app.core.strategies.committees import bootstrap
from app.core.strategies.mixture import NAME as MIXTURE
from app.core.strategies.options import check_options
from app.core.strategies.registry import DEFAULT, Proposal, Strategy, resolve
from app.core.strategies.rounds import (
    advice_wanted,
    audit_only,
    audit_size,
    cold_start,
    select,
    select_round,
    short_list,
)

__all__ = [
    "DEFAULT",
    "STRATEGIES",
    "Proposal",
    "Strategy",
    "advice_wanted",
    "audit_only",
    "audit_size",
    "bootstrap",
    "check_strategy_options",
    "cold_start",
    "needs_committee",
    "needs_probabilities",
    "resolve_strategy",
    "select",
    "select_round",
    "short_list",
]


def resolve_strategy(name: str) -> str:
    """The versioned name of a strategy; WrongInput lists the choices."""
    return resolve(name, STRATEGIES)


def check_strategy_options(options: Mapping[str, Any]) -> None:
    """Raise WrongInput for an option that no strategy knows or whose value cannot be."""
    check_options(options, STRATEGIES)


def needs_probabilities(name: str) -> bool:
    """Whether the strategy can only run once there is a classifier."""
    return STRATEGIES[resolve_strategy(name)].needs_probabilities


def needs_committee(name: str, options: Mapping[str, Any]) -> bool:
    """Whether the strategy, or a part of a mixture, asks several classifiers; see `bootstrap` for
    their labels."""
    parts = options.get("mixture", {}) if resolve_strategy(name) == MIXTURE else {}
    return any(STRATEGIES[resolve_strategy(one)].needs_committee for one in (name, *parts))
