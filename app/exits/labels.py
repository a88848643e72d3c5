"""Current labels with texts and provenance: JSON Lines, CSV or Parquet."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from app.exits.cells import comma_separated
from app.exits.files import OutFile, json_lines
from app.exits.parquet import parquet_pieces

BLOCK = 500  # rows a piece; the database cursor hands out as many
PROVENANCE = {
    "source": "string",
    "confidence": "float64",
    "annotators": "strings",
    "round": "int64",
    "rank": "int64",
    "slice": "string",
    "strategy": "string",
    "score": "float64",
    "reason": "string",
    "draw_probability": "float64",
    "classifier_version": "string",
    "label_id": "int64",
    "supersedes": "int64",
    "created_at": "timestamp",
}
Rows = Iterable[Mapping[str, Any]]


def as_jsonl(rows: Rows) -> Iterator[bytes]:
    for block in _blocks(rows):
        yield b"".join(json_lines(map(_plain, block)))


def as_csv(rows: Rows, fields: Sequence[str], answer: str) -> Iterator[bytes]:
    """Cells that a spreadsheet would run as a formula begin with `'`."""
    yield comma_separated([list(_columns(fields, answer))])
    for block in _blocks(rows):
        yield comma_separated([_cells(row, fields) for row in block])


def as_parquet(rows: Rows, fields: Sequence[str], answer: str) -> Iterator[bytes]:
    """The column `answer` is text: the label itself, or JSON where an answer is more than one."""
    names = list(_columns(fields, answer))
    blocks = (
        [dict(zip(names, _flat(row, fields), strict=True)) for row in block]
        for block in _blocks(rows)
    )
    return parquet_pieces(_columns(fields, answer), blocks)


def labels_file(form: str, rows: Rows, fields: Sequence[str], answer: str) -> OutFile:
    """`labels.jsonl`, `labels.csv` or `labels.parquet`."""
    pieces = {
        "jsonl": lambda: as_jsonl(rows),
        "csv": lambda: as_csv(rows, fields, answer),
        "parquet": lambda: as_parquet(rows, fields, answer),
    }
    return OutFile(f"labels.{form}", pieces[form]())


def _blocks(rows: Rows) -> Iterator[list[Mapping[str, Any]]]:
    remaining = iter(rows)
    while block := list(islice(remaining, BLOCK)):
        yield block


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """What can be imported again as it stands: id, texts, split and answer, then provenance."""
    rest = {name: row[name] for name in PROVENANCE}
    return {
        "id": row["item"],
        **row["fields"],
        "split": split_of(row),
        **row["value"],
        "provenance": rest,
    }


def split_of(row: Mapping[str, Any]) -> str:
    """The word that an import takes."""
    return "train" if row["split"] == "pool" else str(row["split"])


def _columns(fields: Sequence[str], answer: str) -> dict[str, str]:
    """Names and kinds. A field that is named like a column of ours keeps its name."""
    texts = dict.fromkeys(["id", *fields, "split", answer], "string")
    ours = {f"label_{name}" if name in texts else name: kind for name, kind in PROVENANCE.items()}
    return {**texts, **ours}


def _flat(row: Mapping[str, Any], fields: Sequence[str]) -> list[Any]:
    texts = [row["fields"].get(name) for name in fields]
    provenance = [row[name] for name in PROVENANCE]
    return [row["item"], *texts, split_of(row), answer_text(row["value"]), *provenance]


def answer_text(value: Mapping[str, Any]) -> str:
    """The label, or JSON where an answer is more than one name."""
    answer = next(iter(value.values()))
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)


def _cells(row: Mapping[str, Any], fields: Sequence[str]) -> list[Any]:
    flat = {**row, "annotators": ", ".join(row["annotators"])}
    return _flat(flat, fields)
