"""A round's batch: an audit slice drawn at random, the rest by the strategy, mixed together."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from app.core import health, reasons, uncertainty
from app.core.strategies.advised import SHORT_LIST
from app.core.strategies.catalogue import STRATEGIES
from app.core.strategies.choose import choose
from app.core.strategies.options import check_options
from app.core.strategies.pool import Pool
from app.core.strategies.registry import DEFAULT, Strategy, resolve
from app.core.types import Floats, Pick, Rows, Selection, SelectionRequest, Slice

COLD_START = "typiclust.v1"


def select(strategy: str, request: SelectionRequest) -> Selection:
    """The strategy's own batch, all of it active. Findings are returned, not raised."""
    check_options(request.options, STRATEGIES)
    chosen = STRATEGIES[resolve(strategy, STRATEGIES)]
    return _with_supply(request, choose(chosen, Pool(request), size_of(request)))


def cold_start(request: SelectionRequest) -> Selection:
    """The first batch, before there is a classifier; `options["cold_start"]` names another way.

    All of it is seeds: no audit slice, since a seed's answer says nothing of a classifier that it
    helped to make from nothing.
    """
    check_options(request.options, STRATEGIES)
    name = resolve(str(request.options.get("cold_start", COLD_START)), STRATEGIES)
    seeds = choose(STRATEGIES[name], Pool(request), size_of(request), Slice.COLD_START)
    return health.insist(_with_supply(request, seeds))


def select_round(strategy: str, request: SelectionRequest, *, audit_fraction: float) -> Selection:
    """A batch to be sent out, or SelectionUnhealthy.

    The audit slice is drawn first, uniformly from all candidates, so that its drawing probability
    is exact; the strategy then chooses among the others, away from what the audit holds.
    """
    check_options(request.options, STRATEGIES)
    chosen = STRATEGIES[resolve(strategy, STRATEGIES)]
    pool = Pool(request)
    size = size_of(request)
    audit = _draw_audit(pool, audit_size(size, audit_fraction))
    active = _active(chosen, Pool(request, taken=audit), size - len(audit))
    picks = _interleaved(active.picks, _audit_picks(request, audit), pool.chance("ranks"))
    rows = np.array([pick.row for pick in picks], np.int64)
    findings = (*active.findings, *health.repeats(rows, request.occupied))
    whole = replace(active, picks=picks, findings=findings)
    return health.insist(_with_supply(request, whole))


def audit_only(request: SelectionRequest) -> Selection:
    """A batch of random checks and nothing else."""
    audit = _draw_audit(Pool(request), size_of(request))
    picks = [replace(pick, rank=rank) for rank, pick in enumerate(_audit_picks(request, audit), 1)]
    return health.insist(_with_supply(request, Selection("random.v1", picks)))


def _with_supply(request: SelectionRequest, selection: Selection) -> Selection:
    found = health.supply(len(request.candidates), request.batch_size, len(selection.picks))
    return replace(selection, findings=(*selection.findings, *found))


def advice_wanted(
    strategy: str, options: Mapping[str, Any], *, cold: bool
) -> Literal["picks", "doubts"] | None:
    """What an LLM is asked before this choice; without a classifier the cold start chooses."""
    name = str(options.get("cold_start", COLD_START)) if cold else strategy
    return STRATEGIES[resolve(name, STRATEGIES)].advice


def short_list(request: SelectionRequest) -> Rows:
    """Rows for an LLM to rank anew: what the default would choose if the batch were larger."""
    larger = replace(request, batch_size=SHORT_LIST * request.batch_size)
    return np.array([pick.row for pick in select(DEFAULT, larger).picks], np.int64)


def size_of(request: SelectionRequest) -> int:
    return min(request.batch_size, len(request.candidates))


def audit_size(batch: int, fraction: float) -> int:
    """How many of a batch are random checks: the share, at least one of five, never all."""
    share = int(fraction * batch + 0.5)
    if fraction > 0 and batch >= 5:
        share = max(share, 1)
    return max(0, min(share, batch - 1))


def _draw_audit(pool: Pool, count: int) -> Rows:
    return pool.chance("audit").choice(len(pool), count, replace=False)


def _active(strategy: Strategy, pool: Pool, size: int) -> Selection:
    """The strategy's part. With one class labelled there is no doubt to go by: typical items."""
    selection = choose(strategy, pool, size)
    flat = any(f.code == "scores_constant" for f in selection.findings)
    if not (flat and _one_class_labelled(pool.request)):
        return selection
    instead = choose(STRATEGIES[COLD_START], pool, size)
    why = "all labels so far are of one class, so no item is more doubtful than another."
    note = health.fallback(strategy.name, instead.strategy, why)
    return replace(instead, findings=(note, *instead.findings))


def _one_class_labelled(request: SelectionRequest) -> bool:
    return len(set(request.labelled_y.values())) == 1


def _audit_picks(request: SelectionRequest, audit: Rows) -> Sequence[Pick]:
    probability = len(audit) / len(request.candidates) if len(audit) else None
    return [
        Pick(int(request.candidates[at]), 0, Slice.AUDIT, float(score), reasons.AUDIT, probability)
        for at, score in zip(audit, _doubt(request, audit), strict=True)
    ]


def _doubt(request: SelectionRequest, positions: Rows) -> Floats:
    if request.probabilities is None:
        return np.zeros(len(positions), np.float32)
    return uncertainty.margin(request.probabilities[positions])


def _interleaved(
    active: Sequence[Pick], audit: Sequence[Pick], chance: np.random.Generator
) -> Sequence[Pick]:
    """One ranking: the active in their order, the checks spread evenly with a drawn offset.

    Whoever stops half-way has then answered about half of the checks, a random half.
    """
    size = len(active) + len(audit)
    edges = np.linspace(0, size, len(audit) + 1).astype(int)
    slots = {int(chance.integers(a, b)) for a, b in pairwise(edges)}
    rest, checks = iter(active), iter(audit)
    order = [next(checks) if slot in slots else next(rest) for slot in range(size)]
    return tuple(replace(pick, rank=rank) for rank, pick in enumerate(order, start=1))
