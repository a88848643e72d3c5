"""The vectors of a pool, read in blocks: they may be a memory-mapped file larger than memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.core.types import Floats, Rows

BLOCK = 8_192


@dataclass(frozen=True, slots=True)
class PoolVectors:
    """Position i is row `rows[i]` of `dense`."""

    dense: Floats
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, positions: Rows) -> Floats:
        return np.asarray(self.dense[self.rows[positions]], np.float32)

    def blocks(self) -> Iterator[tuple[int, Floats]]:
        """(first position, vectors). Rows that lie together are not copied."""
        for start in range(0, len(self.rows), BLOCK):
            rows = self.rows[start : start + BLOCK]
            in_one_piece = rows[-1] - rows[0] == len(rows) - 1 and bool((np.diff(rows) == 1).all())
            block = self.dense[rows[0] : rows[-1] + 1] if in_one_piece else self.dense[rows]
            yield start, np.asarray(block, np.float32)

    def longest(self) -> float:
        """No vector is longer. Rows are normalised by contract; where a look at some says that
        they are not, all are measured."""
        sample = self.take(np.arange(0, len(self), max(1, len(self) // 4096)))
        if not len(sample) or float(np.square(sample).sum(axis=1).max()) <= 1.001:
            return 1.001
        squares = (float(np.square(block).sum(axis=1).max()) for _, block in self.blocks())
        return float(np.sqrt(max(squares)))
