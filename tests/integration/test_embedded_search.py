"""The SQL search engine answers Argilla's questions as people expect, over Argilla's own API."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.search_dataset import (
    SearchDataset,
    ascending,
    between,
    descending,
    metadata,
    record,
    response,
    suggestion,
    terms,
)
from tests.services import ArgillaService

pytestmark = pytest.mark.argilla

RECORDS: list[dict[str, Any]] = [
    {
        "external_id": "late",
        "fields": {"text": "My parcel is LATE, 50% of it is missing"},
        "metadata": {"topic": "delivery", "rank": 3, "score": 0.5},
        "suggestions": {
            "label": {"value": "delivery", "score": 0.9, "agent": "linear/1"},
            "tags": {"value": ["angry", "urgent"], "score": [0.2, 0.7], "agent": "linear/1"},
            "stars": {"value": 2, "score": 0.4, "agent": "linear/1"},
        },
    },
    {
        "external_id": "refund",
        "fields": {"text": 'They call it a "refund policy"', "note": "second hand"},
        "metadata": {"topic": "billing", "rank": 1, "score": 0.25},
        "suggestions": {
            "label": {"value": "billing", "score": 0.3, "agent": "linear/2"},
            "tags": {"value": ["polite"], "score": [0.9], "agent": "linear/2"},
            "stars": {"value": 5, "score": 0.1, "agent": "linear/2"},
        },
    },
    {
        "external_id": "invoice",
        "fields": {"text": "invoice_number is wrong, äußerst ärgerlich"},
        "metadata": {"topic": ["billing", "delivery"], "rank": 10, "score": 0.5},
        "suggestions": {"label": {"value": "billing", "score": 0.6, "agent": "linear/1"}},
    },
    {
        "external_id": "thanks",
        "fields": {
            "text": "Thanks",
            "talk": [
                {"role": "user", "content": "Where is my parcel?"},
                {"role": "assistant", "content": 'It is on its way, "soon"'},
            ],
        },
        "metadata": {"topic": "other"},
    },
    {"external_id": "bare", "fields": {"text": "C:\\path and 'quotes'; DROP TABLE records; --"}},
]
EVERYTHING = {item["external_id"] for item in RECORDS}


@pytest.fixture(scope="module")
def dataset(argilla: ArgillaService) -> Iterator[SearchDataset]:
    """Only read by the tests of this file."""
    made = SearchDataset.create(argilla)
    for item in RECORDS:  # one by one, so that each has an age of its own
        made.add([item])
    first, second = argilla.annotators
    made.answer("late", first, "submitted", label="delivery", tags=["urgent"], stars=1)
    made.answer("late", second, "discarded")
    made.answer("refund", first, "draft", label="other", stars=4)
    made.answer("refund", second, "submitted", label="billing", stars=5)
    made.answer("invoice", second, "submitted", label="billing", stars=3)
    yield made
    made.delete()


@pytest.fixture
def empty(argilla: ArgillaService) -> Iterator[SearchDataset]:
    """For tests that write."""
    made = SearchDataset.create(argilla)
    yield made
    made.delete()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("late", {"late"}),
        ("LATE", {"late"}),
        ("parcel", {"late", "thanks"}),
        ("arcel", {"late", "thanks"}),
        ("missing parcel", {"late"}),
        ("parcel refund", set()),
        ("parcel | refund", {"late", "thanks", "refund"}),
        ("parcel -late", {"thanks"}),
        ('"refund policy"', {"refund"}),
        ('"policy refund"', set()),
        ("policy refund", {"refund"}),
        ('"unclosed', set()),
        ("50%", {"late"}),
        ("5%0", set()),
        ("%", {"late"}),
        ("_", {"invoice"}),
        ("invoice_number", {"invoice"}),
        ("invoiceXnumber", set()),
        ("ÄUSSERST", set()),
        ("ÄRGERLICH", {"invoice"}),
        ("C:\\path", {"bare"}),
        ("'quotes';", {"bare"}),
        ("parc*", {"late", "thanks"}),
        ("hand", {"refund"}),
        ("way", {"thanks"}),
        ('"soon"', {"thanks"}),
        ("assistant", set()),
    ],
)
def test_text_search(dataset: SearchDataset, query: str, found: set[str]) -> None:
    assert set(dataset.search(text=query)) == found


def test_text_search_in_one_field(dataset: SearchDataset) -> None:
    assert dataset.search(text="hand", field="note") == ["refund"]
    assert dataset.search(text="hand", field="text") == []
    assert dataset.search(text="parcel", field="talk") == ["thanks"]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (terms(metadata("topic"), "billing"), {"refund", "invoice"}),
        (terms(metadata("topic"), "billing", "other"), {"refund", "invoice", "thanks"}),
        (terms(metadata("topic"), "Billing"), set()),
        (terms(metadata("rank"), "1", "10"), {"refund", "invoice"}),
        (between(metadata("rank"), ge=3), {"late", "invoice"}),
        (between(metadata("rank"), ge=1, le=3), {"late", "refund"}),
        (between(metadata("score"), le=0.25), {"refund"}),
        (between(metadata("score"), ge=0.5, le=0.5), {"late", "invoice"}),
        (terms(suggestion("label"), "billing"), {"refund", "invoice"}),
        (terms(suggestion("tags"), "urgent", "polite"), {"late", "refund"}),
        (terms(suggestion("stars"), "5"), {"refund"}),
        (between(suggestion("stars"), ge=1, le=2), {"late"}),
        (between(suggestion("label", "score"), ge=0.5), {"late", "invoice"}),
        (between(suggestion("tags", "score"), ge=0.8), {"refund"}),
        (terms(suggestion("label", "agent"), "linear/1"), {"late", "invoice"}),
        (terms(response("label"), "billing"), {"refund", "invoice"}),
        (terms(response("tags"), "urgent"), {"late"}),
        (between(response("stars"), ge=4), {"refund"}),
        (terms(response(), "submitted"), {"late", "refund", "invoice"}),
        (terms(response(), "discarded"), {"late"}),
        (terms(response(), "draft"), {"refund"}),
        (terms(response(), "pending"), {"thanks", "bare"}),
        (terms(response(), "pending", "draft"), {"thanks", "bare", "refund"}),
        (terms(record("status"), "completed"), {"late", "refund", "invoice"}),
        (terms(record("status"), "pending"), {"thanks", "bare"}),
        (terms(record("external_id"), "late", "bare"), {"late", "bare"}),
    ],
)
def test_filters(dataset: SearchDataset, condition: dict[str, Any], found: set[str]) -> None:
    assert set(dataset.search(filters=[condition])) == found


def test_several_filters_and_a_text_have_to_hold_together(dataset: SearchDataset) -> None:
    conditions = [terms(metadata("topic"), "billing"), between(metadata("rank"), ge=2)]
    assert dataset.search(filters=conditions) == ["invoice"]
    assert dataset.search(filters=conditions, text="refund") == []
    assert dataset.search(filters=conditions, text="wrong") == ["invoice"]


def test_status_and_answers_are_each_persons_own(dataset: SearchDataset) -> None:
    first, second = dataset.service.annotators
    assert set(dataset.search(first, filters=[terms(response(), "submitted")])) == {"late"}
    assert set(dataset.search(second, filters=[terms(response(), "discarded")])) == {"late"}
    assert set(dataset.search(first, filters=[terms(response(), "discarded")])) == set()
    pending = {"invoice", "thanks", "bare"}
    assert set(dataset.search(first, filters=[terms(response(), "pending")])) == pending
    assert set(dataset.search(first, filters=[terms(response("label"), "billing")])) == set()
    assert set(dataset.search(second, filters=[between(response("stars"), ge=4)])) == {"refund"}


def test_times_can_be_given_as_text_or_as_milliseconds(dataset: SearchDataset) -> None:
    now = datetime.now(UTC)
    hour_ago, in_an_hour = now - timedelta(hours=1), now + timedelta(hours=1)
    for name in ("inserted_at", "updated_at"):
        recent = [between(record(name), ge=hour_ago.isoformat(), le=in_an_hour.isoformat())]
        assert set(dataset.search(filters=recent)) == EVERYTHING
        milliseconds = [between(record(name), ge=in_an_hour.timestamp() * 1000)]
        assert dataset.search(filters=milliseconds) == []


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (ascending(metadata("rank")), ["refund", "late", "invoice", "thanks", "bare"]),
        (descending(metadata("rank")), ["invoice", "late", "refund", "thanks", "bare"]),
        (ascending(metadata("score")), ["refund", "late", "invoice", "thanks", "bare"]),
        (descending(metadata("score")), ["late", "invoice", "refund", "thanks", "bare"]),
        (ascending(metadata("topic")), ["refund", "invoice", "late", "thanks", "bare"]),
        (descending(metadata("topic")), ["thanks", "late", "invoice", "refund", "bare"]),
        (descending(suggestion("label", "score")), ["late", "invoice", "refund", "thanks", "bare"]),
        (ascending(suggestion("label")), ["refund", "invoice", "late", "thanks", "bare"]),
        (ascending(suggestion("tags", "score")), ["late", "refund", "invoice", "thanks", "bare"]),
        (descending(suggestion("stars")), ["refund", "late", "invoice", "thanks", "bare"]),
        (ascending(response("stars")), ["late", "invoice", "refund", "thanks", "bare"]),
        (descending(response("label")), ["refund", "late", "invoice", "thanks", "bare"]),
        (ascending(record("inserted_at")), ["late", "refund", "invoice", "thanks", "bare"]),
        (descending(record("inserted_at")), ["bare", "thanks", "invoice", "refund", "late"]),
    ],
)
def test_sorts_put_what_has_no_value_last_and_break_ties_by_age(
    dataset: SearchDataset, order: dict[str, Any], expected: list[str]
) -> None:
    assert dataset.search(sort=[order]) == expected


def test_a_second_order_decides_where_the_first_is_even(dataset: SearchDataset) -> None:
    orders = [descending(metadata("score")), descending(metadata("rank"))]
    assert dataset.search(sort=orders)[:3] == ["invoice", "late", "refund"]


def test_answers_sort_by_ones_own(dataset: SearchDataset) -> None:
    first, _ = dataset.service.annotators
    orders = [descending(response("stars"))]
    assert dataset.search(first, sort=orders)[:2] == ["refund", "late"]


def test_pages_fit_together_without_gap_or_overlap(empty: SearchDataset) -> None:
    """All records of one request have the same time: only the id can tell them apart."""
    count = 57
    empty.add(
        [
            {"external_id": str(n), "fields": {"text": "same"}, "metadata": {"rank": n % 3}}
            for n in range(count)
        ]
    )
    annotator = empty.service.annotators[0]
    for who, sort in ((None, []), (annotator, []), (None, [ascending(metadata("rank"))])):
        pages = [empty.search(who, sort=sort, page=(start, 10)) for start in range(0, count, 10)]
        seen = [external_id for page in pages for external_id in page]
        assert len(seen) == count
        assert set(seen) == {str(n) for n in range(count)}
        assert seen == empty.search(who, sort=sort)


def test_without_an_order_each_person_gets_another_sequence_and_keeps_it(
    empty: SearchDataset,
) -> None:
    empty.add([{"external_id": str(n), "fields": {"text": "same"}} for n in range(30)])
    first, second = empty.service.annotators
    assert empty.search(first) == empty.search(first)
    assert empty.search(first) != empty.search(second)
    assert sorted(empty.search(first)) == sorted(empty.search(second))


def test_totals_count_all_that_was_found_not_the_page(dataset: SearchDataset) -> None:
    answer = dataset.search_answer(text="parcel", page=(0, 1))
    assert len(answer["items"]) == 1
    assert answer["total"] == 2
    assert dataset.search_answer(page=(100, 10)) == {"items": [], "total": len(RECORDS)}


def test_changed_and_deleted_records_are_found_as_they_are_now(empty: SearchDataset) -> None:
    empty.add(RECORDS)
    empty.add([{"external_id": "late", "fields": {"text": "punctual"}, "metadata": {"rank": 99}}])
    assert empty.search(text="parcel") == ["thanks"]
    assert empty.search(filters=[between(metadata("rank"), ge=99)]) == ["late"]
    gone = empty.records["thanks"]
    empty.call("DELETE", f"/datasets/{empty.id}/records?ids={gone}")
    assert empty.search(text="parcel") == []
    assert empty.call("GET", f"/datasets/{empty.id}/progress")["total"] == len(RECORDS) - 1
    assert terms_of(empty, "topic") == {"billing": 2, "delivery": 1}


def test_a_dataset_without_records_answers_with_nothing(empty: SearchDataset) -> None:
    first = empty.service.annotators[0]
    assert empty.search() == []
    assert empty.search(first, text="a", sort=[ascending(metadata("rank"))]) == []
    assert empty.call("GET", f"/datasets/{empty.id}/progress")["total"] == 0
    assert metrics_of(empty, "topic") == {"type": "terms", "total": 0, "values": []}
    assert metrics_of(empty, "rank") == {"type": "integer", "min": None, "max": None}
    assert metrics_of(empty, "score") == {"type": "float", "min": None, "max": None}
    mine = empty.call("GET", f"/me/datasets/{empty.id}/metrics", who=first)["responses"]
    assert set(mine.values()) == {0}


def test_progress_of_the_dataset_and_of_each_person(dataset: SearchDataset) -> None:
    first, second = dataset.service.annotators
    progress = dataset.call("GET", f"/datasets/{dataset.id}/progress")
    assert (progress["total"], progress["completed"], progress["pending"]) == (5, 3, 2)
    mine = dataset.call("GET", f"/me/datasets/{dataset.id}/metrics", who=first)["responses"]
    assert mine == {"total": 5, "submitted": 1, "discarded": 0, "draft": 1, "pending": 3}
    theirs = dataset.call("GET", f"/me/datasets/{dataset.id}/metrics", who=second)["responses"]
    assert theirs == {"total": 5, "submitted": 2, "discarded": 1, "draft": 0, "pending": 2}


def test_metadata_metrics_tell_terms_and_limits(dataset: SearchDataset) -> None:
    assert terms_of(dataset, "topic") == {"billing": 2, "delivery": 2, "other": 1}
    assert metrics_of(dataset, "rank") == {"type": "integer", "min": 1, "max": 10}
    assert metrics_of(dataset, "score") == {"type": "float", "min": 0.25, "max": 0.5}


def test_suggestion_options_tell_the_agents(dataset: SearchDataset) -> None:
    answer = dataset.call("GET", f"/datasets/{dataset.id}/records/search/suggestions/options")
    agents = {item["question"]["name"]: set(item["agents"]) for item in answer["items"]}
    assert agents["label"] == {"linear/1", "linear/2"}


def test_one_dataset_never_shows_in_another(dataset: SearchDataset, empty: SearchDataset) -> None:
    empty.add([{"external_id": "late", "fields": {"text": "parcel of another dataset"}}])
    assert len(empty.search(text="parcel")) == 1
    assert set(dataset.search(text="parcel")) == {"late", "thanks"}


@pytest.mark.parametrize(
    "condition",
    [
        terms(metadata("rank"), "many"),
        between(record("inserted_at"), ge="yesterday"),
        terms(metadata("unknown"), "a"),
        terms(suggestion("unknown"), "a"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(
    dataset: SearchDataset, condition: dict[str, Any]
) -> None:
    body = {"filters": {"and": [condition]}}
    answer = dataset.try_call("POST", f"/datasets/{dataset.id}/records/search", body)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_search_by_vectors_is_refused_clearly(empty: SearchDataset) -> None:
    vectors = {"name": "meaning", "title": "meaning", "dimensions": 2}
    empty.call("POST", f"/datasets/{empty.id}/vectors-settings", vectors)
    body = {"query": {"vector": {"name": "meaning", "value": [0.1, 0.2]}}}
    answer = empty.try_call("POST", f"/datasets/{empty.id}/records/search", body)
    assert answer.status_code == 422
    assert "cannot search by vectors" in answer.text


def terms_of(dataset: SearchDataset, name: str) -> dict[str, int]:
    answer = metrics_of(dataset, name)
    counts = {value["term"]: value["count"] for value in answer["values"]}
    assert answer["total"] == sum(counts.values())
    return counts


def metrics_of(dataset: SearchDataset, name: str) -> dict[str, Any]:
    listed = dataset.call("GET", f"/me/datasets/{dataset.id}/metadata-properties")["items"]
    named = next(item for item in listed if item["name"] == name)
    return dataset.call("GET", f"/metadata-properties/{named['id']}/metrics")


def test_many_people_searching_at_once_do_not_wait_for_each_other_forever(
    dataset: SearchDataset,
) -> None:
    """Each request holds one of Argilla's connections while it waits for its search."""
    who = dataset.service.annotators[0]
    with ThreadPoolExecutor(60) as pool:
        asked = [pool.submit(dataset.search, who, text="parcel") for _ in range(60)]
        assert all(set(one.result()) == {"late", "thanks"} for one in asked)
