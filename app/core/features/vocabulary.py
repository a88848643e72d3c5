"""Which words and pairs of words count, found by streaming over the texts."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from app.core.features.recipe import FeatureRecipe
from app.core.features.tokens import normalise, words_of
from app.core.types import Floats

Integers = NDArray[np.int64]
Batches = Callable[[], Iterable[Sequence[str]]]

_ENOUGH_TEXTS = 20
"""Below that many texts a word counts even if it occurs in one text only."""
_MOST_WORDS = 2_000_000
_MOST_PAIRS = 8_000_000
"""So many different ones are counted at a time; beyond, those seen once are forgotten."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Columns of the word matrices: words first (by name), then pairs (by the two columns)."""

    words: tuple[str, ...]
    pairs: Integers
    """Sorted; left column * number of words + right column."""
    idf: Floats
    columns: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        columns = {word: column for column, word in enumerate(self.words)}
        object.__setattr__(self, "columns", columns)

    def __len__(self) -> int:
        return len(self.words) + len(self.pairs)

    def name(self, column: int) -> str:
        """The word or pair of words of a column, for people."""
        if column < len(self.words):
            return self.words[column]
        left, right = divmod(int(self.pairs[column - len(self.words)]), len(self.words))
        return f"{self.words[left]} {self.words[right]}"

    def count(self, texts: Sequence[str]) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        """Counts of words and of pairs in each normalised text."""
        text_of, columns = positions(texts, self.columns)
        pair_of, keys = neighbours(text_of, columns, len(self.words))
        place = np.searchsorted(self.pairs, keys)
        known = np.zeros(len(keys), dtype=bool)
        inside = place < len(self.pairs)
        known[inside] = self.pairs[place[inside]] == keys[inside]
        seen = columns >= 0
        words = _counts(text_of[seen], columns[seen], (len(texts), len(self.words)))
        pairs = _counts(pair_of[known], place[known], (len(texts), len(self.pairs)))
        return words, pairs

    def weigh(self, words: sparse.csr_matrix, pairs: sparse.csr_matrix) -> sparse.csr_matrix:
        """TF-IDF with damped counts, each row of length one."""
        joined = sparse.hstack([words, pairs], format="csr", dtype=np.float32)
        joined.sort_indices()
        joined.data = damped(joined.data).astype(np.float32) * self.idf[joined.indices]
        return unit_rows(joined)


def positions(texts: Sequence[str], columns: dict[str, int]) -> tuple[Integers, Integers]:
    """For every word of every text: which text, and which column (-1 if unknown)."""
    words = words_of(texts)
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    found = map(columns.get, chain.from_iterable(words), repeat(-1))
    return (
        np.repeat(np.arange(len(words)), lengths),
        np.fromiter(found, np.int64, int(lengths.sum())),
    )


def neighbours(text_of: Integers, columns: Integers, words: int) -> tuple[Integers, Integers]:
    """For every two known words in a row: which text, and the key of the pair."""
    left, right = columns[:-1], columns[1:]
    pair = (left >= 0) & (right >= 0) & (text_of[:-1] == text_of[1:])
    return text_of[:-1][pair], left[pair] * words + right[pair]


def damped(counts: NDArray[np.generic]) -> NDArray[np.float64]:
    """1 + log(count). Through a table, because a vectorised logarithm may round the same number
    differently at the end of an array than in its middle."""
    values, place = np.unique(counts, return_inverse=True)
    return np.array([1 + math.log(value) for value in values.tolist()], dtype=np.float64)[place]


def unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Scale every row to length one; empty rows stay empty. Each row is summed on its own, in its
    own order, so a row's result never depends on which rows it came with."""
    squares = sparse.csr_matrix(
        (matrix.data.astype(np.float64) ** 2, matrix.indices, matrix.indptr), shape=matrix.shape
    )
    lengths = np.sqrt(np.asarray(squares @ np.ones(matrix.shape[1])))
    scale = 1 / np.where(lengths > 0, lengths, 1)
    data = matrix.data * np.repeat(scale, np.diff(matrix.indptr))
    return sparse.csr_matrix(
        (data.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape
    )


def fit_words(batches: Batches, recipe: FeatureRecipe) -> tuple[list[str], Integers, int]:
    """The words that count, in alphabetical order; in how many texts each occurs; all texts."""
    seen: Counter[str] = Counter()
    texts = 0
    for batch in batches():
        texts += len(batch)
        for words in words_of([normalise(text) for text in batch]):
            seen.update(set(words))
        if len(seen) > _MOST_WORDS:
            seen = Counter({word: n for word, n in seen.items() if n > 1})
    least = least_texts(recipe, texts)
    kept = sorted((-n, word) for word, n in seen.items() if n >= least)[: recipe.max_words]
    names = sorted(word for _, word in kept)
    return names, np.array([seen[name] for name in names], dtype=np.int64), texts


def least_texts(recipe: FeatureRecipe, texts: int) -> int:
    """In how many texts a term must occur."""
    return recipe.min_texts if texts >= _ENOUGH_TEXTS else 1


class PairCounter:
    """In how many texts each pair of known words occurs, in bounded memory."""

    def __init__(self, words: Sequence[str]) -> None:
        self._columns = {word: column for column, word in enumerate(words)}
        self._keys: Integers = np.zeros(0, dtype=np.int64)
        self._seen: Integers = np.zeros(0, dtype=np.int64)

    def add(self, texts: Sequence[str]) -> None:
        text_of, columns = positions(texts, self._columns)
        pair_of, keys = neighbours(text_of, columns, len(self._columns))
        once = np.unique(np.stack([keys, pair_of]), axis=1)[0] if len(keys) else keys
        new, counts = np.unique(once, return_counts=True)
        self._merge(new, counts)

    def _merge(self, keys: Integers, counts: Integers) -> None:
        merged, place = np.unique(np.concatenate([self._keys, keys]), return_inverse=True)
        seen = np.zeros(len(merged), dtype=np.int64)
        np.add.at(seen, place, np.concatenate([self._seen, counts]))
        if len(merged) > _MOST_PAIRS:
            merged, seen = merged[seen > 1], seen[seen > 1]
        self._keys, self._seen = merged, seen

    def best(self, most: int, least: int) -> tuple[Integers, Integers]:
        """The most frequent pairs, sorted by key, and in how many texts each occurs."""
        often = np.flatnonzero(self._seen >= least)
        order = np.lexsort((self._keys[often], -self._seen[often]))[:most]
        kept = np.sort(often[order])
        return self._keys[kept], self._seen[kept]


def inverse_frequency(seen: NDArray[np.generic], texts: int) -> Floats:
    """Smoothed inverse document frequency."""
    return (np.log((1 + texts) / (1 + seen.astype(np.float64))) + 1).astype(np.float32)


def _counts(rows: Integers, columns: Integers, shape: tuple[int, int]) -> sparse.csr_matrix:
    ones = np.ones(len(rows), dtype=np.float32)
    starts = np.searchsorted(rows, np.arange(shape[0] + 1)).astype(np.int32)
    matrix = sparse.csr_matrix((ones, columns.astype(np.int32), starts), shape=shape)
    matrix.sum_duplicates()
    return matrix
