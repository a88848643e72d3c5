"""The embedded Postgres: whoever dies, nothing is left running and nothing written is lost."""

import multiprocessing
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from app.core.errors import Conflict, Refused, RoundsError, Unavailable
from app.embedded import postgres_binaries
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.postgres_binaries import NOBODY
from app.embedded.postgres_leftovers import servers_on

REPOSITORY = Path(__file__).resolve().parents[2]
PASSWORD = "a-password_of-the-test"
WAIT = 40


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    for process in servers_on(data_of(tmp_path / "home")):
        process.kill()


@pytest.fixture
def cluster(home: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(home, password=PASSWORD)
    server.start()
    yield server
    server.stop()


def data_of(home: Path) -> Path:
    return home / "postgres" / "data"


def postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((data_of(home) / "postmaster.pid").read_text().splitlines()[0]))


def remember(server: EmbeddedPostgres, word: str) -> None:
    with server.connect() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [word])


def remembered(server: EmbeddedPostgres) -> list[str]:
    with server.connect() as connection:
        rows = connection.execute("SELECT word FROM kept ORDER BY word").fetchall()
    return [word for (word,) in rows]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, "the condition was never met"
        time.sleep(0.02)


def test_data_and_port_stay_from_one_start_to_the_next(home: Path) -> None:
    ports = []
    for word in ("one", "two"):
        server = EmbeddedPostgres(home, password=PASSWORD)
        server.start()
        remember(server, word)
        ports.append(server.port)
        server.stop()
    assert ports[0] == ports[1]
    assert servers_on(data_of(home)) == []
    server.start()
    assert remembered(server) == ["one", "two"]
    server.stop()


