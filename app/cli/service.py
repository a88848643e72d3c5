"""Commands that run something: API, worker, migrations, everything at once, the demo."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from app.bootstrap import Container, build
from app.cli.acting import actor
from app.cli.output import AsJson, console, friendly, print_json
from app.core.entities import ProjectState
from app.core.errors import Unavailable
from app.logs import set_up_logs
from app.rounds import commands, repairing
from app.settings import read_settings

Detach = Annotated[
    bool, typer.Option("--detach", help="Return once everything is ready; it goes on running.")
]


@friendly
def up(detach: Detach = False) -> None:
    """Run everything on this machine: Postgres, Argilla with its UI, API, worker, dashboard."""
    from app.embedded.stack import run_stack

    raise typer.Exit(run_stack(read_settings(), detach=detach))


@friendly
def down() -> None:
    """Stop what `rounds up --detach` started. Data stays."""
    from app.embedded.stack import stop_stack

    raise typer.Exit(stop_stack(read_settings().home))


@friendly
def demo(
    detach: Detach = False,
    rounds: Annotated[int, typer.Option(min=1, help="How many rounds to play.")] = 8,
    data: Annotated[
        Path | None, typer.Option(exists=True, help="Your own labelled file (id, text, label).")
    ] = None,
) -> None:
    """The same as `up`, with a sample project and simulated annotators who answer in Argilla."""
    from app.embedded.stack import run_stack

    extra = ["-m", "app.demo.drive", "--rounds", str(rounds)]
    if data is not None:
        extra += ["--data", str(data.resolve())]
    raise typer.Exit(run_stack(read_settings(), detach=detach, extra=[extra]))


@friendly
def serve() -> None:
    """Run the API and the dashboard."""
    import uvicorn

    from app.bootstrap import api_parts
    from app.main import create_app, settle

    settings = read_settings()
    set_up_logs(settings)
    container = build(settings)
    container.store.check()
    container.accept_admin_key()
    # before the thread: it finds out what is wrong with the settings
    application = create_app(api_parts(container))
    settle()
    with _threads_stopped_at_end() as stop:
        threading.Thread(
            target=container.subscribe_webhook, args=(stop,), name="webhook", daemon=True
        ).start()
        uvicorn.run(
            application,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )


@contextmanager
def _threads_stopped_at_end() -> Iterator[threading.Event]:
    stop = threading.Event()
    try:
        yield stop
    finally:
        stop.set()


@friendly
def worker() -> None:
    """Run one worker; any number may run at once, here or elsewhere."""
    from threadpoolctl import threadpool_limits

    settings = read_settings()
    set_up_logs(settings)
    container = build(settings)
    container.store.check()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    measuring = threading.Thread(
        target=container.measurer().run, args=(stop,), name="measuring", daemon=True
    )
    with threadpool_limits(settings.threads):
        measuring.start()
        container.runner().run(stop)
    measuring.join(settings.lease_seconds)


@friendly
def migrate(
    revision: Annotated[str, typer.Argument(help="head, base, or a revision's name.")] = "head",
) -> None:
    """Bring the database to the newest schema (or to a named one)."""
    from app.adapters.postgres.migrate import migrate as run_migrations

    container = build(read_settings())
    before, after = run_migrations(container.engine, revision)
    if before == after:
        console.print(f"The database is at revision {after or 'none'} already.")
    else:
        console.print(f"Database migrated from {before or 'empty'} to {after or 'empty'}.")


@friendly
def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help="Bring back what was deleted in Argilla.")
    ] = False,
    as_json: bool = AsJson,
) -> None:
    """Look whether every part answers and every project is whole in Argilla; change nothing.

    With --repair a worker brings back what open rounds have lost there.
    """
    container = build(read_settings())
    found = [_look(name, check) for name, check in _checks(container)]
    if all(one["ok"] for one in found if one["name"] in ("database", "argilla")):
        found += _examine_projects(container, repair=repair)
    if as_json:
        print_json({"checks": found})
    else:
        for one in found:
            mark = "[green]ok[/green]" if one["ok"] else "[red]bad[/red]"
            console.print(f"{mark:>20}  {one['name']}: {one['detail']}")
    raise typer.Exit(0 if all(one["ok"] for one in found) else 1)


def _examine_projects(container: Container, *, repair: bool) -> list[dict[str, object]]:
    with container.store.transaction() as tx:
        names = [one.name for one in tx.projects.all() if one.state != ProjectState.ARCHIVED]
    found = []
    for name in names:
        one = _look(f"project {name}", partial(_whole_in_argilla, container, name))
        if repair and not one["ok"]:
            commands.repair_project(container.store, name, actor=actor())
            one["detail"] = f"{one['detail']}; a worker will repair it"
        found.append(one)
    return found


def _whole_in_argilla(container: Container, name: str) -> str:
    with container.store.transaction() as tx:
        project = tx.projects.by_name(name)
    if wrong := repairing.examine(container.parts, project):
        raise Unavailable("; ".join(wrong))
    return "everything is where it should be"


def _checks(container: Container) -> list[tuple[str, Callable[[], str]]]:
    def database() -> str:
        container.store.check()
        return "answers, schema is current"

    def worker_alive() -> str:
        count = container.store.workers()
        if not count:
            raise Unavailable("no worker was seen in the last minute; start `rounds worker`")
        return f"{count} seen in the last minute"

    def argilla() -> str:
        container.tool.ping()
        return "answers, the key is good"

    return [("database", database), ("worker", worker_alive), ("argilla", argilla)]


def _look(name: str, check: Callable[[], str]) -> dict[str, object]:
    try:
        return {"name": name, "ok": True, "detail": check()}
    except Exception as problem:
        return {"name": name, "ok": False, "detail": str(problem) or type(problem).__name__}
