"""Classifiers that work with few labels, and probabilities that can be believed."""

from app.core.models.base import TrainedClassifier, Trainer
from app.core.models.classifier import load_classifier
from app.core.models.registry import CLASSIFIERS, offer_scikit_learn, resolve_classifier, train

__all__ = [
    "CLASSIFIERS",
    "TrainedClassifier",
    "Trainer",
    "load_classifier",
    "offer_scikit_learn",
    "resolve_classifier",
    "train",
]
