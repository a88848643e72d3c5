"""Retrain on everything known, and measure on what was never selectable."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.core.entities import ClassifierVersion, FeatureVersion
from app.core.evaluation import evaluate as measure
from app.core.evaluation import evaluation_as_dict
from app.core.tasks import task_type
from app.core.types import Split
from app.ports.store import Transaction
from app.rounds import agreeing, featurising, scoring, training
from app.rounds.work import Work

NO_CLASSIFIER = "Fewer than two classes have a label: there is no classifier to measure yet."
NO_HELD_OUT = (
    "No held-out items with labels, so accuracy cannot be stated. Import labelled rows with "
    "split=test (about 200 are enough for a first idea); they will never be selected."
)


@dataclass(frozen=True, slots=True)
class Result:
    features: FeatureVersion
    classifier: ClassifierVersion | None
    save: Callable[[Transaction], None]
    checkpoint: Mapping[str, Any]
    detail: Mapping[str, Any]


def evaluate(work: Work) -> Result:
    features = featurising.current_features(work)
    fitted = training.classifier_of_now(work, features)
    metrics, notes = _metrics(work, features, fitted)
    with work.store.transaction() as tx:
        counts = tx.items.counts(work.project.id)
        agreement = agreeing.report(tx, work.project)

    def save(tx: Transaction) -> None:
        if fitted is not None:
            tx.rounds.set_result(work.round.id, fitted.id)
        if metrics is not None:
            tx.classifiers.add_evaluation(
                work.round, fitted.id if fitted else None, "held_out", metrics
            )
        if agreement["items_with_several"]:
            tx.classifiers.add_evaluation(work.round, None, agreeing.KIND, agreement)

    return Result(
        features,
        fitted,
        save,
        checkpoint={"labelled": counts.labelled, "unlabelled": counts.candidates, "notes": notes},
        detail={"classifier": fitted.agent if fitted else None, "notes": notes},
    )


def _metrics(
    work: Work, features: FeatureVersion, fitted: ClassifierVersion | None
) -> tuple[Mapping[str, Any] | None, list[str]]:
    if fitted is None:
        return None, [NO_CLASSIFIER]
    split, gold = _gold(work)
    if not gold:
        return None, [NO_HELD_OUT]
    stored = featurising.open_features(work.parts, features)
    rows = stored.rows_of(np.array(list(gold), dtype=np.int64))
    classifier = training.load(work.parts, fitted)
    probabilities = scoring.predict(classifier, stored.matrix, rows, work.check)
    kind = task_type(work.project.task)
    position = {name: index for index, name in enumerate(classifier.classes)}
    y = np.array([position[kind.class_of(value)] for value in gold.values()], dtype=np.int64)
    measured = measure(y, probabilities, classifier.classes)
    return {**evaluation_as_dict(measured), "split": split.value}, []


def _gold(work: Work) -> tuple[Split, Mapping[int, Mapping[str, Any]]]:
    """The test split, or the validation split where there is no labelled test item."""
    with work.store.transaction() as tx:
        for split in (Split.TEST, Split.VALIDATION):
            if gold := tx.items.held_out(work.project.id, split):
                return split, gold
    return Split.TEST, {}
