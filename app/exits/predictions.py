"""A file of texts in, a file of labels with probabilities out, a block at a time."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from app.core.importing import ID, Rejection, RowLimits, text_problem
from app.exits.cells import comma_separated
from app.exits.files import json_lines
from app.exits.parquet import parquet_pieces
from app.exits.predicting import Predictor, answer
from app.ports.rows import Row

BLOCK = 1024
Line = Mapping[str, Any]


def predicted(
    predictor: Predictor, rows: Iterable[Row], limits: RowLimits
) -> Iterator[Sequence[Line]]:
    """One line a row, in order; a row that cannot be read has an `error` in place of a label."""
    remaining = iter(rows)
    while block := list(islice(remaining, BLOCK)):
        problems = [_problem(row, predictor.fields, limits) for _, row in block]
        good = [row for (_, row), said in zip(block, problems, strict=True) if said is None]
        found = iter(predictor([row for row in good if not isinstance(row, Rejection)]))
        yield [
            _line(number, row, said, predictor, found)
            for (number, row), said in zip(block, problems, strict=True)
        ]


def _problem(
    row: Mapping[str, Any] | Rejection, fields: Sequence[str], limits: RowLimits
) -> str | None:
    if isinstance(row, Rejection):
        return row.reason
    said = (text_problem(row.get(name), name, limits) for name in fields)
    return next((one for one in said if one is not None), None)


def _line(
    number: int,
    row: Mapping[str, Any] | Rejection,
    problem: str | None,
    predictor: Predictor,
    found: Iterator[Any],
) -> Line:
    given = None if isinstance(row, Rejection) else row.get(ID)
    name = {"id": str(number if given in (None, "") else given)}
    if problem is not None:
        return {**name, "error": problem}
    return {**name, **answer(predictor.classes, next(found))}


Blocks = Iterable[Sequence[Line]]


def as_jsonl(blocks: Blocks, classes: Sequence[str]) -> Iterator[bytes]:
    del classes  # each line names them
    for block in blocks:
        yield b"".join(json_lines(block))


def as_csv(blocks: Blocks, classes: Sequence[str]) -> Iterator[bytes]:
    columns = _columns(classes)
    yield comma_separated([list(columns)])
    for block in blocks:
        yield comma_separated([list(_flat(line, classes).values()) for line in block])


def as_parquet(blocks: Blocks, classes: Sequence[str]) -> Iterator[bytes]:
    return parquet_pieces(
        _columns(classes), ([_flat(line, classes) for line in block] for block in blocks)
    )


FORMS: Mapping[str, Callable[[Blocks, Sequence[str]], Iterator[bytes]]] = {
    "jsonl": as_jsonl,
    "csv": as_csv,
    "parquet": as_parquet,
}


def _columns(classes: Sequence[str]) -> dict[str, str]:
    texts = {"id": "string", "label": "string", "probability": "float64", "error": "string"}
    return {**texts, **{f"p_{label}": "float64" for label in classes}}


def _flat(line: Line, classes: Sequence[str]) -> dict[str, Any]:
    figures = line.get("probabilities", {})
    own = {name: line.get(name) for name in ("id", "label", "probability", "error")}
    return {**own, **{f"p_{label}": figures.get(label) for label in classes}}
