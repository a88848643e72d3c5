"""Rows of an import, one after the other, from a file or a request body of any size."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from app.core.importing import Rejection

Source = BinaryIO | Iterable[bytes]
"""An open file, or the chunks of a request body as they come in."""

Row = tuple[int, Mapping[str, Any] | Rejection]
"""The line (in Parquet: the row) counted from 1, and what stands there or why it cannot be read."""


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Bounds that keep memory and time in hand whatever is sent."""

    max_line_bytes: int = 4 * 2**20
    """A longer line is skipped without being held, and is one rejected row."""
    max_bytes: int = 64 * 2**30
    """Of the whole file, unpacked."""
    max_gzip_ratio: int = 250
    """Text packs 3 to 30 times; far beyond that somebody means harm."""


class RowReader(Protocol):
    def read(
        self,
        source: Source,
        *,
        format: str | None = None,  # noqa: A002 - the word users write
        content_type: str | None = None,
        name: str | None = None,
        required: Sequence[str] = (),
    ) -> Iterator[Row]:
        """Stream the rows. The format is the one named, else by content type, file name, content.

        One bad row never stops the rest. WrongInput ends the reading where nothing more can come
        of it: an unknown format, a table without one of the `required` columns, a file that is
        damaged or cut short (after the rows before the damage have been given).
        """
