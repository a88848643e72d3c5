"""Parquet, a row group at a time, without holding the file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any


def parquet_pieces(
    columns: Mapping[str, str], blocks: Iterable[Sequence[Mapping[str, Any]]]
) -> Iterator[bytes]:
    """A file with these columns; each block of rows is a row group, sent before the next comes."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    sink = BytesIO()
    schema = _schema(columns)
    with ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for block in blocks:
            writer.write_table(pa.Table.from_pylist(list(block), schema=schema))
            yield _taken(sink)
    yield _taken(sink)


def _schema(columns: Mapping[str, str]) -> Any:
    import pyarrow as pa

    kinds = {
        "string": pa.string(),
        "strings": pa.list_(pa.string()),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "timestamp": pa.timestamp("us", tz="UTC"),
    }
    return pa.schema([(name, kinds[kind]) for name, kind in columns.items()])


def _taken(sink: BytesIO) -> bytes:
    """What came since; the writer counts by itself how far it is, so nothing need stay."""
    piece = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return piece
