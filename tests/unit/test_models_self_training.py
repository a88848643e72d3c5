"""Learning from the unlabelled pool: used where it helps, left where it harms, always reported."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import WrongInput
from app.core.features import DEFAULT_RECIPE, fit_featuriser
from app.core.models import load_classifier, train
from app.core.models.base import TrainedClassifier
from app.core.models.calibration import Evidence, Judged
from app.core.models.contest import Way
from app.core.models.labels import labels_of
from app.core.models.linear import Linear
from app.core.models.self_training import weak_labels
from app.core.models.semi_supervised import (
    FIRST,
    PLAIN,
    SECOND,
    SELF_TRAINED,
    Version,
    choose_way,
)
from app.core.models.solvers import support_vectors
from app.core.types import FeatureMatrix, TrainingSet

CLASSES = ("a", "b", "c", "d")


def topics(count: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Each class has thirty words of its own, each text eight of them: few labels know few words,
    the pool knows which go together."""
    rng = np.random.default_rng(seed)
    y = np.arange(count) % len(CLASSES)
    words = [[f"{name}word{i}" for i in range(30)] for name in CLASSES]
    noise = [f"noise{i}" for i in range(200)]
    texts = [" ".join([*rng.choice(words[k], 8), *rng.choice(noise, 8)]) for k in y]
    return texts, y


TEXTS, Y = topics(800, seed=3)
FEATURES = fit_featuriser(lambda: [TEXTS], DEFAULT_RECIPE, seed=0).transform(TEXTS)
LABELLED, POOL, TEST = np.arange(12), np.arange(12, 600), np.arange(600, 800)


def fitted(
    options: Mapping[str, Any], rows: np.ndarray = LABELLED, y: np.ndarray | None = None
) -> TrainedClassifier:
    return fitted_by("svc.v2", options, rows, y)


def fitted_by(
    name: str,
    options: Mapping[str, Any],
    rows: np.ndarray = LABELLED,
    y: np.ndarray | None = None,
) -> TrainedClassifier:
    training = TrainingSet(FEATURES.take(rows), Y[rows] if y is None else y, CLASSES)
    return train(name, training, unlabelled=FEATURES.take(POOL), seed=1, options=options)


def accuracy(classifier: TrainedClassifier) -> float:
    predicted = classifier.predict_proba(FEATURES.take(TEST)).argmax(axis=1)
    return float((predicted == Y[TEST]).mean())


def log_loss(classifier: TrainedClassifier) -> float:
    own = classifier.predict_proba(FEATURES.take(TEST))[np.arange(len(TEST)), Y[TEST]]
    return float(-np.log(own).mean())


def test_the_pool_teaches_what_few_labels_cannot() -> None:
    plain, helped = fitted({"self_training": "off"}), fitted({})
    assert helped.report["chosen"] == "self_trained"
    assert accuracy(helped) >= accuracy(plain)
    assert log_loss(helped) < log_loss(plain)


def test_both_contestants_and_the_reason_are_in_the_report() -> None:
    report = fitted({}).report
    assert set(report["contestants"]) == {"plain", "self_trained"}
    assert report["out_of_fold"] == report["contestants"][report["chosen"]]
    assert "out of fold" in report["why"]


def test_left_out_where_labels_say_that_it_harms() -> None:
    """Labels that go against the topics: what the pool's words suggest is wrong on them."""
    rng = np.random.default_rng(0)
    rows = np.arange(80)
    lengths = np.array([len(text) for text in TEXTS])[rows]
    y = (lengths > np.median(lengths)).astype(np.int64)
    report = fitted({}, rows, y).report
    scores = report["contestants"]
    better = scores["self_trained"]["accuracy"] >= scores["plain"]["accuracy"]
    assert report["chosen"] == ("self_trained" if better else "plain")
    shuffled = [fitted({}, rows, rng.permutation(y)).report["chosen"] for _ in range(6)]
    assert "plain" in shuffled


def test_can_be_switched_off_and_on() -> None:
    off, on = fitted({"self_training": "off"}), fitted({"self_training": "on"})
    assert (off.report["chosen"], off.report["why"]) == ("plain", "switched off")
    assert on.report["chosen"] == "self_trained"
    assert off.to_bytes() != on.to_bytes()
    with pytest.raises(WrongInput, match="auto, on, off"):
        fitted({"self_training": "maybe"})


@pytest.mark.parametrize("pool", [None, np.zeros(0, np.int64)])
def test_works_without_a_pool(pool: np.ndarray | None) -> None:
    unlabelled = None if pool is None else FEATURES.take(pool)
    training = TrainingSet(FEATURES.take(LABELLED), Y[LABELLED], CLASSES)
    classifier = train("svc.v2", training, unlabelled=unlabelled, seed=1, options={})
    assert classifier.report["why"] == "no unlabelled items"


def test_one_label_a_class_is_no_evidence() -> None:
    report = fitted({}, np.arange(4)).report
    assert report["chosen"] == "plain"
    assert report["out_of_fold"] is None


def test_same_inputs_same_bytes_and_a_round_trip() -> None:
    one, two = fitted({}), fitted({})
    assert one.to_bytes() == two.to_bytes()
    again = load_classifier(one.to_bytes())
    assert np.array_equal(again.predict_proba(FEATURES), one.predict_proba(FEATURES))


