"""What happened, and who did it, in Postgres."""

import json
from collections.abc import Sequence
from typing import Any

from app.adapters.postgres import rows
from app.adapters.postgres.engine import Sql
from app.core.entities import Event


class PostgresEvents:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def add(
        self,
        kind: str,
        actor: str,
        *,
        project_id: int | None = None,
        round_id: int | None = None,
        **detail: Any,
    ) -> None:
        # One writer a project from here to its commit: events become visible in the order of their
        # ids, so whoever has read up to an id has missed none before it.
        self.sql.run(
            "WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtext('events'), "
            "coalesce(cast(:project AS integer), 0))) "
            "INSERT INTO events (kind, actor, project_id, round_id, detail) "
            "SELECT :kind, :actor, cast(:project AS bigint), cast(:round AS bigint), "
            "cast(:detail AS jsonb) FROM turn",
            kind=kind,
            actor=actor,
            project=project_id,
            round=round_id,
            detail=json.dumps(detail),
        )

    def since(self, project_id: int, after: int, limit: int) -> Sequence[Event]:
        found = self.sql.all(
            "SELECT e.*, r.number AS round_number FROM events e "
            "LEFT JOIN rounds r ON r.id = e.round_id "
            "WHERE e.project_id = :project AND e.id > :after ORDER BY e.id LIMIT :limit",
            project=project_id,
            after=after,
            limit=limit,
        )
        return [rows.event(row) for row in found]
