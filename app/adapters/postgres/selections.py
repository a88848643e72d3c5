"""Selections in Postgres: the choice is a fact and never changes; its push beside it does."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from app.adapters.postgres import rows
from app.adapters.postgres.engine import Sql
from app.core.entities import NewSelection, Round, SelectedItem, Standing

ANSWERS_OF_ITEM = """
    (SELECT count(DISTINCT n.user_id) FROM newest_responses n
     WHERE n.item_id = p.item_id AND (n.status = 'submitted'
        -- an item that returned to the pool is not settled by who discarded it before
        OR (n.status = 'discarded' AND n.selection_id = p.selection_id)))
"""
MOST_DISCARDS = 2
"""In so many rounds an item may be discarded before it is not asked for again."""
OUT = f"""
WITH out AS (
    SELECT p.item_id, p.pushed_at, answers_needed(r.settings, s.slice) AS needed,
           {ANSWERS_OF_ITEM} AS answers,
           EXISTS (SELECT FROM disputes d
                   WHERE d.item_id = p.item_id AND d.ended_at IS NULL) AS disputed
    FROM pushes p JOIN selections s ON s.id = p.selection_id JOIN rounds r ON r.id = p.round_id
    WHERE p.round_id = :round AND p.state IN ('planned', 'pushed'))
"""  # noqa: S608 - the part put in is the constant above
"""Items of a round that are in Argilla or on their way, and how they stand."""


class PostgresSelections:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def add(
        self,
        round_: Round,
        strategy: str,
        classifier_id: int | None,
        chosen: Sequence[NewSelection],
    ) -> None:
        self.sql.many(
            """
            WITH selection AS (
                INSERT INTO selections (project_id, round_id, item_id, rank, slice, strategy, score,
                    uncertainty, reason, draw_probability, prediction, confidence, classifier_id)
                VALUES (:project, :round, :item_id, :rank, :slice, :strategy, :score, :uncertainty,
                    :reason, :draw_probability, cast(:prediction AS jsonb), :confidence,
                    :classifier)
                RETURNING id, project_id, round_id, item_id)
            INSERT INTO pushes (selection_id, project_id, round_id, item_id)
            SELECT * FROM selection
            """,
            [self._row(round_, strategy, classifier_id, one) for one in chosen],
        )

    @staticmethod
    def _row(
        round_: Round, strategy: str, classifier_id: int | None, one: NewSelection
    ) -> dict[str, Any]:
        return {
            **asdict(one),
            "slice": one.slice.value,
            "prediction": json.dumps(one.prediction) if one.prediction is not None else None,
            "project": round_.project_id,
            "round": round_.id,
            "strategy": strategy,
            "classifier": classifier_id,
        }

    def of_round(self, round_id: int, push_state: str | None = None) -> Sequence[SelectedItem]:
        found = self.sql.all(
            """
            SELECT s.*, s.id AS selection_id, i.external_id, i.fields, i.metadata,
                   p.state AS push_state, p.record_id,
                   EXISTS (SELECT FROM llm_routes t WHERE t.round_id = s.round_id
                           AND t.item_id = s.item_id AND t.why = 'standing_audit') AS checks_llm
            FROM selections s
            JOIN items i ON i.id = s.item_id
            JOIN pushes p ON p.selection_id = s.id
            WHERE s.round_id = :round AND p.state = coalesce(:state, p.state) ORDER BY s.rank
            """,
            round=round_id,
            state=push_state,
        )
        return [rows.selected_item(row) for row in found]

    def mark_pushed(self, round_id: int, records: Mapping[int, UUID]) -> None:
        self.sql.many(
            "UPDATE pushes SET state = 'pushed', record_id = :record, pushed_at = now() "
            "WHERE round_id = :round AND item_id = :item AND state = 'planned'",
            [{"round": round_id, "item": i, "record": record} for i, record in records.items()],
        )

    def quarantine(self, round_id: int, problems: Mapping[int, str]) -> None:
        self.sql.many(
            "UPDATE pushes SET state = 'quarantined', problem = :problem, ended_at = now() "
            "WHERE round_id = :round AND item_id = :item AND state = 'planned'",
            [{"round": round_id, "item": i, "problem": problem} for i, problem in problems.items()],
        )

    def withdraw(self, round_id: int, item_ids: Sequence[int]) -> None:
        self.sql.run(
            "UPDATE pushes SET state = 'withdrawn', ended_at = now() "
            "WHERE round_id = :round AND item_id = ANY(:items) AND state IN ('planned', 'pushed')",
            round=round_id,
            items=list(item_ids),
        )

    def discarded(self, round_: Round) -> Sequence[int]:
        found = self.sql.all(
            """
            SELECT p.item_id FROM pushes p
            WHERE p.round_id = :round AND p.state = 'pushed'
              AND EXISTS (SELECT FROM newest_responses n WHERE n.selection_id = p.selection_id
                          AND n.status = 'discarded')
              AND NOT EXISTS (SELECT FROM current_labels l WHERE l.item_id = p.item_id)
              AND (SELECT count(DISTINCT n.selection_id) FROM newest_responses n
                   WHERE n.item_id = p.item_id AND n.status = 'discarded') < :most
            ORDER BY p.item_id
            """,
            round=round_.id,
            most=MOST_DISCARDS,
        )
        return [row["item_id"] for row in found]

    def give_up_lost(self, round_: Round) -> None:
        self.sql.run(
            f"""
            UPDATE pushes p SET state = 'withdrawn' FROM selections s, rounds r
            WHERE p.round_id = :round AND p.state = 'lost' AND s.id = p.selection_id
              AND r.id = p.round_id AND {ANSWERS_OF_ITEM} < answers_needed(r.settings, s.slice)
            """,  # noqa: S608 - the part put in is the constant above
            round=round_.id,
        )

    def plan_lost_again(self, round_: Round) -> int:
        return self.sql.run(
            "UPDATE pushes p SET state = 'planned', record_id = NULL, pushed_at = NULL, "  # noqa: S608
            "problem = NULL, ended_at = NULL WHERE p.round_id = :round AND p.state = 'lost' "
            f"AND {ANSWERS_OF_ITEM} < :overlap",
            round=round_.id,
            overlap=round_.settings.overlap,
        )

    def unanswered(self, round_: Round) -> Sequence[int]:
        found = self.sql.all(
            f"{OUT} SELECT item_id FROM out WHERE answers < needed ORDER BY item_id",  # noqa: S608
            round=round_.id,
        )
        return [row["item_id"] for row in found]

    def standing(self, round_id: int) -> Standing:
        row = self.sql.sure(
            f"""
            {OUT} SELECT count(*) AS out,
                count(*) FILTER (WHERE answers >= needed AND NOT disputed) AS answered,
                count(*) FILTER (WHERE disputed) AS disputed,
                coalesce(extract(epoch FROM now() - max(pushed_at)) / 3600, 0)::float8 AS hours
            FROM out
            """,  # noqa: S608 - the part put in is the constant above
            round=round_id,
        )
        return Standing(**row)
