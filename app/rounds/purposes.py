"""Rounds that are asked for beside the others: a fresh audit, the duel, doubted labels again.

They go through the same states as any round, and their labels are trained on later. What differs is
what is chosen, and that nothing is suggested to whoever labels it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from app.core import reasons
from app.core.entities import Project
from app.core.errors import Conflict, SelectionUnhealthy, WrongInput
from app.core.estimation import FIRST_DUEL, labels_for
from app.core.estimation.duel import FEWEST_APART, LABELS_FOR_A_DUEL
from app.core.strategies import audit_only
from app.core.types import Pick, Selection, SelectionRequest, Slice
from app.ports.store import Transaction
from app.rounds import dueling, scoring, selecting, training
from app.rounds.selecting import Seen
from app.rounds.work import Work


class Purpose(StrEnum):
    LEARNING = "learning"
    AUDIT = "audit"
    DUEL = "duel"
    RELABEL = "relabel"


HEADLINE = 100
"""Items of a fresh audit, if nothing else is asked for."""
MOST_AUDITED = 1000


@dataclass(frozen=True, slots=True)
class Extra:
    """A round outside the row: for what, and of how many items."""

    purpose: Purpose
    size: int
    asked: Sequence[int] = ()
    """Of a relabelling: its items."""


def choose(work: Work, seen: Seen) -> tuple[SelectionRequest, Selection]:
    """What the round was started for decides."""
    if work.round.purpose == Purpose.LEARNING:
        return selecting.choose(work, seen)
    request = selecting.request_of(work, seen)
    if work.round.purpose == Purpose.RELABEL:
        return _again(work, seen, request)
    if work.round.purpose == Purpose.AUDIT:
        return request, audit_only(request)
    return request, _duel(work, request)


def _duel(work: Work, request: SelectionRequest) -> Selection:
    """Some of the items on which the two classifiers disagree, drawn uniformly."""
    apart = dueling.apart(work, request.candidates)
    size = labels_for(len(apart))
    if not size:
        raise SelectionUnhealthy(
            f"The two classifiers disagree on {len(apart)} of {len(request.candidates):,} items; "
            f"with fewer than {FEWEST_APART} nothing can be decided. So they are as good as equal: "
            "cancel this round.",
            apart=len(apart),
        )
    drawn = np.random.default_rng(request.seed).choice(apart, size, replace=False)
    return Selection("disagreement.v1", [_pick(row, rank) for rank, row in enumerate(drawn, 1)])


def _again(work: Work, seen: Seen, request: SelectionRequest) -> tuple[SelectionRequest, Selection]:
    """The items that were asked for, in the order of the doubts."""
    rows = seen.stored.rows_of(np.array(work.round.asked, dtype=np.int64))
    view = None
    if work.round.classifier_id is not None:
        with work.store.transaction() as tx:
            version = tx.classifiers.get(work.round.classifier_id)
        fitted = training.load(work.parts, version)
        view = scoring.predict(fitted, seen.stored.matrix, rows, work.check)
    picks = [
        Pick(int(row), rank, Slice.RELABEL, 0.0, reasons.RELABEL)
        for rank, row in enumerate(rows, 1)
    ]
    asked = replace(request, candidates=rows, probabilities=view)
    return asked, Selection("doubted_labels.v1", picks)


def _pick(row: int, rank: int) -> Pick:
    return Pick(int(row), rank, Slice.DUEL, 0.0, reasons.DUEL)


# --- before one begins ---


def fresh_audit(size: int | None) -> Extra:
    wanted = HEADLINE if size is None else size
    if not 1 <= wanted <= MOST_AUDITED:
        raise WrongInput(f"size must be from 1 to {MOST_AUDITED}.", field="size")
    return Extra(Purpose.AUDIT, wanted)


def relabelling(asked: Sequence[int]) -> Extra:
    return Extra(Purpose.RELABEL, len(asked), asked)


def check_may_audit(tx: Transaction, project: Project) -> None:
    if not tx.classifiers.all(project.id):
        raise Conflict("There is no classifier to audit yet. Close a first round.")


def the_duel(tx: Transaction, project: Project) -> Extra:
    """Refused before its time, and after the verdict."""
    known = tx.classifiers.all(project.id)
    slices = [one.slice for one in tx.measurements.chosen(known[-1].id)] if known else []
    checks, active = slices.count(Slice.AUDIT), slices.count(Slice.ACTIVE)
    standing = standing_of(tx, project, checks=checks, active=active)
    if not standing.offered:
        raise Conflict(standing.said, checks=checks, chosen=active, needed=FIRST_DUEL)
    return Extra(Purpose.DUEL, LABELS_FOR_A_DUEL)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the duel may begin, and why not."""

    offered: bool
    said: str


def standing_of(tx: Transaction, project: Project, *, checks: int, active: int) -> Standing:
    """It begins at a moment fixed before: with enough random checks and as many chosen labels."""
    fought = tx.rounds.duel(project.id) is not None
    offered = not fought and min(checks, active) >= FIRST_DUEL
    return Standing(offered, _said(checks, active, fought=fought, offered=offered))


def _said(checks: int, active: int, *, fought: bool, offered: bool) -> str:
    if fought:
        return "The duel has begun: its verdict is given once, when its round is measured."
    if offered:
        return (
            f"Whether choosing beats random picks can be asked now, once: about "
            f"{LABELS_FOR_A_DUEL} labels where two classifiers disagree."
        )
    return (
        f"Whether choosing beats random picks can be asked from {FIRST_DUEL} random checks and as "
        f"many chosen labels on; there are {checks} and {active}."
    )
