"""Annotators that are not people: they answer through Argilla's API as people do in its UI.

They know the right labels, err at a chosen rate and take their time. People may label beside them:
what somebody has begun (a draft) is left to them, and what is answered is no longer pending.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import Any
from uuid import UUID

import httpx
import structlog

from app.core.errors import RoundsError

log = structlog.get_logger()

IDLE_SECONDS = 0.5
LONGEST_PAUSE = 5.0
PAGE = 50
SECOND_LOOKS = 5
PENDING = {
    "filters": {
        "and": [
            {
                "type": "terms",
                "scope": {"entity": "response", "property": "status"},
                "values": ["pending"],
            },
            {
                "type": "terms",
                "scope": {"entity": "record", "property": "status"},
                "values": ["pending"],
            },
        ]
    }
}
"""What the UI asks for to fill an annotator's queue."""


@dataclass(frozen=True, slots=True)
class SimulatedAnnotator:
    """Somebody with an account in Argilla, who answers so fast and errs so often."""

    username: str
    api_key: str
    error_rate: float = 0.05
    answers_per_second: float = 2.0
    seed: int = 0

    def label_for(self, text: str, right: str, labels: Sequence[str]) -> str:
        """What they take the text for: the same each time they read it."""
        rng = Random(f"{self.seed}/{self.username}/{text}")  # noqa: S311 - no secret
        others = [label for label in labels if label != right]
        return rng.choice(others) if others and rng.random() < self.error_rate else right


def run_annotators(
    argilla_url: str,
    annotators: Sequence[SimulatedAnnotator],
    dataset_ids: Callable[[], Iterable[UUID]],
    truth: Mapping[str, str],
    stop: threading.Event,
    *,
    observer_key: str | None = None,
    field: str = "text",
) -> Mapping[str, int]:
    """Label until `stop` is set; how many answers each has given.

    `truth` gives the right label of each text; other texts are left to people. `dataset_ids` is
    asked again and again, so that new datasets are found. With the key of an owner or admin as
    `observer_key` they see each other's and people's drafts; annotators alone cannot. A server
    that is away is waited for. An unforeseen error sets `stop` and is raised.
    """
    answered: dict[str, int] = {}
    with ThreadPoolExecutor(max(1, len(annotators)), "annotator") as pool:
        loops = []
        for annotator in annotators:
            desk = _Desk(argilla_url, annotator, annotators, truth, observer_key, field)
            loops.append(pool.submit(desk.work, dataset_ids, stop))
        try:
            for loop in as_completed(loops):
                answered.update(loop.result())
        finally:
            stop.set()
    return answered


@dataclass(frozen=True, slots=True)
class _Task:
    """A dataset as an annotator knows it."""

    question: str
    labels: Sequence[str]
    overlap: int


