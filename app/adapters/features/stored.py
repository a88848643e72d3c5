"""Features of a project as they lie on disk, opened for reading."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.adapters.features.arrays import let_go
from app.core.errors import NotFound
from app.core.types import FeatureMatrix, Rows

AT_A_TIME = 512
"""Rows copied before what lies around them is let go. The system maps sixteen pages for one."""
LARGE = 2**30
"""Bytes from which features that lie on disk are not all to be in memory at once. Of fewer all that
was read stays: letting go of it and reading it again takes as long as half of the arithmetic."""


@dataclass(frozen=True, slots=True)
class MappedFeatures:
    """Memory-mapped: opening costs nothing, reading costs the rows that are read."""

    version: str
    item_ids: NDArray[np.int64]
    matrix: FeatureMatrix

    def rows_of(self, item_ids: NDArray[np.int64]) -> Rows:
        wanted = np.asarray(item_ids, dtype=np.int64)
        rows: Rows = np.searchsorted(self.item_ids, wanted).astype(np.int64)
        known = rows < len(self.item_ids)
        known[known] = self.item_ids[rows[known]] == wanted[known]
        if not known.all():
            raise NotFound(
                f"Item {wanted[~known][0]} has no features in {self.version}. Items imported "
                "later have none until the features are brought up to date.",
                missing=int((~known).sum()),
            )
        return rows

    def take(self, rows: Rows) -> FeatureMatrix:
        if not self._large:
            return self.matrix.take(rows)
        pieces = []
        for start in range(0, max(len(rows), 1), AT_A_TIME):
            pieces.append(self.matrix.take(rows[start : start + AT_A_TIME]))
            self.release()
        return FeatureMatrix.stacked(pieces)

    def release(self) -> None:
        if self._large:
            for array in self._arrays():
                let_go(array)

    @property
    def _large(self) -> bool:
        return sum(array.nbytes for array in self._arrays()) >= LARGE

    def _arrays(self) -> Iterator[NDArray[Any]]:
        yield self.matrix.dense
        for part in (self.matrix.words, self.matrix.counts):
            yield from (part.data, part.indices, part.indptr)
