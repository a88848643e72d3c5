"""The classifier's view of every candidate.

It lies on disk, written and read block by block: a pool of ten million needs hardly more memory
than one of a million.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np

from app.core import uncertainty
from app.core.errors import ArtefactDamaged
from app.core.models import TrainedClassifier
from app.core.types import FeatureMatrix, Floats, Rows
from app.ports.feature_store import StoredFeatures
from app.ports.files import Artefact, Files, Table
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
    """Of these candidates, in this order."""

    item_ids: ItemIds
    table: Table

    @property
    def probabilities(self) -> Floats:
        return self.table.values

    def margins(self) -> Floats:
        """How torn the classifier is about each."""
        out = np.empty(len(self.item_ids), np.float32)
        for block in cut(len(out)):
            out[block] = uncertainty.margin(self.probabilities[block])
            self.table.release()
        return out

    def predicted(self, classes: int) -> list[int]:
        """How many are most probably of each class."""
        found = np.zeros(classes, np.int64)
        for block in cut(len(self.item_ids)):
            best = uncertainty.predicted(self.probabilities[block])
            found += np.bincount(best, minlength=classes)
            self.table.release()
        return found.tolist()


def score_pool(work: Work) -> ScoreSummary:
    """Score every candidate and keep the result; in a cold start there is nothing to score."""
    if work.round.classifier_id is None:
        return ScoreSummary(detail={"scored": 0, "note": "cold start: no classifier yet"})
    scores = _compute(work)
    path = f"scores/{work.project.uid}/{work.round.number}-{work.round.classifier_id}.npy"
    artefact = work.parts.files.keep_table(path, scores.table)
    labels = work.project.task.labels
    return ScoreSummary(
        checkpoint={
            "scores": {
                "path": artefact.path,
                "sha256": artefact.sha256,
                "items": _digest(scores.item_ids),
            }
        },
        detail={
            "scored": len(scores.item_ids),
            "predicted": dict(zip(labels, scores.predicted(len(labels)), strict=True)),
        },
    )


def stored_scores(work: Work, candidates: ItemIds) -> Scores | None:
    """The scores that this round kept, if they are of these candidates and still there: they are
    only a cache."""
    kept = work.round.checkpoint["scores"]
    if kept.get("items") != _digest(candidates):
        return None
    try:
        table = work.parts.files.table(Artefact(kept["path"], kept["sha256"]))
    except ArtefactDamaged:
        return None
    return Scores(candidates, table)


def _digest(item_ids: ItemIds) -> str:
    return sha256(np.ascontiguousarray(item_ids, np.int64).data).hexdigest()


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
    return Scores(candidates, score_rows(work.parts.files, fitted, stored, rows, work.check))


def score_rows(
    files: Files,
    fitted: TrainedClassifier,
    stored: StoredFeatures,
    rows: Rows,
    check: Callable[[], None],
) -> Table:
    """Probabilities of these rows, on disk; `check` is called before each block."""
    table = files.new_table(len(rows), len(fitted.classes))
    for block in cut(len(rows)):
        check()
        table.write(block.start, _class_major(fitted, stored.matrix, rows[block]).T)
        stored.release()
    return table


def predict(
    fitted: TrainedClassifier, matrix: FeatureMatrix, rows: Rows, check: Callable[[], None]
) -> Floats:
    """The same in memory, for fewer rows. They lie class by class, as choosing reads them."""
    class_major = np.empty((len(fitted.classes), len(rows)), dtype=np.float32)
    for block in cut(len(rows)):
        check()
        class_major[:, block] = _class_major(fitted, matrix, rows[block])
    return class_major.T


def cut(rows: int) -> Iterator[slice]:
    """So many rows in blocks."""
    return (slice(start, start + BLOCK) for start in range(0, rows, BLOCK))


def _class_major(fitted: TrainedClassifier, matrix: FeatureMatrix, rows: Rows) -> Floats:
    """Where nearly all rows between the first and the last are wanted, as in a pool of which few
    have a label, it is quicker to score all of these where they lie than to gather the wanted."""
    begin, end = int(rows[0]), int(rows[-1]) + 1
    ascending = bool((rows[1:] > rows[:-1]).all())
    if not ascending or end - begin > NEARLY_ALL * len(rows):
        return fitted.predict_proba(matrix.take(rows)).T
    scored = fitted.predict_proba(matrix.between(begin, end)).T
    return scored if end - begin == len(rows) else _only(scored, rows - begin)


def _only(class_major: Floats, wanted: Rows) -> Floats:
    """Class by class with a mask, which copies what lies together in one go; to take the columns by
    their numbers is ten times as slow."""
    mask = np.zeros(class_major.shape[1], bool)
    mask[wanted] = True
    return np.stack([scores[mask] for scores in class_major])
