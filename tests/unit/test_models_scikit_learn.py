"""Classifiers of scikit-learn by import path: whatever it is, the promises are the same."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from skops import io as skops

from app.core.errors import ArtefactDamaged, WrongInput
from app.core.features import DEFAULT_RECIPE, fit_featuriser
from app.core.models import load_classifier
from app.core.models.packing import pack, unpack
from app.core.models.registry import offer_scikit_learn
from app.core.models.safe_estimators import load_estimator
from app.core.models.scikit_learn import scikit_learn
from app.core.types import TrainingSet

WORDS = {"red": "rose wine brick blood", "blue": "sea sky ink jeans", "green": "leaf frog moss"}
CLASSES = tuple(WORDS)
RNG = np.random.default_rng(0)
Y = np.arange(150) % 3
TEXTS = [" ".join(RNG.choice(WORDS[CLASSES[k]].split(), 3)) for k in Y]
FEATURES = fit_featuriser(lambda: [TEXTS], DEFAULT_RECIPE, seed=0).transform(TEXTS)
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 5}),
    ("sklearn.naive_bayes.GaussianNB", {}),
    ("sklearn.linear_model.RidgeClassifier", {}),
    ("sklearn.linear_model.SGDClassifier", {"loss": "hinge"}),
    ("sklearn.neighbors.KNeighborsClassifier", {"n_neighbors": 3}),
    ("sklearn.ensemble.HistGradientBoostingClassifier", {"max_iter": 5, "min_samples_leaf": 3}),
]


def fitted(path: str, parameters: Mapping[str, Any], rows: np.ndarray) -> Any:
    training = TrainingSet(FEATURES.take(rows), Y[rows], CLASSES)
    return scikit_learn("mine", path, parameters)(training, unlabelled=None, seed=3, options={})


@pytest.mark.parametrize(("path", "parameters"), KINDS)
def test_learns_is_stored_and_scores_in_slices(path: str, parameters: dict[str, Any]) -> None:
    classifier = fitted(path, parameters, np.arange(45))
    probabilities = classifier.predict_proba(FEATURES)
    assert (probabilities.argmax(axis=1) == Y).mean() > 0.9
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(
        probabilities[70:77], classifier.predict_proba(FEATURES.take(np.arange(70, 77)))
    )
    data = classifier.to_bytes()
    assert data == fitted(path, parameters, np.arange(45)).to_bytes()
    assert np.array_equal(load_classifier(data).predict_proba(FEATURES), probabilities)


@pytest.mark.parametrize(("path", "parameters"), KINDS)
def test_two_classes(path: str, parameters: dict[str, Any]) -> None:
    rows = np.flatnonzero(Y < 2)[:40]
    probabilities = fitted(path, parameters, rows).predict_proba(FEATURES)
    seen = Y < 2
    assert (probabilities.argmax(axis=1) == Y)[seen].mean() > 0.9
    assert probabilities[:, 2].max() < 0.1


def test_the_name_follows_path_and_parameters() -> None:
    forest = "sklearn.ensemble.RandomForestClassifier"
    one, two = (scikit_learn("forest", forest, {"n_estimators": n}).name for n in (10, 20))
    assert one.startswith("forest.")
    assert one != two


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("os.system", {}),
        ("sklearnish.Thing", {}),
        ("sklearn.ensemble.NoSuchThing", {}),
        ("sklearn.ensemble.RandomForestClassifier", {"trees": 3}),
        ("sklearn.cluster.KMeans", {}),
        ("RandomForestClassifier", {}),
    ],
)
def test_what_is_no_classifier_is_refused(path: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(WrongInput):
        scikit_learn("mine", path, parameters)


def test_our_own_names_cannot_be_taken() -> None:
    with pytest.raises(WrongInput, match="taken"):
        offer_scikit_learn("default", "sklearn.naive_bayes.GaussianNB", {})


class Foreign:
    """Something that a stored classifier has no business to hold."""


def test_foreign_types_are_not_loaded() -> None:
    with pytest.raises(ArtefactDamaged, match="foreign"):
        load_estimator(skops.dumps(Foreign()))
    with pytest.raises(ArtefactDamaged):
        load_estimator(io.BytesIO(b"nothing").getvalue())


def test_a_classifier_file_with_a_foreign_estimator_is_refused_before_use() -> None:
    good = fitted("sklearn.naive_bayes.GaussianNB", {}, np.arange(45)).to_bytes()
    header, arrays = unpack(good)
    arrays["estimator"] = np.frombuffer(skops.dumps(Foreign()), np.uint8)
    with pytest.raises(ArtefactDamaged):
        load_classifier(pack(header, arrays))
