"""Reads import files of every format as rows, in bounded memory."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from app.adapters.readers.delimited import read_delimited
from app.adapters.readers.formats import JSONL, PARQUET, PARQUET_MAGIC, TSV, format_of
from app.adapters.readers.jsonl import read_jsonl
from app.adapters.readers.parquet import read_parquet
from app.adapters.readers.streams import (
    GZIP_MAGIC,
    Damaged,
    bounded,
    chunks_of,
    gunzip,
    peek,
    without_bom,
)
from app.core.errors import WrongInput
from app.ports.rows import ReadLimits, Row, Source

HEAD = 1024


class FileRows:
    """The RowReader for files and request bodies."""

    def __init__(self, limits: ReadLimits | None = None, temporary: Path | None = None) -> None:
        self._limits = limits or ReadLimits()
        self._temporary = temporary

    def read(
        self,
        source: Source,
        *,
        format: str | None = None,  # noqa: A002 - the word users write
        content_type: str | None = None,
        name: str | None = None,
        required: Sequence[str] = (),
    ) -> Iterator[Row]:
        rows = line = 0
        try:
            head, chunks = self._unpacked(source)
            found = format_of(head, given=format, content_type=content_type, name=name)
            for line, row in self._rows(found, source, chunks, required):
                rows += 1
                yield line, row
        except Damaged as damage:
            raise WrongInput(
                f"{damage} Before that, {rows:,} rows were read, up to line {line:,}.",
                rows=rows,
                line=line,
            ) from None

    def _unpacked(self, source: Source) -> tuple[bytes, Iterator[bytes]]:
        head, chunks = peek(chunks_of(source), HEAD)
        if head.startswith(GZIP_MAGIC):
            head, chunks = peek(gunzip(chunks, self._limits), HEAD)
        return head, bounded(chunks, self._limits.max_bytes)

    def _rows(
        self, found: str, source: Source, chunks: Iterator[bytes], required: Sequence[str]
    ) -> Iterator[Row]:
        if found == PARQUET:
            return self._parquet_rows(source, chunks, required)
        chunks = without_bom(chunks)
        if found == JSONL:
            return read_jsonl(chunks, self._limits)
        return read_delimited(chunks, self._limits, required, "\t" if found == TSV else None)

    def _parquet_rows(
        self, source: Source, chunks: Iterator[bytes], required: Sequence[str]
    ) -> Iterator[Row]:
        file = _itself(source)
        if file is not None:
            yield from read_parquet(file, required)
            return
        with TemporaryFile(dir=self._temporary) as copy:
            copy.writelines(chunks)
            copy.seek(0)
            yield from read_parquet(copy, required)


def _itself(source: Source) -> BinaryIO | None:
    """The source, if it is a Parquet file whose end can be read first; else where it was."""
    file = cast(BinaryIO, source)
    if not hasattr(source, "seekable") or not file.seekable():
        return None
    here = file.tell()
    file.seek(0)
    if file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC:
        return file
    file.seek(here)
    return None
