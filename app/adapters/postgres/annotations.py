"""Annotators' answers in Postgres: every state of every response, appended, never changed."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.adapters.postgres import rows
from app.adapters.postgres.engine import Sql
from app.core.entities import AnnotationDataset, Project, Revision

COLUMNS = "*, coalesce(collected_at < now() - interval '5 minutes', true) AS full_look_due"


class PostgresAnnotations:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def dataset(self, project: Project) -> AnnotationDataset | None:
        row = self.sql.one(
            f"SELECT {COLUMNS} FROM datasets "  # noqa: S608
            "WHERE project_id = :project AND schema_version = :version",
            project=project.id,
            version=project.schema_version,
        )
        return rows.dataset(row) if row else None

    def datasets(self, project_id: int) -> Sequence[AnnotationDataset]:
        found = self.sql.all(
            f"SELECT {COLUMNS} FROM datasets "  # noqa: S608
            "WHERE project_id = :project ORDER BY schema_version",
            project=project_id,
        )
        return [rows.dataset(row) for row in found]

    def add_dataset(
        self, project: Project, dataset_id: UUID, annotate_url: str
    ) -> AnnotationDataset:
        row = self.sql.sure(
            """
            INSERT INTO datasets (project_id, schema_version, dataset_id, annotate_url)
            VALUES (:project, :version, :dataset, :url)
            ON CONFLICT (project_id, schema_version) DO UPDATE
                SET dataset_id = excluded.dataset_id, annotate_url = excluded.annotate_url,
                    -- a dataset made anew has not been looked into yet
                    seen_activity = CASE WHEN datasets.dataset_id = excluded.dataset_id
                                    THEN datasets.seen_activity END
            RETURNING *, true AS full_look_due
            """,
            project=project.id,
            version=project.schema_version,
            dataset=dataset_id,
            url=annotate_url,
        )
        return rows.dataset(row)

    def record(self, dataset: AnnotationDataset, revisions: Sequence[Revision]) -> int:
        project_id = dataset.project_id
        before = self._count(project_id)
        self.sql.many(
            """
            INSERT INTO annotations (project_id, argilla_dataset_id, item_id, selection_id,
                response_id, user_id, username, status, "values", response_inserted_at,
                response_updated_at, sighting)
            SELECT :project, :dataset, i.id,
                (SELECT s.id FROM selections s WHERE s.item_id = i.id ORDER BY s.id DESC LIMIT 1),
                :response_id, :user_id, :username, :status, cast(:values AS jsonb), :inserted_at,
                :updated_at,
                (SELECT count(*) FROM annotations d
                 WHERE d.response_id = :response_id AND d.status = 'deleted')
            FROM items i WHERE i.id = :item_id AND i.project_id = :project
            ON CONFLICT (response_id, response_updated_at, status, sighting) DO NOTHING
            """,
            [self._row(dataset, one) for one in revisions],
        )
        return self._count(project_id) - before

    def _count(self, project_id: int) -> int:
        return int(
            self.sql.value(
                "SELECT count(*) FROM annotations WHERE project_id = :project", project=project_id
            )
        )

    @staticmethod
    def _row(dataset: AnnotationDataset, one: Revision) -> dict[str, Any]:
        return {
            "project": dataset.project_id,
            "dataset": dataset.dataset_id,
            "item_id": one.item_id,
            "response_id": one.response_id,
            "user_id": one.user_id,
            "username": one.username,
            "status": one.status.value,
            "values": json.dumps(one.values) if one.values is not None else None,
            "inserted_at": one.inserted_at,
            "updated_at": one.updated_at,
        }

    def known(self, dataset: AnnotationDataset) -> Mapping[UUID, tuple[datetime, str]]:
        found = self.sql.all(
            "SELECT response_id, response_updated_at, status FROM newest_responses "
            "WHERE project_id = :project AND argilla_dataset_id = :dataset",
            project=dataset.project_id,
            dataset=dataset.dataset_id,
        )
        return {row["response_id"]: (row["response_updated_at"], row["status"]) for row in found}

    def mark_deleted(self, project_id: int, response_ids: Sequence[UUID]) -> int:
        return self.sql.run(
            """
            INSERT INTO annotations (project_id, argilla_dataset_id, item_id, selection_id,
                response_id, user_id, username, status, response_inserted_at,
                response_updated_at, sighting)
            SELECT project_id, argilla_dataset_id, item_id, selection_id, response_id, user_id,
                username, 'deleted', response_inserted_at, response_updated_at, sighting
            FROM newest_responses
            WHERE project_id = :project AND response_id = ANY(:responses) AND status <> 'deleted'
            ON CONFLICT (response_id, response_updated_at, status, sighting) DO NOTHING
            """,
            project=project_id,
            responses=list(response_ids),
        )

    def collected(self, dataset_id: int, activity: datetime | None) -> None:
        self.sql.run(
            "UPDATE datasets SET seen_activity = :activity, collected_at = now() WHERE id = :id",
            id=dataset_id,
            activity=activity,
        )
