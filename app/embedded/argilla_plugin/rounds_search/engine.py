"""The search engine that Argilla calls: nothing is indexed, every question goes to the tables."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import (
    Dataset,
    Field,
    MetadataProperty,
    Record,
    Response,
    Suggestion,
    User,
    VectorSettings,
)
from argilla_server.search_engine.base import (
    Filter,
    MetadataMetrics,
    Order,
    SearchEngine,
    SearchResponseItem,
    SearchResponses,
    TextQuery,
)
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from rounds_search import metrics
from rounds_search.conditions import condition_for
from rounds_search.connections import new_session
from rounds_search.ordering import order_by
from rounds_search.text import matches


@SearchEngine.register("sql")
class SqlSearchEngine(SearchEngine):
    """Chosen by ARGILLA_SEARCH_ENGINE=sql; needs Argilla's tables in Postgres."""

    @classmethod
    async def new_instance(cls) -> "SqlSearchEngine":
        return cls()

    async def close(self) -> None:
        """There is nothing to close: connections belong to Argilla's pool."""

    async def ping(self) -> bool:
        async with new_session() as db:
            await db.execute(text("SELECT 1"))
        return True

    async def info(self) -> dict:
        return {"engine": "sql", "index": "none"}

    async def search(
        self,
        dataset: Dataset,
        *,
        query: TextQuery | str | None = None,
        filter: Filter | None = None,  # noqa: A002 - the name is Argilla's
        sort: list[Order] | None = None,
        offset: int = 0,
        limit: int = 100,
        user_id: UUID | None = None,
    ) -> SearchResponses:
        async with new_session() as db:
            conditions = await _conditions(db, dataset, query, filter)
            ids = select(Record.id).where(*conditions)
            ids = ids.order_by(*await order_by(db, dataset, sort or [], user_id))
            page = (await db.execute(ids.offset(offset).limit(limit))).scalars().all()
            total = await db.scalar(select(func.count(Record.id)).where(*conditions))
        items = [SearchResponseItem(record_id=record_id) for record_id in page]
        return SearchResponses(items=items, total=total or 0)

    async def similarity_search(self, *args: Any, **kwargs: Any) -> SearchResponses:
        raise UnprocessableEntityError(
            "This Argilla searches by SQL and cannot search by vectors. "
            "Similarity search needs an Argilla with Elasticsearch."
        )

    async def get_dataset_progress(self, dataset: Dataset) -> dict:
        if dataset.is_draft:
            return {}
        async with new_session() as db:
            return await metrics.dataset_progress(db, dataset.id)

    async def get_dataset_user_progress(self, dataset: Dataset, user: User) -> dict:
        if dataset.is_draft:
            return {}
        async with new_session() as db:
            return await metrics.user_progress(db, dataset.id, user.id)

    async def compute_metrics_for(self, metadata_property: MetadataProperty) -> MetadataMetrics:
        async with new_session() as db:
            return await metrics.metadata_metrics(db, metadata_property)

    # The tables are the index: what Argilla has stored is found from that moment on.

    async def create_index(self, dataset: Dataset) -> None: ...

    async def delete_index(self, dataset: Dataset) -> None: ...

    async def configure_metadata_property(
        self, dataset: Dataset, metadata_property: MetadataProperty
    ) -> None: ...

    async def configure_index_vectors(self, vector_settings: VectorSettings) -> None: ...

    async def index_records(self, dataset: Dataset, records: Iterable[Record]) -> None: ...

    async def partial_record_update(self, record: Record, **update: Any) -> None: ...

    async def delete_records(self, dataset: Dataset, records: Iterable[Record]) -> None: ...

    async def update_record_response(self, response: Response) -> None: ...

    async def delete_record_response(self, response: Response) -> None: ...

    async def update_record_suggestion(self, suggestion: Suggestion) -> None: ...

    async def delete_record_suggestion(self, suggestion: Suggestion) -> None: ...


async def _conditions(
    db: AsyncSession, dataset: Dataset, query: TextQuery | str | None, filter_: Filter | None
) -> list[ColumnElement]:
    conditions: list[ColumnElement] = [Record.dataset_id == dataset.id]
    if filter_ is not None:
        conditions.append(await condition_for(db, dataset, filter_))
    if query is not None:
        conditions.append(await _text_condition(db, dataset, query))
    return conditions


async def _text_condition(
    db: AsyncSession, dataset: Dataset, query: TextQuery | str
) -> ColumnElement:
    wanted = query if isinstance(query, TextQuery) else TextQuery(q=query)
    fields = (await db.scalars(select(Field).where(Field.dataset_id == dataset.id))).all()
    searched = [f for f in fields if not f.is_image and wanted.field in (None, f.name)]
    return matches(searched, wanted.q)
