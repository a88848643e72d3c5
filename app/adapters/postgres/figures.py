"""Figures that are counted once and kept: no page counts a million rows, or 200 old rounds.

Whoever first looks after a change counts. A kept figure names the state that it was counted in:
how often what it is made from had changed by then. The state is read before the counting, so a
figure is never older than the state it names. In a transaction that may only read, or while
somebody else is writing them down, figures are counted and not kept.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from app.adapters.postgres.engine import Sql
from app.core.errors import NotFound
from app.ports.store.reading import RestsOn


def _changes(what: str) -> str:
    return (
        "(SELECT coalesce(sum(times), 0) FROM changes "  # noqa: S608 - words of ours
        f"WHERE project_id = projects.id AND what = '{what}')"
    )


ITEMS = "cast(items_changed_at AS text)"
LABELS = f"items_changed_at || ' ' || schema_version || ' ' || {_changes('labels')}"
STATES: Mapping[RestsOn, str] = {
    RestsOn.ITEMS: ITEMS,
    RestsOn.LABELS: LABELS,
    RestsOn.ANSWERS: f"cast({_changes('answers')} AS text)",
    RestsOn.VERDICTS: f"{LABELS} || ' ' || {_changes('answers')}",
    RestsOn.BATCHES: f"{LABELS} || ' ' || {_changes('batches')}",
    RestsOn.CALLS: f"cast({_changes('calls')} AS text)",
}
"""An SQL expression that is another one after every change."""

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
ANY_LABELS = """
SELECT coalesce(l.value->>'label', cast(l.value AS text)) AS label, i.split, count(*) AS labels
FROM current_labels l JOIN items i ON i.id = l.item_id
WHERE l.project_id = :project GROUP BY 1, 2 ORDER BY 1, 2
"""
SOURCES = """
SELECT l.source, count(*) AS items FROM current_labels l JOIN items i ON i.id = l.item_id
WHERE l.project_id = :project AND i.split = 'pool' AND i.duplicate_of IS NULL
GROUP BY l.source ORDER BY l.source
"""
OF_PROJECTS = """
SELECT projects.id, {state} AS as_of, k.as_of AS kept_as_of, k.figures FROM projects
LEFT JOIN kept_figures k ON k.project_id = projects.id AND k.name = :name AND k.round_id IS NULL
WHERE cast(:project AS bigint) IS NULL OR projects.id = :project ORDER BY projects.id
"""
OF_ROUNDS = """
SELECT r.id, cast((SELECT coalesce(sum(c.times), 0) FROM changes c
                   WHERE c.project_id = r.project_id AND c.what = 'round' AND c.round_id = r.id)
                  AS text) AS as_of, k.as_of AS kept_as_of, k.figures
FROM rounds r LEFT JOIN kept_figures k ON k.project_id = r.project_id AND k.name = :name
    AND k.round_id = r.id
WHERE r.project_id = :project AND r.id = ANY(:rounds)
"""
KEEP = """
INSERT INTO kept_figures (project_id, name, round_id, as_of, figures)
VALUES (:project, :name, :round, :as_of, cast(:figures AS jsonb))
ON CONFLICT (project_id, name, round_id)
DO UPDATE SET as_of = excluded.as_of, figures = excluded.figures
"""
ADD_UP = """
WITH past AS (
    DELETE FROM changes c USING (
        SELECT what, round_id FROM changes WHERE project_id = :project
        GROUP BY what, round_id HAVING count(*) > :rows) many
    WHERE c.project_id = :project AND c.what = many.what
      AND c.round_id IS NOT DISTINCT FROM many.round_id
    RETURNING c.what, c.round_id, c.times)
