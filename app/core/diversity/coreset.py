"""Core-set: greedy farthest-first over a whole pool, the plain greedy's picks at a fraction of it.

For every item an upper bound of its squared distance to the nearest centre is kept: the distance
to the centres it was last compared with. Only an active set, the items of the largest bounds, is
compared with every new centre. While its farthest item reaches the largest bound outside, that is
the farthest of all; otherwise the active set is drawn anew.
"""

import numpy as np
from numpy.typing import NDArray

from app.core.diversity.vectors import PoolVectors
from app.core.types import Floats, Rows

ACTIVE = 16_384
FIRST_LOOK = 48
"""Centres compared with every item; the others only with those that may be the farthest."""
ROUNDING = np.float32(4e-6)
"""Distances no farther apart than this are compared again in double precision."""
TIED = 1024
MORE = 256
UNRELATED = 2.0
"""The squared distance said of a first item that has nothing to be far from."""
CLOSED = np.float32(-1)


class FarthestFirst:
    """k items, each the one farthest from the centres and from all items before it; one drawn by
    `chance` of those that are equally far."""

    def __init__(
        self,
        pool: PoolVectors,
        centres: Floats,
        is_open: NDArray[np.bool_],
        chance: np.random.Generator,
        *,
        active: int = ACTIVE,
        first_look: int = FIRST_LOOK,
    ) -> None:
        self._pool = pool
        self._chance = chance
        self._room = np.concatenate([centres, np.zeros((MORE, centres.shape[1]), np.float32)])
        self._filled = len(centres)
        self._bounds = _first_look(pool, centres[:first_look])
        self._bounds[~is_open] = CLOSED
        self._size = min(active, len(pool))
        self._active = np.empty(0, np.int64)
        self._vectors = centres[:0]
        self._squares = self._gaps = np.empty(0, np.float32)
        self._outside = np.float32(np.inf)

    def pick(self, k: int, first: int) -> tuple[Rows, Floats]:
        """The next k and their squared distances to what came before.

        `first` is taken where there is no centre yet and so no farthest item.
        """
        chosen, gaps = [], []
        for _ in range(min(k, int((self._bounds > CLOSED).sum()))):
            item, gap = self._farthest() if self._filled else (first, UNRELATED)
            chosen.append(item)
            gaps.append(gap)
            self._add(item)
        return np.array(chosen, np.int64), np.array(gaps, np.float32)

    @property
    def _centres(self) -> Floats:
        return self._room[: self._filled]

    def _farthest(self) -> tuple[int, float]:
        while not len(self._active) or self._outside > self._gaps.max() + ROUNDING:
            self._renew()
        near = self._gaps.max() - ROUNDING
        tied = self._active[self._gaps >= near]
        if self._outside >= near:
            tied = np.union1d(tied, np.flatnonzero(self._bounds >= near))
        if len(tied) == 1:
            return int(tied[0]), float(self._gaps.max())
        if len(tied) > TIED:
            tied = self._chance.choice(tied, TIED, replace=False)
        return self._exactly(np.sort(tied))

    def _exactly(self, tied: Rows) -> tuple[int, float]:
        vectors = self._pool.take(tied).astype(np.float64)
        gaps = np.full(len(tied), np.inf)
        for start in range(0, len(self._centres), 256):
            centres = self._centres[start : start + 256].astype(np.float64)
            apart = np.square(vectors[:, None, :] - centres[None, :, :]).sum(axis=2)
            np.minimum(gaps, apart.min(axis=1), out=gaps)
        gaps[self._bounds[tied] == CLOSED] = -1
        farthest = tied[gaps == gaps.max()]
        return int(self._chance.choice(farthest)), float(gaps.max())

    def _add(self, item: int) -> None:
        centre = self._pool.take(np.array([item]))
        if self._filled == len(self._room):
            self._room = np.concatenate([self._room, np.zeros_like(self._room)])
        self._room[self._filled] = centre[0]
        self._filled += 1
        self._bounds[item] = CLOSED
        if len(self._active):
            np.minimum(
                self._gaps, squared_gaps(self._vectors, centre, self._squares), out=self._gaps
            )
            inside = self._active == item
            self._gaps[inside] = CLOSED
            if not inside.any():
                self._look_outside()

    def _renew(self) -> None:
        """The items of the largest bounds, compared with every centre there is."""
        if len(self._active):
            self._bounds[self._active] = self._gaps
        rest = len(self._bounds) - self._size
        largest = np.argpartition(self._bounds, rest - 1)[rest:] if rest else np.arange(self._size)
        self._active = np.sort(largest)
        self._vectors = self._pool.take(self._active)
        closed = self._bounds[self._active] == CLOSED
        self._squares = _squares(self._vectors)
        self._gaps = squared_gaps(self._vectors, self._centres, self._squares)
        self._gaps[closed] = CLOSED
        self._look_outside()

    def _look_outside(self) -> None:
        kept = self._bounds[self._active]
        self._bounds[self._active] = CLOSED
        self._outside = self._bounds.max()
        self._bounds[self._active] = kept


def squared_gaps(vectors: Floats, centres: Floats, squares: Floats) -> Floats:
    """Squared distance of each vector, its own square given, to the nearest centre."""
    nearest = np.full(len(vectors), -np.inf, np.float32)
    for start in range(0, len(centres), 1024):
        some = centres[start : start + 1024]
        inner = some @ vectors.T
        inner *= 2
        inner -= np.square(some).sum(axis=1)[:, None]
        np.maximum(nearest, inner.max(axis=0), out=nearest)
    gaps: Floats = squares - nearest
    return np.maximum(gaps, np.float32(0), out=gaps)


def _squares(vectors: Floats) -> Floats:
    squares: Floats = np.einsum("ij,ij->i", vectors, vectors)
    return squares


def _first_look(pool: PoolVectors, centres: Floats) -> Floats:
    bounds = np.full(len(pool), np.inf, np.float32)
    if len(centres):
        for start, block in pool.blocks():
            bounds[start : start + len(block)] = squared_gaps(block, centres, _squares(block))
    return bounds
