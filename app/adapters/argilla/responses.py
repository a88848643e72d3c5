"""Argilla's responses in our words."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.ports.annotation_tool import Look, ResponseIn


def look_of(records: Sequence[Mapping[str, Any]]) -> Look:
    """What is ours of them: records that carry an external id, and their responses."""
    ours = [record for record in records if record["external_id"] is not None]
    return Look(
        records={UUID(record["id"]): record["external_id"] for record in ours},
        responses=[_response(one, given) for one in ours for given in one["responses"] or ()],
    )


def _response(record: Mapping[str, Any], response: Mapping[str, Any]) -> ResponseIn:
    return ResponseIn(
        response_id=UUID(response["id"]),
        external_id=record["external_id"],
        record_id=UUID(record["id"]),
        user_id=UUID(response["user_id"]),
        status=response["status"],
        values=_values(response["values"]),
        inserted_at=moment(response["inserted_at"]),
        updated_at=moment(response["updated_at"]),
    )


def _values(values: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """`{"label": {"value": "refund"}}` is `{"label": "refund"}` to us."""
    if values is None:
        return None
    return {question: answer["value"] for question, answer in values.items()}


def moment(text: str) -> datetime:
    """Argilla writes UTC without saying so."""
    given = datetime.fromisoformat(text)
    return given.replace(tzinfo=UTC) if given.tzinfo is None else given
