"""Reading JSON Lines, and what holds for bytes of every format: origin, packing, bounds."""

import gzip
import io
import json
import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.readers import FileRows
from app.core.errors import WrongInput
from app.core.importing import Rejection
from app.ports.rows import ReadLimits, Row

SHORT = ReadLimits(max_line_bytes=50)


def rows_of(*chunks: bytes, limits: ReadLimits | None = None, **how: Any) -> list[Row]:
    return list(FileRows(limits).read(iter(chunks), **how))


def good(rows: list[Row]) -> list[Row]:
    return [(line, row) for line, row in rows if not isinstance(row, Rejection)]


def refused(rows: list[Row]) -> dict[int, str]:
    found = {row.line: row.reason for _, row in rows if isinstance(row, Rejection)}
    assert all(line == row.line for line, row in rows if isinstance(row, Rejection))
    return found


def test_objects_with_their_line_numbers() -> None:
    assert rows_of(b'{"a":1}\n\n  \r\n{"b":"\xc3\xa9"}\r\n{"c":null}') == [
        (1, {"a": 1}),
        (4, {"b": "é"}),
        (5, {"c": None}),
    ]


def test_a_byte_order_mark_is_dropped() -> None:
    assert rows_of(b"\xef", b"\xbb", b'\xbf{"a":1}\n') == [(1, {"a": 1})]


@pytest.mark.parametrize("nothing", [(), (b"",), (b"", b"\n\n", b"  \n"), (b"\xef\xbb\xbf",)])
def test_nothing_is_no_rows(nothing: tuple[bytes, ...]) -> None:
    assert rows_of(*nothing) == []
    assert rows_of(*nothing, format="csv") == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a":\xff}', "Not UTF-8: a wrong byte at position 6"),
        (b'{"a":1', "Not valid JSON"),
        (b"{'a':1}", "Not valid JSON"),
        (b'{"a":1} {"b":2}', "Not valid JSON: Extra data at character 9"),
        (b'{"a":"x\x00"}', "NUL"),
        (b"3", "Not a JSON object but a number"),
        (b'"x"', "but a text"),
        (b"null", "but null"),
        (b"[1]", "`jq -c '.[]' FILE`"),
        (b"[", "`jq -c '.[]' FILE`"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"n":' + b"9" * 5000 + b"}", "Not readable as JSON"),
    ],
)
def test_one_bad_line_costs_itself_only(line: bytes, reason: str) -> None:
    rows = rows_of(b'{"a":1}\n' + line + b'\n{"z":26}\n')
    assert good(rows) == [(1, {"a": 1}), (3, {"z": 26})]
    assert reason in refused(rows)[2]


def test_the_gaps_that_python_writes_are_null() -> None:
    assert rows_of(b'{"a":NaN,"b":-Infinity}') == [(1, {"a": None, "b": None})]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_line_that_is_too_long_is_one_bad_row(size: int) -> None:
    data = b'{"a":1}\n' + b"x" * 100 + b'\n{"b":2}\n' + b'{"c":"' + b"y" * 60 + b'"}'
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    rows = rows_of(*chunks, limits=SHORT)
    assert good(rows) == [(1, {"a": 1}), (3, {"b": 2})]
    assert refused(rows) == dict.fromkeys((2, 4), "The line is longer than 50 bytes.")


def test_a_line_of_the_longest_length_is_taken() -> None:
    line = b'{"a":"' + b"x" * 42 + b'"}'
    assert len(line) == 50
    assert len(good(rows_of(line + b"\n" + line, limits=SHORT))) == 2


