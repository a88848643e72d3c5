"""CSV and its kin: a header, then one record a row, quoted cells may span lines."""

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence

from app.adapters.readers.columns import check_columns
from app.adapters.readers.streams import Line, TooLong, lines_of
from app.core.errors import WrongInput
from app.core.importing import Rejection
from app.ports.rows import ReadLimits, Row

DELIMITERS = ",;\t"


class BadLine(Exception):
    """This line cannot be part of a record; the message says why, as a sentence."""


class RecordLines:
    """Feeds lines to the parser and remembers those of the record at hand.

    So a record that cannot be parsed (an open quote swallows all that follows) costs its first line
    only: the others are handed out again.
    """

    def __init__(self, lines: Iterator[Line], most: int) -> None:
        self._lines = lines
        self._again: deque[Line] = deque()
        self._taken: list[Line] = []
        self._size = 0
        self._most = most
        self.number = 1
        """Of the first line of the record at hand."""

    def __iter__(self) -> "RecordLines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._taken.append(line)
        if isinstance(line, TooLong):
            raise BadLine(f"The line is longer than {self._most:,} bytes.")
        self._size += len(line) + 1
        if self._size > self._most:
            raise BadLine(f"A quoted cell is not closed within {self._most:,} bytes.")
        try:
            return line.decode() + "\n"
        except UnicodeDecodeError as error:
            raise BadLine(f"Not UTF-8: a wrong byte at position {error.start + 1}.") from None

    def next_record(self) -> None:
        self.number += len(self._taken)
        self._taken.clear()
        self._size = 0

    def keep_only_first(self) -> None:
        self._again.extendleft(reversed(self._taken[1:]))
        del self._taken[1:]

    def first_line(self) -> bytes:
        """The first line that is not blank, still to be read."""
        for line in self._lines:
            if isinstance(line, TooLong) or not line.isspace():
                self._again.append(line)
                return b"" if isinstance(line, TooLong) else line
            self.number += 1
        return b""


def read_delimited(
    chunks: Iterator[bytes], limits: ReadLimits, required: Sequence[str], delimiter: str | None
) -> Iterator[Row]:
    """Rows as column → text. `delimiter` None: the one of , ; tab that the header uses most."""
    # the parser's own bound is the process's, and too small for documents
    csv.field_size_limit(max(csv.field_size_limit(), limits.max_line_bytes))
    lines = RecordLines(lines_of(chunks, limits.max_line_bytes), limits.max_line_bytes)
    delimiter = delimiter or _sniffed(lines.first_line())
    records = _records(lines, csv.reader(lines, delimiter=delimiter, strict=True))
    columns = _header(records, required)
    for number, cells in records:
        if isinstance(cells, Rejection):
            yield number, cells
        elif any(cells):  # a blank line, or the empty rows that spreadsheets append
            yield number, _row(columns, cells, number)


def _sniffed(header: bytes) -> str:
    bare = re.sub(r'"[^"]*"', "", header.decode(errors="replace"))
    return max(DELIMITERS, key=bare.count)


def _records(
    lines: RecordLines, parser: Iterator[list[str]]
) -> Iterator[tuple[int, list[str] | Rejection]]:
    while True:
        try:
            cells = next(parser)
        except StopIteration:
            return
        except (csv.Error, BadLine) as error:
            lines.keep_only_first()
            yield lines.number, Rejection(lines.number, None, _reason(error))
        else:
            yield lines.number, cells
        lines.next_record()


def _reason(error: Exception) -> str:
    if isinstance(error, BadLine):
        return str(error)
    if "unexpected end" in str(error):
        return "A quoted cell is never closed."
    if "expected after" in str(error):
        return "A quote inside a quoted cell is not doubled, or a quoted cell is not closed."
    return f"Not valid CSV: {error}."


def _header(
    records: Iterator[tuple[int, list[str] | Rejection]], required: Sequence[str]
) -> list[str]:
    for _, cells in records:
        if isinstance(cells, Rejection):
            raise WrongInput(f"The line that names the columns cannot be read. {cells.reason}")
        if any(cells):
            columns = [name.strip() or f"column_{at}" for at, name in enumerate(cells, start=1)]
            check_columns(columns, required)
            return columns
    return []


def _row(columns: list[str], cells: list[str], number: int) -> dict[str, str] | Rejection:
    if len(cells) == len(columns):
        return dict(zip(columns, cells, strict=True))
    hint = " Is a delimiter inside a cell not quoted?" if len(cells) > len(columns) else ""
    return Rejection(
        number, None, f"{len(cells)} cells where the header names {len(columns)} columns.{hint}"
    )
