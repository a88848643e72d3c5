"""What characters say, word by word.

A text's character n-grams are those of its space-separated chunks. A chunk's n-grams are hashed
once; a text is the sum of its chunks, so the n-grams of a long text are never spelled out. This
costs about as much as word features, and knows words never seen: misspelled ones, compounds,
inflections, scripts without spaces.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from app.core.features.latent import Product
from app.core.features.recipe import FeatureRecipe
from app.core.features.vocabulary import damped, inverse_frequency
from app.core.types import Floats

_BASE = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_AT_A_TIME = 2_000


def chunk_counts(texts: Sequence[str]) -> tuple[sparse.csr_matrix, list[str]]:
    """Damped counts of chunks (columns: the different chunks of these texts).

    Within a row, chunks stand in the order of the text, so that a row's sums do not depend on the
    other texts. (Most of scipy's methods sort the indices of a row; multiplying does not.)
    """
    found = [Counter(text.split()) for text in texts]
    columns: dict[str, int] = {}
    starts = np.cumsum([0, *map(len, found)], dtype=np.int64)
    indices = np.fromiter(
        (columns.setdefault(chunk, len(columns)) for row in found for chunk in row),
        np.int64,
        int(starts[-1]),
    )
    counts = np.fromiter((n for row in found for n in row.values()), np.int64, int(starts[-1]))
    data = damped(counts).astype(np.float32)
    matrix = sparse.csr_matrix((data, indices, starts), (len(texts), len(columns)))
    return matrix, list(columns)


def hashed_grams(chunks: Sequence[str], recipe: FeatureRecipe) -> sparse.csr_matrix:
    """How often each hashed n-gram occurs in each chunk; a chunk's ends count as blanks."""
    padded = [f" {chunk} " for chunk in chunks]
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    lengths = np.fromiter(map(len, padded), np.int64, len(padded))
    chunk_of = np.repeat(np.arange(len(padded)), lengths)
    rows, buckets = [], []
    for size in recipe.gram_sizes:
        row, bucket = _grams(codes, chunk_of, size, recipe.gram_buckets)
        rows.append(row)
        buckets.append(bucket)
    row, bucket = np.concatenate(rows), np.concatenate(buckets)
    ones = np.ones(len(row))
    return sparse.csr_matrix((ones, (row, bucket)), shape=(len(padded), recipe.gram_buckets))


def _grams(
    codes: NDArray[np.uint32], chunk_of: NDArray[np.int64], size: int, buckets: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    count = max(len(codes) - size + 1, 0)
    value = np.full(count, size, dtype=np.uint64)
    for offset in range(size):
        value = (value ^ codes[offset : offset + count].astype(np.uint64)) * _BASE
        value = (value ^ (value >> np.uint64(29))) * _MIX
    inside = chunk_of[:count] == chunk_of[size - 1 : size - 1 + count]
    mixed = (value ^ (value >> np.uint64(32))) % np.uint64(buckets)
    return chunk_of[:count][inside], mixed[inside].astype(np.int64)


def weighted_product(
    counts: sparse.csr_matrix, grams: sparse.csr_matrix, least: int
) -> tuple[Product, Floats]:
    """The TF-IDF of n-grams with rows of length one, as a product; and the weight of each bucket
    (0 for those in too few texts)."""
    blocks = [counts[i : i + _AT_A_TIME] for i in range(0, counts.shape[0], _AT_A_TIME)]
    seen = np.zeros(grams.shape[1], dtype=np.int64)
    for block in blocks:
        seen += np.bincount((block @ grams).indices, minlength=grams.shape[1])
    idf = np.where(seen >= least, inverse_frequency(seen, counts.shape[0]), 0)
    weighted = sparse.csr_matrix(grams @ sparse.diags_array(idf))
    lengths = np.concatenate([_lengths(block @ weighted) for block in blocks])
    scaled = sparse.csr_matrix(sparse.diags_array(1 / np.where(lengths > 0, lengths, 1)) @ counts)
    return Product([scaled, weighted]), idf.astype(np.float32)


def _lengths(rows: sparse.csr_matrix) -> NDArray[np.float64]:
    squares: NDArray[np.float64] = np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
    return np.sqrt(squares)
