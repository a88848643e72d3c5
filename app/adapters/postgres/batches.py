"""What the batch of each round has come to. Counted once after each change of a round, and kept:
a list of rounds costs the same however many items they asked about."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.adapters.postgres.engine import Sql
from app.adapters.postgres.figures import PostgresFigures
from app.adapters.postgres.selections import ANSWERS_OF_ITEM

KEPT_AS = "batch"
COUNT = f"""
SELECT r.id,
       CASE WHEN r.settings->'llm'->>'labelled_by' <> 'humans'
                 OR r.settings->'llm'->>'weak_start' = 'true' THEN json_build_object(
            'labelled_by', r.settings->'llm'->>'labelled_by',
            'routes', (SELECT json_object_agg(why, n) FROM (
                SELECT t.why, count(*) AS n FROM llm_routes t WHERE t.round_id = r.id
                GROUP BY t.why ORDER BY t.why) routes),
            'llm', (SELECT count(*) FROM llm_routes t
                    WHERE t.round_id = r.id AND t.labelled_by = 'llm'),
            'answered', (SELECT count(DISTINCT item) FROM llm_calls c, unnest(c.item_ids) item
                         WHERE c.round_id = r.id AND c.outcome = 'answered'),
            'calls', (SELECT count(*) FROM llm_calls c WHERE c.round_id = r.id),
            'cost', (SELECT coalesce(sum(c.cost), 0) FROM llm_calls c WHERE c.round_id = r.id))
            END AS llm,
       (SELECT json_build_object(
            'selected', count(*),
            'pushed', count(*) FILTER (WHERE p.state = 'pushed'),
            'quarantined', count(*) FILTER (WHERE p.state = 'quarantined'),
            'withdrawn', count(*) FILTER (WHERE p.state = 'withdrawn' AND t.id IS NULL),
            'by_llm', count(*) FILTER (WHERE t.id IS NOT NULL),
            'lost', count(*) FILTER (WHERE p.state = 'lost'),
            'audit', count(*) FILTER (WHERE s.slice = 'audit'),
            'answered', count(*) FILTER (WHERE p.state = 'pushed' AND {ANSWERS_OF_ITEM}
                >= answers_needed(r.settings, s.slice)),
            'disputed', count(*) FILTER (WHERE EXISTS (
                SELECT FROM disputes x
                WHERE x.item_id = p.item_id AND x.round_id = r.id AND x.ended_at IS NULL)),
            'labelled', count(*) FILTER (WHERE EXISTS (
                SELECT FROM labels l WHERE l.item_id = p.item_id AND l.round_id = r.id)),
            'handed_on', count(*) FILTER (WHERE p.waits_in <> p.round_id))
        FROM pushes p JOIN selections s ON s.id = p.selection_id
        LEFT JOIN llm_routes t ON t.round_id = p.round_id AND t.item_id = p.item_id
            AND t.labelled_by = 'llm'
        WHERE p.round_id = r.id) AS counts,
       (SELECT json_build_object(
            'items', count(*),
            'waiting', count(*) FILTER (WHERE p.waits_in = r.id AND p.state = 'pushed' AND (
                {ANSWERS_OF_ITEM} < answers_needed(r.settings, s.slice)
                OR EXISTS (SELECT FROM disputes x
                           WHERE x.item_id = p.item_id AND x.ended_at IS NULL))))
        FROM pushes p JOIN selections s ON s.id = p.selection_id
        JOIN rounds made ON made.id = p.round_id JOIN rounds w ON w.id = p.waits_in
        WHERE p.project_id = r.project_id AND p.waits_in <> p.round_id
          AND made.number < r.number AND w.number >= r.number) AS taken_over
FROM rounds r WHERE r.id = ANY(:rounds)
"""  # noqa: S608 - the part put in is a constant


def batches_of(sql: Sql, project_id: int, rounds: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
    """`counts`, `taken_over` and `llm` of each round, by its id."""

    def count(changed: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
        found = [dict(row) for row in sql.all(COUNT, rounds=list(changed))]
        return {row.pop("id"): row for row in found}

    return PostgresFigures(sql).of_rounds(project_id, KEPT_AS, rounds, count)
