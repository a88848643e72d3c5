"""Records that nobody has answered are taken back; answered ones stay, however late the answer.

Argilla deletes by id, answered or not, so we look again just before. Whoever answers in the moment
between that look and the deletion has only the webhook to save the answer: Argilla has no other way
to delete. One look at a stretch of the list costs a tenth of asking for each record, so the moment
is short. Deleting goes from the end to the beginning: what is still to be deleted then keeps its
place in the list.
"""

from collections.abc import Iterator, Sequence
from uuid import UUID

from app.adapters.argilla.connection import Connection
from app.adapters.argilla.scanning import PAGE, Row, Scan
from app.core.errors import NotFound
from app.ports.annotation_tool import Statuses, WithdrawReport

MOST_DELETED = 100
Placed = tuple[int, Row]
"""A record and its place in the list."""


def withdraw(
    connection: Connection, dataset_id: UUID, external_ids: Sequence[str], kept_by: Statuses
) -> WithdrawReport:
    """Delete what has no response of these kinds. What is not there counts as withdrawn."""
    wanted = set(external_ids)
    rows = Scan(connection).records(dataset_id) if wanted else ()
    ours = [(place, row) for place, row in enumerate(rows) if row["external_id"] in wanted]
    kept = {row["external_id"] for _, row in ours if _keeps(row, kept_by)}
    doomed = [(place, row) for place, row in ours if not _keeps(row, kept_by)]
    for stretch in stretches(doomed):
        kept |= _delete_unanswered(connection, dataset_id, stretch, kept_by)
    return WithdrawReport(
        withdrawn=[name for name in external_ids if name not in kept],
        kept=[name for name in external_ids if name in kept],
    )


def stretches(doomed: Sequence[Placed]) -> Iterator[Sequence[Placed]]:
    """From the end: as many as can be deleted at once and seen on one page."""
    part: list[Placed] = []
    for place, row in reversed(doomed):
        if part and (len(part) == MOST_DELETED or part[0][0] - place >= PAGE):
            yield part
            part = []
        part.append((place, row))
    if part:
        yield part


def _delete_unanswered(
    connection: Connection, dataset_id: UUID, stretch: Sequence[Placed], kept_by: Statuses
) -> set[str]:
    """The external ids of those that were answered at the last moment."""
    last, first = stretch[0][0], stretch[-1][0]
    page, _ = Scan(connection).page_at(dataset_id, first, last - first + 1)
    now = {row["id"]: _keeps(row, kept_by) for row in page}
    for _, row in stretch:
        if row["id"] not in now:  # somebody else has deleted records, and the list has moved
            now[row["id"]] = _is_answered(connection, row["id"], kept_by)
    if ids := [row["id"] for _, row in stretch if not now[row["id"]]]:
        path = f"datasets/{dataset_id}/records"
        connection.call("DELETE", path, params={"ids": ",".join(ids)})
    return {row["external_id"] for _, row in stretch if now[row["id"]]}


def _keeps(row: Row, kept_by: Statuses) -> bool:
    return any(response["status"] in kept_by for response in row["responses"] or ())


def _is_answered(connection: Connection, record_id: str, kept_by: Statuses) -> bool:
    try:
        return _keeps(connection.get(f"records/{record_id}"), kept_by)
    except NotFound:
        return False
