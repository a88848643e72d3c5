"""From the scope that a filter or an order names to the values it means."""

from argilla_server.enums import MetadataPropertyType, QuestionType
from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import Dataset, MetadataProperty, Question, Record, Response, Suggestion
from argilla_server.search_engine.base import (
    FilterScope,
    MetadataFilterScope,
    ResponseFilterScope,
    SuggestionFilterScope,
)
from sqlalchemy import Select, String, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from rounds_search.json_values import ScopedValues, json_at


async def values_in_scope(db: AsyncSession, dataset: Dataset, scope: FilterScope) -> ScopedValues:
    """The values of metadata, suggestions or responses that the scope names."""
    if isinstance(scope, MetadataFilterScope):
        return await _metadata(db, dataset, scope)
    if isinstance(scope, SuggestionFilterScope):
        return await _suggestions(db, dataset, scope)
    if isinstance(scope, ResponseFilterScope):
        return await _responses(db, dataset, scope)
    raise UnprocessableEntityError(f"Cannot search in {scope}")


async def _metadata(db: AsyncSession, dataset: Dataset, scope: MetadataFilterScope) -> ScopedValues:
    named = await _one(db, MetadataProperty, dataset, scope.metadata_property)
    numeric = named.type != MetadataPropertyType.terms
    return ScopedValues.of_json(json_at(Record.metadata_, named.name), numeric=numeric)


async def _suggestions(
    db: AsyncSession, dataset: Dataset, scope: SuggestionFilterScope
) -> ScopedValues:
    question = await _one(db, Question, dataset, scope.question)
    mine = (Suggestion.record_id == Record.id, Suggestion.question_id == question.id)
    if scope.property in ("agent", "type"):
        return _column_of_suggestion(scope.property).where(*mine)
    wants_score = scope.property == "score"
    node = json_at(Suggestion.score if wants_score else Suggestion.value)
    numeric = wants_score or question.type == QuestionType.rating
    return ScopedValues.of_json(node, Suggestion.__table__, numeric=numeric).where(*mine)


def _column_of_suggestion(name: str) -> ScopedValues:
    value = cast(getattr(Suggestion, name), String)
    return ScopedValues(select(value).correlate(Record), value, numeric=False)


async def _responses(
    db: AsyncSession, dataset: Dataset, scope: ResponseFilterScope
) -> ScopedValues:
    values = await _response_values(db, dataset, scope)
    values = values.where(Response.record_id == Record.id)
    return values.where(Response.user_id == scope.user.id) if scope.user else values


async def _response_values(
    db: AsyncSession, dataset: Dataset, scope: ResponseFilterScope
) -> ScopedValues:
    if scope.question is None:
        status = cast(Response.status, String)
        return ScopedValues(select(status).correlate(Record), status, numeric=False)
    question = await _one(db, Question, dataset, scope.question)
    node = json_at(Response.values, question.name, "value")
    numeric = question.type == QuestionType.rating
    return ScopedValues.of_json(node, Response.__table__, numeric=numeric)


async def _one(db: AsyncSession, kind: type, dataset: Dataset, name: str):
    statement: Select = select(kind).where(kind.dataset_id == dataset.id, kind.name == name)
    found = (await db.execute(statement)).scalar_one_or_none()
    if found is None:
        raise UnprocessableEntityError(f"{kind.__name__} `{name}` is not in dataset {dataset.id}")
    return found
