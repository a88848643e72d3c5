"""The list of strategies, each under a name with a version: an old round keeps what chose it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from app.core.errors import WrongInput
from app.core.strategies.pool import Pool
from app.core.types import Floats, HealthFinding, Rows

DEFAULT = "margin_diversity.v2"


@dataclass(frozen=True, slots=True)
class Proposal:
    """The positions a strategy would take, best first.

    It may go on as long as it likes: what is held back is replaced by the next. `score` and
    `reasons` are asked only for what was taken.
    """

    order: Iterator[Rows]
    score: Callable[[Rows], Floats]
    reasons: Callable[[Rows], Sequence[str]]
    pool_scores: Floats | None = None
    """The measure over the whole pool, for the health check."""
    rank_by_score: bool = False
    """The order says what is in the batch, but not what in it is the most valuable."""
    hold_back_outliers: bool = True
    sound: Rows | None = None
    """Positions already known to be no outliers and unlike each other."""
    draw_probability: Callable[[Rows], Sequence[float | None]] | None = None
    """Known only for chance draws; and unknown after all where anything was held back."""
    held_back: Mapping[str, int] = field(default_factory=dict)
    """What making the order has held back already, by cause."""
    findings: Sequence[HealthFinding] = ()


@dataclass(frozen=True, slots=True)
class Strategy:
    """A name with a version, what it is for, what it needs, and the function that proposes."""

    name: str
    description: str
    propose: Callable[[Pool, int], Proposal]
    needs_probabilities: bool = False
    needs_committee: bool = False
    advice: Literal["picks", "doubts"] | None = None
    """What an LLM is asked before it proposes."""


def resolve(name: str, known: Mapping[str, Strategy]) -> str:
    """The versioned name for `default`, `margin` (its newest version) or `margin.v1`."""
    if name == "default":
        return DEFAULT
    if name in known:
        return name
    versions = [full for full in known if full.rpartition(".v")[0] == name]
    if not versions:
        raise WrongInput(
            f"Unknown strategy {name!r}. Choose one of: default, {', '.join(sorted(known))}.",
            field="strategy",
        )
    return max(versions, key=lambda full: int(full.rpartition(".v")[2]))
