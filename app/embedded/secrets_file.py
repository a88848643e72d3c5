"""The secrets of one home: made at random once, kept in a file that only its owner can read."""

import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FILE_NAME = "secrets.json"
ANNOTATORS = 2


@dataclass(frozen=True, slots=True)
class ArgillaUser:
    """A person, or we ourselves, as the embedded Argilla knows them."""

    username: str
    password: str = field(repr=False)
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Secrets:
    """Everything that the embedded services keep from others."""

    postgres_password: str = field(repr=False)
    redis_password: str = field(repr=False)
    argilla_auth_secret: str = field(repr=False)
    rounds_api_key: str = field(repr=False)
    argilla_owner: ArgillaUser
    annotators: tuple[ArgillaUser, ...]


def load_or_create(home: Path) -> Secrets:
    """The secrets of this home; whoever asks first makes them, and everyone gets the same."""
    path = home / FILE_NAME
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)  # texts and features lie in there
        _write_unless_there(path, asdict(_generate()))
    return _parse(json.loads(path.read_text()))


def write_private(path: Path, content: object) -> None:
    """Put JSON in place at once, readable by the owner only."""
    temporary = _temporary(path, content)
    temporary.replace(path)


def _write_unless_there(path: Path, content: object) -> None:
    """A link fails where a rename would overwrite what another process was faster to write."""
    temporary = _temporary(path, content)
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(path: Path, content: object) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:  # mkstemp made it with mode 0600
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _generate() -> Secrets:
    return Secrets(
        postgres_password=secrets.token_urlsafe(24),
        redis_password=secrets.token_urlsafe(24),
        argilla_auth_secret=secrets.token_urlsafe(48),
        rounds_api_key=f"rk_{secrets.token_urlsafe(32)}",
        argilla_owner=_user("rounds-owner"),
        annotators=tuple(_user(f"annotator-{n + 1}") for n in range(ANNOTATORS)),
    )


def _user(name: str) -> ArgillaUser:
    return ArgillaUser(name, secrets.token_urlsafe(12), secrets.token_urlsafe(32))


def _parse(raw: dict[str, Any]) -> Secrets:
    owner = ArgillaUser(**raw.pop("argilla_owner"))
    annotators = tuple(ArgillaUser(**user) for user in raw.pop("annotators"))
    return Secrets(**raw, argilla_owner=owner, annotators=annotators)
