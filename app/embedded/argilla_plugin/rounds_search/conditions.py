"""Filters as SQL conditions on a record."""

from datetime import UTC, datetime
from typing import Any

from argilla_server.enums import RecordSortField, ResponseStatusFilter
from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import Dataset, Record, Response
from argilla_server.search_engine.base import (
    AndFilter,
    Filter,
    RangeFilter,
    RecordFilterScope,
    ResponseFilterScope,
    TermsFilter,
)
from sqlalchemy import ColumnElement, String, and_, cast, false, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from rounds_search.scopes import values_in_scope

TIMES = (RecordSortField.inserted_at, RecordSortField.updated_at)


async def condition_for(db: AsyncSession, dataset: Dataset, filter_: Filter) -> ColumnElement:
    """What a record must be like to pass the filter."""
    if isinstance(filter_, AndFilter):
        parts = [await condition_for(db, dataset, part) for part in filter_.filters]
        return and_(true(), *parts)
    if isinstance(filter_.scope, RecordFilterScope):
        return _on_record(filter_)
    if _is_about_status(filter_):
        return _has_response_status(filter_)
    values = await values_in_scope(db, dataset, filter_.scope)
    return values.any(_compare(values.value, filter_, values.numeric))


def _compare(value: ColumnElement, filter_: TermsFilter | RangeFilter, numeric: bool) -> Any:
    if isinstance(filter_, TermsFilter):
        return value.in_(_numbers(filter_.values) if numeric else filter_.values)
    convert = _number if numeric else str
    return _between(value, filter_, convert)


def _between(value: ColumnElement, filter_: RangeFilter, convert: Any) -> ColumnElement:
    limits = []
    if filter_.ge is not None:
        limits.append(value >= convert(filter_.ge))
    if filter_.le is not None:
        limits.append(value <= convert(filter_.le))
    return and_(true(), *limits)


def _numbers(texts: list[str]) -> list[float]:
    return [_number(text) for text in texts]


def _number(raw: Any) -> float:
    try:
        return float(raw)
    except ValueError:
        raise UnprocessableEntityError(f"`{raw}` is not a number") from None


def _on_record(filter_: TermsFilter | RangeFilter) -> ColumnElement:
    name = filter_.scope.property
    if name not in TIMES:
        return _compare(cast(getattr(Record, name), String), filter_, numeric=False)
    moment = getattr(Record, name)
    if isinstance(filter_, TermsFilter):
        return moment.in_([_moment(value) for value in filter_.values])
    return _between(moment, filter_, _moment)


def _moment(raw: Any) -> datetime:
    """Milliseconds since 1970 or an ISO text; the database keeps UTC without saying so."""
    try:
        if isinstance(raw, int | float):
            moment = datetime.fromtimestamp(raw / 1000, UTC)
        else:
            moment = datetime.fromisoformat(raw)
    except (ValueError, OverflowError, OSError):
        raise UnprocessableEntityError(f"`{raw}` is not a point in time") from None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _is_about_status(filter_: TermsFilter | RangeFilter) -> bool:
    scope = filter_.scope
    return (
        isinstance(scope, ResponseFilterScope)
        and scope.question is None
        and isinstance(filter_, TermsFilter)
    )


def _has_response_status(filter_: TermsFilter) -> ColumnElement:
    """Pending means: no response yet, by this user or, where none is named, by anyone."""
    responses = select(Response.id).where(Response.record_id == Record.id).correlate(Record)
    if filter_.scope.user:
        responses = responses.where(Response.user_id == filter_.scope.user.id)
    given = [value for value in filter_.values if value != ResponseStatusFilter.pending]
    wanted = (
        responses.where(cast(Response.status, String).in_(given)).exists() if given else false()
    )
    if len(given) == len(filter_.values):
        return wanted
    return or_(~responses.exists(), wanted)
