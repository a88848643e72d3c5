"""Reads for what leaves a project, streamed."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import text

from app.adapters.postgres.engine import Sql

STREAMED = 500  # rows a cursor fetches at a time

ANNOTATIONS = """
SELECT i.external_id AS item, s.rank, coalesce(a.username, a.user_id::text) AS annotator, a.status,
       a."values", a.response_id, a.response_inserted_at, a.response_updated_at, a.collected_at
FROM annotations a
JOIN selections s ON s.id = a.selection_id
JOIN rounds r ON r.id = s.round_id
JOIN items i ON i.id = a.item_id
WHERE a.project_id = :project AND r.number = :number
ORDER BY a.id
"""


class PostgresExits:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def annotations(self, project_id: int, number: int) -> Iterator[Mapping[str, Any]]:
        return self._streamed(ANNOTATIONS, project=project_id, number=number)

    def _streamed(self, query: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        found = self.sql.connection.execute(
            text(query),
            parameters,
            execution_options={"stream_results": True, "yield_per": STREAMED},
        )
        for row in found.mappings():
            yield dict(row)
