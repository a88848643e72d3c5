"""Progress of datasets and people, and what values a metadata property takes."""

from uuid import UUID

from argilla_server.enums import MetadataPropertyType, RecordStatus
from argilla_server.models import MetadataProperty, Record, Response
from argilla_server.search_engine.base import (
    FloatMetadataMetrics,
    IntegerMetadataMetrics,
    MetadataMetrics,
    TermsMetrics,
)
from sqlalchemy import func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from rounds_search.json_values import as_number, as_text, elements, json_at

MOST_TERMS = 2**14


async def dataset_progress(db: AsyncSession, dataset_id: UUID) -> dict[str, int]:
    """How many records there are, and how many of each status."""
    counted = select(Record.status, func.count()).where(Record.dataset_id == dataset_id)
    rows = (await db.execute(counted.group_by(Record.status))).all()
    counts = {status.value: 0 for status in RecordStatus} | {s.value: count for s, count in rows}
    return {"total": sum(counts.values()), **counts}


async def user_progress(db: AsyncSession, dataset_id: UUID, user_id: UUID) -> dict[str, int]:
    """How many responses a person has given, and how many of each status."""
    counted = (
        select(Response.status, func.count())
        .join(Record)
        .where(Record.dataset_id == dataset_id, Response.user_id == user_id)
    )
    rows = (await db.execute(counted.group_by(Response.status))).all()
    counts = {status.value: count for status, count in rows}
    return {"total": sum(counts.values()), **counts}


async def metadata_metrics(db: AsyncSession, named: MetadataProperty) -> MetadataMetrics:
    """The terms with their counts, or the smallest and the largest number."""
    if named.type == MetadataPropertyType.terms:
        return await _terms(db, named)
    value = elements(json_at(Record.metadata_, named.name))
    number = as_number(value.c.element)
    limits = select(func.min(number), func.max(number)).select_from(Record).join(value, true())
    row = (await db.execute(limits.where(Record.dataset_id == named.dataset_id))).one()
    if named.type == MetadataPropertyType.float:
        return FloatMetadataMetrics(min=row[0], max=row[1])
    return IntegerMetadataMetrics(min=_whole(row[0]), max=_whole(row[1]))


async def _terms(db: AsyncSession, named: MetadataProperty) -> TermsMetrics:
    value = elements(json_at(Record.metadata_, named.name))
    term = as_text(value.c.element)
    counted = select(term, func.count()).select_from(Record).join(value, true())
    counted = counted.where(Record.dataset_id == named.dataset_id, term.is_not(None))
    counted = counted.group_by(term).order_by(func.count().desc(), term.collate("C").asc())
    rows = (await db.execute(counted)).all()
    values = [TermsMetrics.TermCount(term=text, count=count) for text, count in rows[:MOST_TERMS]]
    return TermsMetrics(total=sum(count for _, count in rows), values=values)


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
