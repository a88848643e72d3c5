"""Labels with texts and provenance as JSON lines or CSV, streamed."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from app.ports.store import Store

BLOCK = 500  # rows a piece sent; the database cursor hands out as many
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
COLUMNS = (
    "source",
    "confidence",
    "annotators",
    "round",
    "rank",
    "slice",
    "strategy",
    "score",
    "reason",
    "draw_probability",
    "classifier_version",
    "label_id",
    "supersedes",
    "created_at",
)


def rows_of(store: Store, project_id: int) -> Iterator[Mapping[str, Any]]:
    """Every current label, all as of the moment the export began."""
    with store.transaction() as tx:
        yield from tx.views.export(project_id)


def as_jsonl(rows: Iterator[Mapping[str, Any]]) -> Iterator[bytes]:
    for block in _blocks(rows):
        lines = [json.dumps(_plain(row), ensure_ascii=False, default=str) for row in block]
        yield ("\n".join(lines) + "\n").encode()


def as_csv(rows: Iterator[Mapping[str, Any]], fields: Sequence[str]) -> Iterator[bytes]:
    yield _csv([["id", *fields, "split", "label", *COLUMNS]])
    for block in _blocks(rows):
        yield _csv([_cells(row, fields) for row in block])


def _blocks(rows: Iterator[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    while block := list(islice(rows, BLOCK)):
        yield block


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """What can be imported again as it stands: id, texts, split and answer, then provenance."""
    rest = {name: row[name] for name in COLUMNS}
    split = "train" if row["split"] == "pool" else row["split"]
    return {"id": row["item"], **row["fields"], "split": split, **row["value"], "provenance": rest}


def _cells(row: Mapping[str, Any], fields: Sequence[str]) -> list[Any]:
    plain = _plain(row)
    answer = next(iter(row["value"].values()))
    label = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    annotators = ", ".join(row["annotators"])
    cells = [row["item"], *(row["fields"].get(name) for name in fields), plain["split"], label]
    return [*cells, *({**plain["provenance"], "annotators": annotators}[name] for name in COLUMNS)]


def _csv(lines: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([[harmless(cell) for cell in line] for line in lines])
    return text.getvalue().encode()


def harmless(cell: Any) -> Any:
    """A text that a spreadsheet would take for a formula is marked as text."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return "'" + cell
    return cell
