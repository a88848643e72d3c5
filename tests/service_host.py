"""One process beside the tests that runs Postgres and Argilla for all of them.

Whichever test process comes first starts it (see services.py). Every test process holds a
connection to it; when the last one is gone, however it went, it stops everything and ends.
Run as `python -m tests.service_host FOLDER`; the folder is named for the code it runs.
"""

import json
import os
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

from psycopg import sql

from app.core.errors import RoundsError
from app.embedded.argilla import DATABASE, EmbeddedArgilla
from app.embedded.argilla_environment import ArgillaEnvironment
from app.embedded.locks import FileLock
from app.embedded.ports import LOOPBACK, free_port
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis_server import EmbeddedRedis
from app.embedded.secrets_file import load_or_create, write_private

ADDRESS = "host.json"
FIRST_CLIENT_SECONDS = 60
PRISTINE = "argilla_pristine"
DISPOSABLE = ("test_%", "template_%", DATABASE)


class Host:
    """Starts a service when it is first asked for, answers every later question from memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._home = folder / "home"
        self._secrets = load_or_create(self._home)
        self._postgres: EmbeddedPostgres | None = None
        self._redis: EmbeddedRedis | None = None
        self._argilla: EmbeddedArgilla | None = None
        self._answers: dict[str, tuple[bool, Any]] = {}
        self._starting = threading.RLock()

    def answer(self, service: str) -> tuple[bool, Any]:
        """(True, what the service is) or (False, why it could not be started)."""
        with self._starting:
            if service not in self._answers:
                start: Callable[[], Any] = getattr(self, f"_start_{service}")
                try:
                    self._answers[service] = (True, start())
                except (RoundsError, OSError) as error:
                    self._answers[service] = (False, str(error))
            return self._answers[service]

    def restart(self, service: str) -> None:
        """Stop what was started and start it again, where it was; whoever uses it sees it go."""
        with self._starting:
            running = {"postgres": self._postgres, "redis": self._redis, "argilla": self._argilla}
            one = running[service]
            assert one is not None, f"{service} was never started"
            one.stop()
            one.start()
            if self._argilla is not None:
                self._argilla.wait()

    def stop(self) -> None:
        """Everything that was started, in reverse."""
        with self._starting:
            for service in (self._argilla, self._redis, self._postgres):
                if service is not None:
                    service.stop()

    def _start_postgres(self) -> dict[str, Any]:
        try:
            self._postgres = self._running_postgres()
        except RoundsError:  # the cached cluster did not survive, or its secrets are gone
            shutil.rmtree(self._home)
            self._secrets = load_or_create(self._home)
            self._postgres = self._running_postgres()
        self._drop_what_earlier_runs_left(self._postgres)
        return {"port": self._postgres.port, "password": self._secrets.postgres_password}

    def _running_postgres(self) -> EmbeddedPostgres:
        password = self._secrets.postgres_password
        postgres = EmbeddedPostgres(self._home, password=password, durable=False)
        postgres.start()
        return postgres

    @staticmethod
    def _drop_what_earlier_runs_left(postgres: EmbeddedPostgres) -> None:
        with postgres.connect() as connection:
            names = connection.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE ANY(%s) AND NOT datistemplate",
                [list(DISPOSABLE)],
            ).fetchall()
        for (name,) in names:
            postgres.drop_database(name)

    def _start_argilla(self) -> dict[str, Any]:
        ok, answer = self.answer("postgres")
        if not ok or self._postgres is None:
            raise RoundsError(answer)
        environment = ArgillaEnvironment(self.folder.parent / "argilla-env")
        environment.ensure()
        self._redis = EmbeddedRedis(self._home, password=self._secrets.redis_password)
        self._redis.start()
        self._argilla = EmbeddedArgilla(
            self._home,
            secrets=self._secrets,
            environment=environment,
            postgres=self._postgres,
            redis=self._redis,
            port=free_port(),
        )
        self._pristine_argilla(self._postgres, self._argilla)
        self._argilla.start()
        self._argilla.wait()
        return self._describe(self._argilla)

    @staticmethod
    def _pristine_argilla(postgres: EmbeddedPostgres, argilla: EmbeddedArgilla) -> None:
        """Argilla's migrations take long: a copy of their result is kept from run to run."""
        with postgres.connect() as connection:
            if copy_database(connection, PRISTINE, DATABASE):
                argilla.prepare()
                return
            argilla.prepare()
            copy_database(connection, DATABASE, PRISTINE)

    def _describe(self, argilla: EmbeddedArgilla) -> dict[str, Any]:
        people = [
            {"username": user.username, "password": user.password, "api_key": user.api_key}
            for user in (self._secrets.argilla_owner, *self._secrets.annotators)
        ]
        return {
            "url": argilla.url,
            "workspace": argilla.workspace,
            "owner": people[0],
            "annotators": people[1:],
        }


