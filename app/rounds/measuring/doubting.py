"""Labels of the round's training set that the classifier contradicts, out of fold."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.core.doubts import FEWEST_LABELS, FOLDS, Doubt, doubts
from app.core.estimation.crossfit import out_of_fold
from app.rounds.material import Material

MOST_KEPT = 500


def measure(material: Material, before: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    del before
    labels = len(material.items)
    if labels < FEWEST_LABELS:
        return {
            "labels": labels,
            "said": f"Too few labels ({labels}) to doubt one. First after {FEWEST_LABELS}.",
            "doubts": [],
            "count": 0,
        }
    rows = np.arange(labels)
    probabilities = out_of_fold(material.training, rows, FOLDS, material.fit, material.seed)
    found = doubts(probabilities, material.training.y)
    return {
        "labels": labels,
        "said": _said(len(found), labels),
        "doubts": _told(material, found[:MOST_KEPT]),
        "count": len(found),
    }


def _said(count: int, labels: int) -> str:
    if not count:
        return f"None of {labels:,} labels is contradicted by a classifier that has not seen it."
    verb = "is" if count == 1 else "are"
    return (
        f"{count:,} of {labels:,} labels {verb} contradicted by a classifier that has not seen "
        "them. The item or the classifier may be what is odd: look before relabelling."
    )


def _told(material: Material, found: Sequence[Doubt]) -> list[dict[str, Any]]:
    """By the names that items were imported under: ids are others in a restored project."""
    ids = [material.items[one.row].item_id for one in found]
    with material.work.store.transaction() as tx:
        names = {item.id: item.external_id for item in tx.items.get(ids)}
    classes = material.classifier.classes
    return [
        {
            "item": names[item],
            "label": classes[one.label],
            "label_probability": round(one.label_probability, 4),
            "believed": classes[one.believed],
            "believed_probability": round(one.believed_probability, 4),
            "source": material.items[one.row].source,
        }
        for item, one in zip(ids, found, strict=True)
    ]
