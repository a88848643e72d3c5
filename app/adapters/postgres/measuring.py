"""Measuring in Postgres: who measures which round, and what was found."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.adapters.postgres.engine import Sql
from app.core.entities import Checked, LabelledItem, MeasuringTask, Round
from app.core.errors import LeaseLost


class PostgresMeasurements:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    # --- the work ---

    def plan(self, round_: Round) -> None:
        self.sql.run(
            "INSERT INTO measuring (round_id, project_id) VALUES (:round, :project) "
            "ON CONFLICT DO NOTHING",
            round=round_.id,
            project=round_.project_id,
        )

    def claim(self, worker: str, lease_seconds: float) -> MeasuringTask | None:
        row = self.sql.one(
            """
            UPDATE measuring SET lease_owner = :worker, fence = fence + 1,
                                 lease_until = now() + make_interval(secs => :lease)
            WHERE round_id = (
                SELECT m.round_id FROM measuring m
                WHERE m.done_at IS NULL AND m.due_at <= now()
                  AND (m.lease_until IS NULL OR m.lease_until < now())
                  AND NOT EXISTS (SELECT FROM measuring earlier
                      WHERE earlier.project_id = m.project_id AND earlier.done_at IS NULL
                        AND earlier.round_id < m.round_id)
                ORDER BY m.due_at LIMIT 1 FOR UPDATE OF m SKIP LOCKED)
            RETURNING round_id, project_id, fence, attempts
            """,
            worker=worker,
            lease=lease_seconds,
        )
        return MeasuringTask(**row) if row else None

    def extend(self, task: MeasuringTask, lease_seconds: float) -> bool:
        touched = self.sql.run(
            "UPDATE measuring SET lease_until = now() + make_interval(secs => :lease) "
            "WHERE round_id = :round AND fence = :fence AND lease_until IS NOT NULL",
            round=task.round_id,
            fence=task.fence,
            lease=lease_seconds,
        )
        return touched == 1

    def guard(self, task: MeasuringTask) -> None:
        found = self.sql.value(
            "SELECT fence FROM measuring WHERE round_id = :round FOR UPDATE", round=task.round_id
        )
        if found != task.fence:
            raise LeaseLost("Another worker measures this round now; nothing was written.")

    def give_back(self, task: MeasuringTask) -> None:
        self._end(task, "due_at = now()")

    def retry(self, task: MeasuringTask, seconds: float, error: Mapping[str, Any]) -> None:
        self._end(
            task,
            "attempts = attempts + 1, error = cast(:error AS jsonb), "
            "due_at = now() + make_interval(secs => :seconds)",
            seconds=seconds,
            error=json.dumps(error),
        )

    def give_up(self, task: MeasuringTask, error: Mapping[str, Any]) -> None:
        self._end(
            task,
            "attempts = attempts + 1, error = cast(:error AS jsonb), done_at = now()",
            error=json.dumps(error),
        )

    def done(self, task: MeasuringTask) -> None:
        self._end(task, "error = NULL, done_at = now()")

    def _end(self, task: MeasuringTask, assignments: str, **values: Any) -> None:
        self.sql.run(
            f"UPDATE measuring SET {assignments}, lease_owner = NULL, lease_until = NULL "  # noqa: S608
            "WHERE round_id = :round AND fence = :fence",
            round=task.round_id,
            fence=task.fence,
            **values,
        )

    def waiting(self, project_id: int) -> int:
        return int(
            self.sql.value(
                "SELECT count(*) FROM measuring WHERE project_id = :project AND done_at IS NULL",
                project=project_id,
            )
        )

    # --- what came of it ---

    def add(
        self,
        round_: Round,
        kind: str,
        *,
        classifier_id: int | None,
        made_from: Mapping[str, Any],
        figures: Mapping[str, Any],
    ) -> None:
        self.sql.run(
            "INSERT INTO measurements (project_id, round_id, classifier_id, kind, made_from, "
            "figures) VALUES (:project, :round, :classifier, :kind, cast(:made_from AS jsonb), "
            "cast(:figures AS jsonb)) ON CONFLICT (round_id, kind) DO NOTHING",
            project=round_.project_id,
            round=round_.id,
            classifier=classifier_id,
            kind=kind,
            made_from=json.dumps(made_from),
            figures=json.dumps(figures),
        )

    def of_round(self, round_id: int) -> Mapping[str, Mapping[str, Any]]:
        found = self.sql.all(
            "SELECT kind, figures FROM measurements WHERE round_id = :round", round=round_id
        )
        return {row["kind"]: row["figures"] for row in found}

    def newest(self, project_id: int, *kinds: str) -> Mapping[str, Mapping[str, Any]]:
        found = self.sql.all(
            """
            SELECT m.kind, m.figures, r.number AS round
            FROM unnest(cast(:kinds AS text[])) wanted (kind)
            CROSS JOIN LATERAL (
                SELECT * FROM measurements m
                WHERE m.project_id = :project AND m.kind = wanted.kind
                ORDER BY m.round_id DESC LIMIT 1) m
            JOIN rounds r ON r.id = m.round_id
            """,
            project=project_id,
            kinds=list(kinds),
        )
        return {row["kind"]: {**row["figures"], "round": row["round"]} for row in found}

    def history(self, project_id: int, kind: str) -> Sequence[Mapping[str, Any]]:
        found = self.sql.all(
            "SELECT m.figures, r.number AS round, r.closed_at "
            "FROM measurements m JOIN rounds r ON r.id = m.round_id "
            "WHERE m.project_id = :project AND m.kind = :kind ORDER BY r.number",
            project=project_id,
            kind=kind,
        )
        return [
            {**row["figures"], "round": row["round"], "closed_at": row["closed_at"]}
            for row in found
        ]

    def everywhere(self, kind: str) -> Sequence[Mapping[str, Any]]:
        found = self.sql.all(
            "SELECT m.figures, r.number AS round, p.name AS project FROM measurements m "
            "JOIN rounds r ON r.id = m.round_id JOIN projects p ON p.id = m.project_id "
            "WHERE m.kind = :kind ORDER BY p.name, r.number",
            kind=kind,
        )
        return [
            {**row["figures"], "round": row["round"], "project": row["project"]} for row in found
        ]

    def current(self, project_id: int, items: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        found = self.sql.all(
            # item by item: a few hundred are asked for, and there may be a million labels
            "SELECT i.external_id, i.id, i.fields, l.value FROM items i LEFT JOIN LATERAL "
            "(SELECT value FROM current_labels WHERE item_id = i.id LIMIT 1) l ON true "
            "WHERE i.project_id = :project AND i.external_id = ANY(:items)",
            project=project_id,
            items=list(items),
        )
        return {row["external_id"]: dict(row) for row in found}

    # --- what it is made from ---

    def chosen(self, classifier_id: int) -> Sequence[LabelledItem]:
        found = self.sql.all(
            """
            SELECT l.item_id, l.value, l.source, s.slice, s.number AS round_number
            FROM training_labels t JOIN labels l ON l.id = t.label_id
            LEFT JOIN LATERAL (
                -- a random check whose label was decided again is a random check still
                SELECT s.slice, r.number FROM selections s JOIN rounds r ON r.id = s.round_id
                WHERE s.item_id = l.item_id AND s.round_id <= l.round_id AND s.slice <> 'relabel'
                ORDER BY s.round_id DESC LIMIT 1) s ON true
            WHERE t.classifier_id = :classifier ORDER BY l.item_id
            """,
            classifier=classifier_id,
        )
        return [LabelledItem(**row) for row in found]

    def checked(self, round_id: int) -> Sequence[Checked]:
        found = self.sql.all(
            """
            SELECT s.item_id, s.prediction, l.value
            FROM selections s JOIN current_labels l ON l.item_id = s.item_id
            WHERE s.round_id = :round AND s.slice = 'audit' AND l.source = 'human'
            ORDER BY s.item_id
            """,
            round=round_id,
        )
        return [Checked(**row) for row in found]
