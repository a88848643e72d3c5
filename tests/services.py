"""The real Postgres and the real Argilla that tests use, shared by all test processes."""

import hashlib
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from app.embedded.locks import FileLock

REPOSITORY = Path(__file__).resolve().parent.parent
FOLDER = REPOSITORY / ".test-env"
"""Argilla's environment and a migrated Argilla database are kept here from run to run."""

EMBEDDED = REPOSITORY / "app" / "embedded"

HOST_SECONDS = 60


class ServiceUnavailable(Exception):
    """A service that tests need could not be started; the message says why."""


class ServiceHost:
    """Our connection to the process that runs the services; as long as we hold it, they run."""

    def __init__(self) -> None:
        # services run the code they were started with: other code, another host
        self._folder = FOLDER / f"host-{_fingerprint(EMBEDDED)}"
        self._connection: Connection | None = None

    def ask(self, service: str) -> dict[str, Any]:
        """Have a service started if it is not, and learn how to reach it."""
        connection = self._connection or self._connect()
        self._connection = connection
        connection.send(service)
        ok, answer = connection.recv()
        if not ok:
            raise ServiceUnavailable(f"{service}: {answer}")
        return dict(answer)

    def close(self) -> None:
        """Let the services go; they end when nobody holds them."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> Connection:
        starting = FileLock(self._folder / "starting.lock")
        starting.acquire(wait=True)
        try:
            return self._try() or self._start()
        finally:
            starting.release()

    def _try(self) -> Connection | None:
        try:
            address = json.loads((self._folder / "host.json").read_text())
            key = bytes.fromhex(address["key"])
            return Client(("127.0.0.1", address["port"]), authkey=key)
        except (OSError, ValueError, EOFError, AuthenticationError):
            return None

    def _start(self) -> Connection:
        with (self._folder / "host.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.service_host", str(self._folder)],
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + HOST_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if (connection := self._try()) is not None:
                return connection
            time.sleep(0.02)
        raise ServiceUnavailable(f"the service host did not start; see {self._folder}/host.log")


@dataclass(frozen=True, slots=True)
class PostgresService:
    """A running cluster in which every test makes its own databases."""

    port: int
    password: str

    def url(self, database: str, driver: str = "postgresql+psycopg") -> str:
        """Address of a database, as SQLAlchemy wants it."""
        return f"{driver}://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """A fresh database; gone at the end, whoever is still connected."""
        name = f"test_{uuid.uuid4().hex}"
        with self._administrator() as connection:
            create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield self.url(name)
        finally:
            with self._administrator() as connection:
                drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
                connection.execute(drop.format(sql.Identifier(name)))

    def migrated_template(self) -> str:
        """A database at the newest schema, to be copied; made by whoever needs it first."""
        name = f"template_{_fingerprint(REPOSITORY / 'migrations')}"
        with self._administrator() as connection:
            connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(known, [name]).fetchone() is None:
                self._make_template(connection, name)
        return name

    def _make_template(self, connection: psycopg.Connection, name: str) -> None:
        unfinished = f"test_{uuid.uuid4().hex}"
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
        _migrate(self.url(unfinished))
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        connection.execute(rename.format(sql.Identifier(unfinished), sql.Identifier(name)))

    def _administrator(self) -> psycopg.Connection:
        url = self.url("postgres", driver="postgresql")
        return psycopg.connect(url, autocommit=True)


@dataclass(frozen=True, slots=True)
class ArgillaUser:
    """Someone who can log in to the Argilla of the tests."""

    username: str
    password: str
    api_key: str


@dataclass(frozen=True, slots=True)
class ArgillaService:
    """A running Argilla, shared: give datasets names of your own and delete them."""

    url: str
    workspace: str
    owner: ArgillaUser
    annotators: tuple[ArgillaUser, ...]

    @classmethod
    def of(cls, answer: dict[str, Any]) -> "ArgillaService":
        """From what the service host tells."""
        annotators = tuple(ArgillaUser(**user) for user in answer["annotators"])
        owner = ArgillaUser(**answer["owner"])
        return cls(answer["url"], answer["workspace"], owner, annotators)


def _migrate(url: str) -> None:
    from sqlalchemy import create_engine

    from app.adapters.postgres.migrate import migrate

    engine = create_engine(url)
    try:
        migrate(engine)
    finally:
        engine.dispose()


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]
