"""Argilla's own virtual environment: its pins cannot share one with ours."""

import hashlib
import shutil
import sys
from pathlib import Path

from app.core.errors import Unavailable
from app.embedded.locks import FileLock
from app.embedded.processes import GuardedProcess, clean_environment, last_lines

LOCK_FILE = Path(__file__).with_name("argilla-server.lock")
NEWEST_PYTHON = (3, 13)
"""Newer ones have no ready-made wheels of what Argilla pins; uv then fetches an older Python."""


class ArgillaEnvironment:
    """A folder with Argilla's server installed, built once for each state of the lock file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._marker = self.folder / "complete"

    @property
    def python(self) -> Path:
        """The interpreter that sees Argilla's packages."""
        return self.folder / "bin" / "python"

    @property
    def ready(self) -> bool:
        """Whether it was built, to the end, from the lock file as it is now."""
        try:
            return self._marker.read_text() == _fingerprint() and self.python.exists()
        except FileNotFoundError:
            return False

    def ensure(self) -> None:
        """Build it unless it is ready; needs the network only then."""
        if self.ready:
            return
        lock = FileLock(self.folder.with_name(self.folder.name + ".lock"))
        lock.acquire(wait=True)
        try:
            if not self.ready:
                self._build()
        finally:
            lock.release()

    def _build(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)  # it may have been cut short at any point
        self._uv("venv", "--python", _python(), str(self.folder))
        self._uv(
            *("pip", "install", "--python", str(self.python)),
            *("--require-hashes", "--only-binary", ":all:", "--requirements", str(LOCK_FILE)),
        )
        self._marker.write_text(_fingerprint())

    def _uv(self, *arguments: str) -> None:
        log = self.folder.with_name(self.folder.name + ".log")
        command = [_uv_program(), "--quiet", "--no-config", *arguments]
        if GuardedProcess("uv", command, log=log, env=clean_environment()).run() != 0:
            raise Unavailable(
                "Argilla's environment could not be installed; is there a network? "
                f"The end of {log}:\n{last_lines(log)}"
            )


def _uv_program() -> str:
    beside_us = Path(sys.executable).with_name("uv")
    found = str(beside_us) if beside_us.exists() else shutil.which("uv")
    if found is None:
        raise Unavailable("uv was not found. Install the extra `embedded`.")
    return found


def _python() -> str:
    return sys.executable if sys.version_info[:2] <= NEWEST_PYTHON else "3.13"


def _fingerprint() -> str:
    return hashlib.sha256(LOCK_FILE.read_bytes() + _python().encode()).hexdigest()
