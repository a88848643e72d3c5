"""What a strategy is shown, and what is recorded of its choice."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from app.core.entities import NewSelection
from app.core.models import TrainedClassifier
from app.core.strategies import cold_start, needs_committee, select_round
from app.core.tasks import TaskSpec, task_type
from app.core.types import Floats, Selection, SelectionRequest
from app.ports.feature_store import StoredFeatures
from app.rounds import advising, by_hand, committee, featurising, pools, scoring, training
from app.rounds.pools import Pool
from app.rounds.scoring import Scores
from app.rounds.work import Work


@dataclass(frozen=True, slots=True)
class Seen:
    """What a choice is made from: the pool, and the classifier's view of its candidates."""

    pool: Pool
    stored: StoredFeatures
    scores: Scores | None


def see_now(work: Work) -> Seen:
    """The pool as it is now; no view of it in a cold start."""
    stored = featurising.of_round(work)
    pool = pools.pool_of_now(work, stored, pools.labels_of_now(work, stored))
    if work.round.classifier_id is None:
        return Seen(pool, stored, None)
    if scores := scoring.stored_scores(work, pool.candidates):
        return Seen(pool, stored, scores)
    # some got a label or came back since, or the file is gone: scored anew, as a replay will
    with work.store.transaction() as tx:
        classifier = tx.classifiers.get(work.round.classifier_id)
    return see(work, pool, training.load(work.parts, classifier))


def see(work: Work, pool: Pool, fitted: TrainedClassifier | None) -> Seen:
    """A pool with the eyes of a classifier."""
    stored = featurising.of_round(work)
    if fitted is None:
        return Seen(pool, stored, None)
    return Seen(pool, stored, scoring.scores_of(work, fitted, stored, pool.candidates))


def choose(work: Work, seen: Seen) -> tuple[SelectionRequest, Selection]:
    """By the round's strategy, or without a classifier by what represents the pool."""
    asked = request_of(work, seen)
    if work.round.classifier_id is None:
        return asked, cold_start(asked)
    audit_fraction = work.round.settings.audit_fraction
    return asked, select_round(work.round.strategy, asked, audit_fraction=audit_fraction)


def request_of(work: Work, seen: Seen) -> SelectionRequest:
    stored, labels = seen.stored, seen.pool.labels
    labelled = np.array([label.item_id for label in labels], dtype=np.int64)
    occupied = np.union1d(labelled, seen.pool.occupied)
    positions = {name: index for index, name in enumerate(work.project.task.labels)}
    kind = task_type(work.project.task)
    return SelectionRequest(
        features=stored.matrix,
        candidates=stored.rows_of(seen.pool.candidates),
        occupied=stored.rows_of(occupied),
        batch_size=work.round.batch_size,
        seed=work.round.seed,
        classes=work.project.task.labels,
        probabilities=seen.scores.probabilities if seen.scores else None,
        margins=seen.scores.margins() if seen.scores else None,
        labelled_y=dict(
            zip(
                stored.rows_of(labelled).tolist(),
                [positions[kind.class_of(label.value)] for label in labels],
                strict=True,
            )
        ),
        committee=_committee(work, seen),
        boosts=by_hand.boosts_of(work, seen.pool.candidates),
        options=by_hand.options_of(work, stored),
        advice=advising.of_round(work, stored, seen.pool.candidates),
        release=stored.release,
    )


def _committee(work: Work, seen: Seen) -> Floats | None:
    options = work.round.settings.strategy_options
    if seen.scores is None or not needs_committee(work.round.strategy, options):
        return None
    return committee.committee_of(work, seen.stored, seen.pool)


def describe(
    work: Work, seen: Seen, request: SelectionRequest, selection: Selection
) -> Sequence[NewSelection]:
    """The picks in the words of the records: items instead of rows, answers instead of classes."""
    item_ids = seen.stored.item_ids
    picked = np.array([pick.row for pick in selection.picks], dtype=np.int64)
    places = np.flatnonzero(np.isin(request.candidates, picked))
    position = dict(zip(request.candidates[places].tolist(), places.tolist(), strict=True))
    return [
        NewSelection(
            item_id=int(item_ids[pick.row]),
            rank=pick.rank,
            slice=pick.slice,
            score=float(pick.score),
            reason=pick.reason,
            draw_probability=pick.draw_probability,
            **_prediction(work.project.task, request, position[int(pick.row)]),
        )
        for pick in selection.picks
    ]


def _prediction(task: TaskSpec, request: SelectionRequest, index: int) -> Mapping[str, Any]:
    if request.probabilities is None:
        return {"prediction": None, "confidence": None, "uncertainty": None}
    return prediction(task, request.classes, request.probabilities[index])


def prediction(task: TaskSpec, classes: Sequence[str], row: Floats) -> Mapping[str, Any]:
    """What a classifier says of one item, in the words of the records."""
    best, second = np.sort(row)[::-1][:2]
    return {
        "prediction": task_type(task).prediction(classes[int(row.argmax())]),
        "confidence": min(1.0, float(best)),
        "uncertainty": float(1 - (best - second)),
    }


def report(request: SelectionRequest, selection: Selection) -> Mapping[str, Any]:
    """What the round's record says of the choice."""
    return {
        "strategy": selection.strategy,
        "candidates": len(request.candidates),
        "picked": len(selection.picks),
        "withheld": dict(selection.withheld),
        "findings": [
            {**asdict(finding), "evidence": dict(finding.evidence)}
            for finding in selection.findings
        ],
    }
