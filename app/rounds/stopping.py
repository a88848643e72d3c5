"""What the stopping rules look at, measured when a round closes, and what they find in it.

All of it is stored with the round, so that the evidence of then can be read later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

import numpy as np

from app.core.errors import ArtefactDamaged
from app.core.models import TrainedClassifier
from app.core.stopping.agreement import Agreement, agreement
from app.core.stopping.rules import Finding, Progress, Validated, judge
from app.core.tasks import task_type
from app.core.types import Split
from app.ports.feature_store import StoredFeatures
from app.ports.files import Artefact
from app.ports.store import ItemIds, Transaction
from app.rounds import scoring, training
from app.rounds.evaluating import Result
from app.rounds.featurising import open_features
from app.rounds.identity import derived_seed
from app.rounds.starting import spent
from app.rounds.work import Work

SAMPLE = 2000
Measured = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    work: Work
    findings: Sequence[Finding]
    measured: Measured

    def save(self, tx: Transaction) -> None:
        rules = [{**asdict(one), "verdict": one.verdict.value} for one in self.findings]
        tx.classifiers.add_evaluation(
            self.work.round, None, "stopping", {"rules": rules, "measured": self.measured}
        )


def judge_round(work: Work, result: Result) -> Judged:
    """Every rule of the project, with its evidence. The round's labels are merged already."""
    with work.store.transaction() as tx:
        history = tx.runs.measured(work.project.id)
    measured = _measure(work, result, history)
    progress = _progress(work, [*history, measured])
    return Judged(work, judge(work.project.settings.stopping, progress), measured)


def _progress(work: Work, measured: Sequence[Measured]) -> Progress:
    stopping = work.project.settings.stopping
    with work.store.transaction() as tx:
        counts = tx.items.counts(work.project.id)
        rounds = len(tx.rounds.all(work.project.id))
        facts = tx.runs.facts(work.project.id, work.round.id, stopping.labels_a_day)
        cost = spent(tx, work.project, facts)
        audited = tx.measurements.history(work.project.id, "accuracy")
    return Progress(
        rounds=rounds,
        labels=counts.labelled,
        candidates=counts.candidates,
        round_labels=facts.round_labels,
        labels_today=facts.labels_today,
        free_in=facts.free_in,
        hours=facts.hours,
        cost=cost,
        validated=[Validated(**one["validated"]) for one in measured if one["validated"]],
        looks=[one["look"] for one in audited if one["look"]],
        agreements=[Agreement(**one["agreement"]) for one in measured if one["agreement"]],
    )


def _measure(work: Work, result: Result, history: Sequence[Measured]) -> Measured:
    """The new classifier on the validation split, and against the one before on the same items."""
    if result.classifier is None:
        return {"validated": None, "agreement": None, "sample": None}
    stored = open_features(work.parts, result.features)
    classifier = training.load(work.parts, result.classifier)
    before = _before(work, history, stored)
    now = _predict(work, stored, classifier, _sample_ids(work, before, stored))
    return {
        "validated": _validated(work, stored, classifier),
        "agreement": _compared(before, now, len(classifier.classes)),
        "sample": _keep(work, now),
    }


# --- the validation split ---


def _validated(
    work: Work, stored: StoredFeatures, classifier: TrainedClassifier
) -> Measured | None:
    with work.store.transaction() as tx:
        gold = tx.items.held_out(work.project.id, Split.VALIDATION)
    if not gold:
        return None
    kind = task_type(work.project.task)
    predicted = _predict(work, stored, classifier, np.array(list(gold), dtype=np.int64)).classes
    names = np.array([kind.class_of(value) for value in gold.values()])
    correct = int((np.array(classifier.classes)[predicted] == names).sum())
    return {"n": len(gold), "correct": correct}


# --- the same items, round after round ---


@dataclass(frozen=True, slots=True)
class Predicted:
    item_ids: ItemIds
    classes: ItemIds


def _predict(
    work: Work, stored: StoredFeatures, classifier: TrainedClassifier, item_ids: ItemIds
) -> Predicted:
    rows = stored.rows_of(item_ids)
    probabilities = scoring.predict(classifier, stored.matrix, rows, work.check)
    return Predicted(item_ids, probabilities.argmax(axis=1).astype(np.int64))


def _sample_ids(work: Work, before: Predicted | None, stored: StoredFeatures) -> ItemIds:
    if before is not None:
        return before.item_ids
    seed = derived_seed(work.project.settings.seed, "stopping")
    with work.store.transaction() as tx:
        drawn = tx.runs.sample(work.project.id, seed, SAMPLE)
    return drawn[np.isin(drawn, stored.item_ids)]


def _compared(before: Predicted | None, now: Predicted, classes: int) -> Measured | None:
    if before is None or not len(now.item_ids):
        return None
    return asdict(agreement(before.classes, now.classes, classes))


def _before(work: Work, history: Sequence[Measured], stored: StoredFeatures) -> Predicted | None:
    """What the classifier before said; None if there is none, or none with these labels."""
    kept = next((one["sample"] for one in reversed(history) if one["sample"]), None)
    if kept is None or kept["schema_version"] != work.project.schema_version:
        return None
    try:
        content = work.parts.files.get(Artefact(kept["path"], kept["sha256"]))
    except ArtefactDamaged:
        return None  # a comparison is missed, and made again after the next round
    with np.load(BytesIO(content)) as arrays:
        still = np.isin(arrays["item_ids"], stored.item_ids)
        return Predicted(arrays["item_ids"][still], arrays["classes"][still])


def _keep(work: Work, now: Predicted) -> Measured:
    buffer = BytesIO()
    np.savez(buffer, item_ids=now.item_ids, classes=now.classes)
    path = f"stopping/{work.project.uid}/{work.round.number}.npz"
    artefact = work.parts.files.put(path, buffer.getvalue())
    return {
        "path": artefact.path,
        "sha256": artefact.sha256,
        "schema_version": work.project.schema_version,
    }
