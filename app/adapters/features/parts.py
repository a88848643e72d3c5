"""The parts of a feature matrix as files in one folder, written block by block."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from app.adapters.features.arrays import GrowingArray, GrowingCsr, mapped, mapped_csr
from app.core.types import FeatureMatrix

ITEM_IDS = "item_ids"
PARTS = tuple(part.name for part in fields(FeatureMatrix))
Shapes = Mapping[str, int | None]
"""Columns of each sparse part; None for a dense one, whose file says it."""


class PartsWriter:
    """Appends items and their features; item ids must ascend."""

    def __init__(
        self, folder: Path, ids: GrowingArray, parts: Mapping[str, GrowingArray | GrowingCsr]
    ) -> None:
        self.folder = folder
        self._ids = ids
        self._parts = parts
        self._last: int | None = None

    @classmethod
    def new(cls, folder: Path, like: FeatureMatrix) -> Self:
        """`like`: features of the same kind, also of no item."""
        parts: dict[str, GrowingArray | GrowingCsr] = {}
        for name in PARTS:
            part = getattr(like, name)
            if isinstance(part, sparse.csr_matrix):
                parts[name] = GrowingCsr(folder, name, part)
            else:
                parts[name] = GrowingArray(_file(folder, name), part)
        ids = GrowingArray(_file(folder, ITEM_IDS), np.zeros(0, np.int64))
        return cls(folder, ids, parts)

    @classmethod
    def extending(cls, folder: Path, shapes: Shapes) -> Self:
        """Go on with the files in `folder`."""
        parts: dict[str, GrowingArray | GrowingCsr] = {}
        for name, columns in shapes.items():
            if columns is None:
                parts[name] = GrowingArray.extending(_file(folder, name))
            else:
                parts[name] = GrowingCsr.extending(folder, name)
        writer = cls(folder, GrowingArray.extending(_file(folder, ITEM_IDS)), parts)
        ids = item_ids(folder)
        writer._last = int(ids[-1]) if len(ids) else None
        return writer

    @property
    def rows(self) -> int:
        return self._ids.rows

    def append(self, ids: Sequence[int], matrix: FeatureMatrix) -> None:
        numbers = np.asarray(ids, dtype=np.int64)
        self._check_order(numbers, len(matrix))
        self._ids.append(numbers)
        for name, writer in self._parts.items():
            writer.append(getattr(matrix, name))

    def close(self) -> None:
        self._ids.close()
        for writer in self._parts.values():
            writer.close()

    def _check_order(self, ids: NDArray[np.int64], rows: int) -> None:
        if len(ids) != rows:
            raise ValueError(f"{len(ids)} item ids for {rows} rows")
        if (np.diff(ids) <= 0).any() or (rows and self._last is not None and ids[0] <= self._last):
            raise ValueError("item ids must ascend")
        if rows:
            self._last = int(ids[-1])


def shapes_of(matrix: FeatureMatrix) -> dict[str, int | None]:
    parts = {name: getattr(matrix, name) for name in PARTS}
    return {
        name: part.shape[1] if isinstance(part, sparse.csr_matrix) else None
        for name, part in parts.items()
    }


def read_parts(folder: Path, shapes: Shapes) -> FeatureMatrix:
    """Every item's features, memory-mapped."""
    parts: dict[str, Any] = {
        name: mapped(_file(folder, name)) if columns is None else mapped_csr(folder, name, columns)
        for name, columns in shapes.items()
    }
    return FeatureMatrix(**parts)


def item_ids(folder: Path) -> NDArray[np.int64]:
    return mapped(_file(folder, ITEM_IDS))


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.npy"
