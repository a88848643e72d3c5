"""Where items lie in the plane that people look at, in Postgres."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.adapters.postgres.engine import Sql
from app.ports.store.items import ItemIds


class PostgresMaps:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def sample(self, features_id: int) -> ItemIds:
        found = self.sql.all(
            "SELECT item_id FROM map_points WHERE feature_version_id = :features AND sampled "
            "ORDER BY item_id",
            features=features_id,
        )
        return np.array([row["item_id"] for row in found], dtype=np.int64)

    def add(
        self,
        features_id: int,
        item_ids: Sequence[int],
        points: Sequence[tuple[float, float]],
        sampled: Sequence[bool],
    ) -> None:
        self.sql.run(
            "INSERT INTO map_points (feature_version_id, item_id, x, y, sampled) "
            "SELECT :features, * FROM unnest(cast(:items AS bigint[]), cast(:x AS real[]), "
            "cast(:y AS real[]), cast(:sampled AS boolean[])) ON CONFLICT DO NOTHING",
            features=features_id,
            items=list(item_ids),
            x=[x for x, _ in points],
            y=[y for _, y in points],
            sampled=list(sampled),
        )

    def of_round(self, round_id: int) -> Sequence[Mapping[str, Any]]:
        found = self.sql.all(
            """
            WITH shown AS (
                SELECT m.item_id, m.x, m.y FROM map_points m
                WHERE m.sampled AND m.feature_version_id = :features
                UNION
                SELECT m.item_id, m.x, m.y FROM selections s JOIN map_points m
                    ON m.feature_version_id = :features AND m.item_id = s.item_id
                WHERE s.round_id = :round)
            SELECT m.item_id, m.x, m.y, s.rank, s.slice
            FROM shown m LEFT JOIN selections s ON s.round_id = :round AND s.item_id = m.item_id
            ORDER BY s.rank NULLS FIRST, m.item_id
            """,
            features=self._features(round_id),
            round=round_id,
        )
        return [dict(row) for row in found]

    def _features(self, round_id: int) -> int | None:
        """None before there are any."""
        found: int | None = self.sql.value(
            "SELECT cast(checkpoint->>'features_id' AS bigint) FROM rounds WHERE id = :round",
            round=round_id,
        )
        return found
