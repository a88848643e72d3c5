"""A classifier as it was recorded, with what it was fitted on: measured, or set against another.

All of it is as recorded, never as of now, so what is made of it again is the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from app.core.entities import ClassifierVersion, LabelledItem, MeasuringTask
from app.core.estimation.crossfit import Fit
from app.core.models import TrainedClassifier, train_alike
from app.core.types import FeatureMatrix, Floats, Rows, Slice, TrainingSet
from app.ports.feature_store import StoredFeatures
from app.rounds import featurising, scoring, training
from app.rounds.identity import derived_seed
from app.rounds.pools import Pool, pool_of_then
from app.rounds.work import Parts, Work

SAMPLE = 20_000
"""Unlabelled items looked at; what is said of them is a mean, and more would not move it."""


@dataclass(frozen=True)
class Material:
    """One closed round with a classifier."""

    work: Work
    version: ClassifierVersion
    classifier: TrainedClassifier
    stored: StoredFeatures
    pool: Pool
    items: Sequence[LabelledItem]
    """In the order of the training set's rows: by item id."""

    @property
    def seed(self) -> int:
        return derived_seed(self.work.round.settings.seed, "measuring", self.work.round.number)

    @cached_property
    def training(self) -> TrainingSet:
        return training.training_set(self.work, self.stored, self.pool.labels)

    @cached_property
    def round_numbers(self) -> Rows:
        """In which each label came; 0 for what was imported."""
        return np.array([one.round_number or 0 for one in self.items], dtype=np.int64)

    def rows_in(self, *slices: Slice) -> Rows:
        """Of the training set: labels that came by these slices, oldest round first."""
        rows = np.flatnonzero([one.slice in slices for one in self.items])
        return rows[np.argsort(self.round_numbers[rows], kind="stable")]

    @cached_property
    def unlabelled(self) -> Rows:
        """Of the features: what is left, or a sample of it."""
        left = self.pool.candidates
        if len(left) > SAMPLE:
            chosen = np.random.default_rng(self.seed)
            left = np.sort(chosen.choice(left, SAMPLE, replace=False))
        return self.stored.rows_of(left)

    @cached_property
    def unlabelled_features(self) -> FeatureMatrix:
        return self.stored.take(self.unlabelled)

    @cached_property
    def view(self) -> Floats:
        """The classifier's probabilities of these."""
        return scoring.predict(
            self.classifier, self.stored.matrix, self.unlabelled, self.work.check
        )

    @cached_property
    def for_self_training(self) -> FeatureMatrix:
        return training.unlabelled(self.work, self.stored, self.pool.candidates).copied()

    @property
    def fit(self) -> Fit:
        """Other labels, fitted the way the round's classifier was."""

        def alike(labels: TrainingSet) -> TrainedClassifier:
            self.work.check()
            return train_alike(
                self.classifier,
                labels,
                unlabelled=self.for_self_training,
                seed=training.classifier_seed(self.work),
                options=self.work.round.settings.classifier_options,
            )

        return alike


def material_of(parts: Parts, task: MeasuringTask, check: Callable[[], None]) -> Material | None:
    """None if the round ended without a classifier, or its pool was not recorded."""
    work = work_of_then(parts, task, check)
    if work.round.result_id is None:
        return None
    with parts.store.transaction() as tx:
        version = tx.classifiers.get(work.round.result_id)
    return material_for(work, version)


def material_for(work: Work, version: ClassifierVersion) -> Material | None:
    """The same for any classifier of the project."""
    if version.pool_id is None:
        return None
    parts = work.parts
    with parts.store.transaction() as tx:
        features = tx.classifiers.feature_version(version.features_id)
        pool = pool_of_then(tx, work.project.id, version.pool_id)
        items = tx.measurements.chosen(version.id)
    classifier = training.load(parts, version)
    return Material(
        work, version, classifier, featurising.open_features(parts, features), pool, items
    )


def work_of_then(parts: Parts, task: MeasuringTask, check: Callable[[], None]) -> Work:
    """The round, and its project with the labels of then."""
    with parts.store.transaction() as tx:
        project = tx.projects.get(task.project_id)
        round_ = tx.rounds.get(task.round_id)
        labels = tuple(tx.schemas.labels(project, round_.schema_version))
    return Work(parts, replace(project, task=replace(project.task, labels=labels)), round_, check)
