"""Auto mode in Postgres: since when it is on, why it stopped, and what its rules look at."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.adapters.postgres.engine import Sql
from app.core.entities import RunFacts
from app.ports.store import ItemIds

LONGEST_PAUSE = "5 minutes"
"""A longer one between two answers was no work."""


class PostgresRuns:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def begin(self, project_id: int) -> None:
        self.sql.run(
            "UPDATE projects SET auto_since = coalesce(auto_since, now()), stopped = NULL, "
            "updated_at = now() WHERE id = :project",
            project=project_id,
        )

    def end(self, project_id: int, stopped: Mapping[str, Any] | None) -> None:
        self.sql.run(
            "UPDATE projects SET auto_since = NULL, stopped = cast(:stopped AS jsonb), "
            "updated_at = now() WHERE id = :project",
            project=project_id,
            stopped=json.dumps(stopped) if stopped else None,
        )

    def facts(self, project_id: int, round_id: int | None, labels_a_day: int | None) -> RunFacts:
        row = self.sql.sure(
            f"""
            WITH answers AS (
                SELECT response_updated_at - lag(response_updated_at)
                       OVER (PARTITION BY user_id ORDER BY response_updated_at) AS pause
                FROM newest_responses
                WHERE project_id = :project AND status IN ('submitted', 'discarded')),
            today AS (
                SELECT min(created_at) AS at FROM labels
                WHERE project_id = :project AND source = 'human' AND value IS NOT NULL
                  AND created_at > now() - interval '1 day' GROUP BY item_id)
            SELECT (SELECT extract(epoch FROM now() - auto_since) / 3600 FROM projects
                    WHERE id = :project) AS hours,
                   (SELECT coalesce(sum(extract(epoch FROM
                        least(pause, interval '{LONGEST_PAUSE}'))), 0) / 3600
                    FROM answers WHERE pause IS NOT NULL) AS human_hours,
                   (SELECT count(DISTINCT item_id) FROM labels
                    WHERE round_id = :round AND value IS NOT NULL) AS round_labels,
                   (SELECT count(*) FROM today) AS labels_today,
                   (SELECT extract(epoch FROM at + interval '1 day' - now()) FROM today
                    ORDER BY at DESC OFFSET :bound - 1 LIMIT 1) AS free_in
            """,  # noqa: S608
            project=project_id,
            round=round_id,
            bound=labels_a_day or 1,
        )
        return RunFacts(
            hours=None if row["hours"] is None else float(row["hours"]),
            human_hours=float(row["human_hours"]),
            round_labels=row["round_labels"],
            labels_today=row["labels_today"],
            free_in=max(0.0, float(row["free_in"] or 0)),
        )

    def measured(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        found = self.sql.all(
            "SELECT e.metrics->'measured' AS measured FROM evaluations e "
            "JOIN rounds r ON r.id = e.round_id "
            "WHERE e.project_id = :project AND e.kind = 'stopping' ORDER BY r.number",
            project=project_id,
        )
        return [row["measured"] for row in found]

    def findings(self, project_id: int) -> Mapping[str, Any] | None:
        row = self.sql.one(
            "SELECT r.number AS round, e.created_at AS at, e.metrics->'rules' AS rules "
            "FROM evaluations e JOIN rounds r ON r.id = e.round_id "
            "WHERE e.project_id = :project AND e.kind = 'stopping' ORDER BY r.number DESC LIMIT 1",
            project=project_id,
        )
        return dict(row) if row else None

    def sample(self, project_id: int, seed: int, size: int) -> ItemIds:
        found = self.sql.all(
            "SELECT id FROM items WHERE project_id = :project AND split = 'pool' "
            "AND duplicate_of IS NULL ORDER BY hashint8extended(id, :seed) LIMIT :size",
            project=project_id,
            seed=seed,
            size=size,
        )
        return np.sort(np.array([row["id"] for row in found], dtype=np.int64))
