"""Selections in Postgres: the choice is a fact and never changes; its push beside it does."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from app.adapters.postgres import rows
from app.adapters.postgres.engine import Sql
from app.core.entities import NewSelection, PendingItem, Round, SelectedItem, Standing

ANSWERS_OF_ITEM = """
    (SELECT count(DISTINCT n.user_id) FROM newest_responses n
     WHERE n.item_id = p.item_id AND (n.status = 'submitted'
        -- an item that returned to the pool is not settled by who discarded it before
        OR (n.status = 'discarded' AND n.selection_id = p.selection_id))
        -- nor is a label that is asked for again settled by who gave it
        AND (n.selection_id = p.selection_id OR NOT EXISTS (
            SELECT FROM selections x WHERE x.id = p.selection_id AND x.slice = 'relabel')))
"""
CHECKS_LLM = """
    EXISTS (SELECT FROM llm_routes t WHERE t.round_id = s.round_id AND t.item_id = s.item_id
            AND t.why = 'standing_audit')
"""
MOST_DISCARDS = 2
"""In so many rounds an item may be discarded before it is not asked for again."""
OVERDUE = """
    p.pushed_at < now() - make_interval(
        secs => 3600 * coalesce((r.settings->'closing'->>'hours')::float8, 1e6))
"""
"""An item has waited for as long as a round waits, however often it was taken over."""
OUT = f"""
WITH out AS (
    SELECT p.item_id, p.pushed_at, {OVERDUE} AS overdue,
           answers_needed(r.settings, s.slice) AS needed, {ANSWERS_OF_ITEM} AS answers,
           EXISTS (SELECT FROM disputes d
                   WHERE d.item_id = p.item_id AND d.ended_at IS NULL) AS disputed
    FROM pushes p JOIN selections s ON s.id = p.selection_id JOIN rounds r ON r.id = p.waits_in
    WHERE p.waits_in = :round AND p.state IN ('planned', 'pushed'))
