"""A batch by one strategy: propose, fill, explain, look at its health."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.core import health
from app.core.errors import WrongInput
from app.core.strategies.fill import Filled, and_the_rest, fill
from app.core.strategies.pool import Pool
from app.core.strategies.registry import Proposal, Strategy
from app.core.strategies.repair import mend
from app.core.strategies.sieve import Sieve
from app.core.types import HealthFinding, Pick, Rows, Selection, Slice

LOOK = 1024
"""Items looked at to tell whether they are all alike."""


def choose(strategy: Strategy, pool: Pool, size: int, slice_: Slice = Slice.ACTIVE) -> Selection:
    """The strategy's batch from what is free in the pool, with findings; never raises for those."""
    _check(strategy, pool)
    if size == 0 or len(pool) == 0:
        return Selection(strategy.name, ())
    proposal = strategy.propose(pool, size)
    sieve = Sieve(pool, outliers=proposal.hold_back_outliers, sound=proposal.sound)
    filled = fill(pool, and_the_rest(pool, proposal.order), size, sieve)
    notes: Sequence[HealthFinding] = ()
    if strategy.needs_probabilities:
        mended, notes = mend(pool, filled.positions)
        filled = replace(filled, positions=mended)
    return Selection(
        strategy=strategy.name,
        picks=_picks(pool, proposal, filled, slice_),
        findings=(*proposal.findings, *notes, *_findings(pool, proposal, filled, size)),
        withheld=dict(Counter(proposal.held_back) + Counter(filled.held_back)),
    )


def _check(strategy: Strategy, pool: Pool) -> None:
    if strategy.needs_probabilities and pool.request.probabilities is None:
        raise WrongInput(
            f"{strategy.name} needs a classifier's probabilities; there is no classifier yet.",
            field="strategy",
        )
    if strategy.needs_committee and pool.request.committee is None:
        raise WrongInput(
            f"{strategy.name} needs the probabilities of a committee of classifiers.",
            field="strategy",
        )


def _picks(pool: Pool, proposal: Proposal, filled: Filled, slice_: Slice) -> Sequence[Pick]:
    chosen = _ranked(proposal, filled)
    score = np.nan_to_num(proposal.score(chosen), nan=0.0, posinf=0.0, neginf=0.0)
    known = _draw_probabilities(proposal, filled, chosen)
    return tuple(
        Pick(int(row), rank, slice_, float(s), why, drawn)
        for rank, (row, s, why, drawn) in enumerate(
            zip(pool.rows(chosen), score, proposal.reasons(chosen), known, strict=True), start=1
        )
    )


def _ranked(proposal: Proposal, filled: Filled) -> Rows:
    """The batch in the order of its ranks; what was let in for want of others stays last."""
    if not proposal.rank_by_score:
        return filled.positions
    sound = len(filled.positions) - filled.let_in
    score = np.nan_to_num(proposal.score(filled.positions[:sound]))
    best_first = np.argsort(-score, kind="stable")
    return np.concatenate([filled.positions[best_first], filled.positions[sound:]])


def _draw_probabilities(proposal: Proposal, filled: Filled, chosen: Rows) -> Sequence[float | None]:
    if proposal.draw_probability is None or filled.held_back or filled.let_in:
        return [None] * len(chosen)
    return proposal.draw_probability(chosen)


def _findings(pool: Pool, proposal: Proposal, filled: Filled, size: int) -> Sequence[HealthFinding]:
    findings = health.repeats(pool.rows(filled.positions), pool.request.occupied)
    if proposal.pool_scores is not None:
        some = pool.vectors(pool.sample(LOOK, "alike"))
        findings += health.scores(proposal.pool_scores, size, some)
    return [*findings, *health.let_in(filled.let_in)]
