"""How a batch and the labels lie in the pool: covered, repeated, balanced, drifted.

Likeness is the cosine of two rows. What counts as near is taken from the pool itself, so that it
means the same for short and long texts: nearer than one in a hundred pairs of its items, or, for a
repetition, one in a thousand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from app.core.types import Floats

PROBE = 1000
NEAR, SAME = 0.99, 0.999
"""Shares of the pool's pairs that are less alike."""
NEIGHBOURS = 10
OUTLYING = 0.01
"""The share of the pool that lies farthest from its neighbours."""
FEWEST_TO_COMPARE = 30
MOST_TO_COMPARE = 2000
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scale:
    """What is near in this pool."""

    probe: Floats
    near: float
    same: float
    lonely: float
    """An item whose nearest neighbours are less alike on average is an outlier."""

    @classmethod
    def of(cls, pool: Floats, seed: int) -> "Scale":
        drawn = np.random.default_rng(seed).permutation(len(pool))[:PROBE]
        probe = pool[np.sort(drawn)]
        alike = probe @ probe.T
        pairs = alike[np.triu_indices(len(probe), 1)]
        near, same = np.quantile(pairs, [NEAR, SAME]) if len(pairs) else (1.0, 1.0)
        np.fill_diagonal(alike, -np.inf)
        return cls(probe, float(near), float(same), float(np.quantile(_closeness(alike), OUTLYING)))


def _closeness(alike: Floats) -> Floats:
    """Of each row to its nearest neighbours, on average."""
    count = min(NEIGHBOURS, alike.shape[1] - 1) or 1
    nearest = np.partition(alike, -count, axis=1)[:, -count:]
    closeness: Floats = nearest.mean(axis=1)
    return closeness


def covered(rows: Floats, labelled: Floats, scale: Scale) -> float | None:
    """Share of `rows` that have a labelled item near them."""
    return _share_near(rows, labelled, scale.near)


def repeated(batch: Floats, earlier: Floats, scale: Scale) -> float | None:
    """Share of a batch that is nearly the same as something picked before."""
    return _share_near(batch, earlier, scale.same)


def _share_near(rows: Floats, others: Floats, least: float) -> float | None:
    if not len(rows) or not len(others):
        return None
    near = [(part @ others.T).max(axis=1) >= least for part in np.array_split(rows, _parts(rows))]
    return float(np.concatenate(near).mean())


def _parts(rows: Floats) -> int:
    return 1 + len(rows) // PROBE


def outlying(batch: Floats, scale: Scale) -> float | None:
    """Share of a batch that lies farther from the pool than all but one in a hundred of it."""
    if not len(batch) or len(scale.probe) <= NEIGHBOURS:
        return None
    return float((_closeness(batch @ scale.probe.T) < scale.lonely).mean())


def shares(y: Integers, classes: Sequence[str]) -> Mapping[str, float]:
    """Of each class that occurs."""
    counts = np.bincount(y, minlength=len(classes))
    total = max(int(counts.sum()), 1)
    return {name: float(n / total) for name, n in zip(classes, counts, strict=True) if n}


def drift(one: Floats, other: Floats, seed: int) -> float | None:
    """How well two sets can be told apart by where they lie: 0.5 is not at all, 1 is always. The
    direction between their means is found on one half of each and tried on the other."""
    if min(len(one), len(other)) < FEWEST_TO_COMPARE:
        return None
    draw = np.random.default_rng(seed)
    halves = [np.array_split(draw.permutation(part)[:MOST_TO_COMPARE], 2) for part in (one, other)]
    found = []
    for fitted, tried in ((0, 1), (1, 0)):
        direction = halves[0][fitted].mean(axis=0) - halves[1][fitted].mean(axis=0)
        found.append(_told_apart(halves[0][tried] @ direction, halves[1][tried] @ direction))
    return float(np.mean(found))


def _told_apart(high: Floats, low: Floats) -> float:
    """How often one of the first is above one of the second: the area under the curve."""
    return float(stats.mannwhitneyu(high, low).statistic) / (len(high) * len(low))
