"""What runs in a home, for commands that were not started by the stack itself."""

import json
from pathlib import Path

from app.core.errors import Unavailable
from app.embedded.access import FILE_NAME as ACCESS
from app.embedded.locks import FileLock
from app.embedded.ports import LOOPBACK
from app.embedded.secrets_file import FILE_NAME, load_or_create


def postgres_url(home: Path, database: str) -> str:
    """Address of the embedded Postgres that runs now."""
    # here, for an installation without the extra `embedded` must be able to import this file
    from app.embedded.postgres import postgres_address

    folder = home / "postgres"
    try:
        port = int((folder / "port").read_text())
    except (FileNotFoundError, ValueError):
        raise _nothing_runs(home) from None
    if not _is_held(folder / "lock"):
        raise _nothing_runs(home)
    return postgres_address(port, load_or_create(home).postgres_password, database)


def argilla_url(home: Path, port: int) -> str:
    """Address of the embedded Argilla: the one that runs, or where the setting would have it."""
    try:
        return str(json.loads((home / ACCESS).read_text())["argilla_url"])
    except (OSError, ValueError, KeyError):
        return f"http://{LOOPBACK}:{port}"


def argilla_owner_key(home: Path) -> str:
    """API key of the owner of the embedded Argilla."""
    if not (home / FILE_NAME).exists():
        raise _nothing_runs(home)
    return load_or_create(home).argilla_owner.api_key


def _is_held(lock_file: Path) -> bool:
    lock = FileLock(lock_file)
    if lock.acquire():
        lock.release()
        return False
    return True


def _nothing_runs(home: Path) -> Unavailable:
    killed = f"{ACCESS} is of one that was killed. " if (home / ACCESS).exists() else ""
    return Unavailable(
        f"No embedded Postgres or Argilla runs in {home}. {killed}Start them with `make up` "
        "(or `rounds up`), or set ROUNDS_DATABASE_URL and ROUNDS_ARGILLA_URL to your own."
    )