def copy_database(connection: Any, source: str, target: str) -> bool:
    """With the comment, which tells what it was prepared for; False when there is no source."""
    row = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
        [source],
    ).fetchone()
    if row is None:
        return False
    names = {"source": sql.Identifier(source), "target": sql.Identifier(target)}
    for statement in (
        "DROP DATABASE IF EXISTS {target}",
        "CREATE DATABASE {target} TEMPLATE {source}",
    ):
        connection.execute(sql.SQL(statement).format(**names))
    comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
    connection.execute(comment.format(sql.Identifier(target), row[0]))
    return True


class Clients:
    """The test processes that are connected now."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._count = 0
        self._changed = threading.Condition()

    def serve(self, connection: Connection) -> None:
        """Answer one test process until it goes away."""
        self._add(1)
        try:
            while True:
                connection.send(self._host.answer(connection.recv()))
        except (EOFError, OSError):
            pass
        finally:
            connection.close()
            self._add(-1)

    def wait_until_gone(self) -> None:
        """Until there was at least one, and then until there is none."""
        with self._changed:
            self._changed.wait_for(lambda: self._count > 0, FIRST_CLIENT_SECONDS)
            self._changed.wait_for(lambda: self._count == 0)

    def _add(self, difference: int) -> None:
        with self._changed:
            self._count += difference
            self._changed.notify_all()


def accept(listener: Listener, clients: Clients) -> None:
    """Take connections for as long as this process lives."""
    while True:
        try:
            connection = listener.accept()
        except Exception:  # someone knocked who is not one of us
            time.sleep(0.01)
            continue
        threading.Thread(target=clients.serve, args=[connection], daemon=True).start()


def remove_hosts_of_older_code(folder: Path) -> None:
    """Their databases were made by code that is no more; those in use stay."""
    for other in folder.parent.glob("host-*"):
        locks = [FileLock(other / "starting.lock"), FileLock(other / "host.lock")]
        if other != folder and all(lock.acquire() for lock in locks):
            # another host may be at the same
            shutil.rmtree(other, ignore_errors=True)
        for lock in locks:
            lock.release()


def main(folder: Path) -> None:
    """Wait for an earlier host to be gone, then be the host."""
    lock = FileLock(folder / "host.lock")
    lock.acquire(wait=True)
    remove_hosts_of_older_code(folder)
    key = secrets.token_bytes(32)
    host = Host(folder)
    listener = Listener((LOOPBACK, 0), backlog=64, authkey=key)
    clients = Clients(host)
    threading.Thread(target=accept, args=[listener, clients], daemon=True).start()
    address = folder / ADDRESS
    write_private(address, {"port": listener.address[1], "key": key.hex(), "pid": os.getpid()})
    try:
        clients.wait_until_gone()
    finally:
        address.unlink(missing_ok=True)
        host.stop()
    sys.stdout.write(json.dumps({"ended": os.getpid()}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
