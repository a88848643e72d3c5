"""Reading CSV and its kin."""

import csv
import gzip
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.readers import FileRows
from app.core.errors import WrongInput
from app.core.importing import Rejection
from app.ports.rows import ReadLimits, Row


def rows_of(data: bytes, limits: ReadLimits | None = None, **how: Any) -> list[Row]:
    return list(FileRows(limits).read([data], **{"format": "csv", **how}))


def good(rows: list[Row]) -> dict[int, Any]:
    return {line: row for line, row in rows if not isinstance(row, Rejection)}


def refused(rows: list[Row]) -> dict[int, str]:
    return {row.line: row.reason for _, row in rows if isinstance(row, Rejection)}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_the_one_that_the_header_uses(delimiter: str) -> None:
    data = f'id{delimiter}"a,b;c"{delimiter}text\n1{delimiter}x{delimiter}hi\n'.encode()
    assert rows_of(data) == [(2, {"id": "1", "a,b;c": "x", "text": "hi"})]


def test_tsv_is_always_split_at_tabs() -> None:
    assert rows_of(b"a,b\tc\n1\t2\n", name="x.tsv", format=None) == [(2, {"a,b": "1", "c": "2"})]
    assert rows_of(b"text\na;b\n", content_type="text/tab-separated-values", format=None) == [
        (2, {"text": "a;b"})
    ]


def test_one_column_may_hold_semicolons() -> None:
    assert rows_of(b"text\na;b;c\n") == [(2, {"text": "a;b;c"})]


def test_quoted_line_breaks_keep_line_numbers_right() -> None:
    data = b'\xef\xbb\xbfid,text\r\n1,"a\r\nb\n\nc"\r\n\r\n2,"say ""hi"""\r\n3\r\n'
    rows = rows_of(data)
    assert good(rows) == {
        2: {"id": "1", "text": "a\r\nb\n\nc"},
        7: {"id": "2", "text": 'say "hi"'},
    }
    assert refused(rows) == {8: "1 cells where the header names 2 columns."}


def test_rows_of_another_width_are_refused() -> None:
    rows = rows_of(b"id,text\n1,a,b\n2\n3,c\n")
    assert good(rows) == {4: {"id": "3", "text": "c"}}
    assert "3 cells where the header names 2" in refused(rows)[2]
    assert "not quoted?" in refused(rows)[2]
    assert "not quoted?" not in refused(rows)[3]


def test_the_empty_rows_of_spreadsheets_are_skipped() -> None:
    assert good(rows_of(b"\n\nid,text\n,,\n,\n\n1,a\n,\n")) == {7: {"id": "1", "text": "a"}}


def test_an_open_quote_costs_its_own_line_only() -> None:
    rows = rows_of(b'id,text\n1,"open\n2,fine\n3,"closed"\n4,ok\n5,"never\n6,ok\n')
    assert list(good(rows)) == [3, 4, 5, 7]
    assert "quote" in refused(rows)[2]
    assert refused(rows)[6] == "A quoted cell is never closed."


def test_an_open_quote_before_a_large_file_is_given_up_in_time() -> None:
    body = b'id,text\n1,"open\n' + b"2,fine\n" * 1000
    rows = rows_of(body, ReadLimits(max_line_bytes=500))
    assert len(good(rows)) == 1000
    assert refused(rows) == {2: "A quoted cell is not closed within 500 bytes."}


def test_an_open_quote_before_nothing_but_blank_lines_is_given_up_too() -> None:
    rows = rows_of(
        b'id,text\n1,"open\n' + b"\n" * 1000 + b"2,fine\n", ReadLimits(max_line_bytes=500)
    )
    assert good(rows) == {1003: {"id": "2", "text": "fine"}}
    assert refused(rows) == {2: "A quoted cell is not closed within 500 bytes."}


def test_a_long_line_is_refused_alone_also_inside_a_quoted_cell() -> None:
    limits = ReadLimits(max_line_bytes=50)
    long = b"x" * 60
    rows = rows_of(b"id,text\n1," + long + b'\n2,ok\n3,"a\n' + long + b'"\n4,ok\n', limits)
    assert list(good(rows)) == [3, 6]
    assert list(refused(rows)) == [2, 4, 5]


def test_broken_bytes_cost_their_line_only() -> None:
    rows = rows_of("id,text\n1,café\n2,ok\n".encode("latin-1"))
    assert good(rows) == {3: {"id": "2", "text": "ok"}}
    assert "Not UTF-8" in refused(rows)[2]


def test_a_nul_byte_is_left_to_the_check_of_the_row() -> None:
    assert good(rows_of(b"text\na\0b\n")) == {2: {"text": "a\0b"}}


def test_a_document_in_one_cell() -> None:
    text = "word " * 100_000  # the parser's own bound is 131,072
    assert rows_of(f"text\n{text}\n".encode()) == [(2, {"text": text})]


@pytest.mark.parametrize(
    ("data", "message", "field"),
    [
        (b"body,label\nhi,ham\n", "no column 'text'. The columns are: body, label", "text"),
        (b"hi there,ham\n", "no column 'text'", "text"),
        (b"text,a,a\n", "Two columns are named 'a'", "a"),
        (b'"text,a\nb,c\n', "names the columns cannot be read", None),
        ("te\xe4t,a\nb,c\n".encode("latin-1"), "names the columns cannot be read", None),
    ],
)
def test_a_header_that_cannot_serve(data: bytes, message: str, field: str | None) -> None:
    with pytest.raises(WrongInput, match=message) as caught:
        rows_of(data, required=("text",))
    assert caught.value.field == field


def test_a_column_without_a_name_gets_one() -> None:
    assert rows_of(b"text, ,\nhi,1,2\n") == [(2, {"text": "hi", "column_2": "1", "column_3": "2"})]


def test_a_header_alone_is_no_rows() -> None:
    assert rows_of(b"id,text\n", required=("text",)) == []


def test_rows_before_the_damage_are_given() -> None:
    packed = gzip.compress(b"id,text\n" + b"".join(b"%d,t%d\n" % (i, i) for i in range(50_000)))
    seen = []
    with pytest.raises(WrongInput, match="cut short"):
        seen.extend(FileRows().read([packed[:-1000]], name="x.csv.gz"))
    assert good(seen) == {i + 2: {"id": str(i), "text": f"t{i}"} for i in range(len(seen))}
    assert seen


@given(
    st.lists(st.sampled_from([b'"', b",", b"\n", b"\r", b"a", b"\xc3", b"\0", b'""'])).map(b"".join)
)
def test_every_line_of_whatever_bytes_is_a_row_a_rejection_or_blank(data: bytes) -> None:
    rows = rows_of(b"one,two\n" + data)
    lines = [line for line, _ in rows]
    assert lines == sorted(set(lines))
    assert all(2 <= line <= 2 + data.count(b"\n") for line in lines)
    assert all(set(row) == {"one", "two"} for row in good(rows).values())


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=8)


@given(
    st.lists(st.tuples(CELLS, CELLS, st.integers().map(str)), max_size=8),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_a_csv_writer_wrote_is_read_back(
    table: list[tuple[str, str, str]], delimiter: str, ending: str
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=ending)
    writer.writerows([("one", "two", "three"), *table])
    rows = rows_of(file.getvalue().encode())
    assert [tuple(row.values()) for _, row in rows if not isinstance(row, Rejection)] == table
    starts, line = [], 2
    for cells in table:
        starts.append(line)
        line += 1 + sum(cell.count("\n") for cell in cells)
    assert [line for line, _ in rows] == starts
