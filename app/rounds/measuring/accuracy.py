"""Accuracy of the round's classifier on what is unlabelled, from its random checks."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.core.estimation import (
    AccuracyEstimate,
    Checks,
    Rest,
    Unsaid,
    accuracy_sentence,
    cross_fit,
    estimate_accuracy,
)
from app.core.estimation.audit import ACTIVE_FOLDS, AUDIT_FOLDS, estimated, too_early
from app.core.estimation.looks import LEVEL_OF_A_LOOK, look_of
from app.core.types import Slice
from app.rounds.material import Material

Figures = Mapping[str, Any]


def measure(material: Material, before: Sequence[Figures]) -> Figures:
    """`before` are the figures of earlier rounds: each of the four looks is taken once."""
    active = {"active": len(material.rows_in(Slice.ACTIVE))}
    return {**active, **_measured(material, before)}


def _measured(material: Material, before: Sequence[Figures]) -> Figures:
    checks, left = len(material.rows_in(Slice.AUDIT)), len(material.pool.candidates)
    look = look_of(checks, {one["look"]["at"]: True for one in before if one["look"]})
    unsaid = too_early(checks, left)
    if unsaid is not None and (look is None or not left):
        return _unsaid(checks, unsaid)
    audit, active = _checks(material, Slice.AUDIT), _checks(material, Slice.ACTIVE)
    rest = Rest(
        left,
        float(material.view.max(axis=1).mean()),
        len(material.items) / len(material.classifier.classes),
    )
    told = unsaid or estimate_accuracy(audit, active, rest)
    figures = _unsaid(checks, told) if isinstance(told, Unsaid) else _said(told)
    if look is None:
        return figures
    low = estimated(audit, active, rest, LEVEL_OF_A_LOOK).remaining.low
    return {**figures, "look": {"at": look, "level": LEVEL_OF_A_LOOK, "low": low}}


def _said(told: AccuracyEstimate) -> Figures:
    said = accuracy_sentence(told)
    return {"checks": told.checks, "said": said, "estimate": asdict(told), "look": None}


def _unsaid(checks: int, why: Unsaid) -> Figures:
    return {"checks": checks, "said": why.reason, "estimate": None, "look": None}


def _checks(material: Material, kind: Slice) -> Checks:
    folds = AUDIT_FOLDS if kind == Slice.AUDIT else ACTIVE_FOLDS
    rows = material.rows_in(kind)
    judged = cross_fit(material.training, rows, folds, material.fit, material.seed)
    return Checks(judged, material.round_numbers[rows])