"""  # noqa: S608 - the part put in is the constant above
"""Items that a round waits for, its own and those it took over, and how they stand."""


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
            f"""
            SELECT s.*, s.id AS selection_id, i.external_id, i.fields, i.metadata,
                   p.state AS push_state, p.record_id, {CHECKS_LLM} AS checks_llm
            FROM selections s
            JOIN items i ON i.id = s.item_id
            JOIN pushes p ON p.selection_id = s.id
            WHERE s.round_id = :round AND p.state = coalesce(:state, p.state) ORDER BY s.rank
            """,  # noqa: S608 - the part put in is the constant above
            round=round_id,
            state=push_state,
        )
        return [rows.selected_item(row) for row in found]

    def out(self, round_id: int) -> Sequence[int]:
        found = self.sql.all(
            "SELECT item_id FROM pushes WHERE waits_in = :round AND state = 'pushed' "
            "ORDER BY item_id",
            round=round_id,
        )
        return [row["item_id"] for row in found]

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
            "WHERE waits_in = :round AND item_id = ANY(:items) AND state IN ('planned', 'pushed')",
            round=round_id,
            items=list(item_ids),
        )

    def set_aside(self, project_id: int, item_ids: Sequence[int]) -> None:
        self.sql.run(
            "UPDATE pushes SET state = 'withdrawn', ended_at = coalesce(ended_at, now()) "
            "WHERE project_id = :project AND item_id = ANY(:items) AND state <> 'withdrawn'",
            project=project_id,
            items=list(item_ids),
        )

    def discarded(self, round_: Round) -> Sequence[int]:
        found = self.sql.all(
            """
            SELECT p.item_id FROM pushes p
            WHERE p.waits_in = :round AND p.state = 'pushed'
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
            WHERE p.waits_in = :round AND p.state = 'lost' AND s.id = p.selection_id
              AND r.id = p.waits_in AND {ANSWERS_OF_ITEM} < answers_needed(r.settings, s.slice)
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

    def of_older_labels(self, round_: Round) -> Mapping[UUID, Sequence[int]]:
        found = self.sql.all(
            f"""
            {OUT} SELECT d.dataset_id, array_agg(o.item_id ORDER BY o.item_id) AS items
            FROM out o
            JOIN pushes p ON p.item_id = o.item_id AND p.waits_in = :round AND p.state = 'pushed'
            JOIN rounds made ON made.id = p.round_id
            JOIN datasets d ON d.id = made.dataset_id
            WHERE o.answers < o.needed AND d.schema_version < :version GROUP BY d.dataset_id
            """,  # noqa: S608 - the part put in is the constant above
            round=round_.id,
            version=round_.schema_version,
        )
        return {row["dataset_id"]: row["items"] for row in found}

    def overdue(self, round_: Round) -> Sequence[int]:
        found = self.sql.all(
            f"{OUT} SELECT item_id FROM out WHERE answers < needed AND overdue "  # noqa: S608
            "ORDER BY item_id",
            round=round_.id,
        )
        return [row["item_id"] for row in found]

    def take_over(self, round_: Round) -> Mapping[int, int]:
        found = self.sql.all(
            f"""
            WITH left_over AS (
                SELECT p.selection_id, r.number FROM pushes p
                JOIN selections s ON s.id = p.selection_id
                JOIN rounds r ON r.id = p.waits_in
                WHERE p.project_id = :project AND p.state = 'pushed' AND NOT {OVERDUE}
                  AND r.state = 'closed' AND r.checkpoint->>'closed_by' = 'prefetch'
                  AND (EXISTS (SELECT FROM disputes d
                               WHERE d.item_id = p.item_id AND d.ended_at IS NULL)
                    OR {ANSWERS_OF_ITEM} < answers_needed(r.settings, s.slice)
                       AND NOT EXISTS (SELECT FROM current_labels l WHERE l.item_id = p.item_id))),
            taken AS (
                UPDATE pushes p SET waits_in = :round FROM left_over o
                WHERE p.selection_id = o.selection_id RETURNING o.number)
            SELECT number, count(*) AS count FROM taken GROUP BY number ORDER BY number
            """,  # noqa: S608 - the part put in is the constant above
            project=round_.project_id,
            round=round_.id,
        )
        return {row["number"]: row["count"] for row in found}

    def pending(self, round_: Round) -> Sequence[PendingItem]:
        found = self.sql.all(
            f"""
            {OUT} SELECT s.*, s.id AS selection_id, i.external_id, i.fields, i.metadata,
                p.state AS push_state, p.record_id, false AS checks_llm,
                f.classifier_id AS refreshed_by,
                EXISTS (SELECT FROM newest_responses n WHERE n.item_id = o.item_id
                        AND n.record_id = p.record_id AND n.status <> 'deleted') AS at_work
            FROM out o
            JOIN pushes p ON p.item_id = o.item_id AND p.waits_in = :round AND p.state = 'pushed'
            JOIN selections s ON s.id = p.selection_id
            JOIN rounds made ON made.id = s.round_id
            JOIN items i ON i.id = o.item_id
            LEFT JOIN LATERAL (
                SELECT f.classifier_id FROM refreshed_suggestions f
                WHERE f.selection_id = s.id ORDER BY f.id DESC LIMIT 1) f ON true
            WHERE o.answers < o.needed AND s.slice NOT IN ('audit', 'duel', 'relabel')
              AND NOT {CHECKS_LLM}
              -- records in the dataset of older labels stay as they are
              AND made.schema_version = (SELECT schema_version FROM projects WHERE id = :project)
            ORDER BY s.round_id, s.rank
            """,  # noqa: S608 - the part put in is the constant above
            round=round_.id,
            project=round_.project_id,
        )
        return [
            PendingItem(
                selected=rows.selected_item(row),
                round_id=row["round_id"],
                suggested_by=row["refreshed_by"] or row["classifier_id"],
                is_refreshed=row["refreshed_by"] is not None,
                at_work=row["at_work"],
            )
            for row in found
        ]

    def refreshed(self, classifier_id: int, shown: Mapping[int, NewSelection]) -> None:
        self.sql.many(
            """
            INSERT INTO refreshed_suggestions (project_id, selection_id, slice, classifier_id,
                                               prediction, confidence, uncertainty)
            SELECT project_id, id, slice, :classifier, cast(:prediction AS jsonb), :confidence,
                   :uncertainty FROM selections WHERE id = :selection
            """,
            [
                {
                    "selection": selection_id,
                    "classifier": classifier_id,
                    "prediction": json.dumps(one.prediction),
                    "confidence": one.confidence,
                    "uncertainty": one.uncertainty,
                }
                for selection_id, one in shown.items()
            ],
        )

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
