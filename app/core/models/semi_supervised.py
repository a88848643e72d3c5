"""The default classifier: support vectors that also learn from the pool, if that can be seen to
help."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.errors import WrongInput
from app.core.models.classifier import ScoredClassifier
from app.core.models.contest import ALIKE, Choice, Record, Way, Ways, contest
from app.core.models.decision import Decision
from app.core.models.labels import Labels
from app.core.models.linear import Linear
from app.core.models.self_training import Pool, self_trained
from app.core.models.solvers import support_vectors, support_vectors_roughly
from app.core.models.training import finish
from app.core.types import FeatureMatrix, TrainingSet, Unlabelled

PLAIN, SELF_TRAINED = "plain", "self_trained"
_WISHES = ("auto", "on", "off")


@dataclass(frozen=True, slots=True)
class Version:
    """What a version of the default classifier weighs how. Published ones never change."""

    hearing: float = 0.0
    """What naive Bayes, having learned from the pool, counts in the scores."""
    dimensions: int | None = None
    """A latent space of that many dimensions counts as much as the words; one of four times as
    many, as sentence embeddings make it, twice as much. None: always as much."""
    prior_scale: float = 4.0
    """Of scores that the pool has shaped: what fits test data best as a rule."""

    def say(self, features: FeatureMatrix) -> float:
        """What the latent space counts against the words."""
        if self.dimensions is None:
            return 1.0
        return max(1.0, math.sqrt(features.dense.shape[1] / self.dimensions))


FIRST = Version()
SECOND = Version(hearing=0.09, dimensions=128, prior_scale=3.5)


@dataclass(frozen=True, slots=True)
class SupportVectorTrainer:
    """Option `self_training`: "auto" (by out-of-fold evidence), "on" or "off"."""

    name: str
    version: Version

    def __call__(
        self,
        training: TrainingSet,
        *,
        unlabelled: Unlabelled | None,
        seed: int,
        options: Mapping[str, Any],
    ) -> ScoredClassifier:
        wish = wish_of(options)
        ways = support_vector_ways(self.version, training.features, unlabelled, wish, seed)
        return finish(
            self.name,
            training,
            lambda labels: contest(
                ways,
                labels,
                seed=seed,
                choose=lambda judged: choose_way(judged, ways, wish),
                alike=options.get(ALIKE),
            ),
        )


def wish_of(options: Mapping[str, Any]) -> str:
    """What the project wants of self-training."""
    wish = options.get("self_training", "auto")
    if wish not in _WISHES:
        raise WrongInput(
            f"self_training is {wish!r}; choose one of: {', '.join(_WISHES)}.",
            field="self_training",
        )
    return str(wish)


def check_classifier_options(options: Mapping[str, Any]) -> None:
    """Raise WrongInput for an option that no classifier knows or whose value cannot be."""
    if unknown := sorted(set(options) - {"self_training"}):
        raise WrongInput(
            f"Unknown classifier option {unknown[0]!r}. Known: self_training.", field=unknown[0]
        )
    wish_of(options)


def support_vector_ways(
    version: Version, features: FeatureMatrix, unlabelled: Unlabelled | None, wish: str, seed: int
) -> Ways:
    """Without the pool and, if there is one and it may be used, with it.

    The prior scales are what fits test data best as a rule; weak labels spread the scores.
    """
    say = version.say(features)

    def without(labels: Labels) -> Linear:
        return support_vectors(labels, seed, say)

    plain = Way(lambda labels, made, final: without(labels), prior_scale=8.0)
    if wish == "off" or unlabelled is None or not len(unlabelled):
        return {PLAIN: plain}
    pool = Pool.sample(unlabelled, seed)

    def again(labels: Labels) -> Linear:
        return support_vectors_roughly(labels, seed, say)

    def with_pool(labels: Labels, made: Mapping[str, Decision], final: bool) -> Decision:
        known = made.get(PLAIN)
        start = known if isinstance(known, Linear) else without(labels)
        return self_trained(again, start, labels, pool, hearing=version.hearing, final=final)

    return {PLAIN: plain, SELF_TRAINED: Way(with_pool, version.prior_scale)}


def choose_way(judged: Record, ways: Ways, wish: str) -> Choice:
    """With or without the pool.

    Self-training is left only if out of fold it is right on fewer labels and also gives the true
    classes less probability. Measured, a demand for more evidence in its favour loses most of the
    gain at few labels, where the gain is greatest; a demand for less lets harm through.
    """
    if SELF_TRAINED not in ways:
        return PLAIN, "switched off" if wish == "off" else "no unlabelled items"
    if wish == "on":
        return SELF_TRAINED, "switched on"
    if not judged:
        return PLAIN, "too few labels to tell whether the unlabelled items help"
    trained, plain = judged[SELF_TRAINED], judged[PLAIN]
    worse = trained.accuracy < plain.accuracy and trained.log_loss > plain.log_loss
    figures = (
        f"with unlabelled items right on {trained.accuracy:.1%} of the labels out of fold "
        f"(log loss {trained.log_loss:.2f}), without on {plain.accuracy:.1%} "
        f"({plain.log_loss:.2f})"
    )
    return (PLAIN if worse else SELF_TRAINED), figures
