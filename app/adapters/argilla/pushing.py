"""Records go to Argilla in batches; one bad record never keeps the others back.

A batch is one transaction in Argilla, named by our external ids: sent twice it changes nothing.
When Argilla refuses a batch, the records it complains of are set aside and the rest sent again.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from app.adapters.argilla.connection import Connection, Rejected, Troubled
from app.adapters.argilla.records import Unfit, payload
from app.adapters.argilla.settings import RecordShape
from app.ports.annotation_tool import PushReport, RecordOut

MOST_ITEMS = 100
MOST_BYTES = 4_000_000
ABOUT_THE_ITEMS = frozenset({400, 413, 422})
POSITION = re.compile(r"Record at position (\d+) is not valid because (.*)", re.DOTALL)

Body = dict[str, Any]


class Push:
    """One push. `run` sends; what was accepted and refused is gathered on the way."""

    def __init__(self, connection: Connection, dataset_id: UUID, shape: RecordShape) -> None:
        self._argilla = connection
        self._path = f"datasets/{dataset_id}/records/bulk"
        self._shape = shape
        self._accepted: dict[str, UUID] = {}
        self._refused: dict[str, str] = {}

    def run(self, records: Sequence[RecordOut]) -> PushReport:
        return self._sent(self._fit(records))

    def renew(self, records: Sequence[RecordOut]) -> PushReport:
        """Metadata and suggestions of records that are there. One that somebody has deleted is not
        made anew: without its fields Argilla refuses it."""
        bodies = self._fit(records)
        return self._sent(
            [{name: body[name] for name in body if name != "fields"} for body in bodies]
        )

    def _sent(self, bodies: Sequence[Body]) -> PushReport:
        for batch in batches(bodies):
            self._send(batch)
        return PushReport(accepted=self._accepted, refused=self._refused)

    def _fit(self, records: Sequence[RecordOut]) -> Sequence[Body]:
        """The records that can be sent at all, each external id once."""
        bodies: dict[str, Body] = {}
        for record in records:
            try:
                bodies[record.external_id] = payload(record, self._shape)
            except Unfit as problem:
                self._refused[record.external_id] = str(problem)
        return list(bodies.values())

    def _send(self, batch: Sequence[Body]) -> None:
        try:
            self._put(batch)
        except Rejected as refusal:
            if refusal.http_status not in ABOUT_THE_ITEMS:
                raise
            self._without_the_bad(batch, refusal)
        except Troubled as trouble:
            if trouble.http_status != 500 or len(batch) == 1:
                raise
            self._one_by_one(batch, trouble)

    def _put(self, batch: Sequence[Body], attempts: int | None = None) -> None:
        answer = self._argilla.call("PUT", self._path, body={"items": batch}, attempts=attempts)
        for record in answer["items"]:
            self._accepted[record["external_id"]] = UUID(record["id"])

    def _without_the_bad(self, batch: Sequence[Body], refusal: Rejected) -> None:
        bad = complaints(refusal.detail, len(batch))
        if not bad and len(batch) == 1:
            bad = {0: refusal.message}
        if not bad:  # a refusal that names no record: halve until it is found
            middle = len(batch) // 2
            self._send(batch[:middle])
            self._send(batch[middle:])
            return
        for position, reason in bad.items():
            self._refused[batch[position]["external_id"]] = reason
        if rest := [body for position, body in enumerate(batch) if position not in bad]:
            self._send(rest)

    def _one_by_one(self, batch: Sequence[Body], trouble: Troubled) -> None:
        """Argilla keeps breaking over this batch: does it break over one record or over all?"""
        failed: list[Body] = []
        for body in batch:
            try:
                self._put([body], attempts=1)
            except Rejected as refusal:
                self._without_the_bad([body], refusal)
            except Troubled:
                failed.append(body)
        if len(failed) == len(batch):
            raise trouble
        for body in failed:
            self._refused[body["external_id"]] = (
                "Argilla breaks over this record (500), again and again, and takes others"
            )


def batches(bodies: Sequence[Body]) -> Iterator[Sequence[Body]]:
    """Parts of at most so many items and so many bytes, in order."""
    part: list[Body] = []
    size = 0
    for body in bodies:
        weight = len(json.dumps(body))
        if part and (len(part) == MOST_ITEMS or size + weight > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(body)
        size += weight
    if part:
        yield part


def complaints(detail: Any, size: int) -> Mapping[int, str]:
    """Which positions of a batch Argilla complains of, and why.

    It names one position in a sentence, or, for values of the wrong form, several in a list.
    """
    if isinstance(detail, str):
        found = POSITION.search(detail)
        named = {int(found[1]): found[2]} if found else {}
    elif isinstance(detail, Sequence):
        named = dict(_places(detail))
    else:
        named = {}
    return {position: reason for position, reason in named.items() if position < size}


def _places(errors: Sequence[Any]) -> Iterator[tuple[int, str]]:
    for error in errors:
        match error:
            case {"loc": [_, "items", int(position), *rest], "msg": message}:
                place = ".".join(str(step) for step in rest)
                yield position, f"{place}: {message}" if place else str(message)
