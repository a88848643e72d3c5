"""BADGE without its gradients: k-means++ over (probabilities − guess) ⊗ vector, never formed.

The distance of two such products needs only the inner products of their two factors. Sampling
"with probability proportional to the squared distance to what is chosen" runs by rejection: an
upper bound for every item is kept, an item is drawn by its bound, its true distance is worked out,
and it is accepted with probability distance / bound. That is exact whatever the bounds are; good
bounds only make it quick. Where they are poor (tight clusters), one pass makes them exact.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.types import Floats, Rows
from app.core.uncertainty import blocks

CELL = 1024
"""Bounds are summed by cells of so many items, so that a draw looks into one cell only."""
TRIES = 64
"""Draws worked out together."""
PATIENCE = 2_500
"""Draws after which poor bounds are made exact."""
ROUNDING = np.float32(1e-6)
"""Relative distance below which two products are the same."""

Vectors = Callable[[Rows], Floats]


@dataclass(frozen=True, slots=True)
class Products:
    """Items as pairs (outer, vector), each standing for the product of the two."""

    outer: Floats
    vectors: Floats

    @property
    def lengths(self) -> Floats:
        """Squared length of each product."""
        squares: Floats = np.square(self.outer).sum(axis=1) * np.square(self.vectors).sum(axis=1)
        return squares

    def squared_distances(self, others: "Products") -> Floats:
        """(ours, theirs)"""
        scale = self.lengths[:, None] + others.lengths[None, :]
        inner = (self.outer @ others.outer.T) * (self.vectors @ others.vectors.T)
        distance: Floats = scale - 2 * inner
        distance[distance < ROUNDING * scale] = 0
        return distance

    def take(self, places: Rows) -> "Products":
        return Products(self.outer[places], self.vectors[places])

    def joined(self, others: "Products") -> "Products":
        return Products(
            np.concatenate([self.outer, others.outer]),
            np.concatenate([self.vectors, others.vectors]),
        )


def outer_factors(probabilities: Floats) -> Floats:
    """Probabilities minus one at the guess: the gradient's factor that is not the vector."""
    factors = np.array(probabilities, np.float32)
    factors[np.arange(len(factors)), factors.argmax(axis=1)] -= 1
    return factors


def outer_lengths(probabilities: Floats) -> Floats:
    """Length of each item's outer factor, in one walk over the probabilities."""
    out = np.empty(len(probabilities), np.float32)
    for start, block in blocks(probabilities):
        squares = np.einsum("cr,cr->r", block, block)
        out[start : start + block.shape[1]] = squares - 2 * block.max(axis=0) + 1
    return np.sqrt(np.maximum(out, 0))


