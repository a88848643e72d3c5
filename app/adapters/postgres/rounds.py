"""Rounds in Postgres: who may work on which, and where each stands.

A worker that claims a round gets the next fence number with its lease. Every later write names
that number, so a worker that slept through its lease writes nothing.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError

from app.adapters.postgres import rows
from app.adapters.postgres.engine import Sql
from app.core.entities import Project, Round, RoundCounts, RoundState
from app.core.errors import Conflict, LeaseLost, NotFound

OVER = "('closed', 'cancelled')"
PAUSE_BETWEEN_LOOKS = 0.5
"""Seconds. However many webhooks call, a round looks for answers no sooner after its last look."""


class PostgresRounds:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def start(
        self,
        project: Project,
        *,
        strategy: str,
        classifier: str,
        seed_of: Callable[[int], int],
        actor: str,
        due_in: float = 0.0,
        purpose: str = "learning",
        batch_size: int | None = None,
        asked: Sequence[int] = (),
    ) -> Round:
        last = self.sql.value(
            "SELECT coalesce(max(number), 0) FROM rounds WHERE project_id = :project",
            project=project.id,
        )
        try:
            with self.sql.connection.begin_nested():
                row = self.sql.one(
                    """
                    INSERT INTO rounds (project_id, number, strategy, classifier, batch_size, seed,
                                        settings, actor, due_at, schema_version, purpose, asked)
                    VALUES (:project, :number, :strategy, :classifier, :batch_size, :seed,
                            cast(:settings AS jsonb), :actor,
                            now() + make_interval(secs => :due_in), :schema, :purpose, :asked)
                    RETURNING *
                    """,
                    project=project.id,
                    number=last + 1,
                    strategy=strategy,
                    classifier=classifier,
                    batch_size=batch_size or project.settings.batch_size,
                    seed=seed_of(last + 1),
                    settings=json.dumps(project.settings.as_json()),
                    actor=actor,
                    due_in=due_in,
                    schema=project.schema_version,
                    purpose=purpose,
                    asked=list(asked),
                )
        except IntegrityError:
            raise self._already_open(project.id) from None
        return self._found(row)

    def _already_open(self, project_id: int) -> Conflict:
        opened = self.open(project_id)
        if opened is None:
            return Conflict("Another round was started at the same moment. Look again.")
        state = "has failed: resume or cancel it" if opened.error else f"is {opened.state.value}"
        return Conflict(
            f"Round {opened.number} is still open ({state}). A project has one open round.",
            round=opened.number,
            state=opened.state.value,
        )

    def get(self, round_id: int) -> Round:
        return self._found(self.sql.one("SELECT * FROM rounds WHERE id = :id", id=round_id))

    def by_number(self, project_id: int, number: int) -> Round:
        return self._found(
            self.sql.one(
                "SELECT * FROM rounds WHERE project_id = :project AND number = :number",
                project=project_id,
                number=number,
            ),
            f" {number}",
        )

    def open(self, project_id: int) -> Round | None:
        row = self.sql.one(
            f"SELECT * FROM rounds WHERE project_id = :project AND state NOT IN {OVER}",  # noqa: S608
            project=project_id,
        )
        return rows.round_(row) if row else None

    def duel(self, project_id: int) -> Round | None:
        row = self.sql.one(
            "SELECT * FROM rounds WHERE project_id = :project AND purpose = 'duel' "
            "AND state <> 'cancelled'",
            project=project_id,
        )
        return rows.round_(row) if row else None

    def all(self, project_id: int) -> Sequence[Round]:
        found = self.sql.all(
            "SELECT * FROM rounds WHERE project_id = :project ORDER BY number", project=project_id
        )
        return [rows.round_(row) for row in found]

    # --- leases ---

    def claim(self, worker: str, lease_seconds: float) -> Round | None:
        row = self.sql.one(
            """
            UPDATE rounds SET lease_owner = :worker, fence = fence + 1, hastened = false,
                              lease_until = now() + make_interval(secs => :lease)
            WHERE id = (
                SELECT r.id FROM rounds r JOIN projects p ON p.id = r.project_id
                WHERE r.state NOT IN ('closed', 'cancelled')
                  AND (r.state <> 'failed' OR r.cancel_requested)
                  AND (p.state = 'active' OR r.cancel_requested)
                  AND r.due_at <= now() AND (r.lease_until IS NULL OR r.lease_until < now())
                ORDER BY r.due_at LIMIT 1 FOR UPDATE OF r SKIP LOCKED)
            RETURNING *
            """,
            worker=worker,
            lease=lease_seconds,
        )
        return rows.round_(row) if row else None

    def due_in(self) -> float | None:
        seconds = self.sql.value(
            "SELECT extract(epoch FROM min(due_at) - now()) FROM rounds "
            "WHERE state NOT IN ('closed', 'cancelled', 'failed') AND due_at > now()"
        )
        return None if seconds is None else float(seconds)

    def extend(self, round_id: int, fence: int, lease_seconds: float) -> bool:
        touched = self.sql.run(
            # not one that was given back meanwhile: it would lie there until the lease is over
            "UPDATE rounds SET lease_until = now() + make_interval(secs => :lease) "
            "WHERE id = :id AND fence = :fence AND lease_until IS NOT NULL",
            id=round_id,
            fence=fence,
            lease=lease_seconds,
        )
        return touched == 1

    def guard(self, round_id: int, fence: int) -> None:
        found = self.sql.value("SELECT fence FROM rounds WHERE id = :id FOR UPDATE", id=round_id)
        if found != fence:
            raise LeaseLost("Another worker has taken this round over; nothing was written.")

    # --- movement ---

    def advance(self, round_: Round, state: RoundState, checkpoint: Mapping[str, Any]) -> None:
        self._move(
            round_,
            "state = :state, failed_in = NULL, error = NULL, attempts = 0, due_at = now(), "
            "closed_at = CASE WHEN :over THEN now() END",
            checkpoint,
            state=state.value,
            over=state.is_over,
        )

    def wait(self, round_: Round, seconds: float, checkpoint: Mapping[str, Any]) -> None:
        self._move(
            round_,
            # a webhook that called while we looked may tell of what we did not see
            "attempts = 0, error = NULL, due_at = now() + make_interval("
            "secs => CASE WHEN hastened THEN least(:pause, :seconds) ELSE :seconds END)",
            checkpoint,
            seconds=seconds,
            pause=PAUSE_BETWEEN_LOOKS,
        )

    def retry(self, round_: Round, seconds: float, error: Mapping[str, Any]) -> None:
        self._move(
            round_,
            "attempts = attempts + 1, error = cast(:error AS jsonb), "
            "due_at = now() + make_interval(secs => :seconds)",
            {},
            seconds=seconds,
            error=json.dumps(error),
        )

    def fail(self, round_: Round, error: Mapping[str, Any]) -> None:
        self._move(
            round_,
            "failed_in = state, state = 'failed', error = cast(:error AS jsonb)",
            {},
            error=json.dumps(error),
        )

    def _move(
        self, round_: Round, assignments: str, checkpoint: Mapping[str, Any], **values: Any
    ) -> None:
        touched = self.sql.run(
            f"UPDATE rounds SET {assignments}, updated_at = now(), lease_owner = NULL, "  # noqa: S608
            "lease_until = NULL, checkpoint = checkpoint || cast(:checkpoint AS jsonb) "
            "WHERE id = :id AND fence = :fence",
            id=round_.id,
            fence=round_.fence,
            checkpoint=json.dumps(checkpoint),
            **values,
        )
        if touched != 1:
            raise LeaseLost("Another worker has taken this round over; nothing was written.")

    def resume(self, round_id: int) -> None:
        self.sql.run(
            "UPDATE rounds SET state = failed_in, failed_in = NULL, error = NULL, attempts = 0, "
            "due_at = now(), updated_at = now() WHERE id = :id AND state = 'failed'",
            id=round_id,
        )

    def request_cancel(self, round_id: int) -> None:
        self._request("cancel_requested", round_id)

    def request_finish(self, round_id: int) -> None:
        self._request("finish_requested", round_id)

    def request_repair(self, round_id: int) -> None:
        self._request("repair_requested", round_id)

    def repaired(self, round_id: int) -> None:
        self.sql.run("UPDATE rounds SET repair_requested = false WHERE id = :id", id=round_id)

    def _request(self, flag: str, round_id: int) -> None:
        self.sql.run(
            f"UPDATE rounds SET {flag} = true, due_at = now(), updated_at = now() "  # noqa: S608
            f"WHERE id = :id AND state NOT IN {OVER}",
            id=round_id,
        )
        self.sql.run("SELECT pg_notify('rounds_work', '')")

    def set_classifier(self, round_id: int, classifier_id: int | None) -> None:
        self._set("classifier_id", round_id, classifier_id)

    def set_result(self, round_id: int, classifier_id: int) -> None:
        self._set("result_id", round_id, classifier_id)

    def set_dataset(self, round_id: int, dataset_id: int) -> None:
        self._set("dataset_id", round_id, dataset_id)

    def set_pool(self, round_id: int, pool_id: int) -> None:
        self._set("pool_id", round_id, pool_id)

    def _set(self, column: str, round_id: int, value: int | None) -> None:
        self.sql.run(
            f"UPDATE rounds SET {column} = :value WHERE id = :id",  # noqa: S608
            id=round_id,
            value=value,
        )

    # --- what is known of a round ---

    def record_step(
        self, round_: Round, name: str, worker: str, seconds: float, detail: Mapping[str, Any]
    ) -> None:
        self.sql.run(
            """
            INSERT INTO steps (round_id, name, worker, fence, started_at, detail)
            VALUES (:round, :name, :worker, :fence,
                    clock_timestamp() - make_interval(secs => :seconds), cast(:detail AS jsonb))
            ON CONFLICT (round_id, name) DO UPDATE SET worker = excluded.worker,
                fence = excluded.fence, finished_at = now(), detail = excluded.detail
            """,
            round=round_.id,
            name=name,
            worker=worker,
            fence=round_.fence,
            seconds=seconds,
            detail=json.dumps(detail),
        )

    def counts(self, round_id: int) -> RoundCounts:
        row = self.sql.one(
            """
            SELECT count(*) AS selected,
                   count(*) FILTER (WHERE p.state = 'pushed') AS pushed,
                   count(*) FILTER (WHERE p.state = 'quarantined') AS quarantined,
                   count(*) FILTER (WHERE p.state = 'withdrawn') AS withdrawn,
                   count(*) FILTER (WHERE p.state = 'lost') AS lost,
                   count(*) FILTER (WHERE EXISTS (
                       SELECT FROM annotations a WHERE a.item_id = p.item_id
                       AND a.status IN ('submitted', 'discarded'))) AS answered,
                   count(*) FILTER (WHERE EXISTS (
                       SELECT FROM labels l WHERE l.item_id = p.item_id
                       AND l.round_id = p.round_id)) AS labelled
            FROM pushes p WHERE p.round_id = :id
            """,
            id=round_id,
        )
        return RoundCounts(**row) if row else RoundCounts(0, 0, 0, 0, 0, 0, 0)

    def remember_key(self, key_id: int, key: str, request_hash: str, round_: Round) -> None:
        self.sql.run(
            "INSERT INTO idempotency_keys (key_id, key, project_id, request_hash, round_id) "
            "VALUES (:key_id, :key, :project, :hash, :round)",
            key_id=key_id,
            key=key,
            project=round_.project_id,
            hash=request_hash,
            round=round_.id,
        )

    def by_key(self, key_id: int, key: str, request_hash: str) -> Round | None:
        row = self.sql.one(
            "SELECT * FROM idempotency_keys WHERE key_id = :key_id AND key = :key",
            key_id=key_id,
            key=key,
        )
        if row is None:
            return None
        if row["request_hash"] != request_hash:
            raise Conflict("This Idempotency-Key was used for another request. Take a new one.")
        return self.get(row["round_id"])

    @staticmethod
    def _found(row: RowMapping | None, which: str = "") -> Round:
        if row is None:
            raise NotFound(f"There is no round{which}.")
        return rows.round_(row)
