"""Answers that a webhook tells of, kept before any look.

Looks are the truth, with one hole: Argilla deletes a record whether or not somebody answers it in
that moment, and what goes with the record no look will ever see. The message about it comes all
the same. An answer that is known already is left to looks, so an old message changes nothing; one
that was taken back before we looked is found missing by the next look.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.entities import ResponseStatus, Revision
from app.ports.store import Transaction
from app.rounds.identity import item_of


@dataclass(frozen=True, slots=True)
class Announced:
    """An answer as the annotation tool tells of it."""

    response_id: UUID
    external_id: str | None
    record_id: UUID
    user_id: UUID
    username: str
    status: str
    values: Mapping[str, Any] | None
    inserted_at: datetime
    updated_at: datetime


def keep(tx: Transaction, dataset_id: UUID, told: Announced) -> bool:
    """Whether it was news."""
    item_id = item_of(told.external_id)
    dataset = tx.annotations.find_dataset(dataset_id)
    if item_id is None or dataset is None or _says_nothing(told):
        return False
    if told.response_id in tx.annotations.known(dataset, [item_id]):
        return False
    stored = tx.annotations.record(dataset, [_revision(told, item_id)])
    if stored:
        tx.events.add(
            "annotations.announced", "argilla", project_id=dataset.project_id, revisions=stored
        )
    return bool(stored)


def _says_nothing(told: Announced) -> bool:
    return told.status == ResponseStatus.SUBMITTED and not told.values


def _revision(told: Announced, item_id: int) -> Revision:
    return Revision(
        response_id=told.response_id,
        record_id=told.record_id,
        item_id=item_id,
        user_id=told.user_id,
        username=told.username,
        status=ResponseStatus(told.status),
        values=told.values,
        inserted_at=told.inserted_at,
        updated_at=told.updated_at,
    )
