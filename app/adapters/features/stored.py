"""Features of a project as they lie on disk, opened for reading."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.errors import NotFound
from app.core.types import FeatureMatrix, Rows


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
