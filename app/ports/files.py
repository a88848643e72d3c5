"""Where classifiers, features and scores lie. Files are caches or artefacts with a known hash."""

from dataclasses import dataclass
from typing import Protocol

from app.core.types import Floats


@dataclass(frozen=True, slots=True)
class Artefact:
    path: str
    """Relative to the store."""
    sha256: str


class Table(Protocol):
    """Rows of floats on disk instead of in memory."""

    @property
    def values(self) -> Floats:
        """(row, column), read when it is touched; a column lies together. Not to be written to."""

    def write(self, begin: int, block: Floats) -> None:
        """These rows, from row `begin` on."""

    def release(self) -> None:
        """What was read need not stay in memory; reading it again brings it back."""


class Files(Protocol):
    def put(self, path: str, data: bytes) -> Artefact:
        """Write whole or not at all."""

    def remove(self, folder: str) -> None:
        """A folder with all that is in it, if it is there."""

    def get(self, artefact: Artefact) -> bytes:
        """The bytes; ArtefactDamaged if they are missing or not those recorded."""

    def new_table(self, rows: int, columns: int) -> Table:
        """Of zeros; it is gone with the last who refers to it, unless it is kept."""

    def keep_table(self, path: str, table: Table) -> Artefact:
        """Under this path from now on, whole or not at all. Only for what can be made again: a
        power cut may lose it."""

    def table(self, artefact: Artefact) -> Table:
        """One that was kept; ArtefactDamaged if it is missing or not as recorded."""