@settings(max_examples=20, deadline=None)
@given(
    rows=st.lists(st.integers(0, 799), min_size=2, max_size=20),
    pool=st.lists(st.integers(0, 799), min_size=1, max_size=6),
)
def test_any_pool_will_do(rows: list[int], pool: list[int]) -> None:
    taken = np.array(rows)
    training = TrainingSet(FEATURES.take(taken), Y[taken], CLASSES)
    unlabelled: FeatureMatrix = FEATURES.take(np.array(pool))
    options = {"self_training": "on"}
    classifier = train("svc.v2", training, unlabelled=unlabelled, seed=0, options=options)
    probabilities = classifier.predict_proba(FEATURES)
    assert np.isfinite(probabilities).all()
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_the_pools_words_speak_in_the_scores() -> None:
    """A word that no label has, but that the pool uses beside a class's words, speaks for it."""
    heard, unheard = fitted({"self_training": "on"}), fitted_by("svc.v1", {"self_training": "on"})
    assert accuracy(heard) >= accuracy(unheard)
    assert log_loss(heard) < log_loss(unheard)


def test_hearing_moves_only_words_that_have_a_weight_and_keeps_what_classes_share() -> None:
    linear = Linear(
        columns=np.array([1, 3, 7]),
        words=np.zeros((3, 2), np.float32),
        dense=np.zeros((2, 4), np.float32),
        offsets=np.zeros(2, np.float32),
        width=9,
    )
    said = np.array([[9, 9], [1, 3], [9, 9], [-2, -2], [9, 9]], np.float32)
    heard = linear.hearing(said, share=0.5)
    assert heard.words.tolist() == [[-0.5, 0.5], [0, 0], [0, 0]]  # column 7 is a pair of words
    assert linear.words.tolist() == [[0, 0]] * 3


@pytest.mark.parametrize(("dimensions", "say"), [(64, 1.0), (128, 1.0), (512, 2.0)])
def test_a_richer_latent_space_counts_for_more(dimensions: int, say: float) -> None:
    nothing = FEATURES.words[:1]
    rich = FeatureMatrix(nothing, nothing, np.zeros((1, dimensions), np.float32))
    assert (SECOND.say(rich), FIRST.say(rich)) == (say, 1.0)


def test_published_versions_keep_their_figures() -> None:
    """Rounds that used them are replayed by them."""
    assert Version(hearing=0.0, dimensions=None, prior_scale=4.0) == FIRST
    assert Version(hearing=0.09, dimensions=128, prior_scale=3.5) == SECOND


def test_what_the_latent_space_counts_is_part_of_the_weights() -> None:
    """A classifier reads features as they are, however much they counted in its fit."""
    labels, _ = labels_of(TrainingSet(FEATURES.take(LABELLED), Y[LABELLED], CLASSES))
    stretched = replace(labels, features=replace(labels.features, dense=labels.features.dense * 2))
    inside, outside = support_vectors(labels, 0, say=2.0), support_vectors(stretched, 0)
    assert np.allclose(inside.dense, outside.dense * 2, atol=1e-6)
    assert np.array_equal(inside.words, outside.words)


def test_weak_labels_are_the_surest_half_of_each_class() -> None:
    sure = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.7, 0.3], [0.1, 0.9]], np.float32)
    rows, y, weight = weak_labels(sure, labels=10, most=1000)
    assert (rows.tolist(), y.tolist(), weight) == ([0, 2], [0, 0], 0.2)


def test_fewer_weak_labels_weigh_more() -> None:
    sure = np.linspace(1, 0.51, 80, dtype=np.float32)[:, None] * [1, 0] + [0, 1e-3]
    rows, _, weight = weak_labels(sure.astype(np.float32), labels=100, most=20)
    assert rows.tolist() == [0, 4, 8, 12, 16, 20, 24, 28, 32, 36]
    assert weight == pytest.approx(0.2 * 40 / 10)


def test_nothing_sure_gives_no_weak_label() -> None:
    assert len(weak_labels(np.array([[0.9, 0.1]], np.float32), labels=10, most=20)[0]) == 0


def evidence(right: int, sure: float) -> Evidence:
    """Right on so many of ten rows, with the true class ahead or behind by `sure`."""
    scores = np.tile([0.0, sure], (10, 1))
    scores[:right] = [sure, 0.0]
    return Evidence(Judged(scores, np.zeros(10, np.int64), np.ones(10)), 1.0)


@pytest.mark.parametrize(
    ("trained", "plain", "chosen"),
    [
        (evidence(8, 1.0), evidence(7, 1.0), "self_trained"),  # better
        (evidence(7, 1.0), evidence(7, 1.0), "self_trained"),  # the same
        (evidence(6, 0.1), evidence(7, 4.0), "self_trained"),  # more often wrong, but less sure
        (evidence(3, 1.0), evidence(7, 1.0), "plain"),  # worse in both
    ],
)
def test_self_training_is_left_when_it_is_worse_in_both(
    trained: Evidence, plain: Evidence, chosen: str
) -> None:
    ways = {name: Way(None, 1.0) for name in (PLAIN, SELF_TRAINED)}  # type: ignore[arg-type]
    assert choose_way({PLAIN: plain, SELF_TRAINED: trained}, ways, "auto")[0] == chosen
