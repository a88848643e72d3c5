"""A decision that any scikit-learn classifier makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from app.core.models.blocks import BLOCK
from app.core.models.safe_estimators import load_estimator
from app.core.types import FeatureMatrix, Floats, row_slice

_LEAST = 1e-6
Table = sparse.csr_matrix | NDArray[np.float64]


@dataclass(frozen=True)
class Estimator:
    """A fitted estimator over the words that occur in training, and latent space."""

    kind: ClassVar[str] = "scikit-learn"
    stored: bytes
    columns: NDArray[np.int64] | None
    """None: the estimator takes no sparse input, it sees the latent space only."""

    @cached_property
    def _estimator(self) -> Any:
        return load_estimator(self.stored)

    @property
    def classes(self) -> int:
        return len(self._estimator.classes_)

    def block(self, features: FeatureMatrix, begin: int, end: int) -> Floats:
        """Scores (class, BLOCK): logarithms of its probabilities, or its decision function."""
        table = self._table(features, begin, end)
        if hasattr(self._estimator, "predict_proba"):
            found = np.log(np.maximum(self._estimator.predict_proba(table), _LEAST))
        else:
            found = self._estimator.decision_function(table)
            found = np.stack([-found, found], axis=1) if found.ndim == 1 else found
        return np.ascontiguousarray(found.T, dtype=np.float32)

    def _table(self, features: FeatureMatrix, begin: int, end: int) -> Table:
        """Rows of one block, filled up to its size."""
        dense = np.zeros((BLOCK, features.dense.shape[1]))
        dense[: end - begin] = features.dense[begin:end]
        if self.columns is None:
            return dense
        words = row_slice(features.words, begin, end)[:, self.columns]
        starts = np.pad(words.indptr, (0, BLOCK - (end - begin)), mode="edge")
        shape = (BLOCK, len(self.columns))
        words = sparse.csr_matrix((words.data, words.indices, starts), shape=shape)
        both = sparse.hstack([words, sparse.csr_matrix(dense)], format="csr", dtype=np.float64)
        return sparse.csr_matrix(both)

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        arrays: dict[str, NDArray[Any]] = {"estimator": np.frombuffer(self.stored, np.uint8)}
        if self.columns is not None:
            arrays["columns"] = self.columns
        return {}, arrays

    @classmethod
    def from_parts(
        cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> "Estimator":
        """The inverse of parts; looks at once whether it may be loaded."""
        load_estimator(arrays["estimator"].tobytes())
        return cls(arrays["estimator"].tobytes(), arrays.get("columns"))
