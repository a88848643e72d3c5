"""What a folder of features holds and what its files must be. Its own hash is their version."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from pathlib import Path

from app.adapters.features.parts import Shapes

NAME = "manifest.json"
FORMAT = 1
Identity = tuple[tuple[int, int, int], ...]
"""Device, number and time of change of every file."""


@dataclass(frozen=True, slots=True)
class Manifest:
    recipe: str
    seed: int
    items: int
    fitted_on: int
    """Items on whose texts the features were fitted; later ones are only transformed."""
    shapes: Shapes
    files: Mapping[str, tuple[int, str]]
    """Path in the folder → size and SHA-256."""
    format: int = FORMAT
    source: str | None = None
    """What the items were, as whoever asked for the features told them apart."""
    embedding: int | None = None
    """Dimensions of the sentence embeddings among the dense columns; None without any."""

    @property
    def sha256(self) -> str:
        return sha256(self.as_bytes()).hexdigest()

    @property
    def version(self) -> str:
        columns = f".{self.embedding}" if self.embedding else ""
        return f"{self.recipe}{columns}-{self.sha256[:16]}"

    def as_bytes(self) -> bytes:
        # what is None is left out: so older manifests keep their hashes
        known = {key: value for key, value in asdict(self).items() if value is not None}
        return json.dumps(known, sort_keys=True, indent=1).encode() + b"\n"


def read_manifest(folder: Path, recorded: str) -> Manifest:
    """The manifest whose hash was recorded; ValueError or OSError if it is not there."""
    data = (folder / NAME).read_bytes()
    if sha256(data).hexdigest() != recorded:
        raise ValueError(f"{NAME} is not the one recorded")
    given = json.loads(data)
    files = {path: (size, digest) for path, (size, digest) in given["files"].items()}
    return Manifest(**{**given, "files": files})


def listed(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file in the folder with size and hash."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_size, _digest(path)) for path in paths
    }


def check_sizes(folder: Path, manifest: Manifest) -> None:
    """Cheap, at every opening. ValueError or OSError names the file that is wrong."""
    for path, (size, _) in manifest.files.items():
        found = (folder / path).stat().st_size
        if found != size:
            raise ValueError(f"{path} has {found:,} bytes, {size:,} were recorded")


def identity(folder: Path, manifest: Manifest) -> Identity:
    """Differs from that of an earlier look if any file was written or replaced since."""
    found = [(folder / path).stat() for path in (NAME, *manifest.files)]
    return tuple((one.st_dev, one.st_ino, one.st_mtime_ns) for one in found)


def check_hashes(folder: Path, manifest: Manifest) -> None:
    """Reads every file. ValueError or OSError names the one that is wrong."""
    check_sizes(folder, manifest)
    for path, (_, digest) in manifest.files.items():
        if _digest(folder / path) != digest:
            raise ValueError(f"{path} does not hold what was recorded")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
