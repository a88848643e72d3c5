"""Who labels which item of a batch, how far LLM and people agree, and whether it is suspended."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.adapters.postgres.engine import Sql
from app.ports.llm import NewRoute, Suspension


class PostgresLlmStanding:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def add_routes(
        self, project_id: int, round_id: int, provider: str, model: str, routes: Sequence[NewRoute]
    ) -> None:
        self.sql.many(
            """
            INSERT INTO llm_routes (project_id, round_id, item_id, provider, model, labelled_by,
                                    why, able, answer_id, confidence, threshold)
            VALUES (:project, :round, :item_id, :provider, :model, :labelled_by, :why, :able,
                    :answer_id, :confidence, :threshold)
            """,
            [
                {
                    **asdict(one),
                    "project": project_id,
                    "round": round_id,
                    "provider": provider,
                    "model": model,
                }
                for one in routes
            ],
        )

    def audited(
        self, project_id: int, provider: str, model: str
    ) -> Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        found = self.sql.all(
            """
            SELECT a.value AS llm, l.value AS person
            FROM llm_routes r JOIN llm_answers_now a ON a.id = r.answer_id
            JOIN current_labels l ON l.item_id = r.item_id AND l.source NOT LIKE 'llm:%'
            WHERE r.project_id = :project AND r.provider = :provider AND r.model = :model
              AND r.able AND r.labelled_by = 'people' AND r.created_at > coalesce(
                  (SELECT max(s.reopened_at) FROM llm_suspensions s
                   WHERE s.project_id = :project AND s.provider = :provider AND s.model = :model),
                  '-infinity')
            ORDER BY r.id
            """,
            project=project_id,
            provider=provider,
            model=model,
        )
        return [(row["llm"], row["person"]) for row in found]

    def suspension(self, project_id: int, provider: str, model: str) -> Suspension | None:
        row = self.sql.one(
            "SELECT id, reason, figures, created_at FROM llm_suspensions "
            "WHERE project_id = :project AND provider = :provider AND model = :model "
            "AND reopened_at IS NULL",
            project=project_id,
            provider=provider,
            model=model,
        )
        return Suspension(**row) if row else None

    def suspend(
        self, project_id: int, provider: str, model: str, reason: str, figures: Mapping[str, Any]
    ) -> bool:
        return bool(
            self.sql.run(
                "INSERT INTO llm_suspensions (project_id, provider, model, reason, figures) "
                "VALUES (:project, :provider, :model, :reason, cast(:figures AS jsonb)) "
                "ON CONFLICT (project_id, provider, model) WHERE reopened_at IS NULL DO NOTHING",
                project=project_id,
                provider=provider,
                model=model,
                reason=reason,
                figures=json.dumps(figures),
            )
        )

    def reopen(self, project_id: int, provider: str, model: str, actor: str) -> bool:
        return bool(
            self.sql.run(
                "UPDATE llm_suspensions SET reopened_at = now(), reopened_by = :actor "
                "WHERE project_id = :project AND provider = :provider AND model = :model "
                "AND reopened_at IS NULL",
                project=project_id,
                provider=provider,
                model=model,
                actor=actor,
            )
        )
