"""People label in Argilla's own web UI, which here is answered by our SQL search."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.argilla_ui import ArgillaUi
from tests.browser.chromium import open_page
from tests.search_dataset import SearchDataset
from tests.services import ArgillaService

pytestmark = [pytest.mark.browser, pytest.mark.argilla]

COUNT = 12


def text_of(number: int) -> str:
    return f"Message {number} about a {'parcel' if number % 2 else 'refund'}"


def record_of(number: int) -> dict[str, Any]:
    topic = "delivery" if number % 2 else "billing"
    suggested = {"value": topic, "score": 0.4 + number / 20, "agent": "linear/1"}
    return {
        "external_id": f"r{number}",
        "fields": {"text": text_of(number)},
        "metadata": {"topic": topic, "rank": number, "score": number / 10},
        "suggestions": {"label": suggested},
    }


@pytest.fixture
def dataset(argilla: ArgillaService) -> Iterator[SearchDataset]:
    made = SearchDataset.create(argilla, guidelines="Choose **one** label for each message.")
    made.add([record_of(number) for number in range(1, COUNT + 1)])
    yield made
    made.delete()


@pytest.fixture
def ui(argilla: ArgillaService, dataset: SearchDataset) -> Iterator[ArgillaUi]:
    with open_page() as page:
        window = ArgillaUi(page, argilla.url)
        yield window
        # the home page may ask for datasets that other tests have just deleted
        ours = [line for line in window.failures if line.startswith("5") or dataset.id in line]
        assert ours == []


def stored(dataset: SearchDataset, external_id: str) -> dict[str, Any]:
    """What Argilla's database holds for this record, asked through its API."""
    path = f"/datasets/{dataset.id}/records?include=responses&limit=1000"
    items = dataset.call("GET", path)["items"]
    found = next(item for item in items if item["external_id"] == external_id)
    assert len(found["responses"]) == 1
    return dict(found["responses"][0])


def test_an_annotator_labels_from_the_link_that_sorts_the_most_valuable_first(
    ui: ArgillaUi, dataset: SearchDataset, argilla: ArgillaService
) -> None:
    ui.log_in(argilla.annotators[0])
    ui.open(dataset.id, sort="metadata.rank.desc")
    ui.expect_record(text_of(12), COUNT)
    ui.expect_suggestion("billing", "1.0")
    expect(ui.read_guidelines()).to_contain_text("Choose one label for each message.")

    ui.submit()
    ui.expect_record(text_of(11))
    ui.choose("other")
    ui.submit()
    ui.expect_record(text_of(10))
    ui.discard()
    ui.expect_record(text_of(9))
    ui.save_draft()
    ui.expect_progress(pending=COUNT - 4, draft=1, discarded=1, submitted=2)

    assert stored(dataset, "r12")["values"]["label"]["value"] == "billing"
    assert stored(dataset, "r12")["status"] == "submitted"
    assert stored(dataset, "r11")["values"]["label"]["value"] == "other"
    assert stored(dataset, "r10")["status"] == "discarded"
    assert stored(dataset, "r9")["status"] == "draft"

    ui.show("discarded")
    ui.expect_record(text_of(10), 1)
    ui.show("submitted")
    ui.expect_record(text_of(12))


def test_an_annotator_filters_sorts_and_searches(
    ui: ArgillaUi, dataset: SearchDataset, argilla: ArgillaService
) -> None:
    ui.log_in(argilla.annotators[1])
    ui.open(dataset.id, sort="metadata.rank.desc")
    ui.expect_record(text_of(12), COUNT)

    ui.turn_sort()
    ui.expect_record(text_of(1), COUNT)
    ui.filter_by_term("topic", "billing")
    ui.expect_record(text_of(2), COUNT // 2)
    ui.filter_from("rank", "7")
    ui.expect_record(text_of(8), 3)
    ui.clear_filters()

    ui.expect_record_count(COUNT)
    ui.search("parcel")
    ui.expect_record_count(COUNT // 2)
    ui.sort_by("rank")
    ui.expect_record(text_of(1), COUNT // 2)
    ui.search('"Message 11 about"')
    ui.expect_record(text_of(11), 1)
    ui.search("50% of_nothing")
    ui.expect_nothing()


def test_an_annotator_labels_many_at_once(
    ui: ArgillaUi, dataset: SearchDataset, argilla: ArgillaService
) -> None:
    ui.log_in(argilla.annotators[0])
    ui.open(dataset.id, sort="metadata.rank.desc")
    ui.search("refund")
    ui.expect_record(text_of(12), COUNT // 2)
    ui.select_all_in_bulk_view()
    ui.choose("other")
    ui.submit()
    ui.expect_progress(pending=COUNT // 2, submitted=COUNT // 2)
    for number in range(2, COUNT + 1, 2):
        assert stored(dataset, f"r{number}")["values"]["label"]["value"] == "other"


def test_the_owner_sees_datasets_settings_and_the_progress_of_all(
    ui: ArgillaUi, dataset: SearchDataset, argilla: ArgillaService
) -> None:
    for number, annotator in zip(
        (1, 2, 3), (*argilla.annotators, argilla.annotators[0]), strict=True
    ):
        dataset.answer(f"r{number}", annotator, "submitted", label="other")
    name = dataset.call("GET", f"/datasets/{dataset.id}")["name"]
    ui.log_in(argilla.owner)
    card = ui.page.locator(".dataset-card", has_text=name)
    expect(card).to_contain_text("25.00%")

    ui.open_from_home(name)
    ui.page.goto(f"{ui.url}/dataset/{dataset.id}/settings")
    for tab in ("Fields", "Questions", "Metadata"):
        ui.page.get_by_text(tab, exact=True).first.click()
    for named in ("topic", "rank", "score"):
        expect(ui.page.get_by_text(re.compile(named)).first).to_be_visible()
