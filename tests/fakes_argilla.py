"""An annotation tool in memory. It keeps the promises of the port and of Argilla, and can be made
to fail at a chosen call; the contract tests hold it and the real one to the same."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from app.core.errors import NotFound, Refused
from app.ports.annotation_tool import (
    ANY_RESPONSE,
    DatasetRef,
    DatasetSpec,
    Look,
    PushReport,
    RecordOut,
    RefreshReport,
    ResponseIn,
    Statuses,
    Suggestion,
    WithdrawReport,
)

USERS = UUID("6e6b1f0e-0000-4000-8000-000000000000")


@dataclass
class FakeRecord:
    record_id: UUID
    external_id: str
    fields: Mapping[str, str]
    metadata: Mapping[str, Any]
    suggestion: Suggestion | None
    responses: dict[UUID, ResponseIn] = field(default_factory=dict)
    """By user."""


@dataclass
class FakeDataset:
    dataset_id: UUID
    spec: DatasetSpec
    last_activity: datetime
    records: dict[str, FakeRecord] = field(default_factory=dict)


@dataclass
class Failure:
    method: str
    error: Exception
    skip: int
    commit_first: int


class FakeAnnotationTool:
    """AnnotationTool without a server. Time is a counter, so nothing depends on a clock."""

    def __init__(self, users: Sequence[str] = ("annotator-1", "annotator-2")) -> None:
        self.users = {name: uuid5(USERS, name) for name in users}
        self.datasets: dict[UUID, FakeDataset] = {}
        self.calls: list[str] = []
        """Names of the methods called, in order."""
        self.webhooks: dict[str, str] = {}
        self.may_subscribe = True
        self._refusing: dict[str, str] = {}
        self._failures: list[Failure] = []
        self._time = datetime(2026, 1, 1, tzinfo=UTC)
        self.step = timedelta(milliseconds=1)
        """How far time goes on with whatever is done."""
        self._lock = threading.RLock()

    # --- what a test may arrange ---

    def fail_next(
        self,
        method: str,
        error: Exception,
        *,
        after_commit: bool = False,
        commit_first: int = 0,
        skip: int = 0,
    ) -> None:
        """Make a later call of `method` raise `error`, once. `skip` calls pass before it.
        `after_commit` does all the work first, `commit_first` the work on so many records."""
        work = 2**31 if after_commit else commit_first
        self._failures.append(Failure(method, error, skip, work))

    def refuse(self, external_id: str, reason: str) -> None:
        """This record will never be taken."""
        self._refusing[external_id] = reason

    # --- what people do in the tool ---

    def answer(
        self,
        external_id: str,
        value: Any,
        *,
        by: str = "annotator-1",
        status: str = "submitted",
        dataset_id: UUID | None = None,
    ) -> ResponseIn:
        """Submit, edit, draft or discard: whatever `by` had said before is replaced."""
        with self._lock:
            dataset, record = self._record(external_id, dataset_id)
            values = None if value is None else {dataset.spec.question.name: value}
            now = self._touch(dataset)
            user = self._user(by)
            old = record.responses.get(user)
            record.responses[user] = (
                replace(old, status=status, values=values, updated_at=now)
                if old
                else ResponseIn(
                    response_id=uuid4(),
                    external_id=external_id,
                    record_id=record.record_id,
                    user_id=user,
                    status=status,
                    values=values,
                    inserted_at=now,
                    updated_at=now,
                )
            )
            return record.responses[user]

    def draft(self, external_id: str, value: Any, *, by: str = "annotator-1") -> ResponseIn:
        return self.answer(external_id, value, by=by, status="draft")

    def discard(self, external_id: str, *, by: str = "annotator-1") -> ResponseIn:
        return self.answer(external_id, None, by=by, status="discarded")

    def delete_answer(
        self, external_id: str, *, by: str = "annotator-1", dataset_id: UUID | None = None
    ) -> None:
        with self._lock:
            dataset, record = self._record(external_id, dataset_id)
            del record.responses[self._user(by)]
            self._touch(dataset)

    def delete_record(self, external_id: str, *, dataset_id: UUID | None = None) -> None:
        """As in Argilla, `last_activity` does not tell."""
        with self._lock:
            dataset, _ = self._record(external_id, dataset_id)
            del dataset.records[external_id]

    def pending(self, dataset_id: UUID, *, by: str = "annotator-1") -> Sequence[FakeRecord]:
        """What this annotator still sees to do."""
        with self._lock:
            dataset = self._dataset(dataset_id)
            return [
                record
                for record in dataset.records.values()
                if self._user(by) not in record.responses and not _completed(record, dataset)
            ]

    def answer_all(
        self,
        dataset_id: UUID,
        label_of: Callable[[FakeRecord], Any],
        *,
        by: str = "annotator-1",
    ) -> int:
        """Submit an answer for everything pending."""
        waiting = self.pending(dataset_id, by=by)
        for record in waiting:
            self.answer(record.external_id, label_of(record), by=by, dataset_id=dataset_id)
        return len(waiting)

    # --- the port ---

    def ensure_dataset(self, spec: DatasetSpec) -> DatasetRef:
        with self._lock, self._call("ensure_dataset"):
            found = next((d for d in self.datasets.values() if d.spec.name == spec.name), None)
            if found is None:
                found = FakeDataset(uuid4(), spec, self._now())
                self.datasets[found.dataset_id] = found
            elif not _serves(found.spec, spec):
                raise Refused(f"Dataset {spec.name!r} has other options or fields.")
            else:
                found.spec = spec
            return DatasetRef(found.dataset_id, self.annotate_url(found.dataset_id))

    def annotate_url(self, dataset_id: UUID) -> str:
        return f"http://argilla.test/dataset/{dataset_id}/annotation-mode?page=1&status=pending"

    def push(self, dataset_id: UUID, records: Sequence[RecordOut]) -> PushReport:
        with self._lock, self._call("push") as limit:
            dataset = self._dataset(dataset_id)
            accepted: dict[str, UUID] = {}
            refused: dict[str, str] = {}
            for record in list(records)[:limit]:
                if reason := self._refusing.get(record.external_id) or _unfit(dataset, record):
                    refused[record.external_id] = reason
                else:
                    accepted[record.external_id] = self._upsert(dataset, record)
            return PushReport(accepted, refused)

    def refresh(self, dataset_id: UUID, records: Mapping[UUID, RecordOut]) -> RefreshReport:
        with self._lock, self._call("refresh") as limit:
            dataset = self._dataset(dataset_id)
            there = {one.record_id: one for one in dataset.records.values()}
            found = {id_: new for id_, new in records.items() if id_ in there}
            at_work = {new.external_id for id_, new in found.items() if there[id_].responses}
            idle = [new for new in found.values() if new.external_id not in at_work][:limit]
            for new in idle:
                self._upsert(dataset, new)
            return RefreshReport({new.external_id for new in idle}, at_work)

    def last_activity(self, dataset_id: UUID) -> datetime | None:
        with self._lock, self._call("last_activity"):
            return self._dataset(dataset_id).last_activity

    def look(self, dataset_id: UUID) -> Look:
        with self._lock, self._call("look"):
            return _look_at(list(self._dataset(dataset_id).records.values()))

    def look_at_newest(self, dataset_id: UUID, count: int) -> Look:
        with self._lock, self._call("look_at_newest"):
            records = list(self._dataset(dataset_id).records.values())
            return _look_at(records[max(0, len(records) - count) :])

    def withdraw(
        self, dataset_id: UUID, external_ids: Sequence[str], *, kept_by: Statuses = ANY_RESPONSE
    ) -> WithdrawReport:
        with self._lock, self._call("withdraw") as limit:
            dataset = self._dataset(dataset_id)
            there = dataset.records
            kept = [
                name
                for name in external_ids
                if name in there
                and any(one.status in kept_by for one in there[name].responses.values())
            ]
            gone = [name for name in external_ids if name not in kept]
            for name in gone[:limit]:
                there.pop(name, None)
            return WithdrawReport(withdrawn=gone, kept=kept)

    def delete_dataset(self, dataset_id: UUID) -> None:
        with self._lock, self._call("delete_dataset"):
            self._dataset(dataset_id)
            del self.datasets[dataset_id]

    def usernames(self) -> Mapping[UUID, str]:
        with self._lock, self._call("usernames"):
            return {user_id: name for name, user_id in self.users.items()}

    def ensure_webhook(self, url: str) -> str | None:
        with self._lock, self._call("ensure_webhook"):
            if not self.may_subscribe:
                return None
            return self.webhooks.setdefault(url, f"secret-{len(self.webhooks)}")

    def ping(self) -> None:
        with self._lock, self._call("ping"):
            return

    # --- inside ---

    def _call(self, method: str) -> "_Call":
        self.calls.append(method)
        for failure in self._failures:
            if failure.method == method:
                if failure.skip:
                    failure.skip -= 1
                    break
                self._failures.remove(failure)
                return _Call(failure)
        return _Call(None)

    def _upsert(self, dataset: FakeDataset, record: RecordOut) -> UUID:
        old = dataset.records.get(record.external_id)
        new = FakeRecord(
            record_id=old.record_id if old else uuid4(),
            external_id=record.external_id,
            fields=dict(record.fields),
            metadata=dict(record.metadata),
            suggestion=record.suggestion or (old.suggestion if old else None),
            responses=old.responses if old else {},
        )
        dataset.records[record.external_id] = new
        return new.record_id

    def _dataset(self, dataset_id: UUID) -> FakeDataset:
        try:
            return self.datasets[dataset_id]
        except KeyError:
            raise NotFound(f"There is no dataset {dataset_id}.") from None

    def _record(self, external_id: str, within: UUID | None) -> tuple[FakeDataset, FakeRecord]:
        for dataset in self.datasets.values():
            if within in (None, dataset.dataset_id) and external_id in dataset.records:
                return dataset, dataset.records[external_id]
        raise NotFound(f"There is no record {external_id}.")

    def _user(self, name: str) -> UUID:
        return self.users.setdefault(name, uuid5(USERS, name))

    def _now(self) -> datetime:
        self._time += self.step
        return self._time

    def _touch(self, dataset: FakeDataset) -> datetime:
        dataset.last_activity = self._now()
        return dataset.last_activity


class _Call:
    """One call: how much of its work it may do, and the failure in which it ends."""

    def __init__(self, failure: Failure | None) -> None:
        self._failure = failure

    def __enter__(self) -> int:
        if self._failure is not None and self._failure.commit_first == 0:
            raise self._failure.error
        return self._failure.commit_first if self._failure else 2**31

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if self._failure is not None and kind is None:
            raise self._failure.error


def _look_at(records: Sequence[FakeRecord]) -> Look:
    return Look(
        records={one.record_id: one.external_id for one in records},
        responses=[given for one in records for given in one.responses.values()],
    )


def _completed(record: FakeRecord, dataset: FakeDataset) -> bool:
    submitted = sum(one.status == "submitted" for one in record.responses.values())
    return submitted >= dataset.spec.min_submitted


def _serves(there: DatasetSpec, wanted: DatasetSpec) -> bool:
    return (
        set(there.fields) == set(wanted.fields)
        and there.question.name == wanted.question.name
        and there.question.kind == wanted.question.kind
        and set(there.question.options) == set(wanted.question.options)
    )


def _unfit(dataset: FakeDataset, record: RecordOut) -> str | None:
    if set(record.fields) != set(dataset.spec.fields):
        return f"its fields are {sorted(record.fields)}, not {sorted(dataset.spec.fields)}"
    if any("\x00" in value for value in record.fields.values()):
        return "a field holds a NUL character"
    suggestion = record.suggestion
    if suggestion is None or dataset.spec.question.kind != "label":
        return None
    if suggestion.value not in dataset.spec.question.options:
        return f"{suggestion.value!r} is not a valid label"
    if not 0 <= suggestion.score <= 1:
        return f"the suggestion's score {suggestion.score} is not between 0 and 1"
    return None
