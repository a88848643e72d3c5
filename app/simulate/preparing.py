"""What all runs of a repeat share: who is in the pool, the features, the seed items."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from app.core.errors import WrongInput
from app.core.features import DEFAULT_RECIPE, Featuriser, fit_featuriser, with_embeddings
from app.core.strategies import cold_start
from app.core.types import FeatureMatrix, Rows, SelectionRequest
from app.ports.encoder import Encoder
from app.rounds.encoders import NONE_OFFERED, Encoders, encoder_of
from app.rounds.identity import derived_seed
from app.simulate.datasets import Division, LabelledData, load
from app.simulate.experiment import Experiment
from app.simulate.llm import llm_seeds
from app.simulate.named import named

TEST_FRACTION = 0.3
AT_A_TIME = 2_000


@dataclass(frozen=True, slots=True)
class Arena:
    """One repeat's stage. Rows are rows of the data and of `features` alike."""

    data: LabelledData
    division: Division
    features: FeatureMatrix
    seeds: Rows
    seed: int

    def candidates(self, asked: Rows) -> Rows:
        """The pool without what an oracle has been asked about."""
        return np.setdiff1d(self.division.pool, asked)


def prepare(
    experiment: Experiment, data_name: str, repeat: int, encoders: Encoders = NONE_OFFERED
) -> Arena:
    """The same for every contestant; a function of the experiment and the repeat's number."""
    data = load(data_name)
    seed = derived_seed(experiment.random_state, "repeat", repeat)
    division = divide(data, experiment.test_fraction, derived_seed(seed, "split"))
    own = data.division is division
    features_seed = derived_seed(experiment.random_state if own else seed, "features")
    encoder = encoder_of(encoders, experiment.embeddings)
    features = _features(data, division.pool, features_seed, encoder)
    seeds = _seed_items(experiment, data, division.pool, features, seed)
    return Arena(data, division, features, seeds, seed)


def divide(data: LabelledData, fraction: float | None, seed: int) -> Division:
    """The data's own division, unless a fraction is asked for or it has none."""
    if fraction is None and data.division is not None:
        return data.division
    test = _stratified(data.y, TEST_FRACTION if fraction is None else fraction, seed)
    if not test.any() or test.all():
        raise WrongInput(f"{len(data)} items are too few for a pool and a test set.")
    return Division(np.flatnonzero(~test), np.flatnonzero(test))


def _stratified(y: NDArray[np.int64], fraction: float, seed: int) -> NDArray[np.bool_]:
    """That share of each class at random; at least one item of a class stays in the pool."""
    chance = np.random.default_rng(seed)
    test = np.zeros(len(y), bool)
    for one in np.unique(y):
        own = chance.permutation(np.flatnonzero(y == one))
        test[own[: min(int(fraction * len(own) + 0.5), len(own) - 1)]] = True
    return test


_KEPT: dict[tuple[object, ...], FeatureMatrix] = {}
"""The last features made in this process: the next run often needs the same."""


def _features(data: LabelledData, pool: Rows, seed: int, encoder: Encoder | None) -> FeatureMatrix:
    """Fitted on the texts of the pool only: what is tested on must not have been seen at all."""
    if data.vectors is not None:
        nothing = sparse.csr_matrix(np.zeros((len(data), 0), np.float32))
        return FeatureMatrix(nothing, nothing, data.vectors)
    key = (data.fingerprint, pool.tobytes(), seed, encoder.name if encoder else None)
    if key not in _KEPT:
        texts = data.texts or ()
        of_pool = [texts[row] for row in pool]
        featuriser = fit_featuriser(lambda: _cut(of_pool), DEFAULT_RECIPE, seed=seed)
        made = FeatureMatrix.stacked([_made(featuriser, encoder, part) for part in _cut(texts)])
        _KEPT.clear()
        _KEPT[key] = made
    return _KEPT[key]


def _made(featuriser: Featuriser, encoder: Encoder | None, texts: Sequence[str]) -> FeatureMatrix:
    features = featuriser.transform(texts)
    return with_embeddings(features, encoder.encode(texts, lambda: None)) if encoder else features


def _cut(texts: Sequence[str]) -> list[Sequence[str]]:
    return [texts[at : at + AT_A_TIME] for at in range(0, len(texts), AT_A_TIME)]


def _seed_items(
    experiment: Experiment, data: LabelledData, pool: Rows, features: FeatureMatrix, seed: int
) -> Rows:
    size = min(experiment.seed_size, len(pool))
    chance = np.random.default_rng(derived_seed(seed, "seeds"))
    way = named(experiment.cold_start)
    if way.name == "random":
        return chance.permutation(pool)[:size]
    if way.name == "balanced":
        return _balanced(data.y, chance.permutation(pool), size)

    def clusters(rows: Rows, count: int) -> Rows:
        return _by_clusters(data, rows, features, count, way.name, seed)

    if way.name == "llm":
        return llm_seeds(way, data, pool, size, derived_seed(seed, "seeds"), clusters)
    return clusters(pool, size)


def _by_clusters(
    data: LabelledData, rows: Rows, features: FeatureMatrix, size: int, way: str, seed: int
) -> Rows:
    if not size:
        return np.empty(0, np.int64)
    request = SelectionRequest(
        features=features,
        candidates=rows,
        occupied=np.empty(0, np.int64),
        batch_size=size,
        seed=derived_seed(seed, "seeds"),
        classes=data.classes,
        options={} if way == "llm" else {"cold_start": way},
    )
    return np.array([pick.row for pick in cold_start(request).picks], np.int64)


def _balanced(y: NDArray[np.int64], shuffled: Rows, size: int) -> Rows:
    """One of each class in turn, as long as there are any."""
    order = np.argsort(y[shuffled], kind="stable")
    labels = y[shuffled][order]
    turn = np.arange(len(order)) - np.searchsorted(labels, labels)
    chosen = order[np.argsort(turn, kind="stable")][:size]
    return shuffled[chosen]
