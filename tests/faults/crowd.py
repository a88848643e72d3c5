"""Annotators who answer through Argilla's API, each item in a way that its text decides; and the
journal of what they did, which owes nothing to the code under test."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

import httpx

from tests.services import ArgillaService, ArgillaUser

PATIENCE = 60
Record = Mapping[str, Any]

PLANS: Sequence[Sequence[str]] = (
    ("right",),
    ("right",),
    ("right",),
    ("draft", "right"),
    ("wrong", "right"),
    ("wrong", "delete", "right"),
    ("discard",),
    ("discard", "right"),
)
"""What one annotator does with one item, one act after the other."""


@dataclass(frozen=True, slots=True)
class Act:
    """A state of a response that Argilla has confirmed."""

    item: str
    round: int
    response_id: UUID
    user_id: UUID
    status: str
    values: Mapping[str, Any] | None
    updated_at: datetime


@dataclass
class Journal:
    acts: list[Act] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)
    """Items of which Argilla said that an answer failed: it may have taken it all the same."""

    def final(self) -> Mapping[tuple[str, UUID], Act]:
        """How each annotator's answer to each item stands at the end."""
        return {(act.item, act.user_id): act for act in self.acts}

    def latest(self, item: str) -> Act:
        return next(act for act in reversed(self.acts) if act.item == item)


class Crowd:
    """Answers a batch item by item. The last item comes when everything else of the batch is done,
    so what a round closes with does not depend on who was killed when."""

    def __init__(
        self, service: ArgillaService, truth: Mapping[str, str], labels: Sequence[str]
    ) -> None:
        self.journal = Journal()
        self.refused: Counter[str] = Counter()
        """What Argilla said of answers that it then took."""
        self._service = service
        self._truth = truth
        self._labels = labels
        self._client = httpx.Client(base_url=f"{service.url}/api/v1/", timeout=60, trust_env=False)

    def close(self) -> None:
        self._client.close()

    def begin(self, dataset_id: UUID, number: int, *, leave: int = 0) -> "Batch":
        """The acts on what waits in a round, to be done one by one; its last items are left."""
        before = self._of_round(dataset_id, number - 1)
        now = self._of_round(dataset_id, number)
        *most, last = now[: len(now) - leave]
        left = [self._doing(one, "right") for one in before if not one["responses"]]
        acts = [self._doing(one, what) for one in most for what in self._plan(one)]
        late = [self._doing(one, "other") for one in before[:2]]
        return Batch([*late, *left, *acts], self._doing(last, "right"))

    def _of_round(self, dataset_id: UUID, number: int) -> list[dict[str, Any]]:
        """The most valuable first."""
        found = [one for one in self.records(dataset_id) if one["metadata"]["round"] == number]
        return sorted(found, key=lambda one: int(one["metadata"]["rank"]))

    def _plan(self, record: Record) -> Sequence[str]:
        return PLANS[_number(record["fields"]["text"], len(PLANS))]

    def _doing(self, record: Record, what: str) -> Callable[[], None]:
        user = self._service.annotators[_number(record["fields"]["text"] + "?", 2)]

        def act() -> None:
            if what == "delete":
                self._delete(record, user)
            else:
                self.answer(record, user, what)

        return act

    def answer(self, record: Record, user: ArgillaUser, what: str = "right") -> None:
        status = {"draft": "draft", "discard": "discarded"}.get(what, "submitted")
        item: dict[str, Any] = {"record_id": record["id"], "status": status}
        if what != "discard":
            item["values"] = {"label": {"value": self._label(record, what)}}
        self._note(record, self._submit(record["external_id"], user, item))

    def _submit(
        self, external_id: str, user: ArgillaUser, item: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """As often as it takes: under a crowd Argilla says of some answers that it failed."""
        end = time.monotonic() + PATIENCE
        while True:
            (done,) = self._call("POST", "me/responses/bulk", user, json={"items": [item]})["items"]
            if done["item"] is not None:
                taken: Mapping[str, Any] = done["item"]
                return taken
            assert time.monotonic() < end, done["error"]
            self.refused[_kind(done["error"])] += 1
            self.journal.doubtful.add(external_id)

    def _label(self, record: Record, what: str) -> str:
        right = self._truth[record["fields"]["text"]]
        others = [label for label in self._labels if label != right]
        return {"right": right, "other": others[1]}.get(what, others[0])

    def _delete(self, record: Record, user: ArgillaUser) -> None:
        mine = self.journal.latest(record["external_id"])
        self._call("DELETE", f"responses/{mine.response_id}", user)

    def _note(self, record: Record, given: Mapping[str, Any]) -> None:
        values = given["values"]
        self.journal.acts.append(
            Act(
                item=record["external_id"],
                round=record["metadata"]["round"],
                response_id=UUID(given["id"]),
                user_id=UUID(given["user_id"]),
                status=given["status"],
                values=values and {name: one["value"] for name, one in values.items()},
                updated_at=datetime.fromisoformat(given["updated_at"]),
            )
        )

    def records(self, dataset_id: UUID) -> list[dict[str, Any]]:
        """All records of a dataset as its owner sees them."""
        found: list[dict[str, Any]] = []
        while True:
            query = {"offset": len(found), "limit": 1000, "include": ["responses", "suggestions"]}
            path = f"datasets/{dataset_id}/records"
            page = self._call("GET", path, self._service.owner, params=query)["items"]
            found += page
            if len(page) < 1000:
                return found

    def _call(self, method: str, path: str, user: ArgillaUser, **more: Any) -> Any:
        """Again after a 500: Argilla may say so although it has done what it was asked."""
        end = time.monotonic() + PATIENCE
        while True:
            answer = self._client.request(
                method, path, headers={"X-Argilla-Api-Key": user.api_key}, **more
            )
            if answer.is_success:
                return answer.json() if answer.content else None
            if method == "DELETE" and answer.status_code == 404:
                return None
            assert answer.status_code >= 500, (method, path, answer.status_code, answer.text)
            assert time.monotonic() < end, (method, path, answer.status_code)
            time.sleep(0.2)


@dataclass
class Batch:
    """What is to be done about one batch; the last act completes it."""

    acts: list[Callable[[], None]]
    last: Callable[[], None] | None

    def act(self) -> bool:
        """Do the next thing but the last. False if only that is left."""
        if self.acts:
            self.acts.pop(0)()
        return bool(self.acts)

    def finish(self) -> None:
        while self.act():
            pass
        if self.last is not None:
            self.last()
            self.last = None


def _kind(error: Mapping[str, Any]) -> str:
    """Without the statement and whose it was, so that the same trouble counts as the same."""
    return str(error.get("detail", error)).splitlines()[0].rpartition(">: ")[2][:120]


def _number(text: str, below: int) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest()) % below
