"""What Rounds stands on: Postgres and Argilla, our own or those that the settings point to."""

from collections.abc import Callable, Sequence

from pydantic import SecretStr

from app.embedded.argilla import EmbeddedArgilla
from app.embedded.argilla_environment import ArgillaEnvironment
from app.embedded.keepalive import Keepalive
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.progress import Progress, step
from app.embedded.redis_server import EmbeddedRedis
from app.embedded.secrets_file import ArgillaUser, Secrets
from app.settings import Settings

DATABASE = "rounds"


class Backing:
    """Starts what has to be embedded, and knows how to reach what is used."""

    def __init__(self, settings: Settings, secrets: Secrets, progress: Progress) -> None:
        self._settings = settings
        self._home = settings.home.resolve()
        self._secrets = secrets
        self._progress = progress
        self._stops: list[Callable[[], None]] = []
        self._postgres: EmbeddedPostgres | None = None
        self._argilla: EmbeddedArgilla | None = None

    def start(self, keepalive: Keepalive) -> None:
        """Bring up what is embedded; Argilla still loads when this returns, see `wait`."""
        wants_argilla = self._settings.argilla_url is None
        if wants_argilla or self._settings.database_url is None:
            self._postgres = self._start_postgres(keepalive)
            if wants_argilla:
                self._argilla = self._start_argilla(self._postgres, keepalive)

    def wait(self) -> None:
        """Until Argilla answers."""
        if self._argilla is not None:
            with step(self._progress, "Argilla"):
                self._argilla.wait()

    def stop(self) -> None:
        """In reverse."""
        while self._stops:
            self._stops.pop()()

    @property
    def database_url(self) -> str:
        """Address of our database."""
        if self._settings.database_url is not None:
            return self._settings.database_url.get_secret_value()
        assert self._postgres is not None  # noqa: S101 - for the type checker
        return self._postgres.url(DATABASE)

    @property
    def argilla_url(self) -> str:
        """Address of Argilla."""
        return self._argilla.url if self._argilla else str(self._settings.argilla_url)

    @property
    def argilla_api_key(self) -> str:
        """Our key to Argilla."""
        if self._argilla is not None:
            return self._secrets.argilla_owner.api_key
        return (self._settings.argilla_api_key or SecretStr("")).get_secret_value()

    @property
    def annotators(self) -> Sequence[ArgillaUser]:
        """Those whom we created; in an Argilla of yours you know your people."""
        return self._secrets.annotators if self._argilla else ()

    def _start_postgres(self, keepalive: Keepalive) -> EmbeddedPostgres:
        postgres = EmbeddedPostgres(self._home, password=self._secrets.postgres_password)
        self._stops.append(postgres.stop)
        with step(self._progress, "Postgres"):
            postgres.start()
            postgres.ensure_database(DATABASE)
        keepalive.keep("Postgres", lambda: postgres.running, postgres.restart)
        return postgres

    def _start_argilla(self, postgres: EmbeddedPostgres, keepalive: Keepalive) -> EmbeddedArgilla:
        argilla = EmbeddedArgilla(
            self._home,
            secrets=self._secrets,
            environment=self._environment(),
            postgres=postgres,
            redis=self._start_redis(keepalive),
            port=self._settings.argilla_port,
            workspace=self._settings.argilla_workspace,
        )
        if not argilla.prepared:
            with step(self._progress, "Argilla's tables and users"):
                argilla.prepare()
        self._stops.append(argilla.stop)
        argilla.start()
        keepalive.keep("Argilla", argilla.server_running, argilla.start_server)
        keepalive.keep("Argilla's worker", argilla.worker_running, argilla.start_worker)
        return argilla

    def _environment(self) -> ArgillaEnvironment:
        environment = ArgillaEnvironment(self._home / "argilla-env")
        if not environment.ready:
            with step(self._progress, "Argilla's server, installed (about 130 MB, once)"):
                environment.ensure()
        return environment

    def _start_redis(self, keepalive: Keepalive) -> EmbeddedRedis:
        redis = EmbeddedRedis(self._home, password=self._secrets.redis_password)
        self._stops.append(redis.stop)
        with step(self._progress, "redis"):
            redis.start()
        keepalive.keep("redis", lambda: redis.running, redis.restart)
        return redis