def test_a_huge_line_is_never_held() -> None:
    def body() -> Iterator[bytes]:
        yield b'{"a":1}\n{"b":"'
        for _ in range(2_000):
            yield b"x" * 65_536
        yield b'"}\n{"c":3}\n'

    tracemalloc.start()
    try:
        rows = list(FileRows(ReadLimits(max_line_bytes=2**20)).read(body(), format="jsonl"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert good(rows) == [(1, {"a": 1}), (3, {"c": 3})]
    assert peak < 8 * 2**20


def test_a_file_of_any_length_takes_the_same_memory() -> None:
    line = json.dumps({"text": "words " * 20}).encode() + b"\n"

    def peak_of(lines: int) -> int:
        body = (line * 100 for _ in range(lines // 100))
        tracemalloc.start()
        try:
            assert sum(1 for _ in FileRows().read(body, format="jsonl")) == lines
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak_of(100)  # warm
    assert peak_of(20_000) < peak_of(2_000) + 2**20


LINES = st.lists(
    st.one_of(
        st.dictionaries(st.text(max_size=3), st.text(max_size=8), max_size=2).map(
            lambda row: json.dumps(row, ensure_ascii=False).encode()
        ),
        st.sampled_from([b"", b" ", b"{", b"[1]", b"\xff", b"x" * 60]),
    ),
    max_size=8,
)


@given(LINES, st.lists(st.integers(1, 20), min_size=1), st.booleans())
def test_how_the_bytes_are_cut_changes_nothing(
    lines: list[bytes], sizes: list[int], ends: bool
) -> None:
    data = b"\n".join(lines) + (b"\n" if ends else b"")
    chunks, at = [], 0
    while at < len(data):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(data[at : at + size])
        at += size
    whole = rows_of(data, limits=SHORT, format="jsonl")
    assert rows_of(*chunks, limits=SHORT, format="jsonl") == whole
    assert [line for line, _ in whole] == [n for n, line in enumerate(lines, 1) if line.strip()]


def test_an_open_file_is_read_like_a_body(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a":1}\n' * 50_000)
    with path.open("rb") as file:
        assert sum(1 for _ in FileRows().read(file, name=path.name)) == 50_000


# gzip


def many(lines: int) -> bytes:
    generator = random.Random(0)
    return b"".join(
        b'{"i":%d,"x":"%s"}\n' % (i, generator.randbytes(8).hex().encode()) for i in range(lines)
    )


@pytest.mark.parametrize("name", ["x.jsonl.gz", "x.jsonl", None])
def test_gzip_is_seen_by_its_bytes(name: str | None) -> None:
    assert rows_of(gzip.compress(b'{"a":1}\n'), name=name) == [(1, {"a": 1})]


def test_gzip_of_csv_by_name() -> None:
    assert rows_of(gzip.compress(b"text\nhi\n"), name="data.csv.gz") == [(2, {"text": "hi"})]


@pytest.mark.parametrize("size", [1, 11, 10**6])
def test_gzip_in_several_members_with_padding(size: int) -> None:
    data = gzip.compress(b'{"a":1}\n{"b"') + gzip.compress(b":2}\n") + b"\0" * 64
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert rows_of(*chunks, format="jsonl") == [(1, {"a": 1}), (2, {"b": 2})]


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.9999])
def test_gzip_that_is_cut_short_says_how_far_it_went(keep: float) -> None:
    packed = gzip.compress(many(50_000))
    seen = []
    with pytest.raises(WrongInput, match="cut short") as caught:
        seen.extend(FileRows().read([packed[: int(len(packed) * keep)]], name="x.jsonl.gz"))
    assert [line for line, _ in seen] == list(range(1, len(seen) + 1))
    assert not refused(seen)
    assert caught.value.evidence == {"rows": len(seen), "line": len(seen)}
    assert f"{len(seen):,} rows" in caught.value.message


def test_gzip_that_is_damaged_says_so() -> None:
    packed = bytearray(gzip.compress(many(50_000)))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(WrongInput, match="damaged"):
        rows_of(bytes(packed), name="x.jsonl.gz")


def test_gzip_that_unpacks_without_end_is_stopped() -> None:
    bomb = gzip.compress(b"\0" * (100 * 2**20))
    with pytest.raises(WrongInput, match="250 times its size"):
        rows_of(bomb, format="jsonl")


def test_a_file_beyond_the_limit_is_stopped() -> None:
    limits = ReadLimits(max_bytes=1000)
    assert len(rows_of(b'{"a":1}\n' * 125, limits=limits)) == 125
    with pytest.raises(WrongInput, match="larger than 1,000 bytes"):
        rows_of(b'{"a":1}\n' * 126, limits=limits)
    with pytest.raises(WrongInput, match="larger than 1,000 bytes"):
        rows_of(gzip.compress(b'{"a":1}\n' * 126), limits=limits)


# which format


@pytest.mark.parametrize(
    "how",
    [
        {"format": "csv"},
        {"format": "CSV.gz"},
        {"content_type": "text/csv; charset=utf-8"},
        {"name": "/some/where/Data.CSV"},
        {"content_type": "application/octet-stream", "name": "x.csv"},
        {"format": "csv", "content_type": "application/x-ndjson", "name": "x.parquet"},
        {"content_type": "text/csv", "name": "x.jsonl"},
    ],
)
def test_the_format_named_wins_then_content_type_then_name(how: dict[str, str]) -> None:
    assert rows_of(b"text\nhi\n", **how) == [(2, {"text": "hi"})]


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/jsonl", "application/json"])
def test_content_types_of_json_lines(kind: str) -> None:
    assert rows_of(b'{"a":1}', content_type=kind) == [(1, {"a": 1})]


@pytest.mark.parametrize(
    ("data", "how", "message"),
    [
        (b"hello", {}, "Cannot tell what format"),
        (b"hello", {"name": "x.txt"}, "Cannot tell what format"),
        (b"{}", {"format": "xml"}, "Unknown format 'xml'"),
        (b"PK\x03\x04rest", {"name": "x.csv"}, "zip archive or an Excel workbook"),
        (b"BZh9rest", {"name": "x.jsonl"}, "bzip2"),
        (b"\x28\xb5\x2f\xfdrest", {}, "zstd"),
        ("text\nhi".encode("utf-16"), {"name": "x.csv"}, "UTF-16"),
        (b"text,label\n", {"name": "x.parquet"}, "not a Parquet file"),
    ],
)
def test_what_cannot_be_read_is_said_at_once(
    data: bytes, how: dict[str, str], message: str
) -> None:
    with pytest.raises(WrongInput, match=message) as caught:
        rows_of(data, **how)
    assert caught.value.field == "format"


def test_a_raw_stream_that_cannot_seek() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self._left = io.BytesIO(b'{"a":1}\n{"b":2}')

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            piece = self._left.read(min(3, len(buffer)))
            buffer[: len(piece)] = piece
            return len(piece)

    assert list(FileRows().read(Pipe())) == [(1, {"a": 1}), (2, {"b": 2})]  # type: ignore[arg-type]
