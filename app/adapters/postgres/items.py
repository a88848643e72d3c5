"""Items in Postgres. Imports go by COPY into a temporary table and from there by a few statements,
so that a million rows take seconds and a repeated file changes nothing."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from app.adapters.postgres import import_sql, rows
from app.adapters.postgres.engine import Sql
from app.adapters.postgres.figures import PostgresFigures
from app.core.entities import ImportReport, Item, ItemContent, Project
from app.core.importing import ImportRow
from app.core.types import Split
from app.ports.store import ItemIds, Page, PoolCounts, RestsOn


class PostgresItems:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql
        self.figures = PostgresFigures(sql)

    # --- import ---

    def add(self, project: Project, rows_in: Iterable[tuple[int, ImportRow]]) -> ImportReport:
        self.sql.run(import_sql.INCOMING)
        self._copy(rows_in)
        self.sql.run("ANALYZE incoming")
        parameters = {"project": project.id}
        refused = self._refuse(parameters)
        created = self.sql.run(import_sql.CREATE, **parameters)
        updated = self.sql.run(import_sql.UPDATE, **parameters)
        marked = self.sql.run(import_sql.MARK_DUPLICATES, **parameters)
        duplicates = int(self.sql.value(import_sql.COUNT_DUPLICATES, **parameters))
        labelled = sum(self.sql.run(one, **parameters) for one in import_sql.LABEL)
        kept = int(self.sql.value(import_sql.KEPT_LABELS, **parameters))
        total = int(self.sql.value("SELECT count(*) FROM incoming WHERE problem IS NULL"))
        if created or updated or marked:
            # not now(), the time at which this import began: one that began later may be done
            self.sql.run(
                "UPDATE projects SET items_changed_at = clock_timestamp() WHERE id = :project",
                **parameters,
            )
        return ImportReport(
            created=created,
            updated=updated,
            unchanged=total - created - updated,
            duplicates=duplicates,
            labelled=labelled,
            rejected=len(refused),
            rejections=refused[:1000],
            notes=_notes(kept),
        )

    def _copy(self, rows_in: Iterable[tuple[int, ImportRow]]) -> None:
        cursor = self.sql.connection.connection.cursor()
        with cursor.copy(import_sql.COPY) as copy:
            for line, row in rows_in:
                copy.write_row(
                    (
                        line,
                        row.external_id,
                        json.dumps(row.fields, ensure_ascii=False),
                        json.dumps(row.metadata, ensure_ascii=False),
                        row.split.value if row.split else None,
                        row.text_hash,
                        json.dumps(row.label, ensure_ascii=False) if row.label else None,
                    )
                )

    def _refuse(self, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Rows that are fine in themselves but not beside what is there already."""
        for statement in import_sql.REFUSE:
            self.sql.run(statement, **parameters)
        found = self.sql.all(
            "SELECT line, field, problem AS reason FROM incoming "
            "WHERE problem IS NOT NULL ORDER BY line"
        )
        return [dict(row) for row in found]

    def record_import(
        self, project_id: int, source: str | None, report: ImportReport, actor: str
    ) -> None:
        self.sql.run(
            "INSERT INTO imports (project_id, source, report, actor) "
            "VALUES (:project, :source, cast(:report AS jsonb), :actor)",
            project=project_id,
            source=source,
            report=json.dumps(import_sql.report_json(report)),
            actor=actor,
        )

    def imports(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        found = self.sql.all(
            "SELECT id, source, report, actor, created_at FROM imports "
            "WHERE project_id = :project ORDER BY id DESC LIMIT 200",
            project=project_id,
        )
        return [dict(row) for row in found]

    # --- reading ---

    def counts(self, project_id: int) -> PoolCounts:
        row = self._imported(project_id)
        labelled = self.figures.kept(
            project_id, "labelled", RestsOn.LABELS, lambda: self._count_labelled(project_id)
        )
        out = self.figures.kept(
            project_id, "out", RestsOn.BATCHES, lambda: self._count_out(project_id)
        )
        return PoolCounts(**row, labelled=labelled, candidates=row["pool"] - labelled - out)

    def _imported(self, project_id: int) -> Mapping[str, int]:
        """What only an import changes, so that watching a round does not count a million rows."""
        return self.figures.kept(
            project_id, "imported", RestsOn.ITEMS, lambda: self._count_imported(project_id)
        )

    def _count_labelled(self, project_id: int) -> int:
        return int(
            self.sql.value(
                "SELECT count(*) FROM current_labels l JOIN items i ON i.id = l.item_id "
                "WHERE l.project_id = :project AND i.split = 'pool' AND i.duplicate_of IS NULL",
                project=project_id,
            )
        )

    def _count_out(self, project_id: int) -> int:
        return int(
            self.sql.value(
                "SELECT count(*) FROM pushes p JOIN items i ON i.id = p.item_id "
                "WHERE p.project_id = :project AND p.state <> 'withdrawn' "
                "AND i.duplicate_of IS NULL "
                "AND NOT EXISTS (SELECT FROM current_labels l WHERE l.item_id = p.item_id)",
                project=project_id,
            )
        )

    def _count_imported(self, project_id: int) -> Mapping[str, int]:
        return dict(
            self.sql.sure(
                """
                SELECT count(*) FILTER (WHERE split = 'pool' AND duplicate_of IS NULL) AS pool,
                       count(*) FILTER (WHERE duplicate_of IS NOT NULL) AS duplicates,
                       count(*) FILTER (WHERE split = 'validation') AS validation,
                       count(*) FILTER (WHERE split = 'test') AS test
                FROM items WHERE project_id = :project
                """,
                project=project_id,
            )
        )

    def content(self, project_id: int, *, up_to: int | None = None) -> ItemContent:
        row = self.sql.sure(
            """
            SELECT count(*) AS items, count(*) FILTER (WHERE split = 'pool') AS pool,
                   coalesce(max(id), 0) AS last,
                   -- a sum does not depend on the order, and needs no sorting of a million rows
                   coalesce(sum(hashtextextended(id || ' ' || split || ' ' || fields::text, 0)), 0)
                       AS hashes
            FROM items
            WHERE project_id = :project AND duplicate_of IS NULL AND id <= coalesce(:up_to, id)
            """,
            project=project_id,
            up_to=up_to,
        )
        fingerprint = f"{row['items']}:{row['hashes']}"
        return ItemContent(row["items"], row["pool"], row["last"], fingerprint)

    def candidates(self, project_id: int) -> ItemIds:
        return self._ids(
            """
            SELECT i.id FROM items i
            WHERE i.project_id = {project} AND i.split = 'pool' AND i.duplicate_of IS NULL
              AND NOT EXISTS (SELECT FROM pushes p WHERE p.project_id = i.project_id
                              AND p.item_id = i.id AND p.state <> 'withdrawn')
              AND NOT EXISTS (SELECT FROM current_labels l WHERE l.item_id = i.id)
            ORDER BY i.id
            """,
            project_id,
        )

    def out_for_annotation(self, project_id: int) -> ItemIds:
        return self._ids(
            "SELECT item_id FROM pushes WHERE project_id = {project} AND state <> 'withdrawn' "
            "ORDER BY item_id",
            project_id,
        )

    def _ids(self, query: str, project_id: int) -> ItemIds:
        """By COPY: a million ids as one block of text, not a million Python objects."""
        cursor = self.sql.connection.connection.cursor()
        with cursor.copy(f"COPY ({query.format(project=int(project_id))}) TO STDOUT") as copy:
            block = b"".join(bytes(part) for part in copy)
        return np.array(block.split(), dtype=np.int64)

    def held_out(self, project_id: int, split: Split) -> Mapping[int, Mapping[str, Any]]:
        found = self.sql.all(
            """
            SELECT i.id, l.value FROM items i JOIN current_labels l ON l.item_id = i.id
            WHERE i.project_id = :project AND i.split = :split
              AND l.source NOT LIKE 'llm:%'  -- people's answers only
              AND NOT EXISTS (
                  SELECT FROM items t JOIN current_labels tl ON tl.item_id = t.id
                  WHERE t.project_id = i.project_id AND t.text_hash = i.text_hash
                    AND t.split = 'pool' AND t.duplicate_of IS NULL)
            ORDER BY i.id
            """,
            project=project_id,
            split=split.value,
        )
        return {row["id"]: row["value"] for row in found}

    def get(self, item_ids: Sequence[int]) -> Sequence[Item]:
        found = self.sql.all(
            "SELECT * FROM items WHERE id = ANY(:ids) ORDER BY id", ids=[int(i) for i in item_ids]
        )
        return [rows.item(row) for row in found]

    def named(self, project_id: int, external_ids: Sequence[str]) -> Sequence[int]:
        found = self.sql.all(
            "SELECT external_id, id FROM items WHERE project_id = :project "
            "AND external_id = ANY(:named)",
            project=project_id,
            named=list(external_ids),
        )
        ids = {row["external_id"]: int(row["id"]) for row in found}
        return [ids[one] for one in external_ids if one in ids]

    def page(self, project_id: int, after: int, limit: int) -> Page:
        found = self.sql.all(
            "SELECT id, external_id, fields, metadata, split, duplicate_of, created_at FROM items "
            "WHERE project_id = :project AND id > :after ORDER BY id LIMIT :limit",
            project=project_id,
            after=after,
            limit=limit,
        )
        return Page([dict(row) for row in found], found[-1]["id"] if len(found) == limit else None)


def _notes(kept_labels: int) -> tuple[str, ...]:
    if not kept_labels:
        return ()
    return (
        f"{kept_labels} labels in the file differ from what annotators said since; "
        "the annotators' labels stand.",
    )
