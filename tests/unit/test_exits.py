"""Files on their way out: cells, tables, zips, words."""

import csv
import io
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from app.core.errors import WrongInput
from app.exits.cells import harmless, tab_separated
from app.exits.files import OutFile, write_to, zipped
from app.exits.labels import PROVENANCE, as_csv, as_parquet
from app.exits.notes import safe, said

ROW: dict[str, Any] = {
    **dict.fromkeys(PROVENANCE),
    "annotators": ["anna", "ben"],
    "item": "i1",
    "split": "pool",
    "fields": {"title": "=1+1", "reason": "late"},
    "value": {"label": "refund"},
    "source": "human",
}


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\t1", "\r1", "\n1"])
def test_cells_that_would_run_are_marked(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["plain", "1-1", "", None, -1.5, 3])
def test_other_cells_stay(cell: object) -> None:
    assert harmless(cell) == cell


def test_a_cell_may_hold_tabs_and_lines() -> None:
    table = tab_separated([["a", "x\ty\nz"]]).decode()
    assert list(csv.reader(io.StringIO(table), "excel-tab")) == [["a", "x\ty\nz"]]


def test_a_csv_of_nothing_has_its_heads() -> None:
    (head,) = as_csv(iter([]), ["title", "body"], "label")
    assert head.startswith(b"id,title,body,split,label,source,")


def test_a_field_named_like_a_column_of_ours_keeps_its_name() -> None:
    fields = ["title", "reason"]
    (row,) = csv.DictReader(io.StringIO(b"".join(as_csv([ROW], fields, "label")).decode()))
    assert (row["title"], row["reason"], row["label_reason"]) == ("'=1+1", "late", "")
    table = pq.read_table(io.BytesIO(b"".join(as_parquet([ROW], fields, "label"))))
    (row,) = table.to_pylist()
    assert (row["title"], row["reason"], row["label_reason"]) == ("=1+1", "late", None)
    assert row["annotators"] == ["anna", "ben"]


def test_parquet_goes_out_group_by_group() -> None:
    rows = ({**ROW, "item": f"i{n}"} for n in range(1200))
    pieces = list(as_parquet(rows, ["title"], "label"))
    assert len(pieces) == 4  # three groups of rows, and the end of the file
    table = pq.read_table(io.BytesIO(b"".join(pieces)))
    assert table.column("id").to_pylist() == [f"i{n}" for n in range(1200)]


def files() -> Iterator[OutFile]:
    yield OutFile("a.txt", iter([b"one", b"two"]))
    yield OutFile("b/c.bin", iter([bytes(2**17)] * 8))


def test_a_zip_is_the_same_each_time_and_comes_in_pieces() -> None:
    pieces = list(zipped(files()))
    assert b"".join(pieces) == b"".join(zipped(files()))
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.txt", "b/c.bin"]
        assert archive.read("a.txt") == b"onetwo"


def test_a_large_file_of_a_zip_is_sent_while_it_is_made() -> None:
    asked = []

    def large() -> Iterator[bytes]:
        for number in range(64):
            asked.append(number)
            yield random.Random(number).randbytes(2**15)

    first = next(zipped([OutFile("large", large())]))
    assert first
    assert len(asked) < 64


def test_a_file_that_breaks_off_leaves_the_old_one(tmp_path: Path) -> None:
    write_to(tmp_path, [OutFile("a.txt", [b"old"])])

    def broken() -> Iterator[bytes]:
        yield b"new"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_to(tmp_path, [OutFile("a.txt", broken())])
    assert (tmp_path / "a.txt").read_bytes() == b"old"


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(WrongInput, match="Name another folder"):
        write_to(tmp_path / "taken", files())


def test_words_of_others_stay_one_line_of_text() -> None:
    assert safe("a\n# b <script>") == "a # b &lt;script&gt;"


def test_the_notes_say_what_the_program_noticed_and_what_to_do() -> None:
    noticed = [{"message": "Of 120 labels few are of x.", "next_step": "Import more."}]
    view = {"error": None, "checkpoint": {}, "findings": None, "failure_notes": noticed}
    assert said(view) == ["Of 120 labels few are of x. Import more."]
    assert said({**view, "failure_notes": None}) == []
