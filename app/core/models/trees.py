"""LightGBM with settings for few labels; below about 1,000, text is still not its field."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from app.core.models.blocks import BLOCK
from app.core.models.labels import Labels
from app.core.types import FeatureMatrix, Floats, row_slice

if TYPE_CHECKING:
    import lightgbm

_SETTINGS = {
    "objective": "multiclass",
    "num_leaves": 7,
    "min_data_in_leaf": 2,
    "min_sum_hessian_in_leaf": 0.1,  # less, and scores run away where classes have few labels
    "feature_fraction": 0.3,
    "learning_rate": 0.1,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}
_TREES = 60


@dataclass(frozen=True)
class Trees:
    """Boosted trees over the words that occur at least twice in training, and latent space."""

    kind: ClassVar[str] = "trees"
    text: str
    """LightGBM's own text form."""
    columns: NDArray[np.int64]

    @property
    def classes(self) -> int:
        return int(self._booster.num_model_per_iteration())

    @cached_property
    def _booster(self) -> "lightgbm.Booster":
        import lightgbm  # slow to load, and asks for a system library that may be missing

        return lightgbm.Booster(model_str=self.text)

    def block(self, features: FeatureMatrix, begin: int, end: int) -> Floats:
        """Scores (class, BLOCK) of one block of rows."""
        words = row_slice(features.words, begin, end)
        found = self._booster.predict(
            _table(words, features.dense[begin:end], self.columns), raw_score=True, num_threads=1
        )
        scores = np.zeros((self.classes, BLOCK), dtype=np.float32)
        scores[:, : end - begin] = np.asarray(found).T
        return scores

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {"trees": self.text}, {"columns": self.columns}

    @classmethod
    def from_parts(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> "Trees":
        """The inverse of parts."""
        return cls(header["trees"], arrays["columns"])


def boosted_trees(labels: Labels, seed: int) -> Trees:
    """Many shallow trees, each split allowed on two labels."""
    import lightgbm

    features = labels.features
    columns = _frequent(features.words)
    table = _table(features.words, features.dense, columns)
    settings = {**_SETTINGS, "num_class": labels.classes, "seed": seed % 2**31}
    data = lightgbm.Dataset(table, labels.y, weight=labels.weights, params=settings)
    booster = lightgbm.train(settings, data, num_boost_round=_TREES)
    return Trees(booster.model_to_string(), columns)


def _frequent(words: sparse.csr_matrix) -> NDArray[np.int64]:
    seen = np.bincount(words.indices, minlength=words.shape[1])
    return np.flatnonzero(seen >= 2).astype(np.int64)


def _table(
    words: sparse.csr_matrix, dense: Floats, columns: NDArray[np.int64]
) -> sparse.csr_matrix:
    parts = [words[:, columns], sparse.csr_matrix(dense)]
    return sparse.csr_matrix(sparse.hstack(parts, format="csr", dtype=np.float64))
