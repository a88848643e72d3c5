"""An encoder that asks its model about each text once, whatever happens in between."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.adapters.folders import writing_to
from app.core.errors import Unavailable
from app.core.types import Floats

WAIT_SECONDS = 60.0
AT_A_TIME = 500
TABLE = "CREATE TABLE IF NOT EXISTS embeddings (text BLOB PRIMARY KEY, vector BLOB NOT NULL)"
PROBE = "A sentence."
"""Tells how many dimensions a model has."""


class EmbeddingModel(Protocol):
    """What a model has to offer; the encoder sees to everything else."""

    @property
    def name(self) -> str: ...
    @property
    def sends_to(self) -> str | None: ...
    @property
    def identity(self) -> str:
        """Of all that its answers depend on."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.floating]:
        """A row a text. Any texts but blank ones, and no more than `batch`."""


class CachedEncoder:
    """Answers are kept under the hash of the text, in one file a model.

    Each batch is kept as soon as it is there: after a kill only what is missing is asked for, in
    the same batches as if nothing had happened. SQLite, because two workers may write at once and
    either may be killed.
    """

    def __init__(
        self, model: EmbeddingModel, folder: Path, *, batch: int = 64, most_chars: int = 8_000
    ) -> None:
        self._model = model
        self._folder = folder
        self._batch = batch
        self._most_chars = most_chars

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def sends_to(self) -> str | None:
        return self._model.sends_to

    @property
    def dimensions(self) -> int:
        return int(self.encode([PROBE], lambda: None).shape[1])

    def encode(self, texts: Sequence[str], alive: Callable[[], None]) -> Floats:
        shown = {text: text[: self._most_chars].strip() for text in texts}
        keys = {text: _key(part) for text, part in shown.items() if part}
        wanted = {keys[text]: shown[text] for text in keys}
        with self._opened() as kept:
            found = _look_up(kept, list(wanted))
            missing = iter([key for key in wanted if key not in found])
            while batch := list(islice(missing, self._batch)):
                alive()
                rows = _checked(self._model.embed([wanted[key] for key in batch]), len(batch))
                _keep(kept, batch, rows)
                found.update(zip(batch, rows, strict=True))
        return self._in_order([keys.get(text) for text in texts], found)

    def _in_order(self, keys: Sequence[bytes | None], found: dict[bytes, Floats]) -> Floats:
        widths = {len(row) for row in found.values()}
        if len(widths) > 1:
            raise Unavailable(
                f"The embeddings of {self.name} have {_either(widths)} dimensions: its model must "
                f"have changed. Remove {self._file} and the step asks for all of them again."
            )
        width = widths.pop() if widths else self.dimensions
        nothing = np.zeros(width, np.float32)
        rows = [nothing if key is None else found[key] for key in keys]
        return np.stack(rows) if rows else np.zeros((0, width), np.float32)

    @property
    def _file(self) -> Path:
        digest = sha256(self._model.identity.encode()).hexdigest()[:16]
        return self._folder / f"{self.name}-{digest}.sqlite"

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with writing_to(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with closing(sqlite3.connect(self._file, timeout=WAIT_SECONDS)) as kept:
                kept.execute(TABLE)
                yield kept
        except sqlite3.Error as problem:
            raise Unavailable(
                f"The kept embeddings in {self._file} cannot be used: {problem}. If the file is "
                "damaged, remove it: what is missing is asked for again."
            ) from problem


def _key(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _look_up(kept: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, Floats]:
    found: dict[bytes, Floats] = {}
    for part in _parts(keys):
        marks = ",".join("?" * len(part))
        rows = kept.execute(
            f"SELECT text, vector FROM embeddings WHERE text IN ({marks})",  # noqa: S608 - marks
            part,
        )
        found.update((text, np.frombuffer(vector, np.float32)) for text, vector in rows)
    return found


def _parts(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    yield from (keys[at : at + AT_A_TIME] for at in range(0, len(keys), AT_A_TIME))


def _keep(kept: sqlite3.Connection, keys: Sequence[bytes], rows: Floats) -> None:
    """If another worker has kept one already, that one stands."""
    with kept:
        kept.executemany(
            "INSERT OR IGNORE INTO embeddings VALUES (?, ?)",
            [(key, row.tobytes()) for key, row in zip(keys, rows, strict=True)],
        )


def _checked(rows: NDArray[np.floating], count: int) -> Floats:
    """Rows of length one; what cannot be brought to that is no answer."""
    if rows.ndim != 2 or len(rows) != count:
        raise Unavailable(f"{count} texts were given, embeddings of shape {rows.shape} came back.")
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not (lengths > 0).all():
        raise Unavailable("An embedding came back that is no direction (zero, NaN or infinite).")
    unit: Floats = (rows / lengths).astype(np.float32)
    return unit


def _either(widths: set[int]) -> str:
    return " and ".join(map(str, sorted(widths)))
