"""Labels in Postgres: a chain an item, each link naming what it supersedes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping

from app.adapters.postgres.engine import Sql
from app.core.entities import CurrentLabel, ItemAnswers, NewLabel

STANDING_ANSWERS = """
    SELECT DISTINCT ON (n.item_id, n.user_id) n.*, coalesce(n.username, n.user_id::text) AS name
    FROM newest_responses n WHERE n.project_id = :project AND n.status = 'submitted'
      AND (cast(:items AS bigint[]) IS NULL OR n.item_id = ANY(:items))
    ORDER BY n.item_id, n.user_id, n.response_updated_at DESC, n.id DESC
"""
"""One answer an annotator and item: who was asked again, elsewhere, may have thought better."""


class PostgresLabels:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def answers(
        self, project_id: int, item_ids: Sequence[int] | None = None
    ) -> Sequence[ItemAnswers]:
        found = self.sql.all(
            f"""
            WITH standing AS ({STANDING_ANSWERS}),
            asked AS (
                SELECT n.item_id, count(DISTINCT n.user_id) FILTER (WHERE n.status = 'submitted'
                           OR (n.status = 'discarded' AND n.selection_id = (
                               SELECT max(s.id) FROM selections s WHERE s.item_id = n.item_id)))
                           AS people
                FROM newest_responses n
                WHERE n.project_id = :project
                  AND (cast(:items AS bigint[]) IS NULL OR n.item_id = ANY(:items))
                GROUP BY n.item_id),
            answers AS (
                SELECT n.item_id, array_agg(n.id ORDER BY n.id) AS annotation_ids,
                       array_agg(n.name ORDER BY n.id) AS annotators,
                       jsonb_agg(n."values" ORDER BY n.id) AS all_values
                FROM standing n GROUP BY n.item_id)
            SELECT w.item_id, w.people, coalesce(a.annotation_ids, '{{}}') AS annotation_ids,
                   coalesce(a.annotators, '{{}}') AS annotators,
                   coalesce(a.all_values, '[]') AS all_values,
                   l.id AS label_id, l.value,
                   coalesce(l.annotation_ids, '{{}}') AS label_annotations,
                   s.round_id, s.waits_in, s.needed, s.round_open
            FROM asked w
            LEFT JOIN answers a ON a.item_id = w.item_id
            LEFT JOIN newest_labels l ON l.item_id = w.item_id
            LEFT JOIN LATERAL (
                SELECT s.round_id, p.waits_in, answers_needed(r.settings, s.slice) AS needed,
                       r.state NOT IN ('closed', 'cancelled') AS round_open
                FROM selections s JOIN pushes p ON p.selection_id = s.id
                JOIN rounds r ON r.id = p.waits_in
                WHERE s.item_id = w.item_id ORDER BY s.id DESC LIMIT 1) s ON true
            WHERE coalesce(a.annotation_ids, '{{}}') <> coalesce(l.annotation_ids, '{{}}')
            ORDER BY w.item_id
            """,  # noqa: S608 - the part put in is the constant above
            project=project_id,
            items=list(item_ids) if item_ids is not None else None,
        )
        return [
            ItemAnswers(
                item_id=row["item_id"],
                round_id=row["round_id"],
                waits_in=row["waits_in"],
                round_open=bool(row["round_open"]),
                needed=row["needed"] or 1,
                people=row["people"],
                annotation_ids=row["annotation_ids"],
                annotators=row["annotators"],
                values=row["all_values"],
                current_label_id=row["label_id"],
                current_value=row["value"],
                current_annotation_ids=row["label_annotations"],
            )
            for row in found
        ]

    def votes(self, project_id: int) -> Sequence[tuple[int, str, Mapping[str, Any]]]:
        row = self.sql.sure(
            f"""
            SELECT coalesce(array_agg(item_id ORDER BY id), '{{}}') AS items,
                   coalesce(array_agg(name ORDER BY id), '{{}}') AS names,
                   coalesce(array_agg(cast("values" AS text) ORDER BY id), '{{}}') AS given
            FROM ({STANDING_ANSWERS}) n
            """,  # noqa: S608 - the part put in is the constant above
            project=project_id,
            items=None,
        )
        return list(zip(row["items"], row["names"], _read(row["given"]), strict=True))

    def add(self, project_id: int, labels: Sequence[NewLabel]) -> None:
        self.sql.many(
            """
            INSERT INTO labels (project_id, item_id, value, source, round_id, annotation_ids,
                                annotators, confidence, supersedes)
            VALUES (:project, :item_id, cast(:value AS jsonb), :source, :round_id, :annotation_ids,
                    :annotators, :confidence, :supersedes)
            """,
            [self._row(project_id, one) for one in labels],
        )

    @staticmethod
    def _row(project_id: int, one: NewLabel) -> dict[str, Any]:
        return {
            "project": project_id,
            "item_id": one.item_id,
            "value": json.dumps(one.value) if one.value is not None else None,
            "source": one.source,
            "round_id": one.round_id,
            "annotation_ids": list(one.annotation_ids),
            "annotators": list(one.annotators),
            "confidence": one.confidence,
            "supersedes": one.supersedes,
        }

    def current(self, project_id: int) -> Sequence[CurrentLabel]:
        found = self.sql.all(
            """
            SELECT l.id, l.item_id, l.value, l.source, l.confidence
            FROM current_labels l JOIN items i ON i.id = l.item_id
            WHERE l.project_id = :project AND i.split = 'pool' AND i.duplicate_of IS NULL
            ORDER BY l.item_id
            """,
            project=project_id,
        )
        return [_current(row) for row in found]

    def values(self, project_id: int) -> Mapping[int, Mapping[str, Any]]:
        row = self.sql.sure(
            """
            SELECT coalesce(array_agg(l.item_id ORDER BY l.item_id), '{}') AS items,
                   coalesce(array_agg(cast(l.value AS text) ORDER BY l.item_id), '{}') AS given
            FROM current_labels l JOIN items i ON i.id = l.item_id
            WHERE l.project_id = :project AND i.split = 'pool' AND i.duplicate_of IS NULL
            """,
            project=project_id,
        )
        return dict(zip(row["items"], _read(row["given"]), strict=True))

    def by_ids(self, project_id: int, label_ids: Sequence[int]) -> Sequence[CurrentLabel]:
        found = self.sql.all(
            "SELECT id, item_id, value, source, confidence FROM labels "
            "WHERE project_id = :project AND id = ANY(:ids) ORDER BY item_id",
            project=project_id,
            ids=list(label_ids),
        )
        return [_current(row) for row in found]


def _read(given: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Of thousands of answers few are different: each is read once."""
    known = {text: json.loads(text) for text in set(given)}
    return (known[text] for text in given)


def _current(row: RowMapping) -> CurrentLabel:
    return CurrentLabel(row["id"], row["item_id"], row["value"], row["source"], row["confidence"])
