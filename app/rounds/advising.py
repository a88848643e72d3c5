"""Asking an LLM before a batch is chosen: which items it would choose itself, or which it doubts.

What it says is kept in the round's checkpoint, so that the choice is made from it once and can be
made again. Where it may not be asked, or the money ends, the choice is made without, and says so.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.core.errors import BudgetSpent, NotAllowed
from app.core.llm.entities import ADVICE as PURPOSES
from app.core.llm.entities import Purpose
from app.core.strategies import advice_wanted, short_list
from app.core.types import Advice, SelectionRequest
from app.llm import doubting, selecting
from app.llm.desk import Sitting
from app.ports.feature_store import StoredFeatures
from app.ports.store import ItemIds
from app.rounds.work import Outcome, Work

ADVICE = "advice"
"""In the checkpoint."""


def is_due(work: Work) -> bool:
    learns = work.round.purpose == "learning"
    return learns and ADVICE not in work.round.checkpoint and purpose_of(work) is not None


def purpose_of(work: Work) -> Purpose | None:
    """What the strategy that is about to choose wants to know."""
    options = work.round.settings.strategy_options
    wanted = advice_wanted(work.round.strategy, options, cold=work.round.classifier_id is None)
    return PURPOSES[wanted] if wanted else None


def ask(work: Work, request: SelectionRequest, stored: StoredFeatures) -> Outcome:
    """One round's advice; the step then comes again and chooses."""
    purpose = purpose_of(work)
    assert purpose is not None  # noqa: S101 - asked only where it is due
    provider = work.desk.provider(work.project, work.round.settings.llm.provider)
    sitting = Sitting(work.store, provider, work.project, purpose, work.round.id)
    try:
        work.project.settings.llm.insist(purpose)
        asks = _picks if purpose is Purpose.SELECT else _doubts
        found = asks(work, sitting, request, stored)
    except (NotAllowed, BudgetSpent) as refused:
        found = {"problem": refused.message}
    return Outcome(None, checkpoint={ADVICE: {"source": sitting.source, **found}})


def _picks(
    work: Work, sitting: Sitting, request: SelectionRequest, stored: StoredFeatures
) -> Mapping[str, Any]:
    pool = stored.item_ids[request.candidates]
    chosen = selecting.choose_items(
        sitting, pool, request.batch_size, seed=work.round.seed, check=work.check
    )
    told = {"made_up": chosen.unknown, "repeated": chosen.repeated, "prompts": chosen.prompts}
    return {"picks": list(chosen.items), **told}


def _doubts(
    work: Work, sitting: Sitting, request: SelectionRequest, stored: StoredFeatures
) -> Mapping[str, Any]:
    listed = stored.item_ids[short_list(request)].tolist()
    samples = work.round.settings.llm.doubt_samples
    found = doubting.doubt_items(sitting, listed, samples, check=work.check)
    return {"doubts": [[item, doubting.score(one)] for item, one in found.items()]}


def of_round(work: Work, stored: StoredFeatures, candidates: ItemIds) -> Advice | None:
    """What the round was told, for whoever chooses, now or again."""
    told = work.round.checkpoint.get(ADVICE)
    if told is None:
        return None
    known = set(candidates.tolist())
    picks = [item for item in told.get("picks", ()) if item in known]
    doubts = {item: doubt for item, doubt in told.get("doubts", ()) if item in known}
    return Advice(
        picks=stored.rows_of(np.array(picks, np.int64)),
        doubts=dict(
            zip(
                stored.rows_of(np.array(list(doubts), np.int64)).tolist(),
                doubts.values(),
                strict=True,
            )
        ),
        problem=told.get("problem"),
    )


def report(work: Work) -> Mapping[str, Any]:
    """For the round's record of the step, without the items, which have reasons of their own."""
    told = work.round.checkpoint.get(ADVICE)
    if told is None:
        return {}
    counts = {name: len(told[name]) for name in ("picks", "doubts") if name in told}
    return {ADVICE: {**told, **counts}}
