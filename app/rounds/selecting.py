"""What a strategy is shown, and what is recorded of its choice."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from app.core.entities import NewSelection
from app.core.tasks import task_type
from app.core.types import Floats, Selection, SelectionRequest
from app.ports.store import ItemIds
from app.rounds import featurising, scoring
from app.rounds.work import Work


def request(work: Work) -> SelectionRequest:
    """The pool as it is now: candidates, what is taken already, and the classifier's view."""
    with work.store.transaction() as tx:
        features = tx.classifiers.feature_version(work.round.checkpoint["features_id"])
        candidates = tx.items.candidates(work.project.id)
        labels = tx.labels.current(work.project.id)
        out = tx.items.out_for_annotation(work.project.id)
    stored = featurising.open_features(work.parts, features)
    candidates, probabilities = _scored(work, candidates[np.isin(candidates, stored.item_ids)])
    labelled = np.array([label.item_id for label in labels], dtype=np.int64)
    occupied = np.union1d(labelled, out)
    positions = {name: index for index, name in enumerate(work.project.task.labels)}
    kind = task_type(work.project.task)
    return SelectionRequest(
        features=stored.matrix,
        candidates=stored.rows_of(candidates),
        occupied=stored.rows_of(occupied[np.isin(occupied, stored.item_ids)]),
        batch_size=work.round.batch_size,
        seed=work.round.seed,
        classes=work.project.task.labels,
        probabilities=probabilities,
        labelled_y=dict(
            zip(
                stored.rows_of(labelled).tolist(),
                [positions[kind.class_of(label.value)] for label in labels],
                strict=True,
            )
        ),
        options=work.round.settings.strategy_options,
    )


def _scored(work: Work, candidates: ItemIds) -> tuple[ItemIds, Floats | None]:
    """Candidates that are scored and still candidates, with their probabilities."""
    if work.round.classifier_id is None:
        return candidates, None
    scores = scoring.stored_scores(work)
    still = np.isin(scores.item_ids, candidates)
    return scores.item_ids[still], scores.probabilities[still]


def describe(work: Work, request: SelectionRequest, selection: Selection) -> Sequence[NewSelection]:
    """The picks in the words of the records: items instead of rows, answers instead of classes."""
    with work.store.transaction() as tx:
        features = tx.classifiers.feature_version(work.round.checkpoint["features_id"])
    item_ids = featurising.open_features(work.parts, features).item_ids
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
            **_prediction(work, request, position[int(pick.row)]),
        )
        for pick in selection.picks
    ]


def _prediction(work: Work, request: SelectionRequest, index: int) -> Mapping[str, Any]:
    if request.probabilities is None:
        return {"prediction": None, "confidence": None, "uncertainty": None}
    row = request.probabilities[index]
    best, second = np.sort(row)[::-1][:2]
    label = request.classes[int(row.argmax())]
    return {
        "prediction": task_type(work.project.task).prediction(label),
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
