"""Near-duplicates: an annotator's time is not spent on the same text twice.

Pairs are looked for where they can be, not among all pairs of word sets: two sets that share nine
tenths of their words must share one of their few rarest words already. Pairs that lie in nearly the
same direction come from one product of the vectors. Only those pairs are then compared in full.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from app.core.types import Floats, Rows

Mask = NDArray[np.bool_]
Pairs = tuple[Rows, Rows]
"""Places (earlier, later) in a list of rows."""
BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Likeness:
    """When two items count as near-duplicates.

    Sharing nine words in ten is enough. So is lying in nearly the same direction, but only for
    texts that also share six words in ten: latent features of short texts coincide easily.
    Items without words (pictures, bare embeddings) are compared by direction alone.
    """

    words: float = 0.9
    direction: float = 0.98
    words_with_direction: float = 0.6
    direction_alone: float = 0.995

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "Likeness | None":
        """None where near-duplicates are to be kept (`near_duplicates: false`)."""
        given = options.get("near_duplicates", True)
        if given is False:
            return None
        return cls(**given) if isinstance(given, Mapping) else cls()


def first_of_each(
    vectors: Floats, counts: sparse.csr_matrix, begin: int, likeness: Likeness
) -> Mask:
    """Which items from `begin` on, taken in their order, are like none of those before `begin` and
    none kept before them."""
    words = _word_sets(counts)
    keep = _first_of_equals(vectors, words, begin)
    earlier, later = _near_duplicates(vectors, words, keep, begin, likeness)
    starts = np.flatnonzero(np.diff(later, prepend=-1))
    for start, end in pairwise([*starts.tolist(), len(later)]):
        keep[later[start]] = not keep[earlier[start:end]].any()
    return keep[begin:]


def _near_duplicates(
    vectors: Floats, words: sparse.csr_matrix, asked: Mask, begin: int, likeness: Likeness
) -> Pairs:
    """Near-duplicates among those asked for, the later one at `begin` or after, in its order."""
    by_direction = _one_direction(vectors, begin, likeness.direction)
    by_words = _rare_word_shared(words, begin, likeness.words)
    left, right = _merged(by_direction, by_words)
    useful = (left < right) & asked[left] & asked[right]
    left, right = left[useful], right[useful]
    found = _alike(vectors, words, (left, right), likeness)
    return left[found], right[found]


def _alike(vectors: Floats, words: sparse.csr_matrix, pairs: Pairs, likeness: Likeness) -> Mask:
    """The full comparison of some pairs."""
    left, right = pairs
    direction = np.einsum("ij,ij->i", vectors[left], vectors[right])
    sizes = np.diff(words.indptr)
    both = np.asarray(words[left].multiply(words[right]).sum(axis=1)).reshape(-1)
    either = sizes[left] + sizes[right] - both
    shared = both / np.maximum(either, 1)
    by_words = shared >= likeness.words
    by_both = (direction >= likeness.direction) & (shared >= likeness.words_with_direction)
    by_direction = (direction >= likeness.direction_alone) & (either == 0)
    found: Mask = by_words | by_both | by_direction
    return found


def _first_of_equals(vectors: Floats, words: sparse.csr_matrix, begin: int) -> Mask:
    """False for those from `begin` on that equal an earlier one in all that is known of both."""
    mixed = words.indices.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    up_to = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed ^ (mixed >> np.uint64(29)))])
    of_words = (up_to[words.indptr[1:]] - up_to[words.indptr[:-1]]).view(np.float32).reshape(-1, 2)
    known = np.ascontiguousarray(np.hstack([of_words, vectors + np.float32(0)]))
    as_bytes = known.view(np.dtype((np.void, known.shape[1] * known.itemsize))).reshape(-1)
    _, first, kind = np.unique(as_bytes, return_index=True, return_inverse=True)
    keep: Mask = (first[kind] == np.arange(len(kind))) | (np.arange(len(kind)) < begin)
    return keep


def _one_direction(vectors: Floats, begin: int, least: float) -> Pairs:
    """Pairs whose vectors have at least that cosine."""
    lefts, rights = [_NONE], [_NONE]
    for start in range(begin, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        cosine = block @ vectors[: start + len(block)].T
        cosine[np.arange(len(block)), start + np.arange(len(block))] = -1  # each with itself
        some = np.flatnonzero(cosine.max(axis=1) >= least)
        right, left = np.nonzero(cosine[some] >= least)
        lefts.append(left)
        rights.append(some[right] + start)
    return np.concatenate(lefts), np.concatenate(rights)


def _rare_word_shared(words: sparse.csr_matrix, begin: int, least: float) -> Pairs:
    """Pairs that have one of their rarest words in common: others cannot share `least` of all."""
    if not words.nnz:
        return _NONE, _NONE
    rare = _rarest(words, least)
    pairs = (rare[begin:] @ rare.T).tocoo()
    return pairs.col.astype(np.int64), pairs.row.astype(np.int64) + begin


def _rarest(words: sparse.csr_matrix, least: float) -> sparse.csr_matrix:
    """Of each set so many of its rarest words that two alike sets cannot miss each other."""
    sizes = np.diff(words.indptr)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    frequency = np.bincount(words.indices, minlength=words.shape[1])
    order = np.lexsort((words.indices, frequency[words.indices], owner))
    place = np.arange(len(order)) - words.indptr[owner]
    needed = sizes - np.ceil(least * sizes - 1e-9).astype(int) + 1
    kept = place < needed[owner]
    return sparse.csr_matrix(
        (np.ones(int(kept.sum()), np.float32), (owner[kept], words.indices[order][kept])),
        shape=words.shape,
    )


def _merged(some: Pairs, others: Pairs) -> Pairs:
    """Both, each pair once, by the later place."""
    left, right = np.concatenate([some[0], others[0]]), np.concatenate([some[1], others[1]])
    codes = np.unique(right << 32 | left)
    return codes & 0xFFFFFFFF, codes >> 32


def _word_sets(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    ones = np.ones(len(counts.data), np.float32)
    return sparse.csr_matrix((ones, counts.indices, counts.indptr), shape=counts.shape)


_NONE = np.empty(0, np.int64)
