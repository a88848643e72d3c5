"""What a webhook of Argilla says: which dataset it is about, and the answer that it carries."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ValidationError

from app.rounds.announced import Announced


def _as_utc(given: datetime) -> datetime:
    """Argilla writes UTC without saying so."""
    return given.replace(tzinfo=UTC) if given.tzinfo is None else given


Moment = Annotated[datetime, AfterValidator(_as_utc)]


class _User(BaseModel):
    id: UUID
    username: str


class _Record(BaseModel):
    id: UUID
    external_id: str | None = None


class _Value(BaseModel):
    value: Any


class _Response(BaseModel):
    id: UUID
    status: Literal["submitted", "draft", "discarded"]
    values: dict[str, _Value] | None = None
    record: _Record
    user: _User
    inserted_at: Moment
    updated_at: Moment


def dataset_of(payload: Any) -> UUID | None:
    """The dataset an event is about, wherever its kind of event has it."""
    data = payload.get("data") if isinstance(payload, Mapping) else None
    if not isinstance(data, Mapping):
        return None
    about_dataset = str(payload.get("type", "")).startswith("dataset.")
    places = (_inside(data, "record", "dataset"), _inside(data, "dataset"))
    found = next((place for place in places if place), data if about_dataset else {})
    try:
        return UUID(str(found.get("id")))
    except ValueError:
        return None


def answer_in(payload: Mapping[str, Any]) -> Announced | None:
    """The answer, where the event tells of one and has all of it."""
    if payload.get("type") not in ("response.created", "response.updated"):
        return None
    try:
        told = _Response.model_validate(payload.get("data"))
    except ValidationError:
        return None
    values = {name: one.value for name, one in told.values.items()} if told.values else None
    return Announced(
        response_id=told.id,
        external_id=told.record.external_id,
        record_id=told.record.id,
        user_id=told.user.id,
        username=told.user.username,
        status=told.status,
        values=values,
        inserted_at=told.inserted_at,
        updated_at=told.updated_at,
    )


def _inside(data: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for name in path:
        inner = data.get(name)
        data = inner if isinstance(inner, Mapping) else {}
    return data
