"""Which items LLMs are asked about, what they said of them, and what they judged."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.adapters.postgres.engine import Sql
from app.core.llm.entities import Purpose
from app.ports.llm import Account, Both, NewAnswer, NewJudgement, Opinion, Said


class PostgresLlmAnswers:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    # --- which items ---

    def round_items(self, round_id: int) -> Sequence[int]:
        found = self.sql.all(
            "SELECT item_id FROM selections WHERE round_id = :round ORDER BY rank", round=round_id
        )
        return [row["item_id"] for row in found]

    def unlabelled(self, project_id: int, item_ids: Sequence[int]) -> Mapping[int, int | None]:
        found = self.sql.all(
            "SELECT i.id, l.id AS label_id FROM items i "
            "LEFT JOIN newest_labels l ON l.item_id = i.id "
            "WHERE i.project_id = :project AND i.id = ANY(:ids) AND i.split = 'pool' "
            "AND i.duplicate_of IS NULL AND l.value IS NULL AND NOT EXISTS "
            "(SELECT FROM selections s WHERE s.item_id = i.id AND s.slice = 'audit')",
            project=project_id,
            ids=list(item_ids),
        )
        return {row["id"]: row["label_id"] for row in found}

    def predictions(self, round_id: int) -> Mapping[int, Mapping[str, Any]]:
        found = self.sql.all(
            "SELECT item_id, prediction FROM selections "
            "WHERE round_id = :round AND prediction IS NOT NULL",
            round=round_id,
        )
        return {row["item_id"]: row["prediction"] for row in found}

    def labelled_by_people(self, project_id: int) -> Sequence[int]:
        found = self.sql.all(
            "SELECT l.item_id FROM current_labels l WHERE l.project_id = :project "
            "AND l.source NOT LIKE 'llm:%' ORDER BY l.item_id",
            project=project_id,
        )
        return [row["item_id"] for row in found]

    # --- what was said of them ---

    def add(self, account: Account, answers: Sequence[NewAnswer]) -> None:
        self.sql.many(
            """
            INSERT INTO llm_answers (project_id, item_id, call_id, purpose, value, confidence,
                                     rationale, as_spelled, schema_version)
            SELECT :project, :item, c.id, :purpose, cast(:value AS jsonb), :confidence, :rationale,
                   :as_spelled, :schema
            FROM llm_calls c WHERE c.project_id = :project AND c.fingerprint = :fingerprint
                AND c.outcome = 'answered'
            ON CONFLICT (item_id, call_id, purpose) DO NOTHING
            """,
            [
                {
                    "project": account.project_id,
                    "purpose": account.purpose.value,
                    "item": one.item_id,
                    "fingerprint": one.fingerprint,
                    "value": json.dumps(one.value),
                    "confidence": one.confidence,
                    "rationale": one.rationale,
                    "as_spelled": one.as_spelled,
                    "schema": account.schema_version,
                }
                for one in answers
            ],
        )

    def said(
        self, project_id: int, purpose: Purpose, fingerprints: Sequence[bytes]
    ) -> Sequence[Said]:
        found = self.sql.all(
            """
            SELECT a.item_id, a.id AS answer_id, a.value, a.confidence, a.rationale
            FROM llm_answers_now a JOIN llm_calls c ON c.id = a.call_id
            WHERE c.project_id = :project AND c.outcome = 'answered'
              AND c.fingerprint = ANY(:prints) AND a.purpose = :purpose ORDER BY a.id
            """,
            project=project_id,
            purpose=purpose.value,
            prints=list(fingerprints),
        )
        return [Said(**row) for row in found]

    def opinions(
        self, project_id: int, purpose: Purpose, provider: str, model: str
    ) -> Sequence[Opinion]:
        found = self.sql.all(
            """
            SELECT DISTINCT ON (a.item_id) a.item_id, a.value, a.confidence, a.rationale
            FROM llm_answers_now a JOIN llm_calls c ON c.id = a.call_id
            WHERE a.project_id = :project AND a.purpose = :purpose
              AND c.provider = :provider AND c.model = :model
            ORDER BY a.item_id, a.id DESC
            """,
            project=project_id,
            purpose=purpose.value,
            provider=provider,
            model=model,
        )
        return [Opinion(**row) for row in found]

    def both(self, project_id: int, purpose: Purpose, provider: str, model: str) -> Sequence[Both]:
        found = self.sql.all(
            """
            SELECT DISTINCT ON (a.item_id) a.item_id, l.value AS person, a.value AS llm,
                   a.confidence, a.as_spelled
            FROM llm_answers_now a JOIN llm_calls c ON c.id = a.call_id
            JOIN current_labels l ON l.item_id = a.item_id AND l.source NOT LIKE 'llm:%'
            WHERE a.project_id = :project AND a.purpose = :purpose
              AND c.provider = :provider AND c.model = :model
            ORDER BY a.item_id, a.id DESC
            """,
            project=project_id,
            purpose=purpose.value,
            provider=provider,
            model=model,
        )
        return [Both(**row) for row in found]

    # --- what was judged ---

    def add_judgement(self, project_id: int, one: NewJudgement) -> None:
        self.sql.run(
            "INSERT INTO llm_judgements (project_id, kind, provider, model, prompt, items, figures)"
            " VALUES (:project, :kind, :provider, :model, :prompt, :items,"
            " cast(:figures AS jsonb))",
            project=project_id,
            kind=one.kind,
            provider=one.provider,
            model=one.model,
            prompt=one.prompt,
            items=one.items,
            figures=json.dumps(one.figures),
        )

    def judgements(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        found = self.sql.all(
            "SELECT id, kind, provider, model, prompt, items, figures, created_at "
            "FROM llm_judgements WHERE project_id = :project ORDER BY id DESC LIMIT 200",
            project=project_id,
        )
        return [dict(row) for row in found]
