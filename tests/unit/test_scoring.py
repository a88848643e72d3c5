"""Scoring the pool: the same figures however the wanted rows lie."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from app.adapters.files import LocalFiles
from app.core import uncertainty
from app.core.models import TrainedClassifier, train
from app.core.types import FeatureMatrix, Rows, TrainingSet
from app.rounds import scoring
from tests.unit.selection_factory import random_words, vectors

ITEMS = 9_000


@pytest.fixture(scope="module")
def features() -> FeatureMatrix:
    words = random_words(ITEMS, 60, seed=1)
    return FeatureMatrix(words, words[:, :40].tocsr(), vectors(ITEMS, 12, seed=1))


@pytest.fixture(scope="module")
def fitted(features: FeatureMatrix) -> TrainedClassifier:
    rows = np.arange(0, ITEMS, 150)
    training = TrainingSet(features.take(rows), rows // 150 % 3, ("a", "b", "c"))
    return train("svc", training, unlabelled=None, seed=0, options={})


def chance() -> np.random.Generator:
    return np.random.default_rng(2)


@pytest.mark.parametrize(
    "rows",
    [
        np.arange(ITEMS),
        np.setdiff1d(np.arange(ITEMS), np.arange(0, ITEMS, 90)),
        np.arange(0, ITEMS, 7),
        chance().permutation(ITEMS),
        np.array([5, 5, 8_999]),
        np.zeros(0, np.int64),
    ],
    ids=["all", "nearly all", "some", "in any order", "repeated", "none"],
)
def test_rows_are_scored_alike_where_they_lie_and_gathered(
    features: FeatureMatrix,
    fitted: TrainedClassifier,
    monkeypatch: pytest.MonkeyPatch,
    rows: Rows,
) -> None:
    monkeypatch.setattr(scoring, "BLOCK", 4_000)
    looks: list[None] = []
    found = scoring.predict(fitted, features, rows, lambda: looks.append(None))
    gathered = fitted.predict_proba(features.take(rows))
    assert found.tobytes() == gathered.tobytes()
    assert found.shape == (len(rows), 3)
    assert found.T.flags.c_contiguous
    assert len(looks) == -(-len(rows) // 4_000)


@dataclass
class InMemory:
    """Features as a store gives them, as far as scoring asks."""

    matrix: FeatureMatrix
    version: str = "1"
    released: int = 0

    @property
    def item_ids(self) -> Rows:
        return np.arange(len(self.matrix))

    def rows_of(self, item_ids: Rows) -> Rows:
        return item_ids

    def take(self, rows: Rows) -> FeatureMatrix:
        return self.matrix.take(rows)

    def release(self) -> None:
        self.released += 1


@pytest.mark.parametrize("block", [700, 4_000, 20_000])
def test_what_lies_on_disk_is_the_same_however_it_was_cut(
    features: FeatureMatrix,
    fitted: TrainedClassifier,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    block: int,
) -> None:
    monkeypatch.setattr(scoring, "BLOCK", block)
    rows = np.setdiff1d(np.arange(ITEMS), np.arange(0, ITEMS, 90))
    stored = InMemory(features)
    table = scoring.score_rows(LocalFiles(tmp_path), fitted, stored, rows, lambda: None)
    scores, wanted = scoring.Scores(rows, table), fitted.predict_proba(features.take(rows))
    assert scores.probabilities.tobytes() == wanted.tobytes()
    torn = uncertainty.margin(wanted)
    assert scores.margins().tobytes() == torn.tobytes()
    assert scores.predicted(3) == np.bincount(wanted.argmax(axis=1), minlength=3).tolist()
    assert stored.released == -(-len(rows) // block)


def test_rows_between_are_those_rows(features: FeatureMatrix) -> None:
    some = features.between(100, 230)
    taken = features.take(np.arange(100, 230))
    assert np.shares_memory(some.dense, features.dense)
    assert np.array_equal(some.dense, taken.dense)
    assert (some.words != taken.words).nnz == (some.counts != taken.counts).nnz == 0
