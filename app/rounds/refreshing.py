"""What Argilla suggests for items that still wait is renewed whenever the classifier is.

Nothing that somebody works on is touched: neither what is known to have an answer or a draft, nor
what turns out to have one when Argilla is asked again just before. What was renewed is noted part
by part, so a worker that dies in between goes on where it was; a repeat changes nothing in Argilla.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from app.core.entities import ClassifierVersion, FeatureVersion, PendingItem, SelectedItem
from app.core.errors import NotFound
from app.ports.feature_store import StoredFeatures
from app.rounds import featurising, scoring, training
from app.rounds.identity import external_id
from app.rounds.pushing import record_of
from app.rounds.selecting import prediction
from app.rounds.work import Work

PART = 50


def refresh_taken_over(work: Work) -> Mapping[str, int]:
    """What earlier rounds left for this one, by the classifier that chose this round's batch."""
    if work.round.classifier_id is None:
        return {}
    with work.store.transaction() as tx:
        classifier = tx.classifiers.get(work.round.classifier_id)
    return _refresh(work, classifier, lambda: featurising.of_round(work))


def refresh_left(
    work: Work, classifier: ClassifierVersion | None, features: FeatureVersion
) -> Mapping[str, int]:
    """What this round leaves behind, by the classifier fitted at its end."""
    if classifier is None:
        return {}
    return _refresh(work, classifier, lambda: featurising.open_features(work.parts, features))


def _refresh(
    work: Work, classifier: ClassifierVersion, stored: Callable[[], StoredFeatures]
) -> Mapping[str, int]:
    """How many suggestions are this classifier's by now, and how many were left alone because
    somebody was at work; nothing where no item waits."""
    with work.store.transaction() as tx:
        pending = tx.selections.pending(work.round)
    stale = [one for one in pending if one.suggested_by != classifier.id and not one.at_work]
    done = sum(one.suggested_by == classifier.id and one.is_refreshed for one in pending)
    left = sum(one.at_work for one in pending)
    renewed = iter(_renewed(work, classifier, stored(), stale) if stale else ())
    while part := list(islice(renewed, PART)):
        work.check()
        refreshed, found_at_work = _bring(work, classifier, part)
        done, left = done + refreshed, left + found_at_work
    return {"refreshed": done, "left_alone": left} if pending else {}


def _renewed(
    work: Work,
    classifier: ClassifierVersion,
    stored: StoredFeatures,
    stale: Sequence[PendingItem],
) -> Sequence[PendingItem]:
    """The same selections, with what the classifier of now says of them."""
    item_ids = np.array([one.selected.item.id for one in stale], dtype=np.int64)
    fitted = training.load(work.parts, classifier)
    rows = stored.rows_of(item_ids)
    probabilities = scoring.predict(fitted, stored.matrix, rows, work.check)
    return [
        replace(
            one, selected=_saying(one.selected, prediction(work.project.task, fitted.classes, row))
        )
        for one, row in zip(stale, probabilities, strict=True)
    ]


def _saying(selected: SelectedItem, said: Mapping[str, Any]) -> SelectedItem:
    return replace(selected, chosen=replace(selected.chosen, **said))


def _bring(
    work: Work, classifier: ClassifierVersion, part: Sequence[PendingItem]
) -> tuple[int, int]:
    """Renew these in Argilla and note it; how many were, and how many had somebody at work. A
    dataset that somebody deleted has nothing to renew: looking for answers will tell."""
    with work.store.transaction() as tx:
        dataset = tx.annotations.dataset(work.project)
        rounds = {one.round_id: tx.rounds.get(one.round_id) for one in part}
    if dataset is None:
        return 0, 0
    try:
        report = work.tool.refresh(
            dataset.dataset_id,
            {
                one.selected.record_id: record_of(one.selected, rounds[one.round_id], classifier)
                for one in part
                if one.selected.record_id is not None
            },
        )
    except NotFound:
        return 0, 0
    shown = {
        one.selected.selection_id: one.selected.chosen
        for one in part
        if external_id(one.selected.item.id) in report.refreshed
    }
    with work.store.transaction() as tx:
        tx.rounds.guard(work.round.id, work.round.fence)
        tx.selections.refreshed(classifier.id, shown)
    return len(shown), len(report.at_work)