INSERT INTO changes (project_id, what, round_id, times)
SELECT :project, what, round_id, sum(times) FROM past GROUP BY what, round_id
"""
MOST_COPIED = 20
SHOWN = 300  # characters of a text
MOST_ROWS = 20
"""So many rows of one count are added up when a figure is kept."""
Kept = TypeVar("Kept")


class PostgresFigures:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def splits(self, project_id: int) -> Mapping[str, Any]:
        """What only imports change: how many items, and which texts came most often."""
        return self.kept(project_id, "splits", RestsOn.ITEMS, lambda: self._splits(project_id))

    def classes(self, project_id: int) -> list[Mapping[str, Any]]:
        """How many items of each split have which label."""
        return self._rows(project_id, "classes", CLASSES)

    def sources(self, project_id: int) -> Mapping[str, int]:
        """How many labels of the pool came from where."""
        found = self._rows(project_id, "sources", SOURCES)
        return {one["source"]: one["items"] for one in found}

    def labels(self, project_id: int) -> list[Mapping[str, Any]]:
        """How often each label was given in each split, to duplicates too: what an export holds,
        and what an edit of the labels changes."""
        return self._rows(project_id, "labels", ANY_LABELS)

    def _rows(self, project_id: int, name: str, statement: str) -> list[Mapping[str, Any]]:
        def count() -> list[Mapping[str, Any]]:
            return [dict(row) for row in self.sql.all(statement, project=project_id)]

        return self.kept(project_id, name, RestsOn.LABELS, count)

    def _splits(self, project_id: int) -> Mapping[str, Any]:
        copied = self.sql.all(COPIED, project=project_id, most=MOST_COPIED)
        return {
            "splits": [dict(row) for row in self.sql.all(SPLITS, project=project_id)],
            "copied": [
                {"item": row["item"], "copies": row["copies"], "fields": _clipped(row["fields"])}
                for row in copied
            ],
        }

    # --- how they are kept ---

    def kept(
        self, project_id: int, name: str, rests_on: RestsOn, count: Callable[[], Kept]
    ) -> Kept:
        found = self.sql.one(
            OF_PROJECTS.format(state=STATES[rests_on]), name=name, project=project_id
        )
        if found is None:
            raise NotFound("There is no such project.")
        if found["as_of"] == found["kept_as_of"]:
            known: Kept = found["figures"]
            return known
        figures = count()
        self._keep(project_id, name, {None: (found["as_of"], figures)})
        return figures

    def everywhere(
        self, name: str, rests_on: RestsOn, count: Callable[[int], Kept]
    ) -> Mapping[int, Kept]:
        """Of every project."""
        found = self.sql.all(OF_PROJECTS.format(state=STATES[rests_on]), name=name, project=None)
        known = {row["id"]: row["figures"] for row in found if row["as_of"] == row["kept_as_of"]}
        for row in (row for row in found if row["id"] not in known):
            known[row["id"]] = count(row["id"])
            self._keep(row["id"], name, {None: (row["as_of"], known[row["id"]])})
        return known

    def of_rounds(
        self,
        project_id: int,
        name: str,
        rounds: Sequence[int],
        count: Callable[[Sequence[int]], Mapping[int, Kept]],
    ) -> Mapping[int, Kept]:
        """Of each of these rounds; those that have changed are counted together."""
        found = self.sql.all(OF_ROUNDS, project=project_id, name=name, rounds=list(rounds))
        known = {row["id"]: row["figures"] for row in found if row["as_of"] == row["kept_as_of"]}
        changed = {row["id"]: row["as_of"] for row in found if row["id"] not in known}
        if changed:
            counted = count(list(changed))
            self._keep(project_id, name, {one: (changed[one], counted[one]) for one in changed})
            known.update(counted)
        return known

    def _keep(
        self, project_id: int, name: str, counted: Mapping[int | None, tuple[str, Any]]
    ) -> None:
        if not self._may_keep(project_id):
            return
        self.sql.many(
            KEEP,
            [
                {
                    "project": project_id,
                    "name": name,
                    "round": round_id,
                    "as_of": as_of,
                    "figures": json.dumps(figures),
                }
                for round_id, (as_of, figures) in counted.items()
            ],
        )
        self.sql.run(ADD_UP, project=project_id, rows=MOST_ROWS)

    def _may_keep(self, project_id: int) -> bool:
        if self.sql.value("SELECT current_setting('transaction_read_only')") == "on":
            return False
        return bool(
            self.sql.value(
                "SELECT pg_try_advisory_xact_lock(hashtext('kept_figures'), "
                "cast(:project AS integer))",
                project=project_id,
            )
        )


def _clipped(fields: Mapping[str, str]) -> Mapping[str, str]:
    return {name: text[:SHOWN] for name, text in fields.items()}
