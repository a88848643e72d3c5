"""Annotators' answers in Postgres: every state of every response, appended, never changed."""

import json
from collections.abc import Collection, Mapping, Sequence, Set
from datetime import datetime
from typing import Any
from uuid import UUID

from app.adapters.postgres import rows
from app.adapters.postgres.engine import Sql
from app.core.entities import AnnotationDataset, KnownResponse, Project, Revision

# the longer nothing has happened, the rarer: from every five minutes to once an hour
COLUMNS = """*, coalesce(collected_at < now() - least(interval '1 hour',
    greatest(interval '5 minutes', (collected_at - seen_whole) / 10)), true) AS full_look_due
"""


class PostgresAnnotations:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def dataset(self, project: Project) -> AnnotationDataset | None:
        row = self.sql.one(
            f"SELECT {COLUMNS} FROM datasets "  # noqa: S608
            "WHERE project_id = :project AND schema_version = :version "
            "AND purpose = 'annotation'",
            project=project.id,
            version=project.schema_version,
        )
        return rows.dataset(row) if row else None

    def datasets(self, project_id: int) -> Sequence[AnnotationDataset]:
        found = self.sql.all(
            f"SELECT {COLUMNS} FROM datasets "  # noqa: S608
            "WHERE project_id = :project ORDER BY schema_version, purpose",
            project=project_id,
        )
        return [rows.dataset(row) for row in found]

    def find_dataset(self, dataset_id: UUID) -> AnnotationDataset | None:
        row = self.sql.one(
            f"SELECT {COLUMNS} FROM datasets WHERE dataset_id = :dataset",  # noqa: S608
            dataset=dataset_id,
        )
        return rows.dataset(row) if row else None

    def add_dataset(
        self,
        project: Project,
        dataset_id: UUID,
        annotate_url: str,
        *,
        purpose: str = "annotation",
    ) -> AnnotationDataset:
        row = self.sql.sure(
            """
            INSERT INTO datasets (project_id, schema_version, purpose, dataset_id, annotate_url)
            VALUES (:project, :version, :purpose, :dataset, :url)
            ON CONFLICT (project_id, schema_version, purpose) DO UPDATE
                SET dataset_id = excluded.dataset_id, annotate_url = excluded.annotate_url,
                    problem = NULL, problem_since = NULL,
                    -- a dataset made anew has not been looked into yet
                    seen_activity = CASE WHEN datasets.dataset_id = excluded.dataset_id
                                    THEN datasets.seen_activity END,
                    seen_whole = CASE WHEN datasets.dataset_id = excluded.dataset_id
                                 THEN datasets.seen_whole END
            RETURNING *, true AS full_look_due
            """,
            project=project.id,
            version=project.schema_version,
            purpose=purpose,
            dataset=dataset_id,
            url=annotate_url,
        )
        return rows.dataset(row)

    def record(self, dataset: AnnotationDataset, revisions: Sequence[Revision]) -> int:
        before = self._newest()
        self.sql.many(
            """
            INSERT INTO annotations (project_id, argilla_dataset_id, item_id, selection_id,
                response_id, record_id, user_id, username, status, "values",
                response_inserted_at, response_updated_at, sighting, schema_version)
            SELECT :project, :dataset, i.id,
                (SELECT s.id FROM selections s WHERE s.item_id = i.id ORDER BY s.id DESC LIMIT 1),
                :response_id, :record_id, :user_id, :username, :status,
                cast(:values AS jsonb), :inserted_at, :updated_at,
                (SELECT count(*) FROM annotations d
                 WHERE d.response_id = :response_id AND d.status = 'deleted'), :schema
            FROM items i WHERE i.id = :item_id AND i.project_id = :project
            ON CONFLICT (response_id, response_updated_at, status, sighting) DO NOTHING
            """,
            [self._row(dataset, one) for one in revisions],
        )
        return int(
            self.sql.value(
                "SELECT count(*) FROM annotations WHERE project_id = :project AND id > :before "
                "AND status <> 'deleted'",
                project=dataset.project_id,
                before=before,
            )
        )

    def _newest(self) -> int:
        return int(self.sql.value("SELECT coalesce(max(id), 0) FROM annotations"))

    @staticmethod
    def _row(dataset: AnnotationDataset, one: Revision) -> dict[str, Any]:
        return {
            "project": dataset.project_id,
            "dataset": dataset.dataset_id,
            "item_id": one.item_id,
            "response_id": one.response_id,
            "record_id": one.record_id,
            "user_id": one.user_id,
            "username": one.username,
            "status": one.status.value,
            "values": json.dumps(one.values) if one.values is not None else None,
            "inserted_at": one.inserted_at,
            "updated_at": one.updated_at,
            "schema": dataset.schema_version,
        }

    def known(
        self, dataset: AnnotationDataset, item_ids: Sequence[int]
    ) -> Mapping[UUID, KnownResponse]:
        found = self.sql.all(
            "SELECT response_id, record_id, user_id, response_updated_at, status "
            "FROM newest_responses WHERE project_id = :project "
            "AND argilla_dataset_id = :dataset AND item_id = ANY(:items)",
            project=dataset.project_id,
            dataset=dataset.dataset_id,
            items=list(item_ids),
        )
        return {
            row["response_id"]: KnownResponse(
                row["record_id"], row["user_id"], row["response_updated_at"], row["status"]
            )
            for row in found
        }

    def moments(self, project_id: int) -> Mapping[str, Sequence[datetime]]:
        found = self.sql.all(
            """
            SELECT name, array_agg(moment) AS moments FROM (
                SELECT coalesce(max(username), user_id::text) AS name,
                       min(response_updated_at) AS moment
                FROM annotations
                WHERE project_id = :project AND status IN ('submitted', 'discarded')
                GROUP BY response_id, user_id) first
            GROUP BY name
            """,
            project=project_id,
        )
        return {row["name"]: row["moments"] for row in found}

    def mark_deleted(self, project_id: int, response_ids: Sequence[UUID]) -> int:
        return self.sql.run(
            """
            INSERT INTO annotations (project_id, argilla_dataset_id, item_id, selection_id,
                response_id, record_id, user_id, username, status, response_inserted_at,
                response_updated_at, sighting)
            SELECT project_id, argilla_dataset_id, item_id, selection_id, response_id, record_id,
                user_id, username, 'deleted', response_inserted_at, response_updated_at, sighting
            FROM newest_responses
            WHERE project_id = :project AND response_id = ANY(:responses) AND status <> 'deleted'
            ON CONFLICT (response_id, response_updated_at, status, sighting) DO NOTHING
            """,
            project=project_id,
            responses=list(response_ids),
        )

    def collected(
        self, dataset: AnnotationDataset, activity: datetime | None, *, whole: bool
    ) -> None:
        self.sql.run(
            """
            UPDATE datasets SET seen_activity = :activity, problem = NULL, problem_since = NULL,
                seen_whole = CASE WHEN :whole THEN :activity ELSE seen_whole END,
                collected_at = CASE WHEN :whole THEN now() ELSE collected_at END
            WHERE id = :id AND dataset_id = :dataset
            """,
            id=dataset.id,
            dataset=dataset.dataset_id,
            activity=activity,
            whole=whole,
        )

    def look_at_all(self, project_id: int) -> None:
        self.sql.run(
            "UPDATE datasets SET collected_at = NULL WHERE project_id = :project",
            project=project_id,
        )
        self.sql.run(
            "UPDATE projects SET collect_after = now() WHERE id = :project", project=project_id
        )

    # --- what is missing in Argilla ---

    def records_out(self, dataset: AnnotationDataset) -> Set[UUID]:
        return self._records(dataset, "AND w.state NOT IN ('closed', 'cancelled')")

    def reach(self, dataset: AnnotationDataset) -> int:
        return int(
            self.sql.value(
                """
                SELECT count(*) FROM pushes p JOIN rounds r ON r.id = p.round_id
                WHERE r.dataset_id = :dataset AND p.state = 'pushed' AND p.pushed_at >= (
                    SELECT min(o.pushed_at) FROM pushes o
                    JOIN rounds made ON made.id = o.round_id JOIN rounds w ON w.id = o.waits_in
                    WHERE made.dataset_id = :dataset AND o.state = 'pushed'
                      AND w.state NOT IN ('closed', 'cancelled'))
                """,
                dataset=dataset.id,
            )
        )

    def records_pushed(self, dataset: AnnotationDataset) -> Set[UUID]:
        return self._records(dataset, "")

    def _records(self, dataset: AnnotationDataset, which: str) -> Set[UUID]:
        found = self.sql.all(
            f"SELECT p.record_id FROM pushes p JOIN rounds r ON r.id = p.round_id "  # noqa: S608
            f"JOIN rounds w ON w.id = p.waits_in "
            f"WHERE r.dataset_id = :dataset AND p.state = 'pushed' {which}",
            dataset=dataset.id,
        )
        return {row["record_id"] for row in found}

    def mark_lost(
        self, dataset: AnnotationDataset, records: Collection[UUID], problem: str
    ) -> Mapping[int, int]:
        # while a round is being finished it is we who take records away
        found = self.sql.all(
            """
            WITH lost AS (
                UPDATE pushes p SET problem = :problem, ended_at = now(),
                    state = CASE WHEN w.finish_requested OR w.cancel_requested
                                 OR (w.state = 'annotating' AND w.checkpoint ->> 'closed_by' <> '')
                            THEN 'withdrawn' ELSE 'lost' END
                FROM rounds r, rounds w
                WHERE r.id = p.round_id AND r.dataset_id = :dataset AND w.id = p.waits_in
                  AND p.state = 'pushed' AND p.record_id = ANY(:records)
                RETURNING p.waits_in, p.state)
            SELECT waits_in AS round_id, count(*) AS count FROM lost WHERE state = 'lost'
            GROUP BY waits_in ORDER BY waits_in
            """,
            dataset=dataset.id,
            records=list(records),
            problem=problem,
        )
        return {row["round_id"]: row["count"] for row in found}

    def mark_gone(self, project_id: int, user_ids: Collection[UUID]) -> Sequence[UUID]:
        found = self.sql.all(
            "INSERT INTO gone_annotators (project_id, user_id) "
            "SELECT :project, unnest(cast(:users AS uuid[])) ON CONFLICT DO NOTHING "
            "RETURNING user_id",
            project=project_id,
            users=list(user_ids),
        )
        return [row["user_id"] for row in found]

    def mark_problem(self, dataset: AnnotationDataset, problem: str) -> bool:
        touched = self.sql.run(
            "UPDATE datasets SET problem = :problem, problem_since = coalesce(problem_since, now())"
            " WHERE id = :id AND problem IS DISTINCT FROM :problem",
            id=dataset.id,
            problem=problem,
        )
        return touched == 1
