"""The latent space: a truncated singular value decomposition that never forms the product."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from app.core.one_thread import one_thread
from app.core.types import Floats

Matrix = sparse.csr_matrix | NDArray[np.float64]
_EXTRA = 10
_POWER_STEPS = 5


@dataclass(frozen=True, slots=True)
class Product:
    """A matrix given as a product of sparse ones; much cheaper than what it multiplies out to."""

    factors: Sequence[sparse.csr_matrix]

    @property
    def shape(self) -> tuple[int, int]:
        return self.factors[0].shape[0], self.factors[-1].shape[1]

    def times(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        for factor in reversed(self.factors):
            block = factor @ block
        return block

    def transposed_times(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        for factor in self.factors:
            block = factor.T @ block
        return block


def right_singular_vectors(matrix: Product, dimensions: int, *, seed: int) -> Floats:
    """The leading ones, a column each; columns beyond the rank are zero.

    One thread: with more, the order of summation, and so the last bits, would depend on the
    machine's load.
    """
    rows, columns = matrix.shape
    vectors = np.zeros((columns, dimensions), dtype=np.float32)
    rank = min(dimensions, rows, columns)
    if rank == 0:
        return vectors
    with one_thread():
        found, values = _decompose(matrix, min(rank + _EXTRA, rows, columns), seed)
    real = values[:rank] > 1e-5 * max(float(values[0]), 1e-12)
    vectors[:, :rank][:, real] = _with_fixed_signs(found[:, :rank][:, real])
    return vectors


def _decompose(
    matrix: Product, size: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Randomised range finding with power steps (Halko, Martinsson and Tropp 2011).

    Orthogonalises on the side of the rows, which are few (a sample), not of the columns.
    """
    start = np.random.default_rng(seed).standard_normal((matrix.shape[1], size))
    basis, _ = np.linalg.qr(matrix.times(start))
    for _ in range(_POWER_STEPS):
        basis, _ = np.linalg.qr(matrix.times(matrix.transposed_times(basis)))
    right = matrix.transposed_times(basis)
    squares, rotation = np.linalg.eigh(right.T @ right)
    values = np.sqrt(np.maximum(squares[::-1], 0))
    vectors = right @ rotation[:, ::-1] / np.where(values > 0, values, 1)
    return vectors, values


def _with_fixed_signs(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """A singular vector's sign is arbitrary: make its largest entry positive."""
    if not vectors.size:
        return vectors
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(vectors.shape[1])])
    return vectors * np.where(signs == 0, 1, signs)
