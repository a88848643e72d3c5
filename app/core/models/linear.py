"""A linear classifier over words and the latent space, whichever way its weights were found."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from app.core.models.blocks import dense_scores
from app.core.types import FeatureMatrix, Floats, csr_of, row_parts


@dataclass(frozen=True)
class Linear:
    """Words and latent space times weights."""

    kind: ClassVar[str] = "linear"
    columns: NDArray[np.int64]
    """The words that occur in training rows; all others weigh nothing."""
    words: Floats
    """(column, class)"""
    dense: Floats
    """(class, dimension)"""
    offsets: Floats
    width: int
    """Columns of the word matrix."""

    @property
    def classes(self) -> int:
        return len(self.offsets)

    @cached_property
    def _weights(self) -> Floats:
        """Of the words that occur in training, and a last row of zeros for all others: small
        enough for the processor's cache, which a row for every word is not."""
        return np.pad(self.words, ((0, 1), (0, 0)))

    @cached_property
    def _place(self) -> NDArray[np.int32]:
        """Of each word in these weights."""
        place = np.full(self.width, len(self.columns), dtype=np.int32)
        place[self.columns] = np.arange(len(self.columns), dtype=np.int32)
        return place

    def hearing(self, words: Floats, share: float) -> "Linear":
        """This with so much of what single words say, a row each, added to their weights.

        Only words that have a weight here take part: others are too rare to be worth a place in
        the processor's cache. What all classes share tells nothing and is left out.
        """
        single = self.columns[self.columns < len(words)]
        heard = words[single] - words[single].mean(axis=1, keepdims=True)
        weights = self.words.copy()
        weights[: len(single)] += np.float32(share) * heard
        return replace(self, words=weights)

    def block(self, features: FeatureMatrix, begin: int, end: int) -> Floats:
        """Scores (class, BLOCK) of one block of rows."""
        scores = dense_scores(features.dense[begin:end], self.dense)
        values, columns, starts = row_parts(features.words, begin, end)
        narrow = csr_of(values, self._place[columns], starts, len(self._weights))
        scores[:, : end - begin] += (narrow @ self._weights).T
        scores += self.offsets[:, None]
        return scores

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        arrays: dict[str, NDArray[Any]] = {
            "columns": self.columns,
            "words": self.words,
            "dense": self.dense,
            "offsets": self.offsets,
        }
        return {"width": self.width}, arrays

    @classmethod
    def from_parts(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> "Linear":
        """The inverse of parts."""
        return cls(
            arrays["columns"], arrays["words"], arrays["dense"], arrays["offsets"], header["width"]
        )


def constant(features: FeatureMatrix) -> Linear:
    """For a single seen class: nothing to decide."""
    return Linear(
        np.zeros(0, np.int64),
        np.zeros((0, 1), np.float32),
        np.zeros((1, features.dense.shape[1]), np.float32),
        np.zeros(1, np.float32),
        features.words.shape[1],
    )


def joined(
    features: FeatureMatrix, say: float = 1.0
) -> tuple[sparse.csr_matrix, NDArray[np.int64]]:
    """Words that occur and `say` times the latent space side by side, and which columns the words
    are."""
    words, columns = only_met(features.words)
    dense = sparse.csr_matrix(features.dense * np.float32(say))
    return sparse.hstack([words, dense], format="csr", dtype=np.float64), columns


def only_met(words: sparse.csr_matrix) -> tuple[sparse.csr_matrix, NDArray[np.int64]]:
    """The columns in which anything stands, and which these are: a few thousand labels meet few of
    the words there are."""
    occurs = np.zeros(words.shape[1], dtype=bool)
    occurs[words.indices] = True
    columns = np.flatnonzero(occurs).astype(np.int64)
    place = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
    narrow = (words.data, place[words.indices], words.indptr)
    return sparse.csr_matrix(narrow, (words.shape[0], len(columns))), columns


def from_coefficients(
    coefficients: NDArray[np.float64],
    offsets: NDArray[np.float64],
    columns: NDArray[np.int64],
    width: int,
    say: float,
) -> Linear:
    """Split what a solver found for `joined` features; two classes come as one row of scores."""
    if len(coefficients) == 1:
        coefficients = np.vstack([-coefficients, coefficients])
        offsets = np.concatenate([-offsets, offsets])
    words, dense = coefficients[:, : len(columns)], coefficients[:, len(columns) :]
    return Linear(
        columns,
        np.ascontiguousarray(words.T, dtype=np.float32),
        np.ascontiguousarray(dense * say, dtype=np.float32),
        offsets.astype(np.float32),
        width,
    )
