"""Labelled data for experiments: built-in sets, and any file that can be imported."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.adapters.readers import FileRows
from app.core.errors import NotFound, WrongInput
from app.core.importing import ImportRow, Rejection, RowLimits, check_row
from app.core.tasks import TaskSpec, task_type
from app.core.types import Floats, Rows, Split
from app.ports.rows import Row

FIELDS = ("text",)
TASK = "single_label"
SAMPLE_TEXTS = 3_000


@dataclass(frozen=True, slots=True)
class Division:
    """Rows that may be selected, and rows that the classifier is tested on."""

    pool: Rows
    test: Rows


@dataclass(frozen=True, slots=True)
class LabelledData:
    """Items with their true class. Either texts, or ready vectors of length one."""

    name: str
    ids: tuple[str, ...]
    y: NDArray[np.int64]
    classes: tuple[str, ...]
    division: Division | None
    """The data's own pool and test items; None where it holds nothing out."""
    texts: tuple[str, ...] | None
    vectors: Floats | None
    fingerprint: str
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)


def load(name: str) -> LabelledData:
    """A built-in set by name, or a file; kept in memory until the file changes."""
    if name in BUILT_IN:
        return _loaded(name, None)
    path = Path(name)
    if not path.is_file():
        raise NotFound(
            f"There is no data {name!r}: neither a file nor a built-in set "
            f"({', '.join(sorted(BUILT_IN))})."
        )
    status = path.stat()
    return _loaded(name, (status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=2)
def _loaded(name: str, stamp: tuple[int, int] | None) -> LabelledData:
    if stamp is None:
        return BUILT_IN[name]()
    path = Path(name)
    with path.open("rb") as source:
        rows = list(FileRows().read(source, name=path.name, required=(*FIELDS, "label")))
    return from_rows(path.name, rows)


def from_rows(name: str, rows: Sequence[Row]) -> LabelledData:
    """Labelled rows as an import would take them: checked, and each text once."""
    labels = sorted(
        {str(row["label"]) for _, row in rows if not isinstance(row, Rejection) and has_label(row)}
    )
    task = TaskSpec(TASK, tuple(labels))
    checked = [
        row if isinstance(row, Rejection) else check_row(row, line, task, FIELDS, RowLimits())
        for line, row in rows
    ]
    labelled = [row for row in checked if isinstance(row, ImportRow) and row.label is not None]
    if not labelled:
        raise WrongInput(f"{name} has no labelled row. {_why_not(checked)}", field="data")
    task_type(task).check(task)
    kept = list(_each_text_once(labelled))
    notes = _notes(len(rows), len(labelled), len(kept))
    return _of_items(name, kept, tuple(labels), notes)


def _why_not(checked: Sequence[ImportRow | Rejection]) -> str:
    for row in checked:
        if isinstance(row, Rejection):
            return f"Line {row.line}, {row.field or 'whole line'}: {row.reason}"
    return "Experiments need a column `label` with one label a row."


def has_label(row: Mapping[str, Any]) -> bool:
    return row.get("label") not in (None, "")


def _each_text_once(rows: list[ImportRow]) -> Iterator[ImportRow]:
    """Of equal texts one stands: a held-out one before one of the pool, then the first."""
    standing: dict[bytes, ImportRow] = {}
    for row in sorted(rows, key=lambda row: not _is_held_out(row)):  # stable
        standing.setdefault(row.text_hash, row)
    chosen = {id(row) for row in standing.values()}
    return (row for row in rows if id(row) in chosen)


def _notes(rows: int, labelled: int, kept: int) -> tuple[str, ...]:
    notes = []
    if rows > labelled:
        notes.append(f"{rows - labelled:,} of {rows:,} rows were left out: bad, or without label.")
    if labelled > kept:
        notes.append(f"{labelled - kept:,} rows repeat the text of another and were left out.")
    return tuple(notes)


def _of_items(
    name: str, rows: list[ImportRow], classes: tuple[str, ...], notes: tuple[str, ...]
) -> LabelledData:
    position = {label: index for index, label in enumerate(classes)}
    kind = task_type(TASK)
    texts = tuple(row.fields["text"] for row in rows)
    y = np.array([position[kind.class_of(row.label)] for row in rows if row.label], np.int64)
    splits = [row.split or Split.POOL for row in rows]
    ids = tuple(row.external_id for row in rows)
    return LabelledData(
        name=name,
        ids=ids,
        y=y,
        classes=classes,
        division=_own_division(splits),
        texts=texts,
        vectors=None,
        fingerprint=_fingerprint([ids, classes, texts, y.tolist(), splits]),
        notes=notes,
    )


def _own_division(splits: list[Split]) -> Division | None:
    """The validation items are what is tested on where there is no test split, as in a project."""
    table = np.array([split.value for split in splits])
    for held_out in (Split.TEST, Split.VALIDATION):
        if test := np.flatnonzero(table == held_out.value).tolist():
            return Division(np.flatnonzero(table == Split.POOL.value), np.array(test, np.int64))
    return None


def _is_held_out(row: ImportRow) -> bool:
    return row.split in (Split.TEST, Split.VALIDATION)


def _fingerprint(content: object) -> str:
    return blake2b(repr(content).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def digits() -> LabelledData:
    """1,797 handwritten digits of 8 × 8 pixels, from scikit-learn."""
    from sklearn.datasets import load_digits

    pixels, y = load_digits(return_X_y=True)
    vectors = (pixels / np.linalg.norm(pixels, axis=1, keepdims=True)).astype(np.float32)
    return LabelledData(
        name="digits",
        ids=tuple(str(number) for number in range(len(y))),
        y=y.astype(np.int64),
        classes=tuple(str(digit) for digit in range(10)),
        division=None,
        texts=None,
        vectors=vectors,
        fingerprint=_fingerprint([vectors.tobytes(), y.tolist()]),
    )


def sample() -> LabelledData:
    """The messages of the demo: made by a grammar, partly ambiguous, in six uneven classes."""
    from app.demo.texts import generate

    rows = [(line, dict(row)) for line, row in enumerate(generate(SAMPLE_TEXTS, seed=0), start=1)]
    return from_rows("sample", rows)


BUILT_IN = {"digits": digits, "sample": sample}
