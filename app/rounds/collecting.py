"""Answers come home: compare what Argilla has with what is stored, append what is new.

The gate (last activity) makes an idle look cheap. It is read before the look and stored after it,
so an answer given in between is seen next time rather than never. While a batch is out, only its
records are looked at, however large the dataset; all of them when a round begins, when the last
answer seems to be in, and every few minutes for what leaves no trace.

What is absent was taken back by somebody only if record and annotator are still there. What
vanished with a record, an account or a dataset stands as it was given.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from app.core.entities import AnnotationDataset, KnownResponse, Project, ResponseStatus, Revision
from app.core.errors import NotFound, Refused
from app.ports.annotation_tool import Look, ResponseIn
from app.ports.store import Transaction
from app.rounds.identity import item_of
from app.rounds.work import Parts, Work

log = structlog.get_logger()
Known = Mapping[UUID, KnownResponse]
DISPUTES = "disputes"
DELETED_RECORD = "its record was deleted in Argilla"


@dataclass(frozen=True, slots=True)
class News:
    """What a look has found that is not stored yet."""

    fresh: Sequence[Revision]
    deleted: Sequence[UUID]
    """Responses that somebody took back."""
    gone: AbstractSet[UUID]
    """Annotators whose account is no more."""
    lost: AbstractSet[UUID]
    """Records that somebody deleted."""


def collect(work: Work) -> int:
    """New revisions stored for the project of this round, from the records that are out."""
    return _collect_project(work.parts, work.project, whole=False)


def collect_late(work: Work) -> int:
    """From every record, between rounds, where a dataset that somebody deleted holds nothing up:
    what was answered there is stored, and the next batch gets a dataset made anew."""
    try:
        return collect_project(work.parts, work.project)
    except NotFound as gone:
        log.warning("dataset.gone", project=work.project.name, reason=gone.message)
        return 0


def collect_project(parts: Parts, project: Project) -> int:
    """New revisions stored, from every record of the project."""
    return _collect_project(parts, project, whole=True)


def unanswered(work: Work) -> Sequence[int]:
    with work.store.transaction() as tx:
        return tx.selections.unanswered(work.round)


def _collect_project(parts: Parts, project: Project, *, whole: bool) -> int:
    with parts.store.transaction() as tx:
        datasets = tx.annotations.datasets(project.id)
    return sum(_collect_version(parts, project, one, whole=whole) for one in datasets)


def _collect_version(
    parts: Parts, project: Project, dataset: AnnotationDataset, *, whole: bool
) -> int:
    """An earlier version's dataset that somebody deleted is needed by no round."""
    try:
        return _collect_dataset(parts, dataset, whole=whole)
    except NotFound:
        if dataset.schema_version == project.schema_version:
            raise
        return 0


def _collect_dataset(parts: Parts, dataset: AnnotationDataset, *, whole: bool) -> int:
    try:
        activity = parts.tool.last_activity(dataset.dataset_id)
        if _is_idle(dataset, activity, whole=whole):
            return 0
        if not whole and not dataset.full_look_due:
            stored = _collect_newest(parts, dataset, activity)
            if stored is not None:
                return stored
        return _collect_all(parts, dataset, activity)
    except (NotFound, Refused) as problem:
        _note_problem(parts, dataset, problem.message)
        if isinstance(problem, NotFound) and dataset.purpose == DISPUTES:
            return _show_again(parts, dataset)
        raise


def _show_again(parts: Parts, dataset: AnnotationDataset) -> int:
    """A dataset of disputed items is made anew for those that are still disputed."""
    with parts.store.transaction() as tx:
        tx.disputes.hidden(dataset.project_id)
    return 0


def _is_idle(dataset: AnnotationDataset, activity: datetime | None, *, whole: bool) -> bool:
    seen = dataset.seen_whole if whole else dataset.seen_activity
    return activity is not None and activity == seen and not dataset.full_look_due


