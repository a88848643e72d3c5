"""Parquet, a batch of rows at a time."""

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from app.adapters.readers.columns import check_columns
from app.adapters.readers.streams import Damaged
from app.core.importing import Rejection
from app.ports.rows import Row

MOST_ROWS = 4096
BATCH_BYTES = 32 * 2**20


def read_parquet(file: BinaryIO, required: Sequence[str]) -> Iterator[Row]:
    """Rows as column → Python value; a value that Python cannot hold makes its row a rejection."""
    import pyarrow as pa

    try:
        yield from _rows(file, required)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise Damaged(f"The Parquet file is damaged or cut short ({_short(error)}).") from None


def _rows(file: BinaryIO, required: Sequence[str]) -> Iterator[Row]:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(file, pre_buffer=False, buffer_size=2**20) as table:
        columns = list(table.schema_arrow.names)
        check_columns(columns, required)
        number = 0
        for batch in table.iter_batches(_batch_size(table.metadata), use_threads=False):
            for row in _batch_rows(columns, _microseconds(batch), number + 1):
                number += 1
                yield number, row


def _batch_size(metadata: Any) -> int:
    """Few rows at a time where rows are large."""
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    widest = max((g.total_byte_size // max(g.num_rows, 1) for g in groups), default=0)
    return max(1, min(MOST_ROWS, BATCH_BYTES // max(widest, 1)))


def _microseconds(batch: Any) -> Any:
    """Python's times have no nanoseconds."""
    import pyarrow as pa
    from pyarrow import types

    for at, kind in enumerate(batch.schema.types):
        coarser = None
        if types.is_timestamp(kind) and kind.unit == "ns":
            coarser = pa.timestamp("us", tz=kind.tz)
        elif types.is_duration(kind) and kind.unit == "ns":
            coarser = pa.duration("us")
        elif types.is_time64(kind) and kind.unit == "ns":
            coarser = pa.time64("us")
        if coarser is not None:
            column = batch.column(at).cast(coarser, safe=False)
            batch = batch.set_column(at, batch.schema.field(at).with_type(coarser), column)
    return batch


def _batch_rows(columns: list[str], batch: Any, first: int) -> Iterator[dict[str, Any] | Rejection]:
    try:
        cells = [column.to_pylist() for column in batch.columns]
    except (ValueError, OverflowError):  # one value somewhere: look row by row
        for at in range(batch.num_rows):
            yield _row(columns, batch, at, first + at)
        return
    if not cells:
        yield from ({} for _ in range(batch.num_rows))
    for values in zip(*cells, strict=True):
        yield dict(zip(columns, values, strict=True))


def _row(columns: list[str], batch: Any, at: int, number: int) -> dict[str, Any] | Rejection:
    row = {}
    for name, column in zip(columns, batch.columns, strict=True):
        try:
            row[name] = column[at].as_py()
        except UnicodeDecodeError:
            return Rejection(number, name, "Not UTF-8.")
        except (ValueError, OverflowError) as error:
            return Rejection(number, name, f"A value that cannot be read ({_short(error)}).")
    return row


def _short(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200].rstrip(".")
