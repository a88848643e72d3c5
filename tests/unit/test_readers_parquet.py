"""Reading Parquet."""

import gzip
import io
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.adapters.readers import FileRows
from app.core.errors import WrongInput
from app.core.importing import Rejection
from app.ports.rows import Row


def packed(table: pa.Table, **how: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **how)
    return file.getvalue()


def rows_of(data: bytes, **how: Any) -> list[Row]:
    return list(FileRows().read([data[:100], data[100:]], **how))


def numbered(rows: int) -> pa.Table:
    return pa.table({"id": list(range(rows)), "text": [f"text {i}" for i in range(rows)]})


@pytest.mark.parametrize("row_group_size", [1, 7, 100_000])
def test_rows_come_in_order_from_every_row_group(row_group_size: int) -> None:
    rows = rows_of(
        packed(numbered(20_000 if row_group_size > 7 else 50), row_group_size=row_group_size)
    )
    assert rows == [(i + 1, {"id": i, "text": f"text {i}"}) for i in range(len(rows))]
    assert rows


@pytest.mark.parametrize("how", [{"name": "x.pq"}, {"format": "parquet"}, {"name": "x.jsonl"}, {}])
def test_it_is_known_by_name_or_by_its_bytes(how: dict[str, str]) -> None:
    assert len(rows_of(packed(numbered(3)), **how)) == 3


def test_a_file_on_disk_is_read_in_place(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(packed(numbered(5)))
    nowhere = tmp_path / "missing"  # a copy could not be made here
    with path.open("rb") as file:
        assert len(list(FileRows(temporary=nowhere).read(file))) == 5
        assert not file.closed


def test_a_body_is_copied_and_the_copy_removed(tmp_path: Path) -> None:
    rows = FileRows(temporary=tmp_path).read([packed(numbered(5))])
    assert len(list(rows)) == 5
    assert list(tmp_path.iterdir()) == []


def test_gzip_around_it(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet.gz"
    path.write_bytes(gzip.compress(packed(numbered(5))))
    with path.open("rb") as file:
        assert len(list(FileRows().read(file, name=path.name))) == 5


def test_values_keep_their_kind() -> None:
    table = pa.table(
        {
            "text": ["a"],
            "day": pa.array([date(2024, 2, 29)]),
            "at": pa.array([1_700_000_000_123_456_789], pa.timestamp("ns")),
            "price": pa.array([Decimal("1.50")]),
            "tags": pa.array([["x", None]]),
            "who": pa.array([{"name": "n", "age": None}]),
            "kind": pa.array(["k"]).dictionary_encode(),
            "gap": pa.array([None], pa.float64()),
        }
    )
    assert rows_of(packed(table)) == [
        (
            1,
            {
                "text": "a",
                "day": date(2024, 2, 29),
                "at": datetime(2023, 11, 14, 22, 13, 20, 123456),  # noqa: DTZ001
                "price": Decimal("1.50"),
                "tags": ["x", None],
                "who": {"name": "n", "age": None},
                "kind": "k",
                "gap": None,
            },
        )
    ]


def test_one_value_that_python_cannot_hold_costs_its_row_only() -> None:
    days = pa.array([0, 10_000_000, 1], pa.int32()).cast(pa.date32())  # the year 29349
    raw = pa.array([b"fine", b"fine", b"\xff\xfe"]).view(pa.string())
    rows = rows_of(packed(pa.table({"day": days, "text": raw})))
    assert rows[0] == (1, {"day": date(1970, 1, 1), "text": "fine"})
    assert [(r.line, r.field, r.reason[:24]) for _, r in rows if isinstance(r, Rejection)] == [
        (2, "day", "A value that cannot be r"),
        (3, "text", "Not UTF-8."),
    ]


def test_no_rows() -> None:
    assert rows_of(packed(numbered(0)), required=("text",)) == []


def test_a_missing_column_is_named_at_once() -> None:
    with pytest.raises(WrongInput, match="no column 'body'") as caught:
        rows_of(packed(numbered(3)), required=("body",))
    assert caught.value.field == "body"


@pytest.mark.parametrize("keep", [4, 50, 0.5, 0.99])
def test_a_file_cut_short_says_so(keep: float) -> None:
    data = packed(numbered(10_000))
    end = int(len(data) * keep) if keep < 1 else int(keep)
    with pytest.raises(WrongInput, match="damaged or cut short") as caught:
        rows_of(data[:end], name="x.parquet")
    assert caught.value.evidence["rows"] == 0


def test_damage_inside_gives_the_rows_before_it() -> None:
    data = bytearray(packed(numbered(20_000), row_group_size=5_000, use_dictionary=False))
    middle = len(data) // 2
    data[middle : middle + 2000] = b"\xff" * 2000
    seen = []
    with pytest.raises(WrongInput, match="damaged") as caught:
        seen.extend(FileRows().read([bytes(data)]))
    assert [line for line, _ in seen] == list(range(1, len(seen) + 1))
    assert 5_000 <= len(seen) < 20_000
    assert caught.value.evidence["rows"] == len(seen)


def test_a_column_name_that_is_not_utf8_is_damage() -> None:
    data = packed(pa.table({"abcdefgh": [1]}), store_schema=False)
    with pytest.raises(WrongInput, match="damaged"):
        rows_of(data.replace(b"abcdefgh", b"abcd\xff\xfegh"))