def _collect_newest(
    parts: Parts, dataset: AnnotationDataset, activity: datetime | None
) -> int | None:
    """From the records that are out; None if they are not those that were brought last."""
    with parts.store.transaction() as tx:
        out = tx.annotations.records_out(dataset)
        reach = tx.annotations.reach(dataset)
    look = parts.tool.look_at_newest(dataset.dataset_id, reach) if out else None
    if look is None or not out <= look.records.keys():
        return None
    news = _news(parts, dataset, look, lost=frozenset())
    with parts.store.transaction() as tx:
        tx.annotations.collected(dataset, activity, whole=False)
        return _store(tx, dataset, news)


def _collect_all(parts: Parts, dataset: AnnotationDataset, activity: datetime | None) -> int:
    with parts.store.transaction() as tx:
        # before the look: what is pushed during it is none of its business
        expected = tx.annotations.records_pushed(dataset)
    look = parts.tool.look(dataset.dataset_id)
    news = _news(parts, dataset, look, lost=expected - look.records.keys())
    with parts.store.transaction() as tx:
        tx.annotations.collected(dataset, activity, whole=True)
        return _store(tx, dataset, news)


def _news(parts: Parts, dataset: AnnotationDataset, look: Look, lost: AbstractSet[UUID]) -> News:
    items = [item for name in look.records.values() if (item := item_of(name)) is not None]
    with parts.store.transaction() as tx:
        known = tx.annotations.known(dataset, items)
    changed = [one for one in look.responses if _is_news(one, known)]
    absent = _absent(look, known)
    names = parts.tool.usernames() if changed or absent else {}
    return News(
        fresh=[_revision(one, names) for one in changed],
        deleted=[one for one, was in absent.items() if was.user_id in names],
        gone={was.user_id for was in absent.values()} - names.keys(),
        lost=lost,
    )


def _is_news(response: ResponseIn, known: Known) -> bool:
    if item_of(response.external_id) is None:
        return False  # a record somebody added by hand is none of ours
    stored = known.get(response.response_id)
    return stored is None or (stored.updated_at, stored.status) != (
        response.updated_at,
        response.status,
    )


def _revision(response: ResponseIn, names: Mapping[UUID, str]) -> Revision:
    item_id = item_of(response.external_id)
    assert item_id is not None  # noqa: S101 - _is_news let only ours through
    return Revision(
        response_id=response.response_id,
        record_id=response.record_id,
        item_id=item_id,
        user_id=response.user_id,
        username=names.get(response.user_id),
        status=ResponseStatus(response.status),
        values=response.values,
        inserted_at=response.inserted_at,
        updated_at=response.updated_at,
    )


def _absent(look: Look, known: Known) -> Known:
    """Responses that Argilla no longer has although it has their records: absence is the only sign
    of a deletion."""
    present = {response.response_id for response in look.responses}
    return {
        response_id: stored
        for response_id, stored in known.items()
        if response_id not in present
        and stored.status != ResponseStatus.DELETED
        and (stored.record_id is None or stored.record_id in look.records)
    }


def _store(tx: Transaction, dataset: AnnotationDataset, news: News) -> int:
    stored = tx.annotations.record(dataset, news.fresh)
    deleted = tx.annotations.mark_deleted(dataset.project_id, news.deleted)
    if stored or deleted:
        tx.events.add(
            "annotations.collected",
            "argilla",
            project_id=dataset.project_id,
            revisions=stored,
            deleted=deleted,
        )
    _tell_what_is_missing(tx, dataset, news)
    return stored + deleted


def _tell_what_is_missing(tx: Transaction, dataset: AnnotationDataset, news: News) -> None:
    project_id = dataset.project_id
    lost = tx.annotations.mark_lost(dataset, news.lost, DELETED_RECORD) if news.lost else {}
    for round_id, count in lost.items():
        tx.events.add(
            "records.lost", "argilla", project_id=project_id, round_id=round_id, records=count
        )
    for user_id in tx.annotations.mark_gone(project_id, news.gone) if news.gone else ():
        tx.events.add("annotator.gone", "argilla", project_id=project_id, user_id=str(user_id))


def _note_problem(parts: Parts, dataset: AnnotationDataset, problem: str) -> None:
    with parts.store.transaction() as tx:
        if tx.annotations.mark_problem(dataset, problem):
            tx.events.add(
                "dataset.unreachable", "argilla", project_id=dataset.project_id, problem=problem
            )
