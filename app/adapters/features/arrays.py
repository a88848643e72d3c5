"""Arrays on disk that grow row by row while they are written, and are memory-mapped afterwards.

Plain .npy files: any numpy can open them. The header is written again at the end, with the final
number of rows; numpy leaves room for that.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from scipy import sparse

AT_A_TIME = 1 << 22  # entries converted at once


class GrowingArray:
    """A .npy file to which rows are appended."""

    def __init__(self, path: Path, like: NDArray[Any]) -> None:
        """`like`: an array (also an empty one) of the same type and row shape."""
        self.path = path
        self.rows = 0
        self._dtype, self._row_shape = like.dtype, like.shape[1:]
        self._file = path.open("w+b")
        self._write_header()

    @classmethod
    def extending(cls, path: Path) -> Self:
        """Go on with a file that exists."""
        old = mapped(path)
        array = cls.__new__(cls)
        array.path, array.rows = path, len(old)
        array._dtype, array._row_shape = old.dtype, old.shape[1:]
        array._file = path.open("r+b")
        array._file.seek(0, 2)
        return array

    def append(self, rows: NDArray[Any]) -> None:
        if rows.shape[1:] != self._row_shape:
            raise ValueError(f"rows of {rows.shape[1:]} do not fit {self._row_shape}")
        self._file.write(np.ascontiguousarray(rows, dtype=self._dtype).data)
        self.rows += len(rows)

    def close(self) -> None:
        self._file.seek(0)
        self._write_header()
        self._file.close()

    def _write_header(self) -> None:
        shape = (self.rows, *self._row_shape)
        npy.write_array_header_1_0(
            self._file,
            {"descr": npy.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape},
        )


class GrowingCsr:
    """A sparse matrix in three files, to which rows are appended.

    Row ends are counted in 64 bits while it grows. Closing brings them and the column numbers to
    one width, 32 bits as long as `most` entries allow: scipy wants both alike, and would convert
    (that is, load) the whole matrix on opening if they were not.
    """

    def __init__(self, folder: Path, name: str, like: sparse.csr_matrix) -> None:
        paths = csr_paths(folder, name)
        self._data = GrowingArray(paths["data"], like.data)
        self._indices = GrowingArray(paths["indices"], like.indices)
        self._ends = GrowingArray(paths["indptr"], np.zeros(0, np.int64))
        self._ends.append(np.zeros(1, np.int64))

    @classmethod
    def extending(cls, folder: Path, name: str) -> Self:
        """Go on with files that exist."""
        paths = csr_paths(folder, name)
        convert(paths["indptr"], np.dtype(np.int64))
        matrix = cls.__new__(cls)
        matrix._data = GrowingArray.extending(paths["data"])
        matrix._indices = GrowingArray.extending(paths["indices"])
        matrix._ends = GrowingArray.extending(paths["indptr"])
        return matrix

    def append(self, rows: sparse.csr_matrix) -> None:
        if not rows.has_canonical_format:
            raise ValueError("the columns of each row must ascend, without repeats")
        self._ends.append(rows.indptr[1:].astype(np.int64) + self._data.rows)
        self._data.append(rows.data)
        self._indices.append(rows.indices)

    def close(self, most: int = 2**31 - 1) -> None:
        for array in (self._data, self._indices, self._ends):
            array.close()
        width = np.dtype(np.int32 if self._data.rows <= most else np.int64)
        convert(self._indices.path, width)
        convert(self._ends.path, width)


def csr_paths(folder: Path, name: str) -> dict[str, Path]:
    return {part: folder / f"{name}.{part}.npy" for part in ("data", "indices", "indptr")}


def mapped(path: Path) -> NDArray[Any]:
    """The array in a file, read-only, its pages read when touched."""
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return np.asarray(array)


def let_go(array: NDArray[Any]) -> None:
    """The pages of a `mapped` array that were read stop counting as memory of this process. They
    stay in the system's cache as long as it likes, and come back when they are touched."""
    if isinstance(array.base, np.memmap) and hasattr(mmap, "MADV_DONTNEED"):
        array.base._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]


def mapped_csr(folder: Path, name: str, columns: int) -> sparse.csr_matrix:
    """The sparse matrix in three files. Assigned, not constructed: scipy's checks read it all."""
    parts = {part: mapped(path) for part, path in csr_paths(folder, name).items()}
    matrix = sparse.csr_matrix((len(parts["indptr"]) - 1, columns), dtype=parts["data"].dtype)
    matrix.data, matrix.indices, matrix.indptr = parts["data"], parts["indices"], parts["indptr"]
    matrix.has_sorted_indices = matrix.has_canonical_format = True  # so it was written
    return matrix


def convert(path: Path, dtype: np.dtype[Any]) -> None:
    """Write the array anew in another type, a block at a time."""
    old = mapped(path)
    if old.dtype == dtype:
        return
    fresh = GrowingArray(path.with_suffix(".tmp"), np.zeros((0, *old.shape[1:]), dtype))
    for block in _blocks(old):
        fresh.append(block.astype(dtype))
    fresh.close()
    fresh.path.replace(path)


def _blocks(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    yield from (array[at : at + AT_A_TIME] for at in range(0, len(array), AT_A_TIME))
