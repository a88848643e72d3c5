"""Answers come home: compare what Argilla has with what is stored, append what is new.

The gate (last activity) makes an idle look cheap. It is read before the scan and stored after it,
so an answer given in between is seen next time rather than never.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import structlog

from app.core.entities import AnnotationDataset, Project, ResponseStatus, Revision
from app.core.errors import NotFound
from app.ports.annotation_tool import ResponseIn
from app.rounds.identity import item_of
from app.rounds.work import Parts, Work

log = structlog.get_logger()
Known = Mapping[UUID, tuple[datetime, str]]


def collect(work: Work) -> int:
    """New revisions stored for the project of this round."""
    return collect_project(work.parts, work.project)


def collect_late(work: Work) -> int:
    """The same between rounds, where a dataset that somebody deleted holds nothing up: what was
    answered there is stored, and the next batch gets a dataset made anew."""
    try:
        return collect(work)
    except NotFound as gone:
        log.warning("dataset.gone", project=work.project.name, reason=gone.message)
        return 0


def collect_project(parts: Parts, project: Project) -> int:
    with parts.store.transaction() as tx:
        datasets = tx.annotations.datasets(project.id)
    return sum(_collect_dataset(parts, project, dataset) for dataset in datasets)


def _collect_dataset(parts: Parts, project: Project, dataset: AnnotationDataset) -> int:
    activity = parts.tool.last_activity(dataset.dataset_id)
    idle = activity is not None and activity == dataset.seen_activity
    if idle and not dataset.full_look_due:
        return 0
    with parts.store.transaction() as tx:
        known = tx.annotations.known(dataset)
    found = list(parts.tool.responses(dataset.dataset_id))
    names = parts.tool.usernames() if found else {}
    fresh = [_revision(one, names) for one in found if _is_news(one, known)]
    gone = _vanished(found, known)
    with parts.store.transaction() as tx:
        stored = tx.annotations.record(dataset, fresh)
        deleted = tx.annotations.mark_deleted(project.id, gone)
        tx.annotations.collected(dataset.id, activity)
        if stored or deleted:
            tx.events.add(
                "annotations.collected",
                "argilla",
                project_id=project.id,
                revisions=stored,
                deleted=deleted,
            )
    return stored + deleted


def _is_news(response: ResponseIn, known: Known) -> bool:
    if item_of(response.external_id) is None:
        return False  # a record somebody added by hand is none of ours
    return known.get(response.response_id) != (response.updated_at, response.status)


def _revision(response: ResponseIn, names: Mapping[UUID, str]) -> Revision:
    item_id = item_of(response.external_id)
    assert item_id is not None  # noqa: S101 - _is_news let only ours through
    return Revision(
        response_id=response.response_id,
        item_id=item_id,
        user_id=response.user_id,
        username=names.get(response.user_id),
        status=ResponseStatus(response.status),
        values=response.values,
        inserted_at=response.inserted_at,
        updated_at=response.updated_at,
    )


def _vanished(found: Iterable[ResponseIn], known: Known) -> Sequence[UUID]:
    """Responses that Argilla no longer has: absence is the only sign of a deletion."""
    present = {response.response_id for response in found}
    return [
        response_id
        for response_id, (_, status) in known.items()
        if response_id not in present and status != ResponseStatus.DELETED
    ]


def unanswered(work: Work) -> Sequence[int]:
    with work.store.transaction() as tx:
        return tx.selections.unanswered(work.round)
