"""Fit on a project's texts, then turn any text into features."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from app.core.errors import ArtefactDamaged
from app.core.features.chunks import chunk_counts, hashed_grams, weighted_product
from app.core.features.latent import Product, right_singular_vectors
from app.core.features.recipe import FeatureRecipe
from app.core.features.tokens import normalise
from app.core.features.vocabulary import (
    Batches,
    Integers,
    PairCounter,
    Vocabulary,
    fit_words,
    inverse_frequency,
    least_texts,
)
from app.core.types import FeatureMatrix, Floats

__all__ = ["Batches", "Featuriser", "fit_featuriser"]


@dataclass(frozen=True, slots=True)
class Featuriser:
    """Everything that is needed to turn a text into features, and nothing else.

    A text's features depend on that text alone, bit for bit: how texts are cut into batches or
    shards makes no difference.
    """

    recipe: FeatureRecipe
    vocabulary: Vocabulary
    word_space: Floats
    """A row a word or pair."""
    buckets: Integers
    """The hashed n-grams that count, sorted."""
    chunk_space: Floats
    """A row each of these."""

    def transform(self, texts: Sequence[str]) -> FeatureMatrix:
        """Features of these texts, row by row."""
        clean = [normalise(text) for text in texts]
        counts, pairs = self.vocabulary.count(clean)
        words = self.vocabulary.weigh(counts, pairs)
        dense = np.hstack([unit_rows(words @ self.word_space), unit_rows(self._chunk_part(clean))])
        return FeatureMatrix(words, counts, unit_rows(dense))

    def _chunk_part(self, texts: Sequence[str]) -> Floats:
        counts, chunks = chunk_counts(texts)
        if not chunks or not len(self.buckets):
            return np.zeros((len(texts), self.recipe.chunk_dimensions), dtype=np.float32)
        grams = hashed_grams(chunks, self.recipe)[:, self.buckets].astype(np.float32)
        part: Floats = counts @ (grams @ self.chunk_space)
        return part

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays, to be kept in a file without pickling."""
        words = [word.encode("utf-8", "surrogatepass") for word in self.vocabulary.words]
        ends = np.cumsum([0, *map(len, words)], dtype=np.int64)
        return {
            "recipe": _bytes(json.dumps(asdict(self.recipe), sort_keys=True).encode()),
            "words": _bytes(b"".join(words)),
            "word_ends": ends,
            "pairs": self.vocabulary.pairs,
            "idf": self.vocabulary.idf,
            "word_space": self.word_space,
            "buckets": self.buckets,
            "chunk_space": self.chunk_space,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Featuriser":
        """The inverse of to_arrays."""
        try:
            figures = json.loads(arrays["recipe"].tobytes())
            recipe = FeatureRecipe(**{**figures, "gram_sizes": tuple(figures["gram_sizes"])})
            vocabulary = Vocabulary(_strings(arrays), arrays["pairs"], arrays["idf"])
            return cls(
                recipe, vocabulary, arrays["word_space"], arrays["buckets"], arrays["chunk_space"]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ArtefactDamaged(f"These are not the arrays of a featuriser: {error}") from error


def fit_featuriser(batches: Batches, recipe: FeatureRecipe, *, seed: int) -> Featuriser:
    """Two passes over the texts, in bounded memory, however many there are.

    The vocabulary comes from all texts, the latent space from a sample drawn with `seed`.
    """
    names, seen, texts = fit_words(batches, recipe)
    pairs, sample = PairCounter(names), _Sample(texts, recipe.sample, seed)
    for batch in batches():
        clean = [normalise(text) for text in batch]
        pairs.add(clean)
        sample.add(clean)
    keys, pairs_seen = pairs.best(recipe.max_pairs, least_texts(recipe, texts))
    idf = inverse_frequency(np.concatenate([seen, pairs_seen]), texts)
    vocabulary = Vocabulary(tuple(names), keys, idf)
    word_space = _fit_words_space(vocabulary, sample.texts, recipe, seed)
    buckets, chunk_space = _fit_chunk_space(sample.texts, recipe, seed)
    return Featuriser(recipe, vocabulary, word_space, buckets, chunk_space)


class _Sample:
    """Texts at positions drawn beforehand, picked up as the texts stream past."""

    def __init__(self, population: int, size: int, seed: int) -> None:
        drawn = np.random.default_rng(seed).permutation(population)[:size]
        self._wanted = np.sort(drawn)
        self._passed = 0
        self.texts: list[str] = []

    def add(self, batch: Sequence[str]) -> None:
        begin, end = np.searchsorted(self._wanted, [self._passed, self._passed + len(batch)])
        self.texts += [batch[i - self._passed] for i in self._wanted[begin:end]]
        self._passed += len(batch)


def _fit_words_space(
    vocabulary: Vocabulary, texts: Sequence[str], recipe: FeatureRecipe, seed: int
) -> Floats:
    weights = vocabulary.weigh(*vocabulary.count(texts)).astype(np.float64)
    return right_singular_vectors(Product([weights]), recipe.word_dimensions, seed=seed)


def _fit_chunk_space(
    texts: Sequence[str], recipe: FeatureRecipe, seed: int
) -> tuple[Integers, Floats]:
    counts, chunks = chunk_counts(texts)
    if not chunks:
        return np.zeros(0, np.int64), np.zeros((0, recipe.chunk_dimensions), np.float32)
    grams = hashed_grams(chunks, recipe)
    product, idf = weighted_product(counts, grams, least_texts(recipe, len(texts)))
    used = np.flatnonzero(idf).astype(np.int64)
    counts_part, grams_part = product.factors
    narrow = Product([counts_part, sparse.csr_matrix(grams_part[:, used])])
    space = right_singular_vectors(narrow, recipe.chunk_dimensions, seed=seed)
    return used, space * idf[used, None]


def unit_rows(rows: NDArray[np.float32]) -> Floats:
    """Rows of length one; rows of zeros stay."""
    lengths = np.sqrt(np.square(rows, dtype=np.float64).sum(axis=1, keepdims=True))
    unit: Floats = (rows / np.where(lengths > 1e-12, lengths, 1)).astype(np.float32)
    return unit


def _bytes(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, dtype=np.uint8)


def _strings(arrays: Mapping[str, NDArray[Any]]) -> tuple[str, ...]:
    data, ends = arrays["words"].tobytes(), arrays["word_ends"].tolist()
    return tuple(data[begin:end].decode("utf-8", "surrogatepass") for begin, end in pairwise(ends))
