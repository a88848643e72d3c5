"""What a strategy sees of a request: candidates by position 0 … n-1, vectors, seeded chance."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from app.core import uncertainty
from app.core.diversity.vectors import PoolVectors
from app.core.errors import WrongInput
from app.core.types import Floats, Rows, SelectionRequest

NONE = np.empty(0, np.int64)
AT_A_TIME = 128
"""Rows that lie anywhere read at once. For each of them the system may map two megabytes of a file:
as much as it keeps in one piece."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The candidates of a request. `taken` are positions that are in the batch already."""

    request: SelectionRequest
    taken: Rows = field(default_factory=lambda: NONE)
    _gone: Rows = field(init=False)

    def __post_init__(self) -> None:
        _check(self.request)
        object.__setattr__(self, "_gone", np.sort(self.away_from))

    def __len__(self) -> int:
        return len(self.request.candidates)

    @property
    def probabilities(self) -> Floats:
        """One row a candidate; only strategies that say they need them ask."""
        if self.request.probabilities is None:
            raise WrongInput("This strategy needs a classifier's probabilities.", field="strategy")
        return self.request.probabilities

    def scores(self, measure: uncertainty.Measure) -> Floats:
        """A measure of doubt for each candidate. Not to be written to."""
        if measure is uncertainty.margin and self.request.margins is not None:
            return self.request.margins
        return measure(self.probabilities)

    @property
    def committee(self) -> Floats:
        """(members, candidates, classes); only strategies that say they need it ask."""
        if self.request.committee is None:
            raise WrongInput("This strategy needs a committee.", field="strategy")
        return self.request.committee

    @property
    def away_from(self) -> Rows:
        """Rows that nothing picked may be a near-duplicate of."""
        return np.concatenate([self.request.occupied, self.rows(self.taken)])

    def rows(self, positions: Rows) -> Rows:
        return self.request.candidates[positions]

    def vectors(self, positions: Rows) -> Floats:
        return self.dense(self.rows(positions))

    def dense(self, rows: Rows) -> Floats:
        """Vectors of rows that lie anywhere."""
        vectors = self.request.features.dense
        out = np.empty((len(rows), vectors.shape[1]), np.float32)
        for part in self._a_few_at_a_time(len(rows)):
            out[part] = vectors[rows[part]]
        return out

    def counts(self, rows: Rows) -> sparse.csr_matrix:
        """Counts of words of rows that lie anywhere."""
        counts = self.request.features.counts
        parts = [counts[rows[part]] for part in self._a_few_at_a_time(len(rows))]
        return sparse.csr_matrix(sparse.vstack(parts, format="csr"))

    def _a_few_at_a_time(self, rows: int) -> Iterator[slice]:
        """After each part what lies around it is let go."""
        for start in range(0, max(rows, 1), AT_A_TIME):
            yield slice(start, start + AT_A_TIME)
            self.request.release()

    def positions_of(self, rows: Rows) -> Rows:
        """Positions of those of the rows that are candidates, in the order given."""
        place = np.full(len(self.request.features), -1, np.int64)
        place[self.request.candidates] = np.arange(len(self))
        known = rows[(rows >= 0) & (rows < len(place))]
        return place[known][place[known] >= 0]

    def chance(self, purpose: str) -> np.random.Generator:
        """A stream of its own for each purpose: using one more never shifts another."""
        return np.random.default_rng([self.request.seed, zlib.crc32(purpose.encode())])

    def free(self, positions: Rows) -> Rows:
        """Those of `positions` that are neither taken nor occupied."""
        if not len(self._gone):
            return positions
        rows = self.rows(positions)
        place = np.minimum(np.searchsorted(self._gone, rows), len(self._gone) - 1)
        free: Rows = positions[self._gone[place] != rows]
        return free

    def is_free(self) -> NDArray[np.bool_]:
        """For every position whether it is neither taken nor occupied."""
        occupied = np.zeros(len(self.request.features), bool)
        occupied[self.request.occupied] = True
        free: NDArray[np.bool_] = ~occupied[self.request.candidates]
        free[self.taken] = False
        return free

    def all_vectors(self) -> PoolVectors:
        return PoolVectors(self.request.features.dense, self.request.candidates)

    def sample(self, at_most: int, purpose: str) -> Rows:
        """Positions drawn uniformly, ascending; all of them where there are no more."""
        if len(self) <= at_most:
            return np.arange(len(self))
        return np.sort(self.chance(purpose).choice(len(self), at_most, replace=False))

    def option(self, name: str, default: float) -> float:
        """A number from the strategy's options."""
        return float(self.request.options.get(name, default))


def _check(request: SelectionRequest) -> None:
    if request.batch_size < 0:
        raise WrongInput("The batch size cannot be negative.", field="batch_size")
    given = {
        "probabilities": request.probabilities,
        "margins": request.margins,
        "boosts": request.boosts,
        "committee": None if request.committee is None else request.committee[0],
    }
    for name, values in given.items():
        if values is not None and len(values) != len(request.candidates):
            raise WrongInput(
                f"{len(values)} rows of {name} for {len(request.candidates)} candidates.",
                field=name,
            )
