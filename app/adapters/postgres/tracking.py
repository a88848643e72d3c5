"""Which rounds trackers were told of, in Postgres."""

from app.adapters.postgres.engine import Sql

MOST_ATTEMPTS = 5
NEW = """
INSERT INTO tracked_rounds (round_id, tracker, due_at)
SELECT r.id, :tracker, now() + interval '10 min' FROM rounds r
WHERE r.state = 'closed' AND NOT EXISTS (
    SELECT FROM tracked_rounds t WHERE t.round_id = r.id AND t.tracker = :tracker)
ORDER BY r.id LIMIT 1 ON CONFLICT DO NOTHING RETURNING round_id
"""
AGAIN = """
UPDATE tracked_rounds SET attempts = attempts + 1, due_at = now() + interval '10 min'
WHERE (round_id, tracker) IN (
    SELECT round_id, tracker FROM tracked_rounds
    WHERE tracker = :tracker AND told_at IS NULL AND due_at <= now() AND attempts < :most
    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING round_id
"""


class PostgresTracking:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def claim(self, tracker: str) -> int | None:
        new = self.sql.value(NEW, tracker=tracker)
        found = new or self.sql.value(AGAIN, tracker=tracker, most=MOST_ATTEMPTS)
        return int(found) if found else None

    def told(self, round_id: int, tracker: str, problem: str | None) -> None:
        self.sql.run(
            "UPDATE tracked_rounds SET problem = :problem, "
            "told_at = CASE WHEN cast(:problem AS text) IS NULL THEN now() END, "
            "due_at = now() + attempts * interval '1 min' "
            "WHERE round_id = :round AND tracker = :tracker",
            round=round_id,
            tracker=tracker,
            problem=problem,
        )
