"""A real Argilla of our own, with its web UI, on one port of this machine.

Its search is answered by SQL (see argilla_plugin), so it needs no Elasticsearch.
"""

import hashlib
import json
import shutil
import time
from dataclasses import asdict
from pathlib import Path

import httpx
from psycopg import sql

from app.core.errors import Unavailable
from app.embedded.argilla_environment import LOCK_FILE, ArgillaEnvironment
from app.embedded.ports import LOOPBACK, require_free
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.processes import GuardedProcess, clean_environment
from app.embedded.redis_server import EmbeddedRedis
from app.embedded.secrets_file import Secrets

PROGRAM = Path(__file__).with_name("argilla_plugin")
DATABASE = "argilla"
START_SECONDS = 180


class EmbeddedArgilla:
    """Argilla's server and its worker, over an embedded Postgres and redis that already run."""

    def __init__(
        self,
        home: Path,
        *,
        secrets: Secrets,
        environment: ArgillaEnvironment,
        postgres: EmbeddedPostgres,
        redis: EmbeddedRedis,
        port: int,
        workspace: str = "rounds",
    ) -> None:
        self._folder = home.resolve() / "argilla"
        self._logs = home.resolve() / "logs"
        self._secrets = secrets
        self._environment = environment
        self._postgres = postgres
        self._redis = redis
        self._port = port
        self.workspace = workspace
        self._server = self._process("Argilla", "argilla-server.log", "serve", LOOPBACK, str(port))
        self._worker = self._process("Argilla's worker", "argilla-worker.log", "work")

    @property
    def url(self) -> str:
        """Where the web UI and the API answer."""
        return f"http://{LOOPBACK}:{self._port}"

    def prepare(self) -> None:
        """See that database, users and workspace are there; quick when they are."""
        if not self.prepared:
            self._run_prepare()
            self._mark_prepared()

    def start(self) -> None:
        """Start server and worker; `wait` tells when people can log in."""
        require_free(self._port, "ROUNDS_ARGILLA_PORT")
        shutil.rmtree(self._folder / "tmp", ignore_errors=True)
        self.start_server()
        self.start_worker()

    def start_server(self) -> None:
        """Start the server, with the addresses as they are now."""
        self._server.start(self._variables())

    def start_worker(self) -> None:
        """Start the worker, with the addresses as they are now."""
        self._worker.start(self._variables())

    def server_running(self) -> bool:
        """Whether the server process is alive."""
        return self._server.running

    def worker_running(self) -> bool:
        """Whether the worker process is alive."""
        return self._worker.running

    def wait(self) -> None:
        """Until the server answers, search engine and database included."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self._server.require_running()
            if self.answers():
                return
            time.sleep(0.1)
        raise Unavailable(f"Argilla did not answer within {START_SECONDS} s; see {self._logs}.")

    def answers(self) -> bool:
        """Whether the server answers at this moment."""
        try:
            status = httpx.get(f"{self.url}/api/v1/status", timeout=5, trust_env=False)
        except httpx.TransportError:
            return False
        return status.status_code == httpx.codes.OK

    def stop(self) -> None:
        """Stop the worker, then the server."""
        self._worker.stop()
        self._server.stop()
        shutil.rmtree(self._folder / "tmp", ignore_errors=True)

    def _process(self, name: str, log: str, *command: str) -> GuardedProcess:
        return GuardedProcess(
            name,
            [str(self._environment.python), str(PROGRAM), *command],
            log=self._logs / log,
            record=self._folder.parent / "run" / f"argilla-{command[0]}.json",
        )

    def _variables(self, **extra: str) -> dict[str, str]:
        temporary = self._folder / "tmp"  # each start copies the web UI there and leaves it
        temporary.mkdir(parents=True, exist_ok=True)
        return clean_environment(
            ARGILLA_HOME_PATH=str(self._folder),
            ARGILLA_DATABASE_URL=self._postgres.url(DATABASE, driver="postgresql+asyncpg"),
            ARGILLA_REDIS_URL=self._redis.url,
            ARGILLA_AUTH_SECRET_KEY=self._secrets.argilla_auth_secret,
            ARGILLA_SEARCH_ENGINE="sql",
            ARGILLA_CORS_ORIGINS=json.dumps([self.url, f"http://localhost:{self._port}"]),
            HF_HUB_DISABLE_TELEMETRY="1",
            OBJC_DISABLE_INITIALIZE_FORK_SAFETY="YES",  # its worker forks; macOS would end it
            TMPDIR=str(temporary),
            **extra,
        )

    def _run_prepare(self) -> None:
        request = {
            "owner": asdict(self._secrets.argilla_owner),
            "annotators": [asdict(user) for user in self._secrets.annotators],
            "workspace": self.workspace,
        }
        process = self._process("Argilla's preparation", "argilla-prepare.log", "prepare")
        if process.run(env=self._variables(ROUNDS_PREPARE=json.dumps(request))) != 0:
            raise Unavailable(f"{process.name} {process.how_it_ended()}")

    @property
    def prepared(self) -> bool:
        """Whether `prepare` has nothing to do."""
        self._postgres.ensure_database(DATABASE)
        return self._comment() == self._fingerprint()

    def _comment(self) -> str | None:
        """A comment on the database tells, and so is never older or newer than the data."""
        with self._postgres.connect() as connection:
            row = connection.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
                [DATABASE],
            ).fetchone()
        return None if row is None else row[0]

    def _mark_prepared(self) -> None:
        with self._postgres.connect() as connection:
            statement = sql.SQL("COMMENT ON DATABASE {} IS {}")
            connection.execute(statement.format(sql.Identifier(DATABASE), self._fingerprint()))

    def _fingerprint(self) -> str:
        lock = hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()[:16]
        return f"prepared by {lock} for workspace {self.workspace}"
