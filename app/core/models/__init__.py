"""Classifiers that work with few labels, and probabilities that can be believed."""

from app.core.models.base import TrainedClassifier, Trainer
from app.core.models.classifier import load_classifier
from app.core.models.registry import (
    CLASSIFIERS,
    offer_scikit_learn,
    resolve_classifier,
    train,
    train_alike,
)
from app.core.models.semi_supervised import check_classifier_options

__all__ = [
    "CLASSIFIERS",
    "TrainedClassifier",
    "Trainer",
    "check_classifier_options",
    "load_classifier",
    "offer_scikit_learn",
    "resolve_classifier",
    "train",
    "train_alike",
]