def test_only_the_password_opens_it_and_only_from_this_machine(cluster: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(cluster.url("postgres", "postgresql").replace(PASSWORD, "wrong"))
    with cluster.connect() as connection:
        row = connection.execute("SHOW listen_addresses").fetchone()
    assert row == ("127.0.0.1",)


def test_databases_are_made_once_and_dropped_whoever_is_connected(
    cluster: EmbeddedPostgres,
) -> None:
    cluster.ensure_database("one")
    cluster.ensure_database("one")
    with cluster.connect("one"):
        cluster.drop_database("one")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        cluster.connect("one")


def test_text_sorts_and_folds_the_same_on_every_machine(cluster: EmbeddedPostgres) -> None:
    with cluster.connect() as connection:
        row = connection.execute("SELECT lower('ÄÖÜß'), 'É' ILIKE 'é', 'Z' < 'a'").fetchone()
    assert row == ("äöüß", True, True)


def test_kill_9_of_the_server_loses_nothing_committed(home: Path) -> None:
    server = EmbeddedPostgres(home, password=PASSWORD)
    server.start()
    remember(server, "before")
    postmaster(home).kill()
    until(lambda: not server.running)
    server.restart()
    assert remembered(server) == ["before"]
    server.stop()
    assert servers_on(data_of(home)) == []


def test_kill_9_of_the_parent_leaves_no_server_and_loses_nothing(home: Path) -> None:
    parent = start_elsewhere(home)
    remember(elsewhere(home), "before")
    family = psutil.Process(parent.pid).children(recursive=True)
    parent.kill()
    parent.wait(WAIT)
    _, alive = psutil.wait_procs(family, timeout=WAIT)
    assert not alive
    server = EmbeddedPostgres(home, password=PASSWORD)
    server.start()
    assert remembered(server) == ["before"]
    server.stop()


def test_kill_9_of_parent_and_guard_the_next_start_takes_over(home: Path) -> None:
    parent = start_elsewhere(home)
    remember(elsewhere(home), "before")
    guard = psutil.Process(parent.pid).children()[0]
    guard.kill()
    parent.kill()
    parent.wait(WAIT)
    orphan = postmaster(home)
    assert orphan.is_running()
    server = EmbeddedPostgres(home, password=PASSWORD)
    server.start()
    assert postmaster(home).pid != orphan.pid
    assert not orphan.is_running()
    assert remembered(server) == ["before"]
    server.stop()


def test_kill_9_of_everything_and_a_lock_whose_number_is_reused(home: Path) -> None:
    server = EmbeddedPostgres(home, password=PASSWORD)
    server.start()
    remember(server, "before")
    lock = data_of(home) / "postmaster.pid"
    left = lock.read_text().splitlines()
    postmaster(home).kill()
    until(lambda: not server.running)
    server.stop()
    lock.write_text("\n".join([str(os.getpid()), *left[1:]]) + "\n")
    server.start()
    assert remembered(server) == ["before"]
    server.stop()


def test_a_start_killed_while_it_creates_the_cluster_is_made_good(home: Path) -> None:
    unfinished = home / "postgres" / "unfinished"
    (unfinished / "base").mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(home, password=PASSWORD)
    server.start()
    remember(server, "works")
    assert remembered(server) == ["works"]
    server.stop()
    assert not unfinished.exists()
    assert not (home / "postgres" / "initial-password").exists()


def test_a_second_process_on_the_same_folder_is_refused(
    home: Path, cluster: EmbeddedPostgres
) -> None:
    second = EmbeddedPostgres(home, password=PASSWORD)
    with pytest.raises(Conflict, match="already run"):
        second.start()
    remember(cluster, "undisturbed")
    assert remembered(cluster) == ["undisturbed"]


def test_secrets_of_another_home_are_told_apart_from_a_server_that_does_not_start(
    home: Path, cluster: EmbeddedPostgres
) -> None:
    cluster.stop()
    other = EmbeddedPostgres(home, password="another-password")
    with pytest.raises(Refused, match=r"secrets\.json"):
        other.start()
    assert servers_on(data_of(home)) == []


def test_data_of_an_unknown_version_is_left_alone(home: Path) -> None:
    data_of(home).mkdir(parents=True)
    (data_of(home) / "PG_VERSION").write_text("99\n")
    with pytest.raises(Unavailable, match="Postgres 99"):
        EmbeddedPostgres(home, password=PASSWORD)


def test_a_damaged_cluster_shows_the_end_of_its_log(home: Path, cluster: EmbeddedPostgres) -> None:
    cluster.stop()
    shutil.rmtree(data_of(home) / "global")
    with pytest.raises(RoundsError, match="pg_control"):
        cluster.start()


def test_users_and_modes_outside_its_folder_stay_as_they_are(tmp_path: Path) -> None:
    """The server class that comes with the binaries changes both."""
    parents = [tmp_path, *list(tmp_path.parents)[:-1]]
    before = [state(folder) for folder in parents]
    accounts = Path("/etc/passwd").read_bytes()
    server = EmbeddedPostgres(tmp_path / "deep" / "home", password=PASSWORD)
    server.start()
    server.stop()
    assert [state(folder) for folder in parents] == before
    assert Path("/etc/passwd").read_bytes() == accounts


def test_a_long_path_with_spaces_and_accents_is_no_obstacle(tmp_path: Path) -> None:
    home = tmp_path / ("a long näme " * 12).strip() / "home"
    server = EmbeddedPostgres(home, password=PASSWORD)
    server.start()
    remember(server, "works")
    server.stop()
    assert servers_on(data_of(home)) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_can_run_it() -> None:
    with place_for_anybody() as home:
        as_nobody(run_as_ordinary_user, home)
        assert data_of(home).stat().st_uid == NOBODY
        assert servers_on(data_of(home)) == []


def run_as_ordinary_user(home: Path) -> None:
    assert os.geteuid() == NOBODY
    server = EmbeddedPostgres(home, password=PASSWORD)
    server.start()
    remember(server, "ordinary")
    assert postmaster(home).uids().real == NOBODY
    assert remembered(server) == ["ordinary"]
    server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_as_root_without_namespaces_it_runs_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many containers run as root and forbid user namespaces."""
    monkeypatch.setattr(postgres_binaries, "namespace_prefix", lambda: ())
    with place_for_anybody() as home:
        server = EmbeddedPostgres(home, password=PASSWORD)
        server.start()
        remember(server, "as nobody")
        assert postmaster(home).uids().real == NOBODY
        assert remembered(server) == ["as nobody"]
        server.stop()
        assert servers_on(data_of(home)) == []


def script(home: Path, *lines: str) -> list[str]:
    """A command that starts a server in `home` and goes on as the lines say."""
    beginning = f"""
        import sys, time
        from pathlib import Path
        sys.path.insert(0, {str(REPOSITORY)!r})
        from app.embedded.postgres import EmbeddedPostgres
        server = EmbeddedPostgres(Path({str(home)!r}), password={PASSWORD!r})
        server.start()
        print(server.port, flush=True)
    """
    return [sys.executable, "-c", textwrap.dedent(beginning) + "\n".join(lines)]


def start_elsewhere(home: Path) -> subprocess.Popen[str]:
    """A server whose parent is a process that can be killed."""
    command = script(home, "time.sleep(1000)")
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout as answer:
        assert answer.readline().strip().isdigit()
    return parent


def elsewhere(home: Path) -> EmbeddedPostgres:
    """A handle on the server that another process runs."""
    server = EmbeddedPostgres(home, password=PASSWORD)
    server._port = int((home / "postgres" / "port").read_text())
    return server


@contextmanager
def place_for_anybody() -> Iterator[Path]:
    """pytest's own temporary folders are closed to other users."""
    folder = Path(tempfile.mkdtemp(prefix="rounds-test-"))
    try:
        os.chown(folder, NOBODY, NOBODY)
        folder.chmod(0o755)
        yield folder / "home"
    finally:
        shutil.rmtree(folder)


def as_nobody(function: Callable[[Path], None], home: Path) -> None:
    """In a process of its own, which gives up being root before it begins."""
    interpreter = interpreter_for_anybody()
    child = multiprocessing.get_context("fork").Process(
        target=give_up_root_and, args=[function, home, interpreter]
    )
    child.start()
    child.join(WAIT)
    assert child.exitcode == 0


def give_up_root_and(function: Callable[[Path], None], home: Path, interpreter: str) -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    postgres_binaries.namespace_prefix.cache_clear()
    sys.executable = interpreter
    function(home)


def interpreter_for_anybody() -> str:
    """Ours may lie in a folder that only root may enter; the guard runs on any Python."""
    for candidate in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        file = Path(candidate).resolve()
        if file.exists() and all(f.stat().st_mode & stat.S_IXOTH for f in (file, *file.parents)):
            return candidate
    pytest.skip("no Python on this machine that other users may run")


def state(folder: Path) -> tuple[int, int, int]:
    found = folder.stat()
    return found.st_mode, found.st_uid, found.st_gid
