"""The statements of an import, in the order in which they run. `incoming` holds the file's rows."""

from dataclasses import asdict
from typing import Any

from app.core.entities import ImportReport

INCOMING = """
CREATE TEMPORARY TABLE incoming (
    line        bigint NOT NULL,
    external_id text NOT NULL,
    fields      jsonb NOT NULL,
    metadata    jsonb NOT NULL,
    split       text,
    text_hash   bytea NOT NULL,
    label       jsonb,
    problem     text,
    field       text
) ON COMMIT DROP
"""

COPY = "COPY incoming (line, external_id, fields, metadata, split, text_hash, label) FROM STDIN"

REFUSE = (
    # the same id twice in one file: the first stands
    """
    UPDATE incoming SET field = 'id',
        problem = 'this id stands earlier in the file with other content'
    FROM (SELECT external_id, min(line) AS first FROM incoming
          GROUP BY external_id HAVING count(*) > 1) again
    JOIN incoming kept ON kept.external_id = again.external_id AND kept.line = again.first
    WHERE incoming.external_id = again.external_id AND incoming.line > again.first
      AND (incoming.fields, incoming.split, incoming.label)
          IS DISTINCT FROM (kept.fields, kept.split, kept.label)
    """,
    # the same row twice in one file: once is enough
    """
    DELETE FROM incoming USING (
        SELECT external_id, min(line) AS first FROM incoming
        WHERE problem IS NULL GROUP BY external_id HAVING count(*) > 1) again
    WHERE incoming.external_id = again.external_id AND incoming.line > again.first
      AND incoming.problem IS NULL
    """,
    # what annotators have seen must stay what it was
    """
    UPDATE incoming SET
        field = CASE WHEN incoming.fields IS DISTINCT FROM i.fields THEN 'text' ELSE 'split' END,
        problem = 'this item is part of a round already; its text and split cannot change'
    FROM items i
    WHERE i.project_id = :project AND i.external_id = incoming.external_id
      AND incoming.problem IS NULL
      AND (i.fields IS DISTINCT FROM incoming.fields
           OR i.split <> coalesce(incoming.split, i.split))
      AND EXISTS (SELECT FROM selections s WHERE s.item_id = i.id)
    """,
)

CREATE = """
INSERT INTO items (project_id, external_id, fields, metadata, split, text_hash)
SELECT :project, external_id, fields, metadata, coalesce(split, 'pool'), text_hash
FROM incoming WHERE problem IS NULL ORDER BY line
ON CONFLICT (project_id, external_id) DO NOTHING
"""

UPDATE = """
UPDATE items i SET fields = n.fields, metadata = n.metadata, text_hash = n.text_hash,
    split = coalesce(n.split, i.split),
    duplicate_of = CASE WHEN coalesce(n.split, i.split) = 'pool' AND n.text_hash = i.text_hash
                   THEN i.duplicate_of END
FROM incoming n
WHERE i.project_id = :project AND i.external_id = n.external_id AND n.problem IS NULL
  AND (i.fields, i.metadata, i.split) IS DISTINCT FROM
      (n.fields, n.metadata, coalesce(n.split, i.split))
"""

# The item that stands for a text: a held-out one first (so that no copy of a test text is ever
# trained on), then one already selected, then one that brings a label, then the earliest.
MARK_DUPLICATES = """
WITH texts AS (
    SELECT DISTINCT text_hash FROM incoming WHERE problem IS NULL
), ranked AS (
    SELECT i.id, i.split, i.duplicate_of,
        first_value(i.id) OVER (PARTITION BY i.text_hash ORDER BY
            (i.split = 'pool'),
            NOT EXISTS (SELECT FROM selections s WHERE s.item_id = i.id),
            NOT EXISTS (SELECT FROM labels l WHERE l.item_id = i.id)
                AND NOT EXISTS (SELECT FROM incoming n WHERE n.external_id = i.external_id
                                AND n.label IS NOT NULL),
            i.id) AS stands
    FROM items i WHERE i.project_id = :project AND i.text_hash IN (SELECT text_hash FROM texts)
), wanted AS (
    SELECT id, duplicate_of, CASE WHEN split = 'pool' AND stands <> id THEN stands END AS target
    FROM ranked
)
UPDATE items i SET duplicate_of = w.target FROM wanted w
WHERE i.id = w.id AND w.duplicate_of IS DISTINCT FROM w.target
  -- an item that annotators have seen stays itself
  AND NOT EXISTS (SELECT FROM selections s WHERE s.item_id = i.id)
"""

COUNT_DUPLICATES = """
SELECT count(*) FROM incoming n JOIN items i
    ON i.project_id = :project AND i.external_id = n.external_id
WHERE n.problem IS NULL AND i.duplicate_of IS NOT NULL
"""

LABEL = (
    # a first label
    """
    INSERT INTO labels (project_id, item_id, value, source)
    SELECT :project, i.id, n.label, 'import' FROM incoming n
    JOIN items i ON i.project_id = :project AND i.external_id = n.external_id
    WHERE n.label IS NOT NULL AND n.problem IS NULL
      AND NOT EXISTS (SELECT FROM labels l WHERE l.item_id = i.id)
    ORDER BY n.line
    """,
    # a corrected file supersedes what an earlier import said, never what people said
    """
    INSERT INTO labels (project_id, item_id, value, source, supersedes)
    SELECT :project, i.id, n.label, 'import', l.id FROM incoming n
    JOIN items i ON i.project_id = :project AND i.external_id = n.external_id
    JOIN newest_labels l ON l.item_id = i.id
    WHERE n.label IS NOT NULL AND n.problem IS NULL
      AND l.source = 'import' AND l.value IS DISTINCT FROM n.label
    """,
)

KEPT_LABELS = """
SELECT count(*) FROM incoming n
JOIN items i ON i.project_id = :project AND i.external_id = n.external_id
JOIN newest_labels l ON l.item_id = i.id
WHERE n.label IS NOT NULL AND n.problem IS NULL
  AND l.source <> 'import' AND l.value IS DISTINCT FROM n.label
"""


def report_json(report: ImportReport) -> dict[str, Any]:
    return {**asdict(report), "rejections": list(report.rejections), "notes": list(report.notes)}
