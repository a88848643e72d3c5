"""The classifier's view of every candidate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np

from app.core.errors import ArtefactDamaged
from app.core.models import TrainedClassifier
from app.core.types import FeatureMatrix, Floats, Rows
from app.ports.feature_store import StoredFeatures
from app.ports.files import Artefact
from app.ports.store import ItemIds
from app.rounds import featurising, training
from app.rounds.work import Work

BLOCK = 65_536
NEARLY_ALL = 1.25


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    checkpoint: Mapping[str, Any] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scores:
    item_ids: ItemIds
    probabilities: Floats


def score_pool(work: Work) -> ScoreSummary:
    """Score every candidate and keep the result; in a cold start there is nothing to score."""
    if work.round.classifier_id is None:
        return ScoreSummary(detail={"scored": 0, "note": "cold start: no classifier yet"})
    scores = _compute(work)
    path = f"scores/{work.project.uid}/{work.round.number}-{work.round.classifier_id}.npz"
    artefact = work.parts.files.put(path, _to_bytes(scores))
    predicted = np.bincount(
        scores.probabilities.argmax(axis=1), minlength=len(work.project.task.labels)
    )
    return ScoreSummary(
        checkpoint={"scores": {"path": artefact.path, "sha256": artefact.sha256}},
        detail={
            "scored": len(scores.item_ids),
            "predicted": dict(zip(work.project.task.labels, predicted.tolist(), strict=True)),
        },
    )


def stored_scores(work: Work) -> Scores:
    """The scores of this round; made again if the file is gone, for it is only a cache."""
    kept = work.round.checkpoint["scores"]
    try:
        with np.load(BytesIO(work.parts.files.get(Artefact(**kept)))) as arrays:
            return Scores(arrays["item_ids"], arrays["probabilities"])
    except ArtefactDamaged:
        return _compute(work)


def _compute(work: Work) -> Scores:
    with work.store.transaction() as tx:
        candidates = tx.items.candidates(work.project.id)
        classifier = tx.classifiers.get(work.round.classifier_id or 0)
    stored = featurising.of_round(work)
    # items imported since the features were made wait for the next round
    candidates = candidates[np.isin(candidates, stored.item_ids)]
    return scores_of(work, training.load(work.parts, classifier), stored, candidates)


def scores_of(
    work: Work, fitted: TrainedClassifier, stored: StoredFeatures, candidates: ItemIds
) -> Scores:
    """What a classifier thinks of these items."""
    rows = stored.rows_of(candidates)

    def between_blocks() -> None:
        work.check()
        stored.release()

    return Scores(candidates, predict(fitted, stored.matrix, rows, between_blocks))


def predict(
    fitted: TrainedClassifier, matrix: FeatureMatrix, rows: Rows, check: Callable[[], None]
) -> Floats:
    """Probabilities of some rows, block by block so that memory stays small; `check` is called
    before each. They lie class by class, as choosing reads them."""
    class_major = np.empty((len(fitted.classes), len(rows)), dtype=np.float32)
    for start in range(0, len(rows), BLOCK):
        check()
        block = slice(start, start + BLOCK)
        class_major[:, block] = _class_major(fitted, matrix, rows[block])
    return class_major.T


def _class_major(fitted: TrainedClassifier, matrix: FeatureMatrix, rows: Rows) -> Floats:
    """Where nearly all rows between the first and the last are wanted, as in a pool of which few
    have a label, it is quicker to score all of these where they lie than to gather the wanted."""
    begin, end = int(rows.min()), int(rows.max()) + 1
    if end - begin > NEARLY_ALL * len(rows):
        return fitted.predict_proba(matrix.take(rows)).T
    return np.take(fitted.predict_proba(matrix.between(begin, end)).T, rows - begin, axis=1)


def _to_bytes(scores: Scores) -> bytes:
    buffer = BytesIO()
    np.savez(buffer, item_ids=scores.item_ids, probabilities=scores.probabilities)
    return buffer.getvalue()
