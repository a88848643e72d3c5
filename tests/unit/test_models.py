"""Classifiers: right on easy texts, sane on odd training sets, the same bits in any slice."""

import json
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import ArtefactDamaged, WrongInput
from app.core.features import DEFAULT_RECIPE, fit_featuriser
from app.core.models import CLASSIFIERS, load_classifier, resolve_classifier, train
from app.core.models.base import TrainedClassifier
from app.core.models.unseen import unseen_mass
from app.core.types import FeatureMatrix, TrainingSet

TOPICS = {
    "refund": ["money", "back", "refund", "return", "reimburse", "amount"],
    "login": ["password", "login", "account", "locked", "reset", "user"],
    "delivery": ["parcel", "late", "courier", "delivery", "tracking", "shipped"],
}
CLASSES = tuple(TOPICS)
NAMES = sorted(CLASSIFIERS)


def texts_of(count: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Short texts: four words of their topic, two of any."""
    rng = np.random.default_rng(seed)
    everything = [word for words in TOPICS.values() for word in words]
    y = np.arange(count) % len(CLASSES)
    texts = [
        " ".join([*rng.choice(TOPICS[CLASSES[topic]], 4), *rng.choice(everything, 2)])
        for topic in y
    ]
    return texts, y


POOL, POOL_Y = texts_of(300, seed=1)
FEATURISER = fit_featuriser(lambda: [POOL], DEFAULT_RECIPE, seed=0)
FEATURES = FEATURISER.transform(POOL)


def training(rows: list[int] | np.ndarray, **changes: object) -> TrainingSet:
    rows = np.asarray(rows, dtype=np.int64)
    return TrainingSet(FEATURES.take(rows), POOL_Y[rows], CLASSES, **changes)  # type: ignore[arg-type]


def fitted(name: str, data: TrainingSet, seed: int = 0) -> TrainedClassifier:
    return train(name, data, unlabelled=FEATURES, seed=seed, options={})


def sound(probabilities: np.ndarray, rows: int, classes: int) -> bool:
    return (
        probabilities.shape == (rows, classes)
        and probabilities.dtype == np.float32
        and bool(np.isfinite(probabilities).all())
        and bool((probabilities >= 0).all())
        and np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    )


@pytest.mark.parametrize("name", NAMES)
def test_learns_what_is_easy(name: str) -> None:
    classifier = fitted(name, training(np.arange(60)))
    probabilities = classifier.predict_proba(FEATURES)
    assert sound(probabilities, len(POOL), 3)
    assert (probabilities.argmax(axis=1) == POOL_Y)[60:].mean() > 0.9
    assert classifier.name == name
    assert classifier.classes == CLASSES


@pytest.mark.parametrize("name", NAMES)
def test_same_inputs_same_bytes(name: str) -> None:
    one, two = (fitted(name, training(np.arange(30)), seed=5) for _ in range(2))
    assert one.to_bytes() == two.to_bytes()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [[0], [0, 3, 6], np.arange(30)])
def test_survives_a_round_trip(name: str, rows: list[int]) -> None:
    classifier = fitted(name, training(rows))
    again = load_classifier(classifier.to_bytes())
    assert np.array_equal(classifier.predict_proba(FEATURES), again.predict_proba(FEATURES))
    assert again.report == json.loads(json.dumps(classifier.report))
    assert again.classes == CLASSES
    assert again.to_bytes() == classifier.to_bytes()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(begin=st.integers(0, 299), length=st.integers(0, 299))
def test_any_slice_has_the_same_bits(name: str, begin: int, length: int) -> None:
    classifier = fitted_once(name)
    rows = np.arange(begin, min(begin + length, 300))
    whole = classifier.predict_proba(FEATURES)
    assert np.array_equal(whole[rows], classifier.predict_proba(FEATURES.take(rows)))


@cache
def fitted_once(name: str) -> TrainedClassifier:
    return fitted(name, training(np.arange(30)))


def test_blocks_do_not_show() -> None:
    """More rows than a block holds."""
    rows = np.arange(9000) % 300
    classifier = fitted("svc.v2", training(np.arange(30)))
    many = classifier.predict_proba(FEATURES.take(rows))
    assert np.array_equal(many, classifier.predict_proba(FEATURES)[rows])


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(st.integers(0, 299), min_size=1, max_size=12),
    classes=st.integers(3, 8),
    weighted=st.booleans(),
)
def test_any_training_set_can_be_fitted(
    name: str, rows: list[int], classes: int, weighted: bool
) -> None:
    """One label, one class, the same row twice with its label, classes without labels, weights."""
    taken = np.array(rows)
    weights = (0.1 + taken % 3).astype(np.float32) if weighted else None
    labels = tuple(f"label {i}" for i in range(classes))
    data = TrainingSet(FEATURES.take(taken), POOL_Y[taken], labels, weights)
    classifier = fitted(name, data)
    assert sound(classifier.predict_proba(FEATURES), 300, classes)
    json.dumps(dict(classifier.report), allow_nan=False)


@pytest.mark.parametrize("name", NAMES)
def test_classes_without_a_label_get_a_small_probability(name: str) -> None:
    few = fitted(name, training([0, 3, 6, 9])).predict_proba(FEATURES)
    assert np.allclose(few[:, 1:], 1 / 7)
    two = fitted(name, training([i for i in range(60) if i % 3 < 2])).predict_proba(FEATURES)
    assert np.allclose(two[:, 2], 1 / 43)


def test_classes_without_a_label_are_likelier_while_others_were_met_once() -> None:
    assert unseen_mass(np.array([14, 14]), 2) == 0
    assert unseen_mass(np.array([10]), 2) == pytest.approx(1 / 12)
    assert unseen_mass(np.array([9, 9]), 3) == pytest.approx(1 / 21)
    assert unseen_mass(np.array([3] * 8 + [1] * 4), 14) == pytest.approx(2 / 15)
    assert unseen_mass(np.array([1, 1]), 3) == pytest.approx(1 / 4)
    assert unseen_mass(np.array([1]), 1000) == pytest.approx(999 / 1001)


def test_a_class_that_comes_later_is_learnt() -> None:
    before = fitted("svc.v2", training([i for i in range(60) if i % 3 < 2]))
    after = fitted("svc.v2", training(np.arange(60)))
    new = np.flatnonzero(POOL_Y == 2)[30:]
    assert before.predict_proba(FEATURES.take(new))[:, 2].max() < 0.05
    assert after.predict_proba(FEATURES.take(new))[:, 2].mean() > 0.5


def test_labels_that_weigh_nothing_are_left_out() -> None:
    y = POOL_Y[:60].copy()
    y[30:] = (y[30:] + 1) % 3
    weights = np.repeat([1.0, 0.0], 30).astype(np.float32)
    data = TrainingSet(FEATURES.take(np.arange(60)), y, CLASSES, weights)
    same = fitted("svc.v2", training(np.arange(30)))
    assert np.allclose(
        fitted("svc.v2", data).predict_proba(FEATURES), same.predict_proba(FEATURES), atol=1e-5
    )
    with pytest.raises(WrongInput, match="weight 0"):
        fitted("svc.v2", training([1, 2], weights=np.zeros(2, np.float32)))


def test_wrong_labels_lower_the_confidence() -> None:
    rows = np.arange(120)
    y = POOL_Y[rows].copy()
    y[::3] = np.random.default_rng(0).integers(0, 3, 40)
    noisy = TrainingSet(FEATURES.take(rows), y, CLASSES)
    clean = fitted("svc.v2", training(rows)).predict_proba(FEATURES)
    assert (
        fitted("svc.v2", noisy).predict_proba(FEATURES).max(axis=1).mean()
        < clean.max(axis=1).mean()
    )


def test_texts_without_a_known_word_are_scored() -> None:
    odd = FEATURISER.transform(["", "zzzz", "我的卡"])
    for name in NAMES:
        assert sound(fitted(name, training(np.arange(30))).predict_proba(odd), 3, 3)


def test_report_says_on_what_evidence() -> None:
    report = fitted("svc.v2", training(np.arange(60))).report
    assert report["labels"] == 60
    assert report["class_counts"] == dict.fromkeys(CLASSES, 20)
    assert report["out_of_fold"]["labels"] == 60
    assert report["out_of_fold"]["accuracy"] > 0.8
    assert 0 <= report["out_of_fold"]["ece"] < 0.3


def test_nothing_to_train_on() -> None:
    with pytest.raises(WrongInput, match="no label"):
        fitted("svc.v2", training([]))


def test_names() -> None:
    assert resolve_classifier("default") in CLASSIFIERS
    assert resolve_classifier("lightgbm") == "lightgbm.v1"
    assert resolve_classifier("svc.v2") == "svc.v2"
    with pytest.raises(WrongInput, match=r"svc\.v1") as caught:
        resolve_classifier("svm")
    assert caught.value.field == "classifier"


@pytest.mark.parametrize("data", [b"", b"garbage", b"PK\x03\x04 not really"])
def test_what_is_not_a_classifier_is_refused(data: bytes) -> None:
    with pytest.raises(ArtefactDamaged):
        load_classifier(data)


def test_a_damaged_file_is_refused() -> None:
    data = fitted("svc.v2", training(np.arange(30))).to_bytes()
    with pytest.raises(ArtefactDamaged):
        load_classifier(data[: len(data) // 2])


def empty() -> FeatureMatrix:
    return FEATURES.take(np.zeros(0, np.int64))


@pytest.mark.parametrize("name", NAMES)
def test_no_rows_give_no_probabilities(name: str) -> None:
    assert fitted(name, training(np.arange(12))).predict_proba(empty()).shape == (0, 3)
