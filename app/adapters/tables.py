"""Tables of floats in files: written block by block, mapped into memory when they are read."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from weakref import finalize

import numpy as np
from numpy.lib import format as npy

from app.adapters.features.arrays import let_go, mapped
from app.adapters.folders import writing_to
from app.core.types import Floats


class LocalTable:
    """A plain .npy file that holds the table turned over, so that a column lies together.

    Blocks are written through the file and not through the map: a full disk is then an error
    instead of the end of the process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turned = mapped(path)

    @classmethod
    def new(cls, path: Path, rows: int, columns: int, gone: Callable[[], object]) -> "LocalTable":
        """`gone` is called when nobody refers to the table any more."""
        with writing_to(path), path.open("wb") as file:
            _write_header(file, (columns, rows))
            file.truncate(file.tell() + 4 * rows * columns)
        table = cls(path)
        finalize(table, gone)
        return table

    @property
    def values(self) -> Floats:
        return self._turned.T

    def write(self, begin: int, block: Floats) -> None:
        start = self.path.stat().st_size - self._turned.nbytes
        with writing_to(self.path), self.path.open("r+b") as file:
            for number, column in enumerate(block.T):
                place = number * self._turned.shape[1] + begin
                file.seek(start + 4 * place)
                file.write(np.ascontiguousarray(column, np.float32).data)

    def release(self) -> None:
        let_go(self._turned)


def _write_header(file: BinaryIO, shape: tuple[int, int]) -> None:
    kind = npy.dtype_to_descr(np.dtype(np.float32))
    npy.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
