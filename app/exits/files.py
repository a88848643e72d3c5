"""Files on their way out: into a folder, or as one zip that is sent while it is made."""

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import WrongInput

LONG_AGO = (1980, 1, 1, 0, 0, 0)
PIECE = 2**18


@dataclass(frozen=True, slots=True)
class OutFile:
    """A file to be written. The pieces are read once, and before the next file is asked for."""

    path: str
    pieces: Iterable[bytes]


def write_to(folder: Path, files: Iterable[OutFile]) -> list[Path]:
    """Each file whole or not at all; what else lies in the folder stays."""
    try:
        return [_written(folder / file.path, file.pieces) for file in files]
    except (NotADirectoryError, FileExistsError, PermissionError) as problem:
        raise WrongInput(
            f"Cannot write to {folder}: {problem.strerror}. Name another folder.", field="to"
        ) from None


def _written(target: Path, pieces: Iterable[bytes]) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(target.name + ".part")
    with unfinished.open("wb") as out:
        out.writelines(pieces)
    return unfinished.replace(target)


def zipped(files: Iterable[OutFile]) -> Iterator[bytes]:
    """The files as one zip, in their order and without times."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for file in files:
            with archive.open(_entry(file.path), "w", force_zip64=True) as out:
                for piece in file.pieces:
                    out.write(piece)
                    yield from sink.full()
    yield sink.rest()


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, LONG_AGO)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


class _Sink(io.RawIOBase):
    """Collects what is written until somebody takes it; cannot go back, as a connection cannot."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def full(self) -> Iterator[bytes]:
        if len(self._held) >= PIECE:
            yield self.rest()

    def rest(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken


def json_file(path: str, lines: Iterable[Mapping[str, Any]]) -> OutFile:
    """One JSON object a line."""
    return OutFile(path, json_lines(lines))


def json_lines(lines: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    import json

    for line in lines:
        yield (json.dumps(line, ensure_ascii=False, default=str) + "\n").encode()
