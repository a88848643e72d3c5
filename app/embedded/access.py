"""How to reach what runs: printed for people, and kept for programs in `access.json`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from app.embedded.secrets_file import ArgillaUser, write_private

FILE_NAME = "access.json"


@dataclass(frozen=True, slots=True)
class Access:
    """Addresses and log-ins; the names are a contract with programs that read the file."""

    api_url: str
    api_key: str = field(repr=False)
    dashboard_url: str
    argilla_url: str
    argilla_api_key: str = field(repr=False)
    annotators: Sequence[ArgillaUser]

    def write(self, home: Path) -> None:
        """Only while everything runs, and for the owner's eyes only."""
        write_private(home / FILE_NAME, self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the file."""
        return asdict(self)

    @classmethod
    def parse(cls, raw: dict[str, Any]) -> "Access":
        """From what `as_dict` made."""
        annotators = [ArgillaUser(**user) for user in raw["annotators"]]
        return cls(**{**raw, "annotators": annotators})


def remove(home: Path) -> None:
    """What stopped can no longer be reached."""
    (home / FILE_NAME).unlink(missing_ok=True)


def show(access: Access, home: Path, console: Console) -> None:
    """What a person needs to begin."""
    console.print()
    rows = [
        ("Dashboard", access.dashboard_url),
        ("API", f"{access.api_url}/api/v1"),
        ("API key", access.api_key),
        ("Argilla", access.argilla_url),
    ]
    rows += [(f"  log in as {u.username}", f"password {u.password}") for u in access.annotators]
    rows.append(("All of this", str(home / FILE_NAME)))
    for name, value in rows:
        console.print(f"  {name:<26}{value}", highlight=False, soft_wrap=True, markup=False)
    console.print()
