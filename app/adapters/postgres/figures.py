"""Figures about a project's items that are counted once and kept: no page counts a million rows.

Whoever first looks after a change counts. In a transaction that may only read, or while somebody
else is writing them down, they are counted and not kept.
"""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from app.adapters.postgres.engine import Sql
from app.core.errors import NotFound


class Basis(StrEnum):
    """What figures rest on, as an SQL expression that is another one after every change of it."""

    ITEMS = "cast(items_changed_at AS text)"
    LABELS = (
        "items_changed_at || ' ' || schema_version || ' ' || "
        # the count too: a label with a lower id may be committed later
        "(SELECT coalesce(max(id), 0) || ' ' || count(*) FROM labels "
        "WHERE project_id = projects.id)"
    )


SPLITS = """
SELECT split, count(*) AS items, count(duplicate_of) AS duplicates
FROM items WHERE project_id = :project GROUP BY split ORDER BY split
"""
COPIED = """
SELECT o.external_id AS item, o.fields, copied.copies
FROM (SELECT duplicate_of, count(*) AS copies FROM items
      WHERE project_id = :project AND duplicate_of IS NOT NULL
      GROUP BY duplicate_of ORDER BY 2 DESC, 1 LIMIT :most) copied
JOIN items o ON o.id = copied.duplicate_of ORDER BY copied.copies DESC, o.id
"""
CLASSES = """
SELECT coalesce(l.value->>'label', cast(l.value AS text)) AS label, i.split, count(*) AS items
FROM current_labels l JOIN items i ON i.id = l.item_id
WHERE l.project_id = :project AND i.duplicate_of IS NULL GROUP BY 1, 2 ORDER BY 1, 2
"""
LABELS = """
SELECT coalesce(l.value->>'label', cast(l.value AS text)) AS label, i.split, count(*) AS labels
FROM current_labels l JOIN items i ON i.id = l.item_id
WHERE l.project_id = :project GROUP BY 1, 2 ORDER BY 1, 2
"""
KEPT = """
SELECT {basis} AS as_of, k.as_of AS kept_as_of, k.figures FROM projects
LEFT JOIN kept_figures k ON k.project_id = projects.id AND k.name = :name
WHERE projects.id = :project
"""
Figures = TypeVar("Figures")
MOST_COPIED = 20
SHOWN = 300  # characters of a text


class PostgresFigures:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def splits(self, project_id: int) -> Mapping[str, Any]:
        """What only imports change: how many items, and which texts came most often."""
        return self.kept(project_id, "splits", Basis.ITEMS, lambda: self._splits(project_id))

    def classes(self, project_id: int) -> list[Mapping[str, Any]]:
        """How many items of each split have which label."""
        return self.kept(
            project_id,
            "classes",
            Basis.LABELS,
            lambda: [dict(row) for row in self.sql.all(CLASSES, project=project_id)],
        )

    def labels(self, project_id: int) -> list[Mapping[str, Any]]:
        """How often each label was given in each split, to duplicates too: what an export holds,
        and what an edit of the labels changes."""
        return self.kept(
            project_id,
            "labels",
            Basis.LABELS,
            lambda: [dict(row) for row in self.sql.all(LABELS, project=project_id)],
        )

    def _splits(self, project_id: int) -> Mapping[str, Any]:
        copied = self.sql.all(COPIED, project=project_id, most=MOST_COPIED)
        return {
            "splits": [dict(row) for row in self.sql.all(SPLITS, project=project_id)],
            "copied": [
                {"item": row["item"], "copies": row["copies"], "fields": _clipped(row["fields"])}
                for row in copied
            ],
        }

    def kept(
        self, project_id: int, name: str, basis: Basis, count: Callable[[], Figures]
    ) -> Figures:
        """The figures as of now: kept ones if nothing has changed since, else counted and kept."""
        found = self.sql.one(KEPT.format(basis=basis.value), project=project_id, name=name)
        if found is None:
            raise NotFound("There is no such project.")
        if found["as_of"] == found["kept_as_of"]:
            kept: Figures = found["figures"]
            return kept
        figures = count()
        self._keep(project_id, name, found["as_of"], figures)
        return figures

    def _keep(self, project_id: int, name: str, as_of: str, figures: Any) -> None:
        if self.sql.value("SELECT current_setting('transaction_read_only')") == "on":
            return
        self.sql.run(
            "INSERT INTO kept_figures (project_id, name, as_of, figures) "
            "SELECT :project, :name, :as_of, cast(:figures AS jsonb) "
            "WHERE pg_try_advisory_xact_lock(hashtext('kept_figures'), cast(:project AS integer)) "
            "ON CONFLICT (project_id, name) "
            "DO UPDATE SET as_of = excluded.as_of, figures = excluded.figures",
            project=project_id,
            name=name,
            as_of=as_of,
            figures=json.dumps(figures),
        )


def _clipped(fields: Mapping[str, str]) -> Mapping[str, str]:
    return {name: text[:SHOWN] for name, text in fields.items()}