class Bounds:
    """An upper bound of every item's squared distance to the chosen ones, and draws by it."""

    def __init__(self, bounds: Floats) -> None:
        padding = -len(bounds) % CELL
        self._cells = np.concatenate([bounds, np.zeros(padding, np.float32)]).reshape(-1, CELL)
        self._sums = self._cells.sum(axis=1, dtype=np.float64)

    @property
    def flat(self) -> Floats:
        return self._cells.reshape(-1)

    @property
    def total(self) -> float:
        return float(self._sums.sum())

    def draw(self, count: int, chance: np.random.Generator) -> Rows:
        """`count` items, independently, each with probability proportional to its bound."""
        up_to = np.cumsum(self._sums)
        mark = chance.random(count) * up_to[-1]
        cell = np.minimum(np.searchsorted(up_to, mark, side="right"), len(up_to) - 1)
        within = np.cumsum(self._cells[cell], axis=1, dtype=np.float64)
        mark = (chance.random(count) * within[:, -1])[:, None]
        place = np.minimum((within <= mark).sum(axis=1), CELL - 1)
        drawn: Rows = cell * CELL + place
        return drawn

    def at(self, items: Rows) -> Floats:
        return self.flat[items]

    def lower(self, items: Rows, bounds: Floats) -> None:
        self.flat[items] = bounds
        cells = np.unique(items // CELL)
        self._sums[cells] = self._cells[cells].sum(axis=1, dtype=np.float64)

    def lower_all(self, bounds: Floats) -> None:
        flat = self.flat[: len(bounds)]
        np.minimum(flat, bounds, out=flat)
        self._sums = self._cells.sum(axis=1, dtype=np.float64)


class GradientSampler:
    """k-means++ seeding over all items' products; items with `open` False are never drawn."""

    def __init__(
        self,
        probabilities: Floats,
        vectors: Vectors,
        is_open: NDArray[np.bool_],
        longest: float,
        *,
        lengths: Floats | None = None,
        patience: int = PATIENCE,
    ) -> None:
        self._probabilities = probabilities
        self._vectors = vectors
        self._open = is_open
        self._patience = patience
        lengths = outer_lengths(probabilities) if lengths is None else lengths
        self._reach = np.nan_to_num(lengths) * np.float32(longest)
        self._nearest_reach = np.inf

    def sample(self, k: int, chance: np.random.Generator) -> Rows:
        """k different items: the first uniformly, each next by its squared distance to the chosen.

        Once every item coincides with a chosen one, the rest come uniformly.
        """
        candidates = np.flatnonzero(self._open)
        k = min(k, len(candidates))
        if k == 0:
            return candidates
        chosen = [int(chance.choice(candidates))]
        centres = self._products(np.array(chosen))
        bounds = self._first_bounds(centres, chosen[0])
        tries = 0
        while len(chosen) < k and bounds.total > 0:
            if tries > self._patience:
                self._make_exact(bounds, centres)
                tries = 0
                continue
            centres = self._extend(chosen, centres, bounds, k, chance)
            tries += TRIES
        return np.concatenate([np.array(chosen, np.int64), self._any(chosen, k, chance)])

    def _any(self, chosen: list[int], k: int, chance: np.random.Generator) -> Rows:
        if len(chosen) == k:
            return np.empty(0, np.int64)
        left = self._open.copy()
        left[chosen] = False
        return chance.choice(np.flatnonzero(left), k - len(chosen), replace=False)

    def _extend(
        self,
        chosen: list[int],
        centres: Products,
        bounds: Bounds,
        k: int,
        chance: np.random.Generator,
    ) -> Products:
        """One portion of draws, taken in turn; each accepted one is a centre for those after it."""
        drawn = bounds.draw(TRIES, chance)
        products = self._products(drawn)
        distance = products.squared_distances(centres).min(axis=1)
        between = products.squared_distances(products)
        bar = chance.random(TRIES) * bounds.at(drawn)
        accepted: list[int] = []
        start = 0
        while len(chosen) < k and (passing := np.flatnonzero(bar[start:] < distance[start:])).size:
            start += int(passing[0])
            accepted.append(start)
            chosen.append(int(drawn[start]))
            np.minimum(distance, between[start], out=distance)
            distance[drawn == drawn[start]] = 0
            start += 1
        bounds.lower(drawn, distance)
        if accepted:
            new = products.take(np.array(accepted))
            self._tighten(bounds, new)
            centres = centres.joined(new)
        return centres

    def _first_bounds(self, first: Products, item: int) -> Bounds:
        self._nearest_reach = float(np.sqrt(first.lengths[0]))
        bounds = np.square(self._reach + np.float32(self._nearest_reach))
        bounds[~self._open] = 0
        bounds[item] = 0
        return Bounds(bounds)

    def _tighten(self, bounds: Bounds, new: Products) -> None:
        """No item is farther from a centre than both lie from the origin together."""
        shortest = float(np.sqrt(new.lengths.min()))
        if shortest < 0.8 * self._nearest_reach:
            self._nearest_reach = shortest
            bounds.lower_all(np.square(self._reach + np.float32(shortest)))

    def _make_exact(self, bounds: Bounds, centres: Products) -> None:
        for start in range(0, len(self._open), 8192):
            items = np.arange(start, min(start + 8192, len(self._open)))
            items = items[bounds.at(items) > 0]
            distance = self._products(items).squared_distances(centres).min(axis=1, initial=np.inf)
            bounds.lower(items, np.minimum(distance, bounds.at(items)))

    def _products(self, items: Rows) -> Products:
        return Products(outer_factors(self._probabilities[items]), self._vectors(items))
