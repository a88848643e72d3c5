"""Creates the folder in which a Postgres keeps its data."""

import os
import shutil
import subprocess
from pathlib import Path

from app.core.errors import Unavailable
from app.embedded.postgres_binaries import PostgresBinaries
from app.embedded.processes import clean_environment

SUPERUSER = "postgres"


def create_cluster(
    data: Path, binaries: PostgresBinaries, *, password: str, user: int | None
) -> None:
    """Into a folder beside, then renamed: a cluster is either whole or not there."""
    unfinished = data.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    password_file = _private_file(data.with_name("initial-password"), password, user)
    try:
        _initdb(unfinished, binaries, password_file, user)
    finally:
        password_file.unlink()
    unfinished.rename(data)


def hand_over(path: Path, user: int | None) -> None:
    """Make a file or folder of ours the property of the user that Postgres runs as."""
    if user is not None:
        os.chown(path, user, user)


def _initdb(
    folder: Path, binaries: PostgresBinaries, password_file: Path, user: int | None
) -> None:
    answer = subprocess.run(
        [
            *binaries.command("initdb"),
            *("--pgdata", str(folder), "--username", SUPERUSER, "--pwfile", str(password_file)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--data-checksums"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env=clean_environment(TZ="UTC"),
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    if answer.returncode != 0:
        raise Unavailable(f"Postgres could not create its data folder:\n{answer.stderr.strip()}")


def _private_file(path: Path, text: str, user: int | None) -> Path:
    path.touch(mode=0o600)
    hand_over(path, user)
    path.write_text(text)
    return path
