"""What half as many labels again, and twice as many, would add."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.estimation import (
    FIRST_FORECAST,
    Unsaid,
    cross_fit,
    forecast_gain,
    forecast_sentence,
    past_sizes,
)
from app.core.estimation.audit import ACTIVE_FOLDS
from app.core.estimation.crossfit import judge, only
from app.core.estimation.forecast import too_early
from app.core.types import Rows, Slice
from app.rounds.material import Material

HALF, TWICE = 1.5, 2.0


def measure(material: Material, before: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    del before
    audits = len(material.rows_in(Slice.AUDIT))
    if audits < FIRST_FORECAST:
        unsaid = {"said": too_early(audits).reason, "gain": None, "labels": None}
        return {"checks": audits, "half": unsaid, "twice": unsaid}
    order = np.argsort(material.round_numbers, kind="stable")
    sizes = [
        size for size in past_sizes(len(order), _first(material)) if _tells(material, order[:size])
    ]
    correct = np.stack([_under(material, order[:size]) for size in sizes])
    return {
        "checks": audits,
        "half": _told(correct, sizes, HALF, material.seed),
        "twice": _told(correct, sizes, TWICE, material.seed),
    }


def _first(material: Material) -> int:
    """The smallest past set: what was there before the first choice, and half a batch."""
    begun = int((material.round_numbers <= 1).sum())
    return begun + material.work.round.batch_size // 2


def _tells(material: Material, past: Rows) -> bool:
    """Two classes at least, or there was nothing to fit."""
    return len(np.unique(material.training.y[past])) > 1


def _under(material: Material, past: Rows) -> NDArray[np.float64]:
    """Whether each random check was right under the labels of then, its own left out."""
    held = material.rows_in(Slice.AUDIT)
    inside = np.isin(held, past)
    correct = np.zeros(len(held))
    then = only(material.training, past)
    if inside.any():
        rows = np.flatnonzero(np.isin(past, held[inside]))
        own = cross_fit(then, rows, ACTIVE_FOLDS, material.fit, material.seed)
        places = {int(item): at for at, item in enumerate(held)}
        correct[[places[int(row)] for row in past[rows]]] = own.correct
    if not inside.all():
        rest = held[~inside]
        features = material.training.features.take(rest)
        correct[~inside] = judge(material.fit(then), features, material.training.y[rest]).correct
    return correct


def _told(
    correct: NDArray[np.float64], sizes: Sequence[int], factor: float, seed: int
) -> Mapping[str, Any]:
    found = forecast_gain(correct, sizes, factor, seed)
    if isinstance(found, Unsaid):
        return {"said": found.reason, "gain": None, "labels": None}
    said = forecast_sentence(found)
    return {"said": said, "gain": asdict(found.gain), "labels": found.labels_then}
