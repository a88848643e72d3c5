"""Long runs of asking LLMs, in Postgres."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError

from app.adapters.postgres.engine import Sql
from app.core.errors import Conflict, NotFound
from app.core.llm.entities import Purpose
from app.ports.llm import Job

COLUMNS = (
    "id, project_id, purpose, provider, round_id, item_ids, done, told, state, problem, attempts, "
    "actor, created_at, ended_at"
)


class PostgresLlmJobs:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def begin(
        self,
        project_id: int,
        *,
        purpose: Purpose,
        provider: str,
        round_id: int | None,
        item_ids: Sequence[int],
        actor: str,
    ) -> Job:
        try:
            with self.sql.connection.begin_nested():
                row = self.sql.sure(
                    "INSERT INTO llm_jobs (project_id, purpose, provider, round_id, item_ids, "  # noqa: S608
                    "actor) VALUES (:project, :purpose, :provider, :round, :items, :actor) "
                    f"RETURNING {COLUMNS}",
                    project=project_id,
                    purpose=purpose.value,
                    provider=provider,
                    round=round_id,
                    items=list(item_ids),
                    actor=str(actor),
                )
        except IntegrityError as problem:
            if "one_llm_job" not in str(problem.orig):
                raise
            raise Conflict("A long run is going on in this project. Wait, or cancel it.") from None
        return _job(row)

    def get(self, project_id: int, job_id: int) -> Job:
        row = self.sql.one(
            f"SELECT {COLUMNS} FROM llm_jobs WHERE project_id = :project AND id = :id",  # noqa: S608
            project=project_id,
            id=job_id,
        )
        if row is None:
            raise NotFound(f"There is no long run {job_id} in this project.")
        return _job(row)

    def all(self, project_id: int) -> Sequence[Job]:
        found = self.sql.all(
            f"SELECT {COLUMNS} FROM llm_jobs WHERE project_id = :project "  # noqa: S608
            "ORDER BY id DESC LIMIT 100",
            project=project_id,
        )
        return [_job(row) for row in found]

    def claim(self, lease_seconds: float) -> Job | None:
        row = self.sql.one(
            f"""
            UPDATE llm_jobs SET due_at = now() + make_interval(secs => :lease)
            WHERE id = (SELECT id FROM llm_jobs WHERE state = 'running' AND due_at <= now()
                        ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING {COLUMNS}
            """,  # noqa: S608
            lease=lease_seconds,
        )
        return _job(row) if row else None

    def advance(self, job: Job, items: int, told: Mapping[str, Any]) -> bool:
        return bool(
            self.sql.run(
                """
                UPDATE llm_jobs SET done = done + :items, told = cast(:told AS jsonb),
                    due_at = now(), attempts = 0, problem = NULL,
                    state = CASE WHEN done + :items = cardinality(item_ids) THEN 'done'
                            ELSE state END,
                    ended_at = CASE WHEN done + :items = cardinality(item_ids) THEN now() END
                WHERE id = :id AND state = 'running' AND done = :before
                """,
                id=job.id,
                items=items,
                told=json.dumps(told),
                before=job.done,
            )
        )

    def retry(self, job: Job, seconds: float, problem: str) -> None:
        self.sql.run(
            "UPDATE llm_jobs SET attempts = attempts + 1, problem = :problem, "
            "due_at = now() + make_interval(secs => :seconds) WHERE id = :id AND state = 'running'",
            id=job.id,
            seconds=seconds,
            problem=problem,
        )

    def fail(self, job: Job, problem: str) -> None:
        self.sql.run(
            "UPDATE llm_jobs SET state = 'failed', problem = :problem, ended_at = now() "
            "WHERE id = :id AND state = 'running'",
            id=job.id,
            problem=problem,
        )

    def cancel(self, project_id: int, job_id: int) -> bool:
        return bool(
            self.sql.run(
                "UPDATE llm_jobs SET state = 'cancelled', ended_at = now() "
                "WHERE project_id = :project AND id = :id AND state = 'running'",
                project=project_id,
                id=job_id,
            )
        )


def _job(row: RowMapping) -> Job:
    return Job(**{**row, "purpose": Purpose(row["purpose"])})