class _Desk:
    """One annotator at work."""

    def __init__(
        self,
        url: str,
        annotator: SimulatedAnnotator,
        colleagues: Sequence[SimulatedAnnotator],
        truth: Mapping[str, str],
        observer_key: str | None,
        field: str,
    ) -> None:
        self.annotator = annotator
        self.truth = truth
        self.field = field
        self._colleagues = colleagues
        self._observer_key = observer_key
        self._client = httpx.Client(base_url=url.rstrip("/") + "/api/v1/", timeout=60)
        self._ids: dict[str, str] = {}
        self._tasks: dict[UUID, _Task] = {}
        self._left_alone: set[str] = set()

    def work(
        self, dataset_ids: Callable[[], Iterable[UUID]], stop: threading.Event
    ) -> Mapping[str, int]:
        answered = 0
        failures = 0
        with self._client:
            while not stop.is_set():
                try:
                    done = self._turn(dataset_ids())
                    answered += done
                    failures = 0
                    pause = 1 / self.annotator.answers_per_second if done else IDLE_SECONDS
                except (httpx.HTTPError, RoundsError) as problem:
                    log.debug("annotator.waits", who=self.annotator.username, why=str(problem))
                    pause = min(IDLE_SECONDS * 2**failures, LONGEST_PAUSE)
                    failures += 1
                stop.wait(pause)
        return {self.annotator.username: answered}

    def _turn(self, dataset_ids: Iterable[UUID]) -> bool:
        """Answer one record, the first in the queue that is ours to answer."""
        for dataset_id in dataset_ids:
            task = self._task(dataset_id)
            for record in self._candidates(dataset_id, task):
                if self._is_mine(record, task) and self._submit(record, task):
                    return True
        return False

    def _candidates(self, dataset_id: UUID, task: _Task) -> Iterator[Mapping[str, Any]]:
        """What the lot gives us; then a few that have become ours if a colleague had discarded."""
        others: list[Mapping[str, Any]] = []
        for record in self._queue(dataset_id):
            if self._drew_it(record, self._user_ids(), task.overlap):
                yield record
            elif len(others) < SECOND_LOOKS:
                others.append(record)
        yield from others

    def _drew_it(self, record: Mapping[str, Any], among: set[str], needed: int) -> bool:
        order = sorted(among, key=lambda user: _lot(record["id"], user))
        return self._ids[self.annotator.username] in order[: max(needed, 0)]

    def _queue(self, dataset_id: UUID) -> Iterator[Mapping[str, Any]]:
        offset = 0
        while True:
            page = self._call(
                "POST",
                f"me/datasets/{dataset_id}/records/search",
                params={"limit": PAGE, "offset": offset},
                json=PENDING,
            )["items"]
            yield from (one["record"] for one in page)
            if len(page) < PAGE:
                return
            offset += PAGE

    def _is_mine(self, record: Mapping[str, Any], task: _Task) -> bool:
        """So many of us answer as are needed, chosen by lot among those who have said nothing."""
        if record["id"] in self._left_alone or record["fields"].get(self.field) not in self.truth:
            return False
        responses = self._responses(record["id"])
        if responses is None or any(one["status"] == "draft" for one in responses):
            return False
        needed = task.overlap - sum(one["status"] == "submitted" for one in responses)
        silent = self._user_ids() - {one["user_id"] for one in responses}
        return self._drew_it(record, silent, needed)

    def _responses(self, record_id: str) -> Sequence[Mapping[str, Any]] | None:
        """Everybody's; none if we may not look, None if the record is gone."""
        if self._observer_key is None:
            return ()
        answer = self._ask("GET", f"records/{record_id}", self._observer_key)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        responses: list[Mapping[str, Any]] = answer.raise_for_status().json()["responses"]
        return responses

    def _submit(self, record: Mapping[str, Any], task: _Task) -> bool:
        text = record["fields"][self.field]
        label = self.annotator.label_for(text, self.truth[text], task.labels)
        body = {"status": "submitted", "values": {task.question: {"value": label}}}
        answer = self._ask(
            "POST", f"records/{record['id']}/responses", self.annotator.api_key, json=body
        )
        if answer.is_server_error or answer.status_code in (401, 403):
            answer.raise_for_status()
        if answer.is_error:
            # answered by hand meanwhile, deleted, or a label that the dataset does not know
            self._left_alone.add(record["id"])
        return answer.is_success

    def _task(self, dataset_id: UUID) -> _Task:
        if dataset_id not in self._tasks:
            dataset = self._call("GET", f"datasets/{dataset_id}")
            (question, *_) = self._call("GET", f"datasets/{dataset_id}/questions")["items"]
            labels = [one["value"] for one in question["settings"].get("options", ())]
            self._tasks[dataset_id] = _Task(
                question["name"], labels, dataset["distribution"]["min_submitted"]
            )
        return self._tasks[dataset_id]

    def _user_ids(self) -> set[str]:
        for one in self._colleagues:
            if one.username not in self._ids:
                answer = self._ask("GET", "me", one.api_key).raise_for_status()
                self._ids[one.username] = answer.json()["id"]
        return set(self._ids.values())

    def _call(self, method: str, path: str, **rest: Any) -> Any:
        return self._ask(method, path, self.annotator.api_key, **rest).raise_for_status().json()

    def _ask(self, method: str, path: str, api_key: str, **rest: Any) -> httpx.Response:
        return self._client.request(method, path, headers={"X-Argilla-Api-Key": api_key}, **rest)


def _lot(record_id: str, user_id: str) -> bytes:
    return blake2b(f"{record_id}/{user_id}".encode(), digest_size=8).digest()
