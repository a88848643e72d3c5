"""Reads for people: what API, command line and pages show."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, text

from app.adapters.postgres.batches import batches_of
from app.adapters.postgres.engine import Sql
from app.adapters.postgres.figures import PostgresFigures
from app.adapters.postgres.selections import ANSWERS_OF_ITEM
from app.core.errors import NotFound
from app.ports.store import Page, RestsOn
from app.ports.store.reading import LARGE_METRICS

ROUND = """
SELECT r.id, r.number, r.schema_version, r.state, r.purpose, r.strategy, r.classifier, r.batch_size,
       r.seed, r.failed_in, r.error, r.attempts, r.cancel_requested, r.finish_requested, r.actor,
       r.created_at, r.updated_at, r.closed_at, r.checkpoint, r.settings->'closing' AS closing,
       d.dataset_id, d.annotate_url,
       chosen.name || '/' || chosen.number AS chosen_by,
       result.name || '/' || result.number AS classifier_version,
       e.metrics - cast(:without AS text[]) AS metrics,
       disputes.annotate_url AS disputes_url,
       (SELECT json_build_object(
            'hours', extract(epoch FROM now() - max(p.pushed_at)) / 3600,
            'idle_hours', extract(epoch FROM now() - max(a.collected_at)) / 3600)
        FROM pushes p LEFT JOIN annotations a ON a.item_id = p.item_id
        WHERE p.round_id = r.id AND r.state = 'annotating') AS waiting,
       (SELECT t.detail->'findings' FROM steps t
        WHERE t.round_id = r.id AND t.name = 'selecting') AS findings,
       (SELECT m.figures->'notes' FROM measurements m
        WHERE m.round_id = r.id AND m.kind = 'notes') AS failure_notes
FROM rounds r
LEFT JOIN datasets d ON d.id = r.dataset_id
LEFT JOIN datasets disputes ON disputes.project_id = r.project_id
    AND disputes.schema_version = d.schema_version AND disputes.purpose = 'disputes'
LEFT JOIN classifier_versions chosen ON chosen.id = r.classifier_id
LEFT JOIN classifier_versions result ON result.id = r.result_id
LEFT JOIN evaluations e ON e.round_id = r.id AND e.kind = 'held_out'
"""

LABEL = """
SELECT l.id AS label_id, i.external_id AS item, i.split, l.value, l.source,
       l.confidence, l.annotators, l.annotation_ids, l.supersedes, l.created_at,
       r.number AS round, s.rank, s.slice, s.strategy, s.score, s.reason,
       s.draw_probability, c.name || '/' || c.number AS classifier_version {more}
FROM current_labels l
JOIN items i ON i.id = l.item_id
LEFT JOIN rounds r ON r.id = l.round_id
LEFT JOIN selections s ON s.round_id = l.round_id AND s.item_id = l.item_id
LEFT JOIN classifier_versions c ON c.id = s.classifier_id
WHERE l.project_id = :project
"""
PROBLEMS = f"""
SELECT 'dataset' AS kind, problem AS message, problem_since AS since
FROM datasets WHERE project_id = :project AND problem IS NOT NULL
UNION ALL
SELECT 'records', 'items of round ' || r.number || ' lost, since ' || p.problem || ': ' || count(*),
       min(p.ended_at)
FROM pushes p JOIN rounds r ON r.id = p.waits_in
WHERE p.project_id = :project AND p.state = 'lost' AND r.state NOT IN ('closed', 'cancelled')
  AND {ANSWERS_OF_ITEM} < (r.settings->>'overlap')::integer
GROUP BY r.number, p.problem
UNION ALL
SELECT 'tracker', 'Round ' || max(r.number) || ' could not be told to ' || t.tracker || ': '
       || max(t.problem), min(t.due_at)
FROM tracked_rounds t JOIN rounds r ON r.id = t.round_id
WHERE r.project_id = :project AND t.problem IS NOT NULL
GROUP BY t.tracker
UNION ALL
SELECT 'llm', 'llm:' || s.provider || '/' || s.model || ' labels nothing any more: ' || s.reason
       || ' When you have looked: rounds llm reopen ' || p.name || ' --provider ' || s.provider,
       s.created_at
