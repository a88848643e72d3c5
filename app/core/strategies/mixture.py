"""Mixtures: so much of the batch by one strategy, so much by another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from app.core import reasons
from app.core.strategies.choose import choose
from app.core.strategies.pool import Pool
from app.core.strategies.registry import Proposal, Strategy, resolve
from app.core.types import Floats, HealthFinding, Pick, Rows

USUAL: Mapping[str, float] = {"margin_diversity.v1": 0.5, "typiclust.v1": 0.3, "random.v1": 0.2}
NAME = "mixture.v1"

Catalogue = Callable[[], Mapping[str, Strategy]]
Parts = Sequence[tuple[Strategy, float]]
"""Strategies, each with its share of the batch."""
Tell = Callable[[Strategy, str], str]
"""From a part and its reason for a pick to the reason that is given."""


def by_shares(catalogue: Catalogue) -> Callable[[Pool, int], Proposal]:
    """A strategy: the option `mixture` maps strategies to shares of the batch."""

    def propose(pool: Pool, size: int) -> Proposal:
        return mixed(pool, _parts(pool, catalogue()), size, told=_under_its_name)

    return propose


def _under_its_name(strategy: Strategy, reason: str) -> str:
    """The user mixed them, so the user wants to know which it was."""
    return f"{strategy.name}: {reason}"


def _as_it_is(strategy: Strategy, reason: str) -> str:
    return reason


def mixed(pool: Pool, parts: Parts, size: int, told: Tell = _as_it_is) -> Proposal:
    """Each part's picks, in the order of the parts."""
    picks, findings = _drawn(pool, parts, size, told)
    order = pool.positions_of(np.array([pick.row for pick in picks], np.int64))
    made = dict(zip(order.tolist(), picks, strict=True))
    return Proposal(
        order=iter([order]),
        score=lambda chosen: _scores(made, chosen),
        reasons=lambda chosen: _reasons(pool, made, chosen),
        hold_back_outliers=False,
        draw_probability=lambda chosen: [
            made[at].draw_probability if at in made else None for at in chosen.tolist()
        ],
        findings=findings,
    )


def _parts(pool: Pool, known: Mapping[str, Strategy]) -> Parts:
    """What is mixed. Chance draws come first: only then is their probability known exactly."""
    given: Mapping[str, float] = pool.request.options.get("mixture", USUAL)
    parts = [(known[resolve(name, known)], share) for name, share in given.items()]
    return sorted(parts, key=lambda part: part[0].name != "random.v1")


def _drawn(
    pool: Pool, parts: Parts, size: int, told: Tell
) -> tuple[Sequence[Pick], Sequence[HealthFinding]]:
    """Every part's picks, each part keeping away from what the parts before it took."""
    picks: list[Pick] = []
    findings: list[HealthFinding] = []
    for (strategy, _), count in zip(parts, _counts([s for _, s in parts], size), strict=True):
        mine = choose(strategy, pool, count)
        taken = pool.positions_of(np.array([pick.row for pick in mine.picks], np.int64))
        pool = replace(pool, taken=np.concatenate([pool.taken, taken]))
        picks += [replace(pick, reason=told(strategy, pick.reason)) for pick in mine.picks]
        # what was let in is counted again, over the whole batch
        findings += [f for f in mine.findings if f.code != "held_back_used"]
    return picks, findings


def _counts(shares: Sequence[float], size: int) -> Sequence[int]:
    """The batch divided by shares, the remainder to the largest fractions."""
    exact = np.array(shares) / sum(shares) * size
    counts = np.floor(exact).astype(int)
    short = np.argsort(counts - exact, kind="stable")[: size - int(counts.sum())]
    counts[short] += 1
    return [int(count) for count in counts]


def _scores(made: Mapping[int, Pick], chosen: Rows) -> Floats:
    return np.array([made[at].score if at in made else 0 for at in chosen.tolist()], np.float32)


def _reasons(pool: Pool, made: Mapping[int, Pick], chosen: Rows) -> list[str]:
    """Each part's own; items let in to complete the batch speak for themselves."""
    others = reasons.torn_between(pool.probabilities, chosen, pool.request.classes)
    return [
        made[at].reason if at in made else other
        for at, other in zip(chosen.tolist(), others, strict=True)
    ]
