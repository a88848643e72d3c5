"""Classifiers by versioned name. A published name never changes what it means."""

from collections.abc import Mapping
from typing import Any

from app.core.errors import WrongInput
from app.core.models.auto import AutoTrainer
from app.core.models.base import TrainedClassifier, Trainer
from app.core.models.contest import ALIKE
from app.core.models.scikit_learn import scikit_learn
from app.core.models.semi_supervised import FIRST, SECOND, SupportVectorTrainer
from app.core.models.solvers import logistic
from app.core.models.training import PlainTrainer
from app.core.models.trees import boosted_trees
from app.core.types import TrainingSet, Unlabelled

_LOGISTIC = PlainTrainer("logistic.v1", logistic, prior_scale=1.5)
_LIGHTGBM = PlainTrainer("lightgbm.v1", boosted_trees, prior_scale=0.9)
CLASSIFIERS: dict[str, Trainer] = {
    "auto.v1": AutoTrainer("auto.v1", FIRST, (_LOGISTIC, _LIGHTGBM)),
    "auto.v2": AutoTrainer("auto.v2", SECOND, (_LOGISTIC, _LIGHTGBM)),
    "svc.v1": SupportVectorTrainer("svc.v1", FIRST),
    "svc.v2": SupportVectorTrainer("svc.v2", SECOND),
    "logistic.v1": _LOGISTIC,
    "lightgbm.v1": _LIGHTGBM,
}
_NEWEST = {
    "default": "svc.v2",
    "auto": "auto.v2",
    "svc": "svc.v2",
    "logistic": "logistic.v1",
    "lightgbm": "lightgbm.v1",
}

_OWN = frozenset(CLASSIFIERS)


def offer_scikit_learn(name: str, path: str, parameters: Mapping[str, Any]) -> str:
    """Let projects choose a classifier of scikit-learn by `name`; gives its versioned name.

    Called once at start, with what the server's configuration says, and never for a request.
    """
    if name in _NEWEST and _NEWEST[name] in _OWN:
        raise WrongInput(f"The name {name!r} is taken.", field="classifiers")
    trainer = scikit_learn(name, path, parameters)
    CLASSIFIERS[trainer.name] = trainer
    _NEWEST[name] = trainer.name
    return trainer.name


def resolve_classifier(name: str) -> str:
    """The versioned name that a name stands for; WrongInput lists the choices."""
    versioned = _NEWEST.get(name, name)
    if versioned not in CLASSIFIERS:
        known = ", ".join(sorted({*CLASSIFIERS, *_NEWEST}))
        raise WrongInput(
            f"Unknown classifier {name!r}. Choose one of: {known}.", field="classifier"
        )
    return versioned


def train(
    name: str,
    training: TrainingSet,
    *,
    unlabelled: Unlabelled | None,
    seed: int,
    options: Mapping[str, Any],
) -> TrainedClassifier:
    """Fit the classifier of that name. Same inputs, same bytes."""
    trainer = CLASSIFIERS[resolve_classifier(name)]
    return trainer(training, unlabelled=unlabelled, seed=seed, options=options)


def train_alike(
    like: TrainedClassifier,
    training: TrainingSet,
    *,
    unlabelled: Unlabelled | None,
    seed: int,
    options: Mapping[str, Any],
) -> TrainedClassifier:
    """Fit other labels the way `like` was fitted, with its scale. What a fit decides by judging
    itself again and again is taken over, so it costs about a sixth."""
    return train(
        like.name,
        training,
        unlabelled=unlabelled,
        seed=seed,
        options={**options, ALIKE: like.report},
    )
