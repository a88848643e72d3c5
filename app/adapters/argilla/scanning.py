"""Records of a dataset with their responses: all of them, or those that came last.

All of them are read so that none is missed.

Argilla lists records by time of creation, in pages cut by offset. A record deleted while we read
pulls the later ones forward, over the edge of a page already read; records created in the same
instant may change places. So pages overlap, the overlap must be the same both times, and at the
end there must be as many different records as Argilla counts. Otherwise the reading is repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.adapters.argilla.connection import Connection
from app.core.errors import Unavailable

PAGE = 1000
OVERLAP = 5
READINGS = 6

Row = dict[str, Any]


class Moved(Exception):
    """The list changed under our eyes."""


@dataclass(frozen=True, slots=True)
class Scan:
    """How a dataset is read; the sizes are smaller in tests."""

    connection: Connection
    page: int = PAGE
    overlap: int = OVERLAP

    def records(self, dataset_id: UUID) -> Sequence[Row]:
        """All records there are, with their responses; NotFound if the dataset is gone."""
        for _ in range(READINGS):
            try:
                return self._read_once(dataset_id)
            except Moved:
                continue
        raise Unavailable(
            f"Records of Argilla's dataset {dataset_id} were deleted faster than they could be "
            "read. It will be tried again."
        )

    def newest(self, dataset_id: UUID, count: int) -> Sequence[Row]:
        """The end of the list, where what was pushed last stands: two requests a thousand."""
        _, total = self.page_at(dataset_id, 0, 1)
        rows: list[Row] = []
        at = max(0, total - count - self.overlap)
        while at < total:
            page, total = self.page_at(dataset_id, at, self.page)
            if not page:
                break  # records were deleted meanwhile
            rows += page
            at += len(page)
        return rows

    def page_at(self, dataset_id: UUID, offset: int, limit: int) -> tuple[Sequence[Row], int]:
        """One stretch of the list as it is now, and how many records there are in all."""
        query = {"include": "responses", "offset": offset, "limit": limit}
        answer = self.connection.get(f"datasets/{dataset_id}/records", params=query)
        return [_slim(row) for row in answer["items"]], int(answer["total"])

    def _read_once(self, dataset_id: UUID) -> Sequence[Row]:
        rows: list[Row] = []
        while True:
            page, total = self.page_at(dataset_id, max(0, len(rows) - self.overlap), self.page)
            rows += _beyond(rows, page, self.overlap)
            if len(page) < self.page or len(rows) >= total:
                break
        if len({row["id"] for row in rows}) != total or len(rows) != total:
            raise Moved
        return rows


def _beyond(rows: Sequence[Row], page: Sequence[Row], overlap: int) -> Sequence[Row]:
    """What a page adds to what was read before."""
    shared = min(overlap, len(rows))
    if [row["id"] for row in rows[len(rows) - shared :]] != [row["id"] for row in page[:shared]]:
        raise Moved
    return page[shared:]


def _slim(row: Row) -> Row:
    """Without texts and metadata: a whole dataset is held in memory."""
    return {name: row.get(name) for name in ("id", "external_id", "responses")}
