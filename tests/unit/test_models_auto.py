"""`auto`: another classifier takes over only when it is clearly better, and keeps its place."""

from collections.abc import Mapping

import numpy as np
import pytest

from app.core.features import DEFAULT_RECIPE, fit_featuriser
from app.core.models import load_classifier, resolve_classifier, train
from app.core.models.auto import _choose
from app.core.models.base import TrainedClassifier
from app.core.models.calibration import Evidence, Judged
from app.core.models.contest import Way
from app.core.types import TrainingSet


def judged(right: int, of: int = 100, shift: int = 0) -> Evidence:
    """Right on so many rows, beginning at `shift`."""
    scores = np.tile([0.0, 1.0], (of, 1))
    scores[(np.arange(right) + shift) % of] = [1.0, 0.0]
    return Evidence(Judged(scores, np.zeros(of, np.int64), np.ones(of)), 1.0)


def ways(*names: str) -> Mapping[str, Way]:
    return {name: Way(None, 1.0) for name in names}  # type: ignore[arg-type]


HOME = ("self_trained", "helps")
ALL = ways("plain", "self_trained", "logistic.v1", "lightgbm.v1")


def chosen(incumbent: str | None = None, **right: int) -> str:
    evidence = {name.replace("_v1", ".v1"): judged(n) for name, n in right.items()}
    return _choose(evidence, HOME, incumbent, ALL)[0]


def test_a_clear_winner_takes_over() -> None:
    assert chosen(plain=60, self_trained=60, logistic_v1=70, lightgbm_v1=61) == "logistic.v1"


def test_a_small_lead_is_chance() -> None:
    evidence = {
        "plain": judged(60),
        "self_trained": judged(60),
        "logistic.v1": judged(62, shift=20),
        "lightgbm.v1": judged(61),
    }
    assert _choose(evidence, HOME, None, ALL)[0] == "self_trained"


def test_the_incumbent_stays_until_it_is_clearly_beaten() -> None:
    level = {"plain": 60, "self_trained": 60, "logistic_v1": 60, "lightgbm_v1": 60}
    assert chosen("logistic.v1", **level) == "logistic.v1"
    assert chosen("logistic.v1", **{**level, "logistic_v1": 40}) == "self_trained"
    assert chosen("plain", **level) == "self_trained"
    assert chosen("unheard.v9", **level) == "self_trained"


def test_without_evidence_or_rivals_it_is_the_default() -> None:
    assert _choose({}, HOME, "logistic.v1", ALL) == HOME
    assert _choose({"plain": judged(1)}, HOME, None, ways("plain", "self_trained")) == HOME


WORDS = [[f"{name}{i}" for i in range(12)] for name in ("red", "blue")]


@pytest.fixture(scope="module")
def fitted() -> TrainedClassifier:
    rng = np.random.default_rng(0)
    y = np.arange(240) % 2
    texts = [" ".join(rng.choice(WORDS[k], 4)) for k in y]
    features = fit_featuriser(lambda: [texts], DEFAULT_RECIPE, seed=0).transform(texts)
    rows = np.arange(120)
    training = TrainingSet(features.take(rows), y[rows], ("red", "blue"))
    return train(
        "auto",
        training,
        unlabelled=features.take(np.arange(120, 240)),
        seed=0,
        options={"incumbent": "logistic.v1"},
    )


def test_the_report_names_the_choice_and_all_that_were_tried(fitted: TrainedClassifier) -> None:
    report = fitted.report
    assert fitted.name == resolve_classifier("auto") == "auto.v2"
    assert set(report["contestants"]) == {"plain", "self_trained", "logistic.v1"}
    assert report["chosen"] in report["contestants"]
    assert report["out_of_fold"] == report["contestants"][report["chosen"]]
    assert "out of fold" in report["why"]


def test_what_was_chosen_is_stored(fitted: TrainedClassifier) -> None:
    assert load_classifier(fitted.to_bytes()).to_bytes() == fitted.to_bytes()
