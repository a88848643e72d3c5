"""Everything that runs on one machine, brought up in order and taken down in reverse."""

import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from app.embedded import access as access_file
from app.embedded.access import Access
from app.embedded.backing import Backing
from app.embedded.keepalive import Keepalive
from app.embedded.leftovers import end_leftovers
from app.embedded.own_processes import OwnProcesses, as_variables, wait_until_ready
from app.embedded.ports import LOOPBACK, require_free
from app.embedded.processes import GuardedProcess
from app.embedded.progress import Progress, step
from app.embedded.secrets_file import load_or_create
from app.settings import Settings

EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - addresses to recognise, not to listen on
LOOK_SECONDS = 0.5


class Everything:
    """All parts of one home; what the settings point elsewhere is not started here."""

    def __init__(
        self, settings: Settings, progress: Progress, *, extra: Sequence[Sequence[str]] = ()
    ) -> None:
        self._settings = settings
        self._home = settings.home.resolve()
        self._secrets = load_or_create(self._home)
        self._progress = progress
        self._extra = extra
        self._keepalive = Keepalive(progress.say)
        self._backing = Backing(settings, self._secrets, progress)
        self._stops: list[Callable[[], None]] = [self._backing.stop]
        self._finite: list[GuardedProcess] = []

    def start(self) -> Access:
        """Bring up all parts; returns when people and programs can begin."""
        access_file.remove(self._home)
        end_leftovers(self._home / "run")
        self._require_ports()
        self._backing.start(self._keepalive)
        own = OwnProcesses(self._home, self._variables())
        with step(self._progress, "database schema"):  # while Argilla loads
            own.migrate()
        self._backing.wait()
        self._start_own(own)
        access = self._access()
        access.write(self._home)
        return access

    def start_extra(self, *, to_logs: bool) -> None:
        """Programs that use what now runs; they may end when they are done."""
        own = OwnProcesses(self._home, self._variables())
        for number, arguments in enumerate(self._extra, start=1):
            log = f"extra-{number}.log" if to_logs else None
            process = own.python(f"extra {number}", arguments, log=log)
            self._stops.append(process.stop)
            process.start()
            self._finite.append(process)

    def look_after(self) -> NoReturn:
        """See that everything goes on running, until a signal ends it."""
        while True:
            self._keepalive.check()
            self._report_failed_extra()
            time.sleep(LOOK_SECONDS)

    def _report_failed_extra(self) -> None:
        for process in [p for p in self._finite if not p.running]:
            self._finite.remove(process)
            if process.exit_code != 0:
                self._progress.say(f"{process.name} {process.how_it_ended()}")

    def stop(self) -> None:
        """Everything that was started, in reverse."""
        access_file.remove(self._home)
        while self._stops:
            self._stops.pop()()

    def _require_ports(self) -> None:
        settings = self._settings
        require_free(settings.port, "ROUNDS_PORT", settings.host)
        if settings.argilla_url is None:
            require_free(settings.argilla_port, "ROUNDS_ARGILLA_PORT")

    def _start_own(self, own: OwnProcesses) -> None:
        api, worker = own.cli("API", "serve"), own.cli("worker", "worker")
        with step(self._progress, "API, dashboard, worker"):
            for process in (api, worker):
                self._stops.append(process.stop)
                process.start()
            wait_until_ready(api, self._api_url())
            worker.require_running()
        self._keepalive.keep(api.name, lambda: api.running, api.start)
        self._keepalive.keep(worker.name, lambda: worker.running, worker.start)

    def _variables(self) -> dict[str, str]:
        return as_variables(
            self._settings,
            home=self._home,
            database_url=self._backing.database_url,
            argilla_url=self._backing.argilla_url,
            argilla_api_key=self._backing.argilla_api_key,
            admin_api_key=self._api_key(),
        )

    def _api_key(self) -> str:
        given = self._settings.admin_api_key
        return given.get_secret_value() if given else self._secrets.rounds_api_key

    def _api_url(self) -> str:
        host = self._settings.host
        return f"http://{LOOPBACK if host in EVERYWHERE else host}:{self._settings.port}"

    def _access(self) -> Access:
        return Access(
            api_url=self._api_url(),
            api_key=self._api_key(),
            dashboard_url=self._settings.public_url or self._api_url(),
            argilla_url=self._settings.argilla_public_url or self._backing.argilla_url,
            argilla_api_key=self._backing.argilla_api_key,
            annotators=self._backing.annotators,
        )
