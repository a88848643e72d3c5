"""What happened, and who did it, in Postgres."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.adapters.postgres import rows
from app.adapters.postgres.engine import Sql
from app.core.acting import Actor
from app.core.entities import Event
from app.ports.store.reading import Page


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
            actor=str(actor),
            project=project_id,
            round=round_id,
            detail=json.dumps(detail),
        )
        if isinstance(actor, Actor):
            self._keep_action(kind, actor, project_id, round_id, detail)

    def _keep_action(
        self,
        kind: str,
        actor: Actor,
        project_id: int | None,
        round_id: int | None,
        detail: Mapping[str, Any],
    ) -> None:
        self.sql.run(
            "INSERT INTO actions (kind, actor, via, key_id, login, project_id, project, round, "
            "detail) VALUES (:kind, :actor, :via, :key, :login, :project, "
            "(SELECT name FROM projects WHERE id = cast(:project AS bigint)), "
            "(SELECT number FROM rounds WHERE id = cast(:round AS bigint)), "
            "cast(:detail AS jsonb))",
            kind=kind,
            actor=str(actor),
            via=actor.via.value,
            key=actor.key_id,
            login=actor.login,
            project=project_id,
            round=round_id,
            detail=json.dumps(detail),
        )

    def actions(self, project_id: int | None, before: int, limit: int) -> Page:
        found = self.sql.all(
            "SELECT id, at, kind, actor, via, key_id, login, project, round, detail FROM actions "
            "WHERE (cast(:project AS bigint) IS NULL OR project_id = :project) "
            "AND (:before = 0 OR id < :before) ORDER BY id DESC LIMIT :limit",
            project=project_id,
            before=before,
            limit=limit + 1,
        )
        shown = [dict(row) for row in found[:limit]]
        return Page(shown, shown[-1]["id"] if len(found) > limit else None)

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
