"""The store: transactions over Postgres, and the waiting for news."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from app.adapters.postgres.migrate import current_revision, newest_revision
from app.adapters.postgres.transaction import PostgresTransaction
from app.core.errors import Unavailable
from app.core.types import Split

NOT_MIGRATED = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)
DOWN = (OperationalError, InterfaceError, NoConnectionFree, psycopg.OperationalError)
"""How the absence of the database shows; the driver's own error while we listen or copy."""
LISTEN_SECONDS = 1.0
"""How soon a watcher notices that it shall stop."""


class PostgresStore:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        try:
            with self.engine.begin() as connection:
                yield PostgresTransaction(connection)
        except DOWN as problem:
            raise _unavailable(problem) from problem
        except ProgrammingError as problem:
            if isinstance(problem.orig, NOT_MIGRATED):
                raise Unavailable(
                    "The database lacks tables or columns that this program needs. "
                    "Run `rounds migrate`."
                ) from problem
            raise

    @contextmanager
    def snapshot(self) -> Iterator[PostgresTransaction]:
        with self.transaction() as tx:
            tx.sql.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield tx

    def texts(
        self,
        project_id: int,
        split: Split | None = None,
        *,
        after: int = 0,
        up_to: int | None = None,
        batch: int = 2000,
    ) -> Iterator[tuple[Sequence[int], Sequence[Mapping[str, str]]]]:
        """By keyset pages, each its own short transaction: memory and locks stay small."""
        while True:
            with self.transaction() as tx:
                found = tx.sql.all(
                    "SELECT id, fields FROM items WHERE project_id = :project AND id > :after "
                    "AND id <= coalesce(:up_to, id) "
                    "AND duplicate_of IS NULL AND split = coalesce(:split, split) "
                    "ORDER BY id LIMIT :batch",
                    project=project_id,
                    split=split.value if split else None,
                    after=after,
                    up_to=up_to,
                    batch=batch,
                )
            if not found:
                return
            after = found[-1]["id"]
            yield [row["id"] for row in found], [row["fields"] for row in found]

    @contextmanager
    def work_calls(self) -> Iterator[Callable[[float], bool]]:
        with self._listening("rounds_work") as raw:

            def wait(seconds: float) -> bool:
                try:
                    return any(True for _ in raw.notifies(timeout=seconds, stop_after=1))
                except psycopg.OperationalError as problem:
                    raise _unavailable(problem) from problem

            yield wait

    def wait_for_event(self, project_id: int, seconds: float) -> bool:
        with self._listening("rounds_events") as raw:
            end = monotonic() + seconds
            while (left := end - monotonic()) > 0:
                for notice in raw.notifies(timeout=left, stop_after=1):
                    if notice.payload == str(project_id):
                        return True
            return False

    def watch_events(self, stop: threading.Event) -> Iterator[int | None]:
        with self._listening("rounds_events") as raw:
            yield None
            while not stop.is_set():
                for notice in raw.notifies(timeout=LISTEN_SECONDS):
                    if notice.payload:
                        yield int(notice.payload)

    @contextmanager
    def _listening(self, channel: str) -> Iterator[Any]:
        try:
            with self.engine.connect() as connection:
                # LISTEN must not stay behind on a pooled connection
                connection.detach()
                yield _listen(connection, channel)
        except DOWN as problem:
            raise _unavailable(problem) from problem

    def secret(self, name: str, make: str) -> str:
        with self.transaction() as tx:
            tx.sql.run(
                "INSERT INTO secrets (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING",
                name=name,
                value=make,
            )
            return str(tx.sql.value("SELECT value FROM secrets WHERE name = :name", name=name))

    def set_secret(self, name: str, value: str) -> None:
        with self.transaction() as tx:
            tx.sql.run(
                "INSERT INTO secrets (name, value) VALUES (:name, :value) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                name=name,
                value=value,
            )

    def find_secret(self, name: str) -> str | None:
        with self.transaction() as tx:
            found = tx.sql.value("SELECT value FROM secrets WHERE name = :name", name=name)
        return None if found is None else str(found)

    def check(self) -> None:
        try:
            current = current_revision(self.engine)
        except DOWN as problem:
            raise _unavailable(problem) from problem
        if current != newest_revision():
            raise Unavailable(
                f"The database is at revision {current or 'none'}, this program needs "
                f"{newest_revision()}. Run `rounds migrate`."
            )

    def worker_seen(self, name: str) -> None:
        with self.transaction() as tx:
            tx.sql.run(
                "INSERT INTO workers (name) VALUES (:name) "
                "ON CONFLICT (name) DO UPDATE SET seen_at = now()",
                name=name,
            )
            tx.sql.run("DELETE FROM workers WHERE seen_at < now() - interval '1 day'")

    def workers(self) -> int:
        with self.transaction() as tx:
            return int(
                tx.sql.value(
                    "SELECT count(*) FROM workers WHERE seen_at > now() - interval '1 minute'"
                )
            )


def _listen(connection: Connection, channel: str) -> Any:
    raw: Any = connection.connection.dbapi_connection
    raw.autocommit = True
    raw.execute(f"LISTEN {channel}")
    return raw


def _unavailable(problem: Exception) -> Unavailable:
    # the driver's message may name host and user, never a password or parameters
    reason = str(getattr(problem, "orig", problem)).strip().splitlines()[0][:200]
    return Unavailable(f"The database does not answer: {reason}")