FROM llm_suspensions s JOIN projects p ON p.id = s.project_id
WHERE s.project_id = :project AND s.reopened_at IS NULL
"""  # noqa: S608
STREAMED = 500  # rows a cursor fetches at a time


class PostgresViews:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def projects(self) -> Sequence[Mapping[str, Any]]:
        found = self.sql.all(
            """
            SELECT p.id, p.name, p.task->>'type' AS task, p.state, p.created_at,
                   (SELECT count(*) FROM rounds r WHERE r.project_id = p.id) AS rounds,
                   o.number AS open_round, o.state AS open_state
            FROM projects p
            LEFT JOIN rounds o ON o.project_id = p.id AND o.state NOT IN ('closed', 'cancelled')
            ORDER BY p.name
            """
        )
        return [dict(row) for row in found]

    def rounds(
        self, project_id: int, after: int, limit: int, *, newest_first: bool = False
    ) -> Page:
        place = (
            "AND (:after = 0 OR r.number < :after) ORDER BY r.number DESC"
            if newest_first
            else "AND r.number > :after ORDER BY r.number"
        )
        found = self.sql.all(
            f"{ROUND} WHERE r.project_id = :project {place} LIMIT :limit",
            project=project_id,
            without=list(LARGE_METRICS),
            after=after,
            limit=limit,
        )
        return _page(self._with_batches(project_id, found), limit, "number")

    def _with_batches(
        self, project_id: int, found: Sequence[RowMapping]
    ) -> Sequence[Mapping[str, Any]]:
        batches = batches_of(self.sql, project_id, [row["id"] for row in found])
        return [{**row, **batches[row["id"]]} for row in found]

    def round(self, project_id: int, number: int) -> Mapping[str, Any]:
        row = self.sql.one(
            ROUND + "WHERE r.project_id = :project AND r.number = :number",
            project=project_id,
            without=[],
            number=number,
        )
        if row is None:
            raise NotFound(f"There is no round {number}.")
        (shown,) = self._with_batches(project_id, [row])
        steps = self.sql.all(
            "SELECT name, worker, started_at, finished_at, detail FROM steps "
            "WHERE round_id = :round ORDER BY id",
            round=row["id"],
        )
        rules = self.sql.value(
            "SELECT metrics->'rules' FROM evaluations WHERE round_id = :round "
            "AND kind = 'stopping'",
            round=row["id"],
        )
        return {**shown, "steps": [dict(step) for step in steps], "stopping": rules or []}

    def selections(self, project_id: int, number: int, after: int, limit: int) -> Page:
        found = self.sql.all(
            """
            SELECT s.id AS selection_id, r.number AS round, s.rank, i.external_id AS item, i.fields,
                   s.slice, s.strategy, s.score, s.uncertainty, s.reason, s.draw_probability,
                   s.prediction, s.confidence, c.name || '/' || c.number AS classifier_version,
                   p.state AS push_state, p.record_id, p.pushed_at, p.problem,
                   CASE WHEN t.labelled_by IS NULL THEN NULL ELSE json_build_object(
                       'labelled_by', t.labelled_by, 'why', t.why, 'confidence', t.confidence,
                       'source', 'llm:' || t.provider || '/' || t.model,
                       'says', a.value, 'rationale', a.rationale) END AS llm,
                   CASE WHEN w.id <> r.id THEN w.number END AS handed_on_to,
                   (SELECT json_build_object(
                        'classifier_version', fc.name || '/' || fc.number,
                        'prediction', f.prediction, 'confidence', f.confidence,
                        'uncertainty', f.uncertainty, 'at', f.created_at)
                    FROM refreshed_suggestions f JOIN classifier_versions fc
                      ON fc.id = f.classifier_id
                    WHERE f.selection_id = s.id ORDER BY f.id DESC LIMIT 1) AS refreshed,
                   l.value AS label, l.source AS label_source, l.annotators, l.id AS label_id
            FROM selections s
            JOIN rounds r ON r.id = s.round_id
            JOIN items i ON i.id = s.item_id
            JOIN pushes p ON p.selection_id = s.id
            JOIN rounds w ON w.id = p.waits_in
            LEFT JOIN classifier_versions c ON c.id = s.classifier_id
            LEFT JOIN current_labels l ON l.item_id = s.item_id
            LEFT JOIN llm_routes t ON t.round_id = s.round_id AND t.item_id = s.item_id
            LEFT JOIN llm_answers_now a ON a.id = t.answer_id
            WHERE s.project_id = :project AND r.number = :number AND s.rank > :after
            ORDER BY s.rank LIMIT :limit
            """,
            project=project_id,
            number=number,
            after=after,
            limit=limit,
        )
        return _page(found, limit, "rank")

    def labels(self, project_id: int, after: int, limit: int) -> Page:
        """Current labels with the whole way they came: round, reason, classifier, annotators."""
        found = self.sql.all(
            LABEL.format(more="") + "AND l.id > :after ORDER BY l.id LIMIT :limit",
            project=project_id,
            after=after,
            limit=limit,
        )
        return _page(found, limit, "label_id")

    def export(self, project_id: int) -> Iterator[Mapping[str, Any]]:
        found = self.sql.connection.execute(
            text(LABEL.format(more=", i.fields") + "ORDER BY l.id"),
            {"project": project_id},
            execution_options={"stream_results": True, "yield_per": STREAMED},
        )
        for row in found.mappings():
            yield dict(row)

    def last_event(self, project_id: int) -> int:
        return int(
            self.sql.value(
                "SELECT coalesce(max(id), 0) FROM events WHERE project_id = :project",
                project=project_id,
            )
        )

    def curve(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        found = self.sql.all(
            """
            SELECT r.number AS round, coalesce(c.labels, 0) AS labels, m.*
            FROM evaluations e JOIN rounds r ON r.id = e.round_id
            LEFT JOIN classifier_versions c ON c.id = e.classifier_id,
            jsonb_to_record(e.metrics) AS m (accuracy float8, macro_f1 float8, n integer)
            WHERE e.project_id = :project AND e.kind = 'held_out' AND m.accuracy IS NOT NULL
            ORDER BY r.number
            """,
            project=project_id,
        )
        return [dict(row) for row in found]

    def measured(self, project_id: int, round_number: int | None) -> Mapping[str, Any] | None:
        row = self.sql.one(
            """
            SELECT r.number AS round, coalesce(c.labels, 0) AS labels, e.metrics
            FROM evaluations e JOIN rounds r ON r.id = e.round_id
            LEFT JOIN classifier_versions c ON c.id = e.classifier_id
            WHERE e.project_id = :project AND e.kind = 'held_out'
              AND (cast(:number AS integer) IS NULL OR r.number = :number)
            ORDER BY r.number DESC LIMIT 1
            """,
            project=project_id,
            number=round_number,
        )
        return dict(row) if row else None

    def metrics(
        self, project_id: int, *, without: Sequence[str] = ()
    ) -> Sequence[Mapping[str, Any]]:
        found = self.sql.all(
            """
            SELECT r.number AS round, r.closed_at, e.kind,
                   e.metrics - cast(:without AS text[]) AS metrics,
                   coalesce(c.labels, 0) AS labels,
                   c.name || '/' || c.number AS classifier_version
            FROM evaluations e JOIN rounds r ON r.id = e.round_id
            LEFT JOIN classifier_versions c ON c.id = e.classifier_id
            WHERE e.project_id = :project AND e.kind NOT IN ('stopping', 'agreement')
            ORDER BY r.number, e.kind
            """,
            project=project_id,
            without=list(without),
        )
        return [dict(row) for row in found]

    def problems(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        found = self.sql.all(PROBLEMS, project=project_id)
        return [dict(row) for row in found]

    def agreement(self, project_id: int) -> Sequence[Mapping[str, Any]]:
        found = self.sql.all(
            """
            SELECT r.number AS round, r.closed_at, m.*
            FROM evaluations e JOIN rounds r ON r.id = e.round_id,
            jsonb_to_record(e.metrics) AS m (alpha jsonb, fleiss_kappa jsonb,
                                             items_with_several integer)
            WHERE e.project_id = :project AND e.kind = 'agreement' ORDER BY r.number
            """,
            project=project_id,
        )
        return [dict(row) for row in found]

    def totals(self) -> Mapping[str, int]:
        row = self.sql.sure(
            """
            SELECT (SELECT count(*) FROM projects) AS projects,
                   (SELECT count(*) FROM rounds
                    WHERE state NOT IN ('closed', 'cancelled', 'failed')) AS open_rounds,
                   (SELECT count(*) FROM rounds WHERE state = 'closed') AS closed_rounds,
                   (SELECT count(*) FROM rounds WHERE state = 'failed') AS failed_rounds
            """
        )
        counted = PostgresFigures(self.sql).everywhere("facts", RestsOn.VERDICTS, self._facts)
        return {
            **row,
            "labels": sum(one["labels"] for one in counted.values()),
            "annotations": sum(one["annotations"] for one in counted.values()),
        }

    def _facts(self, project_id: int) -> Mapping[str, int]:
        return dict(
            self.sql.sure(
                """
                SELECT (SELECT count(*) FROM current_labels WHERE project_id = :project) AS labels,
                       (SELECT count(*) FROM annotations
                        WHERE project_id = :project) AS annotations
                """,
                project=project_id,
            )
        )


def _page(found: Sequence[Any], limit: int, key: str) -> Page:
    return Page([dict(row) for row in found], found[-1][key] if len(found) == limit else None)
