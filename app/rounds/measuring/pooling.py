"""How the round's batch and its labels lie in the pool."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.core import pool_figures as lie
from app.core.types import Floats, Rows
from app.ports.store import ItemIds
from app.rounds.material import Material

MOST_LABELLED = 5_000
"""Labelled items that others are compared with; a sample of more says the same."""


def measure(material: Material, before: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    rows = material.unlabelled_features.dense
    labelled = material.training.features.dense[_sample(material, len(material.items))]
    batch = material.round_numbers == material.work.round.number
    picked, earlier = material.training.features.dense[batch], _earlier(material)
    if not len(rows):
        said = "Every item of the pool is labelled."
        return {"said": said, "covered": None, "items": len(material.stored.item_ids)}
    scale = lie.Scale.of(rows, material.seed)
    known = max((one["items"] for one in before), default=0)
    covered = lie.covered(rows, labelled, scale)
    return {
        "said": _said(covered),
        "covered": covered,
        "repeated": lie.repeated(picked, earlier, scale),
        "outlying": lie.outlying(picked, scale),
        "picked": int(batch.sum()),
        "items": len(material.stored.item_ids),
        "balance": _balance(material, batch),
        "drift": {
            "labelled_from_pool": lie.drift(labelled, rows, material.seed),
            "new_from_pool": _drift_of_new(material, known),
        },
    }


def _said(covered: float | None) -> str:
    if covered is None:
        return "Nothing is labelled, so nothing of the pool is covered."
    return f"{covered:.0%} of the unlabelled items have a labelled one among their likes."


def _sample(material: Material, count: int) -> Rows:
    if count <= MOST_LABELLED:
        return np.arange(count)
    chosen = np.random.default_rng(material.seed)
    return np.sort(chosen.choice(count, MOST_LABELLED, replace=False))


def _earlier(material: Material) -> Floats:
    """Picked in the rounds before; what was imported with a label was picked by nobody."""
    number = material.round_numbers
    dense: Floats = material.training.features.dense[
        (number > 0) & (number < material.work.round.number)
    ]
    return dense


def _balance(material: Material, batch: Any) -> Mapping[str, Mapping[str, float]]:
    classes, y = material.classifier.classes, material.training.y
    return {
        "batch": lie.shares(y[batch], classes),
        "labelled": lie.shares(y, classes),
        "predicted": lie.shares(material.view.argmax(axis=1).astype(np.int64), classes),
    }


def _drift_of_new(material: Material, known: int) -> float | None:
    """Of what was imported since the round before was measured, from the rest of the pool. So many
    items were known then; ids only rise."""
    every: ItemIds = material.stored.item_ids
    if not 0 < known < len(every):
        return None
    new = every[material.unlabelled] > every[known - 1]
    dense = material.unlabelled_features.dense
    return lie.drift(dense[new], dense[~new], material.seed)
