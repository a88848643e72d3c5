"""Disputes in Postgres: which items somebody else is asked about, and what came of it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.adapters.postgres import rows
from app.adapters.postgres.engine import Sql
from app.core.entities import Dispute, Round


class PostgresDisputes:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def of_round(self, round_id: int) -> Mapping[int, Dispute]:
        found = self.sql.all(
            """
            SELECT DISTINCT ON (x.item_id) i.*, s.rank, x.record_id, x.ended_at IS NULL AS is_open,
                (SELECT count(*) FROM newest_responses n
                 JOIN datasets d ON d.dataset_id = n.argilla_dataset_id
                 WHERE n.item_id = x.item_id AND n.status = 'submitted'
                   AND d.purpose = 'disputes') AS answers
            FROM disputes x
            JOIN items i ON i.id = x.item_id
            JOIN selections s ON s.round_id = x.round_id AND s.item_id = x.item_id
            JOIN pushes p ON p.selection_id = s.id
            WHERE p.waits_in = :round ORDER BY x.item_id, x.id DESC
            """,
            round=round_id,
        )
        return {row["id"]: rows.dispute(row) for row in found}

    def open(self, round_: Round, agreements: Mapping[int, float]) -> None:
        self.sql.many(
            """
            INSERT INTO disputes (project_id, round_id, item_id, agreement)
            SELECT p.project_id, p.round_id, p.item_id, :agreement FROM pushes p
            WHERE p.waits_in = :round AND p.item_id = :item
            ON CONFLICT (item_id) WHERE ended_at IS NULL DO NOTHING
            """,
            [
                {"round": round_.id, "item": i, "agreement": share}
                for i, share in agreements.items()
            ],
        )

    def mark_pushed(self, records: Mapping[int, UUID]) -> None:
        self.sql.many(
            "UPDATE disputes SET record_id = :record WHERE item_id = :item AND ended_at IS NULL",
            [{"item": item, "record": record} for item, record in records.items()],
        )

    def hidden(self, project_id: int) -> None:
        self.sql.run(
            "UPDATE disputes SET record_id = NULL WHERE project_id = :project AND ended_at IS NULL",
            project=project_id,
        )

    def end(self, item_ids: Sequence[int], outcome: str) -> None:
        self.sql.run(
            "UPDATE disputes SET ended_at = now(), outcome = :outcome "
            "WHERE item_id = ANY(:items) AND ended_at IS NULL",
            items=list(item_ids),
            outcome=outcome,
        )
