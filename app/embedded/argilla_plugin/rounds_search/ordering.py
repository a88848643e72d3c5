"""Orders as SQL expressions; the same question always gets the same sequence of records."""

from uuid import UUID

from argilla_server.enums import SortOrder
from argilla_server.models import Dataset, Record
from argilla_server.search_engine.base import Order, RecordFilterScope, ResponseFilterScope
from sqlalchemy import ColumnElement, String, cast, func
from sqlalchemy.ext.asyncio import AsyncSession

from rounds_search.json_values import ScopedValues
from rounds_search.scopes import values_in_scope


async def order_by(
    db: AsyncSession, dataset: Dataset, orders: list[Order], user_id: UUID | None
) -> list[ColumnElement]:
    """What to sort by. Records without a value come last, ties go by age, then by id."""
    wanted = [await _expression(db, dataset, order) for order in orders]
    if not wanted and user_id is not None:
        wanted = [_shuffled_for(user_id)]
    return [*wanted, Record.inserted_at.asc(), Record.id.asc()]


def _shuffled_for(user_id: UUID) -> ColumnElement:
    """Another sequence for each person, always the same for one: people meet less often."""
    return func.md5(cast(Record.id, String) + str(user_id))


async def _expression(db: AsyncSession, dataset: Dataset, order: Order) -> ColumnElement:
    if isinstance(order.scope, RecordFilterScope):
        value = getattr(Record, order.scope.property)
        value = cast(value, String).collate("C") if order.scope.property == "status" else value
    else:
        value = _single(await values_in_scope(db, dataset, order.scope), order)
    return (value.desc() if order.order == SortOrder.desc else value.asc()).nulls_last()


def _single(values: ScopedValues, order: Order) -> ColumnElement:
    """Of several values the one that comes first in this direction; of ratings the mean."""
    if values.numeric and isinstance(order.scope, ResponseFilterScope):
        return values.pick("avg")
    picked = values.pick("max" if order.order == SortOrder.desc else "min")
    return picked if values.numeric else picked.collate("C")
