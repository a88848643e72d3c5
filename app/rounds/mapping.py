"""Where the items of a batch lie in the pool, in two dimensions, for people to look at.

The plane is that of a sample of the pool, the same one for all rounds that share their features, so
that their maps can be compared. Computed once, when a batch is chosen, never when somebody looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.core.projection import plane_of
from app.ports.feature_store import StoredFeatures
from app.ports.store import ItemIds, Transaction
from app.rounds.identity import derived_seed
from app.rounds.work import Work

SAMPLE = 2000


@dataclass(frozen=True, slots=True)
class Places:
    """Of some items under one version of the features."""

    features_id: int
    item_ids: Sequence[int]
    points: Sequence[tuple[float, float]]
    sampled: Sequence[bool]

    def save(self, tx: Transaction) -> None:
        tx.maps.add(self.features_id, self.item_ids, self.points, self.sampled)


def places_of(work: Work, stored: StoredFeatures, picked: Sequence[int]) -> Places:
    """Of a batch, and of the sample it is shown in."""
    features_id = work.round.checkpoint["features_id"]
    sample = _sample(work, features_id)
    sample = sample[np.isin(sample, stored.item_ids)]
    dense = stored.take(stored.rows_of(sample)).dense
    others = np.setdiff1d(np.array(picked, dtype=np.int64), sample)
    plane = plane_of(dense)
    points = np.vstack([plane.place(dense), plane.place(stored.take(stored.rows_of(others)).dense)])
    return Places(
        features_id,
        [*sample.tolist(), *others.tolist()],
        [(float(x), float(y)) for x, y in points],
        [True] * len(sample) + [False] * len(others),
    )


def _sample(work: Work, features_id: int) -> ItemIds:
    """The one of an earlier round with these features, or a new one."""
    with work.store.transaction() as tx:
        known = tx.maps.sample(features_id)
        if len(known):
            return known
        seed = derived_seed(work.project.settings.seed, "map")
        return tx.runs.sample(work.project.id, seed, SAMPLE)
