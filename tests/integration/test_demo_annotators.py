"""Simulated annotators beside people, in a real Argilla."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.adapters.argilla import ArgillaTool
from app.core.tasks import Question
from app.demo.annotators import SimulatedAnnotator, run_annotators
from app.ports.annotation_tool import DatasetSpec, RecordOut
from tests.argilla_hands import ArgillaHands
from tests.relay import Relay
from tests.services import ArgillaService

pytestmark = pytest.mark.argilla

LABELS = ("refund", "delivery", "praise")
PATIENCE = 120.0


@pytest.fixture
def hands(argilla: ArgillaService) -> ArgillaHands:
    return ArgillaHands(argilla)


class Office:
    """A dataset, and the simulated annotators that work on it in the background."""

    def __init__(self, service: ArgillaService, hands: ArgillaHands) -> None:
        self.service = service
        self.hands = hands
        self.tool = ArgillaTool(service.url, service.owner.api_key, service.workspace)
        self.stop = threading.Event()
        self.truth: dict[str, str] = {}
        self.datasets: list[UUID] = []
        self.answered: dict[str, int] = {}
        self.thread = threading.Thread(target=self._run)

    def dataset(self, count: int, *, overlap: int = 1) -> UUID:
        question = Question("label", "label", "Label", LABELS)
        spec = DatasetSpec(f"demo-{uuid4().hex}", ("text",), question, None, overlap, ())
        dataset_id = self.tool.ensure_dataset(spec).dataset_id
        self.datasets.append(dataset_id)
        texts = [f"{spec.name} {number}" for number in range(count)]
        self.truth.update({text: LABELS[n % 3] for n, text in enumerate(texts)})
        self.tool.push(
            dataset_id, [RecordOut(f"item-{n}", {"text": text}, {}) for n, text in enumerate(texts)]
        )
        return dataset_id

    def open(self, url: str | None = None) -> None:
        self.url = url or self.service.url
        self.thread.start()

    def close(self) -> None:
        self.stop.set()
        if self.thread.ident is not None:
            self.thread.join()
        for dataset_id in self.datasets:
            self.hands.delete_dataset(dataset_id)

    def _run(self) -> None:
        people = [
            SimulatedAnnotator(one.username, one.api_key, 0.0, answers_per_second=100)
            for one in self.service.annotators
        ]
        counts = run_annotators(
            self.url,
            people,
            lambda: list(self.datasets),
            self.truth,
            self.stop,
            observer_key=self.service.owner.api_key,
        )
        self.answered.update(counts)

    def submitted(self, dataset_id: UUID) -> dict[str, list[str]]:
        """Submitted labels by external id."""
        found: dict[str, list[str]] = {}
        for one in self.tool.look(dataset_id).responses:
            if one.status == "submitted" and one.values:
                found.setdefault(one.external_id, []).append(one.values["label"])
        return found

    def wait_until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < deadline, "the annotators did not get there"
            assert self.thread.is_alive()
            time.sleep(0.05)


@pytest.fixture
def office(argilla: ArgillaService, hands: ArgillaHands) -> Iterator[Office]:
    office = Office(argilla, hands)
    yield office
    office.close()


def right(office: Office, dataset_id: UUID, names: Sequence[str]) -> dict[str, list[str]]:
    records = {one["external_id"]: one for one in office.hands.records(dataset_id)}
    return {name: [office.truth[records[name]["fields"]["text"]]] for name in names}


def test_each_record_is_answered_once_and_rightly(office: Office) -> None:
    dataset_id = office.dataset(12)
    office.open()
    office.wait_until(lambda: len(office.submitted(dataset_id)) == 12)
    office.stop.set()
    office.thread.join()
    names = [f"item-{number}" for number in range(12)]
    assert office.submitted(dataset_id) == right(office, dataset_id, names)
    assert sum(office.answered.values()) == 12
    assert all(office.answered.values())


def test_with_overlap_everybody_answers(office: Office) -> None:
    dataset_id = office.dataset(4, overlap=2)
    office.open()
    office.wait_until(
        lambda: [len(one) for one in office.submitted(dataset_id).values()] == [2, 2, 2, 2]
    )


def test_new_datasets_are_found_and_unknown_texts_left_to_people(office: Office) -> None:
    first = office.dataset(2)
    office.open()
    office.wait_until(lambda: len(office.submitted(first)) == 2)
    second = office.dataset(3)
    stranger = RecordOut("item-99", {"text": "nobody knows what this is"}, {})
    office.tool.push(second, [stranger])
    office.wait_until(lambda: len(office.submitted(second)) == 3)
    assert "item-99" not in office.submitted(second)


def test_drafts_of_people_are_left_alone_and_their_discards_answered(
    office: Office, hands: ArgillaHands
) -> None:
    dataset_id = office.dataset(8)
    for number in range(2):
        hands.answer(dataset_id, f"item-{number}", "praise", by=number, status="draft")
    for number in range(2, 4):
        hands.answer(dataset_id, f"item-{number}", None, by=number - 2, status="discarded")
    hands.answer(dataset_id, "item-4", "praise", by=0)
    office.open()
    names = ["item-2", "item-3", "item-5", "item-6", "item-7"]
    expected = right(office, dataset_id, names) | {"item-4": ["praise"]}
    office.wait_until(lambda: office.submitted(dataset_id) == expected)
    after_a_while = office.dataset(6)
    office.wait_until(lambda: len(office.submitted(after_a_while)) == 6)
    assert office.submitted(dataset_id) == expected


def test_they_wait_for_a_server_that_is_away(office: Office) -> None:
    first = office.dataset(4)
    with Relay(office.service.url) as relay:
        relay.lose_every(13)
        office.open(relay.url)
        office.wait_until(lambda: len(office.submitted(first)) == 4)
        relay.go_down()
        second = office.dataset(4)
        relay.come_up()
        office.wait_until(lambda: len(office.submitted(second)) == 4)
        office.stop.set()
        office.thread.join()
    assert all(len(one) == 1 for one in office.submitted(first).values())


def test_an_unforeseen_error_is_not_swallowed(argilla: ArgillaService) -> None:
    stop = threading.Event()
    one = argilla.annotators[0]

    def broken() -> list[Any]:
        raise KeyError("a fault of ours")

    with pytest.raises(KeyError):
        run_annotators(
            argilla.url, [SimulatedAnnotator(one.username, one.api_key)], broken, {}, stop
        )
    assert stop.is_set()
