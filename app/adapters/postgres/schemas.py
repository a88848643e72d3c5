"""Versions of a project's labels in Postgres, and what old answers mean in the newest."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from app.adapters.postgres.engine import Sql
from app.core.entities import LabelEdit, Project
from app.core.errors import NotFound


class PostgresSchemas:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def labels(self, project: Project, version: int) -> Sequence[str]:
        if version == project.schema_version:
            return project.task.labels
        kept = self.sql.value(
            "SELECT labels FROM label_schemas WHERE project_id = :project AND version = :version",
            project=project.id,
            version=version,
        )
        if kept is None:
            raise NotFound(f"There is no version {version} of the labels.")
        return tuple(kept)

    def ask(self, project_id: int, edit: LabelEdit | None) -> None:
        self.sql.run(
            "UPDATE projects SET label_edit = cast(:edit AS jsonb) WHERE id = :id",
            id=project_id,
            edit=json.dumps(asdict(edit)) if edit else None,
        )

    def change(
        self,
        project: Project,
        labels: Sequence[str],
        mapping: Mapping[str, str | None],
        actor: str,
    ) -> None:
        version = project.schema_version
        self._keep(project.id, version, project.task.labels, {}, actor)
        self._keep(project.id, version + 1, labels, mapping, actor)
        self.sql.run(
            "UPDATE label_mappings SET new = cast(:mapping AS jsonb)->>new WHERE project_id = :id",
            id=project.id,
            mapping=json.dumps(mapping),
        )
        self.sql.run(
            "INSERT INTO label_mappings (project_id, version, old, new) "
            "SELECT :id, :version, key, value FROM jsonb_each_text(cast(:mapping AS jsonb))",
            id=project.id,
            version=version,
            mapping=json.dumps(mapping),
        )
        self.sql.run(
            "UPDATE projects SET schema_version = :version, updated_at = now(), "
            "task = jsonb_set(task, '{labels}', cast(:labels AS jsonb)) WHERE id = :id",
            id=project.id,
            version=version + 1,
            labels=json.dumps(list(labels)),
        )

    def _keep(
        self,
        project_id: int,
        version: int,
        labels: Sequence[str],
        mapping: Mapping[str, str | None],
        actor: str,
    ) -> None:
        self.sql.run(
            "INSERT INTO label_schemas (project_id, version, labels, mapping, actor) VALUES "
            "(:project, :version, cast(:labels AS jsonb), cast(:mapping AS jsonb), :actor) "
            "ON CONFLICT (project_id, version) DO NOTHING",
            project=project_id,
            version=version,
            labels=json.dumps(list(labels)),
            mapping=json.dumps(mapping),
            actor=actor,
        )

    def carry_over(self, project: Project, mapping: Mapping[str, str | None]) -> tuple[int, int]:
        """Supersede every label whose name changes. How many have a new name, and how many none:
        these items may be selected again."""
        row = self.sql.sure(
            """
            WITH mapped AS (
                SELECT key AS old, value AS new FROM jsonb_each_text(cast(:mapping AS jsonb))
                WHERE value IS DISTINCT FROM key),
            made AS (
                INSERT INTO labels (project_id, item_id, value, source, round_id, annotation_ids,
                                    annotators, confidence, supersedes)
                SELECT l.project_id, l.item_id,
                       CASE WHEN m.new IS NOT NULL
                            THEN jsonb_set(l.value, '{label}', to_jsonb(m.new)) END,
                       l.source, l.round_id, l.annotation_ids, l.annotators, l.confidence, l.id
                FROM current_labels l JOIN mapped m ON m.old = l.value->>'label'
                WHERE l.project_id = :project RETURNING item_id, value),
            back AS (
                UPDATE pushes p SET state = 'withdrawn', ended_at = now() FROM made
                WHERE p.item_id = made.item_id AND p.project_id = :project
                  AND p.state = 'pushed' AND made.value IS NULL RETURNING 1)
            SELECT count(*) FILTER (WHERE value IS NOT NULL) AS carried,
                   count(*) FILTER (WHERE value IS NULL) AS again,
                   (SELECT count(*) FROM back) AS back FROM made
            """,
            project=project.id,
            mapping=json.dumps(mapping),
        )
        return row["carried"], row["again"]
