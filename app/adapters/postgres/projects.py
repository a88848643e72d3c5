"""Projects in Postgres."""

import json
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.adapters.postgres import rows
from app.adapters.postgres.engine import Sql
from app.adapters.postgres.rounds import PAUSE_BETWEEN_LOOKS
from app.core.entities import Project, ProjectState
from app.core.errors import Conflict, NotFound
from app.core.projects import ProjectSettings
from app.core.tasks import TaskSpec


class PostgresProjects:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def create(self, name: str, task: TaskSpec, settings: ProjectSettings) -> Project:
        try:
            with self.sql.connection.begin_nested():
                row = self.sql.sure(
                    "INSERT INTO projects (name, task, settings) "
                    "VALUES (:name, cast(:task AS jsonb), cast(:settings AS jsonb)) RETURNING *",
                    name=name,
                    task=json.dumps(rows.task_json(task)),
                    settings=json.dumps(settings.as_json()),
                )
        except IntegrityError:
            raise Conflict(f"There is a project named {name!r} already.", name=name) from None
        return rows.project(row)

    def get(self, project_id: int) -> Project:
        return self._found(self.sql.one("SELECT * FROM projects WHERE id = :id", id=project_id), "")

    def by_name(self, name: str) -> Project:
        row = self.sql.one("SELECT * FROM projects WHERE name = :name", name=name)
        return self._found(row, f" named {name[:60]!r}")

    def all(self) -> Sequence[Project]:
        return [rows.project(row) for row in self.sql.all("SELECT * FROM projects ORDER BY name")]

    def lock(self, project_id: int, purpose: str) -> None:
        # an advisory lock, not the row's: a long import must not make a webhook wait
        self.sql.run(
            "SELECT pg_advisory_xact_lock(hashtext(:purpose), cast(:id AS integer))",
            purpose=purpose,
            id=project_id,
        )

    def change(
        self,
        project_id: int,
        *,
        settings: ProjectSettings | None = None,
        guidelines: str | None = None,
        state: ProjectState | None = None,
    ) -> Project:
        row = self.sql.one(
            """
            UPDATE projects SET updated_at = now(),
                settings = coalesce(cast(:settings AS jsonb), settings),
                state = coalesce(:state, state),
                task = CASE WHEN cast(:guidelines AS text) IS NULL THEN task
                       ELSE jsonb_set(task, '{guidelines}', to_jsonb(cast(:guidelines AS text)))
                       END
            WHERE id = :id RETURNING *
            """,
            id=project_id,
            settings=json.dumps(settings.as_json()) if settings else None,
            guidelines=guidelines,
            state=state.value if state else None,
        )
        return self._found(row, "")

    def delete_later(self, project_id: int, *, days: float, with_argilla: bool) -> Project:
        row = self.sql.one(
            "UPDATE projects SET state = 'archived', updated_at = now(), "
            "erase_at = now() + make_interval(secs => :seconds), erase_argilla = :with_argilla "
            "WHERE id = :id RETURNING *",
            id=project_id,
            seconds=days * 86_400,
            with_argilla=with_argilla,
        )
        return self._found(row, "")

    def restore(self, project_id: int, state: ProjectState) -> Project | None:
        row = self.sql.one(
            "UPDATE projects SET state = :state, updated_at = now(), erase_at = NULL, "
            "erase_argilla = false WHERE id = :id AND erase_at > now() RETURNING *",
            id=project_id,
            state=state.value,
        )
        return rows.project(row) if row else None

    def due_for_erasing(self) -> Project | None:
        row = self.sql.one(
            "SELECT * FROM projects WHERE erase_at <= now() ORDER BY erase_at LIMIT 1"
        )
        return rows.project(row) if row else None

    def erase(self, name: str) -> None:
        self.sql.run("SELECT delete_project(:name)", name=name)

    def claim_collection(self, every_seconds: float) -> Project | None:
        row = self.sql.one(
            """
            UPDATE projects SET collect_after = now() + make_interval(secs => :every)
            WHERE id = (
                SELECT p.id FROM projects p
                WHERE p.state <> 'archived' AND p.collect_after <= now()
                  AND EXISTS (SELECT FROM datasets d WHERE d.project_id = p.id)
                  AND NOT EXISTS (SELECT FROM rounds r WHERE r.project_id = p.id
                                  AND r.state NOT IN ('closed', 'cancelled', 'failed'))
                ORDER BY p.collect_after LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING *
            """,
            every=every_seconds,
        )
        return rows.project(row) if row else None

    def hasten(self, dataset_id: UUID) -> bool:
        project_id = self.sql.value(
            "UPDATE projects SET collect_after = now() WHERE id = "
            "(SELECT project_id FROM datasets WHERE dataset_id = :dataset) RETURNING id",
            dataset=dataset_id,
        )
        if project_id is None:
            return False
        hastened = self.sql.run(
            "UPDATE rounds SET hastened = true, due_at = least(due_at, greatest(now(), "
            "updated_at + make_interval(secs => :pause))) "
            "WHERE project_id = :project AND state = 'annotating' AND NOT hastened",
            project=project_id,
            pause=PAUSE_BETWEEN_LOOKS,
        )
        if hastened or not self._waits(project_id):
            self.sql.run("SELECT pg_notify('rounds_work', cast(:id AS text))", id=project_id)
        return True

    def _waits(self, project_id: int) -> bool:
        query = "SELECT EXISTS (SELECT FROM rounds WHERE project_id = :id AND state = 'annotating')"
        return bool(self.sql.value(query, id=project_id))

    @staticmethod
    def _found(row: object, which: str) -> Project:
        if row is None:
            raise NotFound(f"There is no project{which}.")
        return rows.project(row)  # type: ignore[arg-type]
