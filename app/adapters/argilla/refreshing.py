"""Suggestions of records that nobody works on are renewed.

Each record is asked for just before, for Argilla takes new suggestions whatever stands there. A
draft begun in the moment between stays as it was written: only the suggestion beside it changes.
"""

from collections.abc import Mapping
from uuid import UUID

from app.adapters.argilla.connection import Connection
from app.adapters.argilla.pushing import Push
from app.core.errors import NotFound
from app.ports.annotation_tool import RecordOut, RefreshReport

AT_ONCE = 20


def refresh(connection: Connection, push: Push, records: Mapping[UUID, RecordOut]) -> RefreshReport:
    """In small parts, so that asking and writing lie close together."""
    refreshed: set[str] = set()
    at_work: set[str] = set()
    waiting = list(records.items())
    for start in range(0, len(waiting), AT_ONCE):
        part = waiting[start : start + AT_ONCE]
        touched = {record_id: _is_touched(connection, record_id) for record_id, _ in part}
        at_work |= {one.external_id for record_id, one in part if touched[record_id]}
        idle = [one for record_id, one in part if touched[record_id] is False]
        refreshed |= set(push.renew(idle).accepted)
    return RefreshReport(refreshed, at_work)


def _is_touched(connection: Connection, record_id: UUID) -> bool | None:
    """Whether it has a response; None if there is no such record."""
    try:
        return bool(connection.get(f"records/{record_id}")["responses"])
    except NotFound:
        return None
