"""Secrets, locks and ports: made once, private, and clear when something is in the way."""

import json
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.core.errors import Conflict, Unavailable
from app.embedded import running
from app.embedded.access import Access
from app.embedded.locks import FileLock
from app.embedded.ports import LOOPBACK, is_free, remembered_port, require_free
from app.embedded.secrets_file import ArgillaUser, load_or_create


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_made_once_and_only_the_owner_can_read_them(tmp_path: Path) -> None:
    first = load_or_create(tmp_path / "home")
    assert load_or_create(tmp_path / "home") == first
    assert mode(tmp_path / "home" / "secrets.json") == 0o600


def test_everyone_who_asks_at_the_same_time_gets_the_same_secrets(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(load_or_create, [tmp_path] * 32))
    assert len({answer.postgres_password for answer in answers}) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["secrets.json"]


def test_no_two_homes_and_no_two_people_share_a_secret(tmp_path: Path) -> None:
    one, other = load_or_create(tmp_path / "one"), load_or_create(tmp_path / "other")
    keys = [
        user.api_key for home in (one, other) for user in (home.argilla_owner, *home.annotators)
    ]
    words = [home.postgres_password for home in (one, other)]
    assert len(set(keys)) == 6
    assert len(set(words)) == 2


def test_secrets_do_not_show_when_printed(tmp_path: Path) -> None:
    secrets = load_or_create(tmp_path)
    shown = repr(secrets)
    assert secrets.postgres_password not in shown
    assert secrets.annotators[0].password not in shown
    assert secrets.rounds_api_key not in shown


def test_access_is_written_privately_in_the_shape_others_rely_on(tmp_path: Path) -> None:
    annotators = [ArgillaUser("annotator-1", "word", "key")]
    access = Access("http://a", "rk", "http://d", "http://argilla", "ak", annotators)
    access.write(tmp_path)
    written = json.loads((tmp_path / "access.json").read_text())
    assert written == {
        "api_url": "http://a",
        "api_key": "rk",
        "dashboard_url": "http://d",
        "argilla_url": "http://argilla",
        "argilla_api_key": "ak",
        "annotators": [{"username": "annotator-1", "password": "word", "api_key": "key"}],
    }
    assert mode(tmp_path / "access.json") == 0o600
    assert Access.parse(written) == access


def test_a_lock_is_free_again_when_its_holder_dies(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "import sys, time; sys.path.insert(0, sys.argv[1])\n"
            "from pathlib import Path; from app.embedded.locks import FileLock\n"
            f"print(FileLock(Path({str(tmp_path / 'lock')!r})).acquire(), flush=True)\n"
            "time.sleep(1000)",
            str(Path(__file__).resolve().parents[2]),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    assert not FileLock(tmp_path / "lock").acquire()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert FileLock(tmp_path / "lock").acquire()


def test_a_taken_port_is_an_error_that_names_the_setting() -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(Conflict, match=rf"Port {port} .*ROUNDS_ARGILLA_PORT"):
            require_free(port, "ROUNDS_ARGILLA_PORT")


def test_an_inner_port_is_remembered_and_given_up_when_taken(tmp_path: Path) -> None:
    file = tmp_path / "port"
    port = remembered_port(file)
    assert remembered_port(file) == port
    with socket.socket() as taken:
        taken.bind((LOOPBACK, port))
        taken.listen()
        assert remembered_port(file) != port


def test_asking_for_what_runs_where_nothing_runs_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="make up"):
        running.postgres_url(tmp_path, "rounds")
    with pytest.raises(Unavailable, match="make up"):
        running.argilla_owner_key(tmp_path)


def test_access_of_a_stack_that_was_killed_is_said_to_be_that(tmp_path: Path) -> None:
    (tmp_path / "access.json").write_text("{}")
    with pytest.raises(Unavailable, match=r"access\.json is of one that was killed.*make up"):
        running.postgres_url(tmp_path, "rounds")
