"""The pool at the moment of a decision, and its record: what a replay must have.

Items imported since the features were made wait for the next round, labelled or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.core.entities import CurrentLabel, PoolIds
from app.ports.feature_store import StoredFeatures
from app.ports.store import ItemIds, Transaction
from app.rounds.work import Work


@dataclass(frozen=True, slots=True)
class Pool:
    candidates: ItemIds
    """What may be selected."""
    occupied: ItemIds
    """Out for annotation, answered there, or refused."""
    labels: Sequence[CurrentLabel]
    """By item id."""

    @property
    def ids(self) -> PoolIds:
        labels = np.array(sorted(label.label_id for label in self.labels), dtype=np.int64)
        return PoolIds(self.candidates, self.occupied, labels)


def labels_of_now(work: Work, stored: StoredFeatures) -> Sequence[CurrentLabel]:
    with work.store.transaction() as tx:
        labels = tx.labels.current(work.project.id)
    known = np.isin([label.item_id for label in labels], stored.item_ids)
    return [label for label, there in zip(labels, known, strict=True) if there]


def pool_of_now(work: Work, stored: StoredFeatures, labels: Sequence[CurrentLabel]) -> Pool:
    """What surrounds these labels."""
    with work.store.transaction() as tx:
        candidates = tx.items.candidates(work.project.id)
        out = tx.items.out_for_annotation(work.project.id)
    return Pool(
        candidates[np.isin(candidates, stored.item_ids)],
        out[np.isin(out, stored.item_ids)],
        labels,
    )


def pool_of_then(tx: Transaction, project_id: int, pool_id: int) -> Pool:
    kept = tx.pools.get(pool_id)
    labels = tx.labels.by_ids(project_id, kept.label_ids.tolist())
    return Pool(kept.candidates, kept.occupied, labels)
