"""Features of a project as they lie on disk, opened for reading."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.adapters.features.arrays import let_go
from app.core.errors import NotFound
from app.core.types import FeatureMatrix, Rows

AT_A_TIME = 32
"""Rows copied before what lies around them is let go. For each of them the system may map two
megabytes of every file: as much as it keeps in one piece."""
LARGE = 640 * 2**20
"""Bytes from which vectors that lie on disk are not all to be in memory at once. Fewer stay once
read: letting go of them and reading them again takes longer than to choose among them. Words and
their counts are a fraction of that, and always let go of."""


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
        pieces = []
        at_a_time = AT_A_TIME if self._large else max(len(rows), 1)
        for start in range(0, max(len(rows), 1), at_a_time):
            pieces.append(self.matrix.take(rows[start : start + at_a_time]))
            self.release()
        return pieces[0] if len(pieces) == 1 else FeatureMatrix.stacked(pieces)

    def release(self) -> None:
        for part in (self.matrix.words, self.matrix.counts):
            for array in (part.data, part.indices, part.indptr):
                let_go(array)
        if self._large:
            let_go(self.matrix.dense)

    @property
    def _large(self) -> bool:
        return self.matrix.dense.nbytes >= LARGE
