"""Where classifiers, features and scores lie. Files are caches or artefacts with a known hash."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Artefact:
    path: str
    """Relative to the store."""
    sha256: str


class Files(Protocol):
    def put(self, path: str, data: bytes) -> Artefact:
        """Write whole or not at all."""

    def remove(self, folder: str) -> None:
        """A folder with all that is in it, if it is there."""

    def get(self, artefact: Artefact) -> bytes:
        """The bytes; ArtefactDamaged if they are missing or not those recorded."""
